//! Finds the snapshots that are there.

use std::{cmp::Reverse, collections::BTreeSet};

use chrono::NaiveDate;

use super::{Error, FORMAT, MANIFEST, Manifest, Result, Snapshot};
use crate::{artifact::sealed, dataset::Dataset, storage::Location};

/// Returns the manifests of all snapshots, the newest first.
///
/// # Errors
///
/// The folder cannot be listed, or a manifest in it cannot be read.
pub async fn list(snapshots: &Location) -> Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    for id in ids(snapshots).await? {
        manifests.extend(manifest(snapshots, &id).await?);
    }
    manifests.sort_by_key(|manifest| Reverse(manifest.fetched_at));
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
///
/// # Errors
///
/// The folder cannot be listed, or a manifest in it cannot be read.
pub async fn before(
    snapshots: &Location,
    newer: &Manifest,
    needed: &[&str],
) -> Result<Option<Snapshot>> {
    let is_before = |found: &Manifest| {
        let is_older = found.fetched_at < newer.fetched_at && found.source == newer.source;
        is_older && lacks(found, needed).is_none()
    };
    newest(snapshots, is_before).await
}

/// Opens the newest snapshot that is wanted, if there is one. Names have the second; within
/// it, manifests say which was first.
async fn newest(
    snapshots: &Location,
    is_wanted: impl Fn(&Manifest) -> bool,
) -> Result<Option<Snapshot>> {
    let mut best: Option<Manifest> = None;
    for id in ids(snapshots).await? {
        let is_past = |best: &Manifest| second(&id) < second(&best.id.0);
        if best.as_ref().is_some_and(is_past) {
            break;
        }
        let Some(found) = manifest(snapshots, &id).await? else {
            continue;
        };
        let is_newer = |best: &Manifest| best.fetched_at < found.fetched_at;
        if best.as_ref().is_none_or(is_newer) && is_wanted(&found) {
            best = Some(found);
        }
    }
    Ok(best.map(|best| opened(snapshots, best)))
}

/// Opens the snapshots of the same source from earlier days that a history of the datasets
/// is made of, the newest first.
///
/// # Errors
///
/// The folder cannot be listed, or a manifest in it cannot be read.
pub async fn history(
    snapshots: &Location,
    newer: &Manifest,
    datasets: &[&Dataset],
) -> Result<Vec<Snapshot>> {
    let mut all = list(snapshots).await?;
    all.retain(|older| day(older) < day(newer) && older.source == newer.source);
    let all = all.into_iter().map(|manifest| opened(snapshots, manifest));
    let all: Vec<Snapshot> = all.collect();
    let read = datasets.iter().flat_map(|dataset| days(&all, dataset));
    let read: BTreeSet<&str> = read
        .map(|snapshot| snapshot.manifest.id.0.as_str())
        .collect();
    let is_read = |snapshot: &&Snapshot| read.contains(snapshot.manifest.id.0.as_str());
    Ok(all.iter().filter(is_read).cloned().collect())
}

/// Returns the last snapshot of each day that has the dataset, with the columns that it has
/// now. However often a day is fetched, it counts once.
pub fn days<'a>(history: &'a [Snapshot], dataset: &Dataset) -> Vec<&'a Snapshot> {
    let has = |snapshot: &&Snapshot| {
        let part = snapshot.manifest.datasets.get(&dataset.name);
        part.is_some_and(|part| part.contract == dataset.contract)
    };
    let mut days: Vec<&Snapshot> = history.iter().filter(has).collect();
    days.dedup_by_key(|snapshot| day(&snapshot.manifest));
    days
}

fn day(manifest: &Manifest) -> NaiveDate {
    manifest.fetched_at.date_naive()
}

/// Returns the time in a snapshot's name.
fn second(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(time, _)| time)
}

async fn latest(snapshots: &Location, needed: &[&str]) -> Result<Snapshot> {
    let found = newest(snapshots, |found| lacks(found, needed).is_none()).await?;
    let nothing = || Error::Nothing(needed.iter().map(|&name| name.to_owned()).collect());
    found.ok_or_else(nothing)
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
async fn ids(snapshots: &Location) -> Result<Vec<String>> {
    let mut ids = snapshots.folders().await?;
    ids.retain(|id| !id.starts_with('.'));
    ids.sort_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Returns the manifest, or `None` where the snapshot was not finished.
pub(super) async fn manifest(snapshots: &Location, id: &str) -> Result<Option<Manifest>> {
    let folder = snapshots.child(id);
    Ok(sealed::read(&folder, MANIFEST, FORMAT).await?)
}
