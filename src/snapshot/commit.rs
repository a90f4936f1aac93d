//! The end of a new snapshot, whatever its rows came from: its name, and its manifest.
//!
//! Files are put before; from the manifest on the snapshot exists.

use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;

use super::{Error, FORMAT, MANIFEST, Manifest, Result, Snapshot, SnapshotId, dangling, partial};
use crate::{
    artifact::{
        digest::Digest,
        sealed::{self, Seal, Unsealed},
    },
    engine,
    storage::Location,
};

/// Deletes what interrupted runs wrote of snapshots: without a manifest nobody sees it. A
/// young one is left, for a run elsewhere may be at work on it.
pub(super) async fn sweep_unfinished(snapshots: &Location, at: DateTime<Utc>) -> Result<()> {
    let oldest = time(at - partial::MAX_AGE);
    let is_left = |id: &str| !id.starts_with('.') && *id < *oldest;
    Ok(sealed::sweep(snapshots, MANIFEST, is_left).await?)
}

/// Returns a name that no other run takes, nor another turn of this one.
pub(super) fn snapshot_id(source: &str, at: DateTime<Utc>, turn: u32) -> SnapshotId {
    let nanos = at.timestamp_nanos_opt().unwrap_or_default();
    let whose = format!("{source}\n{nanos}\n{}\n{turn}", std::process::id());
    let hash = Digest::of_bytes(whose.as_bytes()).sha256;
    SnapshotId(format!("{}-{}", time(at), &hash.short()[..8]))
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Counts the rows that reference missing rows and writes the manifest: from here on the snapshot
/// exists.
///
/// # Errors
/// The engine could not count, or [`Error::Taken`].
pub(super) async fn commit(
    context: &SessionContext,
    location: &Location,
    unsealed: Unsealed<'_>,
    mut manifest: Manifest,
) -> Result<Snapshot> {
    count_dangling(context, location, &mut manifest).await?;
    match unsealed.seal(MANIFEST, FORMAT, &manifest).await? {
        Seal::New | Seal::Unchanged => Ok(Snapshot {
            manifest,
            location: location.clone(),
        }),
        Seal::Conflict => Err(Error::Taken(manifest.id)),
    }
}

async fn count_dangling(
    context: &SessionContext,
    location: &Location,
    manifest: &mut Manifest,
) -> Result<()> {
    let counted = dangling::count(context, location, &manifest.datasets).await;
    let counted = counted.map_err(|source| engine::Error::Run {
        what: "could not count the rows that reference missing rows".to_owned(),
        source: Box::new(source),
    })?;
    for (name, dangling) in counted {
        if let Some(part) = manifest.datasets.get_mut(&name) {
            part.dangling = dangling;
        }
    }
    Ok(())
}
