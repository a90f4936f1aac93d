//! `status`: how far each pipeline has got, and the newest runs.
//!
//! In come the outbox, the inbox, the ledger and the records of runs; out comes what
//! they say. Nothing is changed.

use chrono::{DateTime, Utc};

use crate::{
    database::{self, Database, LedgerEntry},
    env::{self, Env},
    inbox::{self, Received},
    kind::passes_on,
    outbox,
    report::{self, PastRun, PipelineStatus},
    runs::{self, Run},
};

/// Why the status is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// The outbox could not be read.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// The inbox could not be read.
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The records could not be read.
    #[error(transparent)]
    Runs(#[from] runs::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

passes_on!(Env; Outbox, Inbox, Database, Runs);

/// Returns where the pipelines are (all when none is named), and the newest `runs`.
///
/// # Errors
///
/// A place could not be read.
pub async fn run(env: &Env, pipelines: &[String], runs: usize) -> Result<report::Status> {
    let database = env.database()?;
    let mut status = report::Status::default();
    let (pipelines, broken) = env.project()?.sound(pipelines).map_err(env::Error::from)?;
    for pipeline in pipelines {
        let hops = hops(env, database.as_ref(), &pipeline.name).await?;
        status.pipelines.push(hops);
    }
    for broken in broken {
        let hops = hops(env, database.as_ref(), &broken.name).await?;
        status.pipelines.push(PipelineStatus {
            error: Some(env.fault(broken)?),
            ..hops
        });
    }
    let is_without = env.is_without_pipelines()?;
    let mut hops = status.pipelines.iter();
    let is_known = |hops: &PipelineStatus| hops.generated.is_some() || hops.received.is_some();
    if !is_without && !hops.any(is_known) {
        env.events.nothing(
            "nothing is generated yet",
            "`pricemill generate` fetches what the pipelines read, and makes artifacts",
        );
    }
    let runs = Run::latest(&env.runs(), runs).await?;
    status.runs = runs.into_iter().map(past_run).collect();
    Ok(status)
}

async fn hops(env: &Env, database: &dyn Database, pipeline: &str) -> Result<PipelineStatus> {
    let latest = env.outbox().latest(pipeline).await?;
    let received = newest(env, pipeline).await?;
    let applied = database.applied(pipeline).await?;
    let manifest = latest.as_ref().map(|latest| &latest.manifest);
    let uploaded = latest.as_ref().map(|latest| match latest.receipts.last() {
        Some(receipt) if receipt.verified => "verified",
        Some(_) => "yes",
        None => "no",
    });
    let snapshot_at = manifest.map(|manifest| manifest.snapshot_at);
    Ok(PipelineStatus {
        pipeline: pipeline.to_owned(),
        generated: manifest.map(|manifest| manifest.id().to_string()),
        rows: manifest.map(|manifest| manifest.rows),
        snapshot_at,
        age_seconds: snapshot_at.map(|then| age(env.now, then)),
        uploaded,
        received: received.as_ref().map(|received| received.id().to_string()),
        received_rows: received.as_ref().map(|received| received.rows),
        state: received
            .as_ref()
            .map(|received| received.disposition.word()),
        applied: applied.as_ref().map(artifact),
        applied_rows: applied.as_ref().map(rows),
        error: None,
    })
}

/// Returns the last that came, wherever it has gone.
async fn newest(env: &Env, pipeline: &str) -> Result<Option<Received>> {
    let inbox = env.inbox()?;
    let mut all = inbox.pending(pipeline).await?;
    all.extend(inbox.refused(pipeline).await?);
    all.extend(inbox.archived(pipeline).await?);
    Ok(all.into_iter().max_by_key(|received| received.seq))
}

fn artifact(entry: &LedgerEntry) -> String {
    let hash = entry.sha256.get(..16).unwrap_or(&entry.sha256);
    format!("{:06}-{hash}", entry.seq)
}

/// Returns the rows that the first table holds of the artifact.
fn rows(entry: &LedgerEntry) -> u64 {
    let first = entry.counts.first();
    first.map_or(0, |counts| {
        counts.inserted + counts.changed + counts.unchanged
    })
}

fn age(now: DateTime<Utc>, then: DateTime<Utc>) -> u64 {
    u64::try_from((now - then).num_seconds()).unwrap_or_default()
}

fn past_run(run: Run) -> PastRun {
    PastRun {
        run: run.id.0,
        began_at: run.began_at,
        command: run.command.join(" "),
        seconds: run.seconds,
        exit: run.exit,
        error: run.error,
    }
}
