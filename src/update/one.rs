//! One pipeline's artifact: found, applied in one transaction, and moved out of the inbox.
//!
//! In comes a pipeline; out comes what became of its artifact. What a later artifact
//! supersedes is archived on the way, and what would only fail again is turned away. It
//! never looks at another pipeline.

use std::path::{Path, PathBuf};

use super::{
    Error, Outcome, Result, Update, Updated, decode,
    rejects::Rejects,
    rows::{Decoded, stage},
};
use crate::{
    artifact::id::Seq,
    chain::chain,
    database::{self, Applied, Change},
    inbox::{Disposition, Received},
    pipeline::Pipeline,
};

/// Applies what is pending of a pipeline.
pub(super) async fn one(update: &Update<'_>, pipeline: &Pipeline) -> Updated {
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
) -> Result<PathBuf> {
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
