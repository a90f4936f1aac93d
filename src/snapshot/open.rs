//! Finds the snapshots that are there.

use super::{Error, MANIFEST, Manifest, Result, Snapshot};
use crate::storage::Location;

/// Returns the manifests of all snapshots, the newest first.
pub async fn list(snapshots: &Location) -> Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    for id in ids(snapshots).await? {
        manifests.extend(manifest(snapshots, &id).await?);
    }
    Ok(manifests)
}

/// Opens the snapshot of that name, or, for `latest`, the newest that has all the
/// datasets needed.
///
/// # Errors
/// There is none of that name, or it lacks a dataset.
pub async fn open(snapshots: &Location, name: &str, needed: &[&str]) -> Result<Snapshot> {
    if name == "latest" {
        return latest(snapshots, needed).await;
    }
    let is_name = !name.starts_with('.') && !name.contains(['/', '\\']) && !name.is_empty();
    let found = if is_name {
        manifest(snapshots, name).await?
    } else {
        None
    };
    let manifest = found.ok_or_else(|| Error::Unknown(name.to_owned()))?;
    match lacks(&manifest, needed) {
        Some(dataset) => Err(Error::Lacks {
            id: manifest.id,
            dataset: dataset.to_owned(),
        }),
        None => Ok(opened(snapshots, manifest)),
    }
}

/// Opens the newest snapshot of the same source that is older and has all the datasets
/// needed, if there is one.
pub async fn before(
    snapshots: &Location,
    newer: &Manifest,
    needed: &[&str],
) -> Result<Option<Snapshot>> {
    let mut best: Option<Manifest> = None;
    for id in ids(snapshots).await? {
        // Names tell the second; within it, manifests tell which was first.
        if best
            .as_ref()
            .is_some_and(|best| second(&id) < second(&best.id.0))
        {
            break;
        }
        let Some(found) = manifest(snapshots, &id).await? else {
            continue;
        };
        let is_newest = best
            .as_ref()
            .is_none_or(|best| best.fetched_at < found.fetched_at);
        let is_before = found.fetched_at < newer.fetched_at && found.source == newer.source;
        if is_newest && is_before && lacks(&found, needed).is_none() {
            best = Some(found);
        }
    }
    Ok(best.map(|best| opened(snapshots, best)))
}

/// Returns the time in a snapshot's name.
fn second(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(time, _)| time)
}

async fn latest(snapshots: &Location, needed: &[&str]) -> Result<Snapshot> {
    for id in ids(snapshots).await? {
        match manifest(snapshots, &id).await? {
            Some(manifest) if lacks(&manifest, needed).is_none() => {
                return Ok(opened(snapshots, manifest));
            }
            _ => {}
        }
    }
    Err(Error::Nothing(
        needed.iter().map(|&name| name.to_owned()).collect(),
    ))
}

fn opened(snapshots: &Location, manifest: Manifest) -> Snapshot {
    Snapshot {
        location: snapshots.child(&manifest.id.0),
        manifest,
    }
}

fn lacks<'a>(manifest: &Manifest, needed: &[&'a str]) -> Option<&'a str> {
    let mut needed = needed.iter();
    needed
        .find(|name| !manifest.datasets.contains_key(**name))
        .copied()
}

/// Returns the names of the folders, the newest first: a name begins with its time.
pub(super) async fn ids(snapshots: &Location) -> Result<Vec<String>> {
    let mut ids = snapshots.folders().await?;
    ids.retain(|id| !id.starts_with('.'));
    ids.sort_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Returns the manifest, or `None` where the snapshot was not finished.
pub(super) async fn manifest(snapshots: &Location, id: &str) -> Result<Option<Manifest>> {
    let folder = snapshots.child(id);
    let Some(bytes) = folder.read(MANIFEST).await? else {
        return Ok(None);
    };
    let manifest = serde_json::from_slice(&bytes).map_err(|source| Error::Manifest {
        path: folder.display(MANIFEST),
        source,
    })?;
    Ok(Some(manifest))
}
