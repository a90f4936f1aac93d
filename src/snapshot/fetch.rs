//! A new snapshot: fetches every dataset, then writes all of them, then the manifest.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::{array::Array, record_batch::RecordBatch},
    prelude::SessionContext,
};
use futures::StreamExt;
use indexmap::IndexMap;
use tokio::time::timeout;

use super::{
    Error, Manifest, Part, Result, Snapshot, SnapshotId,
    arrival::{Arrival, Complete, FLUSH_AFTER},
    commit::{commit, snapshot_id, sweep_unfinished},
    open,
    order::Order,
    overlap,
    partial::{self, Done, Partial},
    rows::{self, Unique},
    writer::{Files, Written, rows_failed},
};
use crate::{
    artifact::{digest::Digest, sealed::Unsealed},
    config::EngineConfig,
    dataset::Dataset,
    engine,
    events::{Events, grouped},
    json::RowError,
    source::{self, ATTEMPTS, DatasetPage, Fetched, Piece, Source},
    storage::Location,
};

/// How often each dataset was fetched again, as its pages overlapped.
type Overlaps = IndexMap<String, u32>;

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
    /// Where snapshots are.
    pub location: &'a Location,
    /// The engine that sorts.
    pub engine: &'a EngineConfig,
    /// Now.
    pub at: DateTime<Utc>,
    /// Who watches; tasks are named after the datasets.
    pub progress: &'a Events,
}

/// What became of the datasets that came in.
enum Ending {
    Committed(Box<Snapshot>),
    /// The pages of one overlap, so that rows are missing; all of it is to come again.
    Overlap {
        dataset: String,
        reason: String,
    },
}

/// Fetches datasets into a new snapshot.
///
/// Memory is bounded by a few pages and the engine's pool. A fetch that stops leaves
/// no snapshot, but its pages: the next of the same source goes on after them, if
/// it comes within six hours. A dataset whose pages overlap is fetched again.
///
/// # Errors
/// See [`Error`]: of the source, of the disk, or of the engine.
pub async fn fetch(fetch: Fetch<'_>) -> Result<Snapshot> {
    partial::sweep(&partial::folder(fetch.location, fetch.engine), fetch.at)?;
    sweep_unfinished(fetch.location, fetch.at).await?;
    let mut overlaps = Overlaps::new();
    loop {
        let mut complete = Vec::new();
        for wanted in &fetch.wanted {
            if let Some(arrived) = complete_dataset(&fetch, wanted).await? {
                complete.push((&wanted.dataset, arrived));
            }
        }
        let (dataset, reason) = match write(&fetch, complete, &overlaps).await? {
            Ending::Committed(snapshot) => return Ok(*snapshot),
            Ending::Overlap { dataset, reason } => (dataset, reason),
        };
        let times = overlaps.entry(dataset.clone()).or_default();
        *times += 1;
        if *times == ATTEMPTS {
            let page = DatasetPage {
                dataset,
                page: None,
            };
            let times = *times;
            return Err(source::Error::Overlapping {
                page,
                reason,
                times,
            }
            .into());
        }
        let again = format!("{dataset}: {reason}; fetching it again");
        fetch.progress.warn(again);
    }
}

