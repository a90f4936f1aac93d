//! `load`: CSV, JSON Lines or Parquet → database tables.

use super::{
    args::LoadArgs,
    context::{Context, Ending},
    screen::grouped,
};
use crate::{error::Result, load};

/// Loads files or folders, in the order named, each whole or not at all.
pub(crate) async fn load(context: &Context, args: &LoadArgs) -> Result<Ending> {
    let database = context.database()?;
    let mut ending = Ending::default();
    for path in &args.paths {
        let path = context.from.join(path);
        // As it is said in errors, without the dots in between.
        let path = std::path::absolute(&path).unwrap_or(path);
        let loaded = load::load(
            database.as_ref(),
            &path,
            &context.config.engine,
            &context.screen.progress_of_steps(),
        )
        .await?;
        for note in &loaded.notes {
            context.screen.warn(note);
        }
        for counts in &loaded.tables {
            context.screen.say(format!(
                "{}: {} new, {} changed, {} unchanged",
                counts.table,
                grouped(counts.inserted),
                grouped(counts.changed),
                grouped(counts.unchanged),
            ));
            context.step(
                "load",
                [
                    ("table", counts.table.as_str().into()),
                    ("inserted", counts.inserted.into()),
                    ("changed", counts.changed.into()),
                    ("unchanged", counts.unchanged.into()),
                ],
            );
        }
        ending.passed(loaded.notes.len());
    }
    Ok(ending)
}
