//! `run`: generate, then upload or update, as the profile says. Its arguments are
//! those of `generate`.

use super::{archive, context::Context, ending::Ending, generate};
use crate::{error::Result, turn};

/// Runs one turn.
pub(super) async fn run(context: &Context, args: generate::Args) -> Result<Ending> {
    if args.archive {
        return archive::back_up(context).await;
    }
    context.finish(&turn::run(&context.env, &args.request()).await?)
}
