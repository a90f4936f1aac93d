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
mod order;
mod rejects;
pub(crate) mod rows;
mod run;

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};

use self::rejects::Rejects;
use crate::{
    artifact::id::Seq,
    chain::chain,
    config::EngineConfig,
    database::{self, Accept, Applied, Change, Database, Table, TableCounts},
    diagnostics::Finding,
    engine, env,
    events::Events,
    inbox::{self, Disposition, Inbox, Received},
    kind::Kind,
    pipeline::Pipeline,
    report::state,
    storage::{self, Location},
    update::rows::{Decoded, stage},
};

pub use decode::Error as DecodeError;
pub use run::{Request, run};

/// Why an artifact was not applied. The tables are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// No artifact of the pipelines has that name.
    #[error("there is no artifact `{id}` in the inbox or its archive")]
    UnknownArtifact {
        /// What was asked for.
        id: String,
    },
    /// More than one pipeline has an artifact of that name.
    #[error("`{id}` is an artifact of more than one pipeline")]
    AmbiguousArtifact {
        /// What was asked for.
        id: String,
    },
    /// A pipeline that is to be applied fills no table.
    #[error("{pipeline} has no [[update]]: it fills no table")]
    NoTables {
        /// The pipeline's name, not an alias.
        pipeline: String,
    },
    /// The pipeline would fill a table that is the database's own.
    #[error("{pipeline} must not fill `{table}`, which is one of pricemill's own tables")]
    OwnTable {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The table's name.
        table: String,
    },
    /// The inbox could not be read, or its file is not what was received.
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    /// The content is not the pipeline's.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The SQL does not suit, or failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The rejected rows could not be written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A temporary file could not be made.
    #[error("could not make a temporary folder")]
    Temp(#[from] std::io::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. } => Kind::Usage,
            Error::Inbox(inbox::Error::Changed { .. }) => Kind::Data,
            Error::Env(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Decode(error) => error.kind(),
            Error::Engine(error) => error.kind(),
            Error::Database(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::Temp(_) => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownArtifact { .. } => Some(
                "`pricemill status` lists artifacts by id, such as 000001-0123456789abcdef"
                    .to_owned(),
            ),
            Error::AmbiguousArtifact { .. } => Some("name the pipeline too".to_owned()),
            Error::Env(error) => error.hint(),
            Error::Inbox(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::OwnTable { .. } => Some("name another table in `[[update]]`".to_owned()),
            Error::NoTables { .. } | Error::Decode(_) | Error::Temp(_) => None,
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Engine(error) => error.findings(),
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. }
            | Error::Inbox(_)
            | Error::Decode(_)
            | Error::Database(_)
            | Error::Storage(_)
            | Error::Temp(_) => &[],
        }
    }

    /// Returns the guard that refused, as `--accept` waives it.
    pub(crate) fn guard(&self) -> Option<&'static str> {
        match self {
            Error::Database(error) => error.guard(),
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. }
            | Error::Env(_)
            | Error::Inbox(_)
            | Error::Decode(_)
            | Error::Engine(_)
            | Error::Storage(_)
            | Error::Temp(_) => None,
        }
    }

    /// Whether the artifact itself is at fault, and so would be the next time.
    fn is_of_the_artifact(&self) -> bool {
        self.kind() == Kind::Data
    }

    /// Whether its content is not what was received: nobody can judge it.
    fn is_of_the_content(&self) -> bool {
        matches!(
            self,
            Error::Inbox(inbox::Error::Changed { .. } | inbox::Error::Missing { .. })
        )
    }
}

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

/// What became of one pipeline.
#[derive(Debug)]
pub struct Updated {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The artifact that was looked at: `000001-0123456789abcdef`.
    pub artifact: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Artifacts superseded by a later one, by id.
    pub superseded: Vec<String>,
    /// The files of rejected rows.
    pub rejects: Vec<String>,
    /// What is wrong with the manifests that were set aside.
    pub unreadable: Vec<inbox::Error>,
}

