//! A new snapshot of rows that are here and in key order already.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use datafusion::arrow::{error::ArrowError, record_batch::RecordBatch};
use indexmap::IndexMap;

use super::{
    Error, Manifest, Part, Result, Snapshot,
    commit::{commit, snapshot_id, sweep_unfinished},
    order::Order,
    partial, rows,
    writer::{Files, Written, rows_failed},
};
use crate::{
    artifact::sealed::Unsealed,
    config::EngineConfig,
    dataset::Dataset,
    engine,
    events::{Events, grouped},
    source::FetchStats,
    storage::{Location, local},
};

/// A dataset's rows in key order, with exactly the contract's columns.
pub struct Rows {
    /// The dataset.
    pub dataset: Dataset,
    /// The rows, a batch at a time.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    /// How many there will be about, where that is known.
    pub total: Option<u64>,
}

/// What a snapshot of rows that are here needs to know.
#[derive(Debug)]
pub struct Direct<'a> {
    /// What the manifest names as the source.
    pub source: String,
    /// In which form the rows came, for the manifest.
    pub form: &'static str,
    /// Where snapshots are.
    pub location: &'a Location,
    /// The engine, which counts rows that reference missing rows.
    pub engine: &'a EngineConfig,
    /// Now.
    pub at: DateTime<Utc>,
    /// Who watches; tasks are named after the datasets.
    pub progress: &'a Events,
}

/// Writes rows into a new snapshot as they come, then its manifest.
///
/// Holds a few batches: one is made while another is written. A run that stops leaves
/// no snapshot.
///
/// # Errors
/// Rows that are not in key order, the disk, or the engine.
pub async fn write(direct: Direct<'_>, datasets: Vec<Rows>) -> Result<Snapshot> {
    sweep_unfinished(direct.location, direct.at).await?;
    let partials = partial::folder(direct.location, direct.engine);
    partial::sweep(&partials, direct.at)?;
    let workspace = workspace(&partials)?;
    let id = snapshot_id(&direct.source, direct.at, 0);
    let location = direct.location.child(&id.0);
    let mut unsealed = Unsealed::at(&location);
    let mut parts = IndexMap::new();
    for rows in datasets {
        let name = rows.dataset.name.clone();
        let (part, then) = write_dataset(&direct, rows, &workspace, unsealed).await?;
        parts.insert(name, part);
        unsealed = then;
    }
    let context = engine::session(direct.engine)?;
    let manifest = Manifest {
        id,
        source: direct.source,
        fetched_at: direct.at,
        datasets: parts,
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    commit(&context, &location, unsealed, manifest).await
}

/// Makes a folder for temporary files. What a killed run leaves there is swept
/// away with what fetches leave.
fn workspace(partials: &Path) -> Result<PathBuf> {
    let path = partials.join("direct");
    match local::make_folders(&path) {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Partial {
            action: "make",
            path,
            source,
        }),
    }
}

async fn write_dataset<'a>(
    direct: &Direct<'_>,
    rows: Rows,
    workspace: &Path,
    unsealed: Unsealed<'a>,
) -> Result<(Part, Unsealed<'a>)> {
    let Rows {
        dataset,
        batches,
        total,
    } = rows;
    let order = Order::of(&dataset);
    let written = Written::new(&order, workspace);
    let written = written.map_err(|source| rows_failed(&dataset.name, source))?;
    direct.progress.begin(&dataset.name, total, "rows");
    let (progress, name) = (direct.progress.clone(), dataset.name.clone());
    let mut done = 0;
    let batches = batches.inspect(move |batch| {
        done += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        progress.at(&name, done, total);
    });
    let stream = rows::stream(&order, batches);
    let files = Files::of(&dataset, unsealed);
    let (files, unique) = files.write(written, stream).await?;
    let summary = format!("{} rows", grouped(unique.rows));
    direct.progress.end(&dataset.name, &summary);
    let stats = FetchStats {
        form: direct.form.to_owned(),
        ..FetchStats::default()
    };
    Ok(files.done(unique, stats))
}
