//! `generate --archive` and `update --archive` as a whole.

use super::{Archived, Result, archive, latest, restore};
use crate::{
    env::Env,
    report::{self, ArchiveAction, ArchivedTable, Step},
};

/// Backs the database up into a new dated folder.
///
/// # Errors
///
/// No archive was made.
pub async fn back_up(env: &Env) -> Result<report::Archive> {
    let database = env.database()?;
    let archived = archive(database.as_ref(), &env.archives(), env.now).await?;
    Ok(reported(env, archived, ArchiveAction::Archived))
}

/// Returns the name of the archive that would be put back: the one named, else the
/// newest.
///
/// # Errors
///
/// There is none.
pub async fn wanted(env: &Env, named: Option<&str>) -> Result<report::Archive> {
    let id = match named {
        Some(id) => id.to_owned(),
        None => latest(&env.archives()).await?,
    };
    Ok(report::Archive {
        location: env.archives().display(&id),
        archive: id,
        action: ArchiveAction::DryRun,
        tables: Vec::new(),
    })
}

/// Puts an archive back: every table in one transaction.
///
/// # Errors
///
/// The database is as it was.
pub async fn put_back(env: &Env, wanted: &report::Archive) -> Result<report::Archive> {
    let database = env.database()?;
    let archived = restore(database.as_ref(), &env.archives(), &wanted.archive).await?;
    Ok(reported(env, archived, ArchiveAction::Restored))
}

fn reported(env: &Env, archived: Archived, action: ArchiveAction) -> report::Archive {
    let tables = archived.tables.into_iter().map(|table| ArchivedTable {
        table: table.name,
        rows: table.rows,
    });
    let report = report::Archive {
        location: env.archives().display(&archived.id),
        archive: archived.id,
        action,
        tables: tables.collect(),
    };
    env.events.step(Step::Archive(report.clone()));
    report
}
