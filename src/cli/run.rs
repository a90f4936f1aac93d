//! `run`: generate, then upload or update, whichever the profile has.

use super::{
    args::{GenerateArgs, Selection, UpdateArgs, UploadArgs},
    context::{Context, Ending},
    generate, update, upload,
};
use crate::error::Result;

/// Runs one turn. With a server or an inbox it ends there; with a database it goes
/// on into the tables. A pipeline that fails goes no further.
pub(crate) async fn run(context: &Context, args: &GenerateArgs) -> Result<Ending> {
    let mut ending = generate::generate(context, args).await?;
    if args.dry_run || args.archive || (args.fail_fast && ending.fail > 0) {
        return Ok(ending);
    }
    if let Some(selection) = through(context, &args.selection, &ending)? {
        let upload = UploadArgs {
            selection,
            dry_run: false,
        };
        ending = ending.and(upload::upload(context, &upload).await?);
    }
    let profile = &context.config.profile;
    if profile.server.is_some() || profile.inbox.is_some() {
        return Ok(ending);
    }
    if let Some(selection) = through(context, &args.selection, &ending)? {
        let update = UpdateArgs {
            selection,
            ..UpdateArgs::default()
        };
        ending = ending.and(update::update(context, &update).await?);
    }
    Ok(ending)
}

/// Returns the pipelines meant that have come through so far, if any has.
fn through(context: &Context, meant: &Selection, ending: &Ending) -> Result<Option<Selection>> {
    let pipelines = context.select(meant)?.into_iter();
    let names = pipelines.map(|pipeline| pipeline.name.clone());
    let names: Vec<_> = names.filter(|name| !ending.held.contains(name)).collect();
    Ok((!names.is_empty()).then(|| Selection {
        names,
        ..Selection::default()
    }))
}