/// What became of an artifact.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is pending. An artifact newer than the applied one may have been refused.
    Nothing {
        /// The newest such, by id, and why.
        refused: Option<(String, String)>,
    },
    /// It is in the tables (or, in a dry run, would be).
    Applied(Vec<TableCounts>),
    /// It was in the tables already; the file was only moved.
    Already,
    /// It is in the tables, and still in the inbox; the next run moves it.
    Left {
        /// What became of the tables' rows.
        tables: Vec<TableCounts>,
        /// Why it could not be moved.
        error: Error,
    },
    /// The tables are as they were. An artifact at fault is in `refused/`.
    Failed(Error),
    /// A pipeline that it depends on failed.
    Skipped {
        /// That pipeline.
        after: String,
    },
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

async fn one(update: &Update<'_>, pipeline: &Pipeline) -> Updated {
    let mut updated = Updated::new(pipeline, Outcome::Nothing { refused: None });
    updated.outcome = match take(update, pipeline, &mut updated).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(error),
    };
    updated
}

/// Looks for the pipeline's artifact and applies it.
async fn take(update: &Update<'_>, pipeline: &Pipeline, updated: &mut Updated) -> Result<Outcome> {
    let received = match update.artifact {
        Some(id) => update.inbox.find(&pipeline.name, id).await?,
        None => highest(update, pipeline, updated).await?,
    };
    let Some(received) = received else {
        let refused = refused(update, pipeline).await?;
        return Ok(Outcome::Nothing { refused });
    };
    updated.artifact = Some(received.id().to_string());
    if update.artifact.is_none() && superseded_before(update, &received, updated).await? {
        return Ok(Outcome::Nothing { refused: None });
    }
    let applied = match apply(update, pipeline, &received, updated).await {
        Ok(applied) => applied,
        Err(error) => {
            if !update.dry_run && received.disposition == Disposition::Pending {
                turn_away(update, &received, &error).await;
            }
            return Err(error);
        }
    };
    if !update.dry_run
        && let Err(error) = update.inbox.archive(&received, update.at).await
    {
        return Ok(Outcome::Left {
            tables: applied.tables,
            error: error.into(),
        });
    }
    Ok(match applied.already {
        true => Outcome::Already,
        false => Outcome::Applied(applied.tables),
    })
}

/// Takes an artifact out of the inbox where it would only fail again. If that fails it
/// stays, and is turned away again by the next run: the first error says more.
async fn turn_away(update: &Update<'_>, received: &Received, error: &Error) {
    let moved = if error.is_of_the_content() {
        update.inbox.set_aside(received).await.map(drop)
    } else if error.is_of_the_artifact() {
        let refused = update.inbox.refuse(received, &chain(error)).await;
        refused.map(drop)
    } else {
        Ok(())
    };
    if let Err(failed) = moved {
        tracing::warn!(artifact = %received.id(), %failed, "could not move it out of the inbox");
    }
}

/// Returns the newest artifact that was refused, if nothing newer is applied, and why.
async fn refused(update: &Update<'_>, pipeline: &Pipeline) -> Result<Option<(String, String)>> {
    let Some(newest) = update.inbox.refused(&pipeline.name).await?.pop() else {
        return Ok(None);
    };
    let applied = update.database.applied(&pipeline.name).await?;
    if applied.is_some_and(|applied| applied.seq >= newest.seq.0) {
        return Ok(None);
    }
    Ok(match &newest.disposition {
        Disposition::Refused { reason } => Some((newest.id().to_string(), reason.clone())),
        Disposition::Pending | Disposition::Applied { .. } | Disposition::Superseded { .. } => None,
    })
}

/// Returns the highest number that waits; the others are superseded.
async fn highest(
    update: &Update<'_>,
    pipeline: &Pipeline,
    updated: &mut Updated,
) -> Result<Option<Received>> {
    if !update.dry_run {
        updated.unreadable = update.inbox.set_aside_unreadable(&pipeline.name).await?;
    }
    let mut pending = update.inbox.pending(&pipeline.name).await?;
    let Some(highest) = pending.pop() else {
        return Ok(None);
    };
    for older in pending {
        if !update.dry_run {
            update.inbox.supersede(&older, highest.seq).await?;
        }
        updated.superseded.push(older.id().to_string());
    }
    Ok(Some(highest))
}

