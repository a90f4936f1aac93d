//! `update` as a whole: the inbox → the database.
//!
//! In come the names of pipelines; out comes what became of the artifacts that are
//! pending, each applied in one transaction.

use std::sync::Arc;

use super::{Outcome, Result, update};
use crate::{
    database::{Accept, Database, TableCounts},
    env::Env,
    kind::Kind,
    pipeline::Broken,
    report::{self, Failure, Step, TableRows, UpdateOutcome},
};

/// What to apply.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pipelines, by name; all when none is named.
    pub pipelines: Vec<String>,
    /// One artifact by id or number, wherever it is; else the latest that is pending.
    pub artifact: Option<String>,
    /// The guards that are waived.
    pub accept: Accept,
    /// Whether to count only. Nothing is changed or moved.
    pub dry_run: bool,
    /// Whether the first failure skips all that is left.
    pub fail_fast: bool,
}

/// Applies what is pending in the inbox, each pipeline in a transaction of its own,
/// parents first.
///
/// A second run finds nothing, or what came meanwhile.
///
/// # Errors
///
/// Returns an error when nothing could begin; what became of a pipeline is in the
/// report.
pub async fn run(env: &Env, request: &Request) -> Result<report::Update> {
    let (pipelines, broken) = env.sound(&request.pipelines)?;
    if env.is_without_pipelines()? {
        return Ok(report::Update::default());
    }
    let database = env.database()?;
    let inbox = env.inbox()?;
    let rejects = env.runs().child(&env.run.0).child("rejects");
    let updated = update(
        super::Update {
            pipelines: &pipelines,
            inbox: &inbox,
            database: &database,
            artifact: request.artifact.as_deref(),
            accept: request.accept,
            dry_run: request.dry_run,
            fail_fast: request.fail_fast,
            engine: &env.config.engine,
            rejects: &rejects,
            at: env.now,
        },
        &env.events.brief(),
    )
    .await?;
    let idle = pipelines.iter().filter(|one| one.update.is_empty());
    let idle = idle.map(|pipeline| report::Updated {
        reason: Some("it fills no table".to_owned()),
        ..report::Updated::new(&pipeline.name, UpdateOutcome::Skipped)
    });
    let mut applied = Vec::new();
    for one in updated {
        let mut one = described(one, request);
        if one.outcome == UpdateOutcome::Nothing {
            one.reason = next(env, &database, &one.pipeline).await?;
        }
        applied.push(one);
    }
    let mut report = report::Update {
        dry_run: request.dry_run,
        pipelines: Vec::new(),
    };
    let broken = broken.into_iter().map(|one| unable(env, one));
    let broken: Vec<_> = broken.collect::<Result<_>>()?;
    for one in broken.into_iter().chain(idle).chain(applied) {
        env.events.step(Step::Update(one.clone()));
        report.pipelines.push(one);
    }
    Ok(report)
}

/// Says how an artifact comes into the inbox, or that the last one is applied.
async fn next(env: &Env, database: &Arc<dyn Database>, pipeline: &str) -> Result<Option<String>> {
    if let Some(entry) = database.applied(pipeline).await? {
        let seq = entry.seq;
        return Ok(Some(format!("artifact {seq} is applied")));
    }
    // An outbox that cannot be read is told of by what needs it.
    let latest = env.outbox().latest(pipeline).await.unwrap_or_default();
    let is_sent = latest.map(|latest| !latest.receipts.is_empty());
    Ok(match is_sent {
        None => Some(format!("`pricemill generate {pipeline}` makes an artifact")),
        Some(false) => Some(format!("`pricemill upload {pipeline}` sends one")),
        Some(true) => None,
    })
}

/// Reports a pipeline that cannot run: its own files are wrong, or those of one it reads.
fn unable(env: &Env, broken: &Broken) -> Result<report::Updated> {
    Ok(match &broken.because {
        Some(because) => report::Updated {
            reason: Some(format!("{because} cannot run")),
            ..report::Updated::new(&broken.name, UpdateOutcome::Skipped)
        },
        None => report::Updated {
            error: Some(env.fault(broken)?),
            ..report::Updated::new(&broken.name, UpdateOutcome::Failed)
        },
    })
}

fn described(updated: super::Updated, request: &Request) -> report::Updated {
    let unreadable = updated.unreadable.iter();
    let unreadable = unreadable.map(|error| Failure::new(error, error.kind(), error.hint(), &[]));
    let mut described = report::Updated {
        artifact: updated.artifact,
        dry_run: request.dry_run,
        superseded: updated.superseded,
        rejects: updated.rejects,
        unreadable: unreadable.collect(),
        ..report::Updated::new(&updated.pipeline, UpdateOutcome::Nothing)
    };
    match updated.outcome {
        Outcome::Applied(tables) => {
            described.outcome = UpdateOutcome::Applied;
            described.tables = tables.into_iter().map(TableRows::from).collect();
        }
        Outcome::Already => described.outcome = UpdateOutcome::AlreadyApplied,
        Outcome::Left { tables, error } => {
            described.outcome = UpdateOutcome::AppliedNotArchived;
            described.tables = tables.into_iter().map(TableRows::from).collect();
            described.error = Some(failure(&error, &described));
        }
        Outcome::Nothing { refused } => {
            described.refused_before = refused;
        }
        Outcome::Failed(error) => {
            described.outcome = match error.kind() {
                Kind::Data => UpdateOutcome::Refused,
                _ => UpdateOutcome::Failed,
            };
            described.error = Some(failure(&error, &described));
        }
        Outcome::Skipped { after } => {
            described.outcome = UpdateOutcome::Skipped;
            described.reason = Some(format!("{after} failed"));
        }
    }
    described
}

/// Describes an error; for a guard, with the command that waives it.
fn failure(error: &super::Error, updated: &report::Updated) -> Failure {
    let waived = error.guard().map(|guard| {
        // It is in `refused/` now: only its name finds it there.
        let id = updated.artifact.as_deref().unwrap_or_default();
        let name = &updated.pipeline;
        format!("if this is intended: pricemill update {name} --artifact {id} --accept {guard}")
    });
    let hint = waived.or_else(|| error.hint());
    Failure::new(error, error.kind(), hint, error.findings())
}

impl From<TableCounts> for TableRows {
    fn from(counts: TableCounts) -> TableRows {
        TableRows {
            table: counts.table,
            inserted: counts.inserted,
            changed: counts.changed,
            unchanged: counts.unchanged,
            deleted: counts.deleted,
            rejected: counts.rejected,
        }
    }
}