fn folder(fetch: &Fetch<'_>, dataset: &Dataset) -> PathBuf {
    let whose = format!("{}\n{}", fetch.source.name(), fetch.location.display(""));
    let hash = Digest::of_bytes(whose.as_bytes()).sha256;
    partial::folder(fetch.location, fetch.engine)
        .join(hash.short())
        .join(&dataset.name)
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
        partial = partial.restarted(fetch.at)?;
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
            None => return arrival.finish(fetched.stats.stats()).await,
            Some(Ok(Piece::Page(mark, rows))) => {
                let count = mark.count;
                check_key(dataset, mark.page, &rows)?;
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

/// Checks that every row has its key: rows without one would count as one row.
fn check_key(dataset: &Dataset, page: u64, rows: &RecordBatch) -> Result<()> {
    for name in &dataset.key {
        let Some(values) = rows.column_by_name(name) else {
            continue;
        };
        let Some(row) =
            (0..values.len()).find(|row| values.null_count() > 0 && values.is_null(*row))
        else {
            continue;
        };
        return Err(Error::Source(source::Error::IllTyped {
            page: DatasetPage {
                dataset: dataset.name.clone(),
                page: Some(page),
            },
            wrong: Box::new(RowError {
                row: row as u64 + 1,
                field: name.clone(),
                reason: "must not be null or missing: it is part of the dataset's key".to_owned(),
            }),
        }));
    }
    Ok(())
}

/// Writes the datasets and, last, the manifest.
async fn write(
    fetch: &Fetch<'_>,
    complete: Vec<(&Dataset, Complete)>,
    overlaps: &Overlaps,
) -> Result<Ending> {
    let turn = overlaps.values().sum();
    let id = snapshot_id(&fetch.source.name(), fetch.at, turn);
    let location = fetch.location.child(&id.0);
    let context = engine::session(fetch.engine)?;
    let mut unsealed = Unsealed::at(&location);
    let mut datasets = IndexMap::new();
    let mut partials = Vec::new();
    for (dataset, complete) in complete {
        let files = Files::of(dataset, unsealed);
        let (files, unique, partial) =
            write_dataset((fetch, &context), files, complete, &id).await?;
        if let Some(reason) = overlap::reason(dataset, &partial, &unique)? {
            partial.remove()?;
            discard(&location, files.names().chain(names(&datasets))).await?;
            let dataset = dataset.name.clone();
            return Ok(Ending::Overlap { dataset, reason });
        }
        let stats = partial.done.as_ref().map(|done| done.stats.clone());
        let mut stats = stats.unwrap_or_default();
        stats.restarts += u64::from(overlaps.get(&dataset.name).copied().unwrap_or_default());
        let (part, then) = files.done(unique, stats);
        datasets.insert(dataset.name.clone(), part);
        partials.push(partial);
        unsealed = then;
    }
    let begun = partials.iter().map(Partial::begun_at);
    let manifest = Manifest {
        id,
        source: fetch.source.name(),
        fetched_at: begun.min().unwrap_or(fetch.at),
        datasets,
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let snapshot = commit(&context, &location, unsealed, manifest).await?;
    for partial in partials {
        partial.remove()?;
    }
    Ok(Ending::Committed(Box::new(snapshot)))
}

fn names(datasets: &IndexMap<String, Part>) -> impl Iterator<Item = &str> {
    let files = datasets.values().flat_map(|part| &part.files);
    files.map(|file| file.name.as_str())
}

/// Deletes files of a snapshot that will have no manifest.
async fn discard(location: &Location, names: impl Iterator<Item = &str>) -> Result<()> {
    for name in names {
        location.delete(name).await?;
    }
    Ok(())
}

/// Writes what is not written yet of a dataset.
async fn write_dataset<'d, 'a>(
    (fetch, context): (&Fetch<'_>, &SessionContext),
    files: Files<'d, 'a>,
    complete: Complete,
    id: &SnapshotId,
) -> Result<(Files<'d, 'a>, Unique, Partial)> {
    let dataset = files.dataset();
    let failed = |source| rows_failed(&dataset.name, source);
    let Complete {
        mut partial,
        written,
    } = complete;
    partial.use_for(id)?;
    let (files, unique) = match written {
        Some(written) => files.finish(written).await?,
        None => {
            let order = Order::of(dataset);
            let heaps = partial.heaps(heaps(fetch.engine))?;
            let stream = rows::sorted(context, &order, heaps).await.map_err(failed)?;
            let written = Written::new(&order, partial.workspace()).map_err(failed)?;
            files.write(written, stream).await?
        }
    };
    Ok((files, unique, partial))
}

/// Returns in how many heaps rows are sorted side by side: as many as there are
/// threads, if each has the memory to merge what it spilled.
fn heaps(engine: &EngineConfig) -> usize {
    const HEAP_BYTES: usize = 64 << 20;
    let affordable = engine.memory_bytes / HEAP_BYTES;
    engine.threads.get().min(affordable).max(1)
}
