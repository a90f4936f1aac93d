//! `load` as a whole: files or folders → the database, each whole or not at all.

use std::path::PathBuf;

use super::{Result, load};
use crate::{
    env::Env,
    report::{self, LoadedTable, Step},
};

/// Loads files or folders, in the order named.
///
/// # Errors
///
/// What is wrong with the first that could not be loaded; those before it are loaded.
pub async fn run(env: &Env, paths: &[PathBuf]) -> Result<report::Load> {
    let database = env.database()?;
    let mut report = report::Load::default();
    for path in paths {
        let events = env.events.brief();
        let loaded = load(database.as_ref(), path, &env.config.engine, &events).await?;
        for warning in &loaded.notes {
            env.events.warn(warning);
        }
        for counts in loaded.tables {
            let table = LoadedTable {
                path: path.display().to_string(),
                table: counts.table,
                inserted: counts.inserted,
                changed: counts.changed,
                unchanged: counts.unchanged,
            };
            env.events.step(Step::Load(table.clone()));
            report.tables.push(table);
        }
        report.warnings.extend(loaded.notes);
        report.paths += 1;
    }
    Ok(report)
}
