//! `run`: generate, then upload or update, whichever the profile has.

use super::{
    args::{GenerateArgs, UpdateArgs, UploadArgs},
    context::{Context, Ending},
    generate, update, upload,
};
use crate::error::Result;

/// Runs one turn. With a server or an inbox it ends there; with a database it goes
/// on into the tables.
pub(crate) async fn run(context: &Context, args: &GenerateArgs) -> Result<Ending> {
    let generated = generate::generate(context, args).await?;
    if args.dry_run || args.archive || (args.fail_fast && generated.fail > 0) {
        return Ok(generated);
    }
    let selection = args.selection.clone();
    let upload = UploadArgs {
        selection: selection.clone(),
        dry_run: false,
    };
    let uploaded = upload::upload(context, &upload).await?;
    let profile = &context.config.profile;
    if profile.server.is_some() || profile.inbox.is_some() {
        return Ok(generated.and(uploaded));
    }
    let update = UpdateArgs {
        selection,
        ..UpdateArgs::default()
    };
    Ok(generated
        .and(uploaded)
        .and(update::update(context, &update).await?))
}