/// Archives an artifact that is older than what the ledger has; returns whether it was.
async fn superseded_before(
    update: &Update<'_>,
    received: &Received,
    updated: &mut Updated,
) -> Result<bool> {
    let latest = update.database.applied(&received.pipeline).await?;
    let Some(latest) = latest.filter(|latest| latest.seq > received.seq.0) else {
        return Ok(false);
    };
    if !update.dry_run {
        update.inbox.supersede(received, Seq(latest.seq)).await?;
    }
    updated.superseded.push(received.id().to_string());
    Ok(true)
}

async fn apply(
    update: &Update<'_>,
    pipeline: &Pipeline,
    received: &Received,
    updated: &mut Updated,
) -> Result<Applied> {
    let latest = update.database.applied(&pipeline.name).await?;
    let applied = latest.filter(|l| received.seq == l.seq && received.sha256 == *l.sha256);
    if applied.is_some() {
        return Ok(Applied {
            already: true,
            tables: Vec::new(),
        });
    }
    check_tables(pipeline)?;
    let temp = tempfile::tempdir()?;
    let rows = decoded(update, pipeline, received, temp.path()).await?;
    let artifact = Decoded {
        pipeline,
        rows: &rows,
        at: update.at,
    };
    let tables = update.database.tables().await?;
    let rejects = Rejects::new(temp.path().to_owned());
    let change = Change {
        pipeline: pipeline.name.clone(),
        seq: received.seq.0,
        sha256: received.sha256.to_string(),
        staged: stage(artifact, update.database, &tables, update.engine).await?,
        accept: update.accept,
        rollback: update.artifact.is_some(),
        dry_run: update.dry_run,
        at: update.at,
        on_reject: rejects.sink(),
    };
    let applied = update.database.apply(change).await;
    updated.rejects = rejects.store(update.rejects, &pipeline.name).await?;
    Ok(applied?)
}

fn check_tables(pipeline: &Pipeline) -> Result<()> {
    if pipeline.update.is_empty() {
        return Err(Error::NoTables {
            pipeline: pipeline.name.clone(),
        });
    }
    let mut steps = pipeline.update.iter();
    match steps.find(|step| database::is_own(&step.table)) {
        None => Ok(()),
        Some(step) => Err(Error::OwnTable {
            pipeline: pipeline.name.clone(),
            table: step.table.clone(),
        }),
    }
}

/// Copies the artifact out of the inbox, verified, and decodes it.
async fn decoded(
    update: &Update<'_>,
    pipeline: &Pipeline,
    received: &Received,
    temp: &Path,
) -> Result<std::path::PathBuf> {
    let (file, rows) = (temp.join(".artifact"), temp.join(".rows.parquet"));
    update.inbox.copy_out(received, &file).await?;
    let (format, contract) = (pipeline.file.format, pipeline.contract.clone());
    let to = rows.clone();
    let decoding =
        tokio::task::spawn_blocking(move || decode::decode(&file, format, &contract, &to));
    match decoding.await {
        Ok(decoded) => decoded?,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
    Ok(rows)
}

impl Updated {
    fn new(pipeline: &Pipeline, outcome: Outcome) -> Updated {
        Updated {
            pipeline: pipeline.name.clone(),
            artifact: None,
            outcome,
            superseded: Vec::new(),
            rejects: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

impl Outcome {
    /// Returns whether this keeps what depends on it from being applied.
    pub fn is_failure(&self) -> bool {
        matches!(self, Outcome::Failed(_) | Outcome::Skipped { .. })
    }

    fn word(&self) -> &'static str {
        match self {
            Outcome::Nothing { .. } => state::NOTHING_PENDING,
            Outcome::Applied(_) => state::APPLIED,
            Outcome::Already => state::ALREADY_APPLIED,
            Outcome::Left { .. } => state::APPLIED_NOT_ARCHIVED,
            Outcome::Failed(_) => state::FAILED,
            Outcome::Skipped { .. } => state::SKIPPED,
        }
    }
}
