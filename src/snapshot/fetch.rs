//! A new snapshot: fetches every dataset, then writes all of them, then the manifest.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use datafusion::{
    arrow::record_batch::RecordBatch, error::DataFusionError, execution::SendableRecordBatchStream,
    prelude::SessionContext,
};
use futures::StreamExt;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    Error, File, MANIFEST, Manifest, Part, Result, Snapshot, SnapshotId,
    arrival::{Arrival, Complete, FLUSH_AFTER},
    dangling, open,
    partial::{self, Done, PARTS_PREFIX, Partial},
    parts::{self, Parts},
    rows::{self, Disorder, Order, Unique},
};
use crate::{
    config::EngineConfig,
    dataset::Dataset,
    engine,
    events::{Progress, grouped},
    source::{Fetched, Piece, Source},
    storage::{Location, Put},
};

/// A dataset to fetch.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The dataset.
    pub dataset: Dataset,
    /// Whether the snapshot may lack it where the source does.
    pub optional: bool,
}

/// What a fetch needs to know.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// Where the rows come from.
    pub source: &'a dyn Source,
    /// The datasets.
    pub wanted: Vec<Wanted>,
    /// Where snapshots lie.
    pub location: &'a Location,
    /// The engine that sorts.
    pub engine: &'a EngineConfig,
    /// Now.
    pub at: DateTime<Utc>,
    /// Who watches; tasks are named after the datasets.
    pub progress: &'a Progress,
}

/// Fetches datasets into a new snapshot.
///
/// Memory is bounded by a few pages and the engine's pool. A fetch that stops leaves
/// no snapshot, but its pages: the next of the same source goes on after them, if
/// it comes within six hours.
///
/// # Errors
/// See [`Error`]: of the source, of the disk, or of the engine.
pub async fn fetch(fetch: Fetch<'_>) -> Result<Snapshot> {
    partial::sweep(&partials(fetch.location, fetch.engine), fetch.at)?;
    sweep_unfinished(fetch.location, fetch.at).await?;
    let mut complete = Vec::new();
    for wanted in &fetch.wanted {
        if let Some(arrived) = complete_dataset(&fetch, wanted).await? {
            complete.push((&wanted.dataset, arrived));
        }
    }
    write(&fetch, complete).await
}

/// Returns the folder of fetches in progress, on the local disk.
pub(super) fn partials(location: &Location, engine: &EngineConfig) -> PathBuf {
    let local = location.local().map(|folder| folder.join(".partial"));
    local.unwrap_or_else(|| {
        let temp = engine.temp.clone().unwrap_or_else(std::env::temp_dir);
        temp.join("pricemill-partial")
    })
}

fn folder(fetch: &Fetch<'_>, dataset: &Dataset) -> PathBuf {
    let whose = format!("{}\n{}", fetch.source.name(), fetch.location.display(""));
    partials(fetch.location, fetch.engine)
        .join(short_hash(&whose))
        .join(&dataset.name)
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..8])
}

/// Deletes what an interrupted run wrote of a snapshot: without a manifest nobody
/// sees it. A young one is left, for a run elsewhere may be at it.
pub(super) async fn sweep_unfinished(location: &Location, at: DateTime<Utc>) -> Result<()> {
    let oldest = snapshot_time(at - partial::MAX_AGE);
    for id in open::ids(location).await? {
        if id < oldest && open::manifest(location, &id).await?.is_none() {
            let folder = location.child(&id);
            for entry in folder.list().await? {
                folder.delete(&entry.name).await?;
            }
        }
    }
    Ok(())
}

fn snapshot_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Brings in the rest of a dataset; `None` where the source does not have it.
async fn complete_dataset(fetch: &Fetch<'_>, wanted: &Wanted) -> Result<Option<Complete>> {
    let dataset = &wanted.dataset;
    let name = fetch.source.name();
    let mut partial = Partial::open(folder(fetch, dataset), &name, dataset, fetch.at)?;
    if let Some(done) = partial.done.clone() {
        if !is_used(fetch.location, &done).await? {
            let complete = Arrival::after(partial, dataset).complete().await?;
            return Ok(Some(complete));
        }
        partial = partial.anew(fetch.at)?;
    }
    fetch.progress.begin(&dataset.name, None, "rows");
    let marks = partial.marks.clone();
    let fetched = fetch.source.fetch(dataset, marks, fetch.progress).await?;
    if let Some(fetched) = fetched {
        let complete = bring_in(fetch, dataset, partial, fetched).await?;
        let summary = format!("{} rows", grouped(complete.partial.rows()));
        fetch.progress.end(&dataset.name, &summary);
        return Ok(Some(complete));
    }
    fetch
        .progress
        .end(&dataset.name, "the source does not have it");
    partial.remove()?;
    if wanted.optional {
        return Ok(None);
    }
    Err(Error::NoDataset {
        origin: name,
        dataset: dataset.name.clone(),
    })
}

