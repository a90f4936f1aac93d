//! Applies what is pending in the inbox to the database, once.
//!
//! ```text
//!  pending ─► the highest number ─► verified ─► decoded ─► staged ─► one transaction ─► archived
//!             others: superseded              any fault of its own: refused
//! ```
//!
//! What is not even an artifact is set aside, and does not keep others from being applied.
//!
//! The database's ledger decides what is applied. A run that is killed after the commit
//! leaves the file in the inbox; the next run finds it in the ledger and only moves it.

mod decode;
mod error;
mod one;
mod order;
mod outcome;
mod rejects;
pub(crate) mod rows;
mod run;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::one::one;
use crate::{
    config::EngineConfig,
    database::{Accept, Database, Table},
    events::Events,
    inbox::Inbox,
    pipeline::Pipeline,
    storage::Location,
};

pub use decode::Error as DecodeError;
pub use error::{Error, Result};
pub use outcome::{Outcome, Updated};
pub use run::{Request, run};

/// What is to be applied, and to what.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// The pipelines; those that fill no table are passed over.
    pub pipelines: &'a [&'a Pipeline],
    /// Where pending artifacts are.
    pub inbox: &'a Inbox,
    /// What they are applied to.
    pub database: &'a Arc<dyn Database>,
    /// One artifact by id or number, wherever it has gone: out of `refused/`, or back
    /// to an older one. Else the highest pending number.
    pub artifact: Option<&'a str>,
    /// The guards that are waived.
    pub accept: Accept,
    /// Whether to count only. Nothing is changed or moved.
    pub dry_run: bool,
    /// Whether the first failure skips all that is left.
    pub fail_fast: bool,
    /// The engine's settings.
    pub engine: &'a EngineConfig,
    /// Where rejected rows go: `runs/<id>/rejects`.
    pub rejects: &'a Location,
    /// When.
    pub at: DateTime<Utc>,
}

/// Applies what is pending, each pipeline in its own transaction, parents first.
///
/// One that fails does not stop those that do not depend on it. A second run finds
/// nothing, or what came meanwhile.
///
/// # Errors
///
/// Returns an error when nothing could be begun; what happened to one pipeline is in its
/// [`Outcome`].
pub async fn update(update: Update<'_>, progress: &Events) -> Result<Vec<Updated>> {
    let tables = update.database.tables().await?;
    let order = match update.artifact {
        Some(id) => vec![owner(&update, id).await?],
        None => order::in_order(update.pipelines, &tables),
    };
    let mut done: Vec<Updated> = Vec::new();
    for pipeline in order {
        let failed = failed_before(pipeline, &done, &update, &tables);
        let updated = match failed {
            Some(after) => Updated::new(pipeline, Outcome::Skipped { after }),
            None => {
                progress.begin(&pipeline.name, None, "rows");
                let updated = Box::pin(one(&update, pipeline)).await;
                progress.end(&pipeline.name, updated.outcome.word());
                updated
            }
        };
        done.push(updated);
    }
    Ok(done)
}

/// Returns the one pipeline that has an artifact of that name.
async fn owner<'a>(update: &Update<'a>, id: &str) -> Result<&'a Pipeline> {
    let mut owners = Vec::new();
    for pipeline in update.pipelines {
        if update.inbox.find(&pipeline.name, id).await?.is_some() {
            owners.push(*pipeline);
        }
    }
    let id = id.to_owned();
    match owners.as_slice() {
        [owner] => Ok(owner),
        [] => Err(Error::UnknownArtifact { id }),
        _ => Err(Error::AmbiguousArtifact { id }),
    }
}

fn failed_before(
    pipeline: &Pipeline,
    done: &[Updated],
    update: &Update<'_>,
    tables: &[Table],
) -> Option<String> {
    let failed = done.iter().filter(|updated| updated.outcome.is_failure());
    let matters = |updated: &&Updated| {
        let mut pipelines = update.pipelines.iter();
        let other = pipelines.find(|other| other.name == updated.pipeline);
        update.fail_fast || other.is_some_and(|other| order::depends(pipeline, other, tables))
    };
    let mut failed = failed.filter(matters);
    failed.next().map(|updated| updated.pipeline.clone())
}