async fn is_used(location: &Location, done: &Done) -> Result<bool> {
    match &done.used_by {
        Some(id) => Ok(open::manifest(location, &id.0).await?.is_some()),
        None => Ok(false),
    }
}

/// Brings in the pages that are not there yet. Whatever ends it, the pages before
/// are durable.
async fn bring_in(
    fetch: &Fetch<'_>,
    dataset: &Dataset,
    mut partial: Partial,
    mut fetched: Fetched,
) -> Result<Complete> {
    if !fetched.resumable {
        partial.keep_no_marks()?;
    }
    let mut arrival = Arrival::after(partial, dataset);
    loop {
        let Ok(piece) = timeout(FLUSH_AFTER, fetched.pieces.next()).await else {
            arrival.flush().await?;
            continue;
        };
        match piece {
            None => return arrival.finish(fetched.told.told()).await,
            Some(Ok(Piece::Page(mark, rows))) => {
                let count = mark.count;
                arrival.append(mark, rows).await?;
                fetch.progress.at(&dataset.name, arrival.rows(), count);
            }
            Some(Ok(Piece::Again { reason })) => {
                fetch
                    .progress
                    .note(&dataset.name, &format!("{reason}, fetching again"));
                arrival.restart().await?;
            }
            Some(Err(error)) => {
                if !fetched.resumable {
                    arrival.restart().await?;
                }
                arrival.settle().await?;
                return Err(error.into());
            }
        }
    }
}

/// Writes the datasets and, last, the manifest.
async fn write(fetch: &Fetch<'_>, complete: Vec<(&Dataset, Complete)>) -> Result<Snapshot> {
    let id = snapshot_id(&fetch.source.name(), fetch.at);
    let location = fetch.location.child(&id.0);
    let context = engine::session(fetch.engine)?;
    let mut datasets = IndexMap::new();
    let mut partials = Vec::new();
    for (dataset, complete) in complete {
        let (part, partial) = write_dataset((fetch, &context), dataset, complete, &id).await?;
        datasets.insert(dataset.name.clone(), part);
        partials.push(partial);
    }
    count_dangling(&context, &location, &mut datasets).await?;
    let begun = partials.iter().map(Partial::begun_at);
    let manifest = Manifest {
        id,
        source: fetch.source.name(),
        fetched_at: begun.min().unwrap_or(fetch.at),
        datasets,
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    commit(&location, &manifest).await?;
    for partial in partials {
        partial.remove()?;
    }
    Ok(Snapshot { manifest, location })
}

/// Returns a name that no other run takes.
pub(super) fn snapshot_id(source: &str, at: DateTime<Utc>) -> SnapshotId {
    let nanos = at.timestamp_nanos_opt().unwrap_or_default();
    let whose = format!("{source}\n{nanos}\n{}", std::process::id());
    let hash = short_hash(&whose);
    SnapshotId(format!("{}-{}", snapshot_time(at), &hash[..8]))
}

/// Writes what is not written yet of a dataset.
async fn write_dataset(
    (fetch, context): (&Fetch<'_>, &SessionContext),
    dataset: &Dataset,
    complete: Complete,
    id: &SnapshotId,
) -> Result<(Part, Partial)> {
    let failed = |source: DataFusionError| Error::Rows {
        dataset: dataset.name.clone(),
        source: Box::new(source),
    };
    let Complete {
        mut partial,
        written,
    } = complete;
    partial.use_for(id)?;
    let location = fetch.location.child(&id.0);
    let (files, unique) = match written {
        Some(mut written) => {
            let mut files = Vec::new();
            put_ready(&mut written, dataset, &location, &mut files).await?;
            (files, written.unique)
        }
        None => {
            let order = Order::of(dataset);
            let heaps = partial.heaps(heaps(fetch.engine))?;
            let stream = rows::sorted(context, &order, heaps).await.map_err(failed)?;
            let written = Written::new(&order, partial.workspace()).map_err(failed)?;
            write_rows(written, stream, dataset, &location).await?
        }
    };
    let part = Part {
        contract: dataset.contract.clone(),
        key: dataset.key.clone(),
        rows: unique.rows,
        files,
        duplicates: unique.duplicates,
        conflicts: unique.conflicts,
        dangling: Default::default(),
        told: partial
            .done
            .as_ref()
            .map(|done| done.told.clone())
            .unwrap_or_default(),
    };
    Ok((part, partial))
}

/// Returns in how many heaps rows are sorted side by side: as many as there are
/// threads, if each has the memory to merge what it spilled.
fn heaps(engine: &EngineConfig) -> usize {
    const HEAP_BYTES: usize = 64 << 20;
    let affordable = engine.memory_bytes / HEAP_BYTES;
    engine.threads.get().min(affordable).max(1)
}

/// What is written of a dataset.
pub(super) struct Written {
    pub(super) unique: Unique,
    parts: Parts,
}

impl Written {
    /// Writes into a passing folder below `workspace`, first.
    pub(super) fn new(order: &Order, workspace: &Path) -> Result<Written, DataFusionError> {
        let folder = tempfile::Builder::new()
            .prefix(PARTS_PREFIX)
            .tempdir_in(workspace)?;
        Ok(Written {
            unique: Unique::new(order)?,
            parts: Parts::new(order, folder)?,
        })
    }

    fn push(self, batch: &RecordBatch) -> Result<Written, DataFusionError> {
        let written = self.accept(batch)?;
        written.ok_or_else(|| DataFusionError::Internal(Disorder::Unsorted.to_string()))
    }

    /// Appends rows, if they are in key order; else all that was written is void.
    pub(super) fn accept(
        mut self,
        batch: &RecordBatch,
    ) -> Result<Option<Written>, DataFusionError> {
        match self.unique.filter(batch) {
            Ok(kept) => self.parts.push(&kept)?,
            Err(Disorder::Unsorted) => return Ok(None),
            Err(Disorder::Arrow(error)) => return Err(error.into()),
        }
        Ok(Some(self))
    }

    pub(super) fn finish(mut self) -> Result<Written, DataFusionError> {
        self.parts.finish()?;
        Ok(self)
    }
}

pub(super) async fn write_rows(
    mut written: Written,
    mut stream: SendableRecordBatchStream,
    dataset: &Dataset,
    location: &Location,
) -> Result<(Vec<File>, Unique)> {
    let failed = |source: DataFusionError| Error::Rows {
        dataset: dataset.name.clone(),
        source: Box::new(source),
    };
    let mut files = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        written = blocking(move || written.push(&batch))
            .await
            .map_err(failed)?;
        put_ready(&mut written, dataset, location, &mut files).await?;
    }
    written = blocking(move || written.finish()).await.map_err(failed)?;
    put_ready(&mut written, dataset, location, &mut files).await?;
    Ok((files, written.unique))
}

async fn put_ready(
    written: &mut Written,
    dataset: &Dataset,
    location: &Location,
    files: &mut Vec<File>,
) -> Result<()> {
    while let Some(part) = written.parts.ready.pop_front() {
        let name = format!("{}/part-{:03}.parquet", dataset.name, files.len());
        files.push(put(part, name, location).await?);
    }
    Ok(())
}

async fn put(part: parts::Part, name: String, location: &Location) -> Result<File> {
    location.put_new_file(&name, &part.path).await?;
    // The copy is durable; the folder goes at the end in any case.
    let _ = std::fs::remove_file(&part.path);
    Ok(File {
        name,
        rows: part.rows,
        bytes: part.bytes,
        sha256: part.sha256,
        bounds: part.bounds,
    })
}

pub(super) async fn count_dangling(
    context: &SessionContext,
    location: &Location,
    datasets: &mut IndexMap<String, Part>,
) -> Result<()> {
    let counted = dangling::count(context, location, datasets).await;
    let counted = counted.map_err(|source| engine::Error::Run {
        what: "could not count the ids that lead nowhere".to_owned(),
        source: Box::new(source),
    })?;
    for (name, dangling) in counted {
        if let Some(part) = datasets.get_mut(&name) {
            part.dangling = dangling;
        }
    }
    Ok(())
}

/// Writes the manifest: from here on the snapshot exists.
pub(super) async fn commit(location: &Location, manifest: &Manifest) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(manifest).map_err(|source| Error::Manifest {
        path: location.display(MANIFEST),
        source,
    })?;
    match location.put_new(MANIFEST, Bytes::from(bytes)).await? {
        Put::New | Put::Same => Ok(()),
        Put::Different => Err(Error::Taken(manifest.id.clone())),
    }
}

/// Works away from the threads that wait for others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DataFusionError> + Send + 'static,
) -> Result<T, DataFusionError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| DataFusionError::External(Arc::new(error).to_string().into()))?
}
