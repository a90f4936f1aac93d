//! A snapshot of made-up prices, and what the shipped pipelines make of it.

use futures::TryStreamExt;
use indexmap::IndexMap;
use pricemill::{
    config::EngineConfig,
    events::Events,
    pipeline::{Bindings, Project},
    snapshot::{self, Direct, Rows, Snapshot},
    storage::Location,
    synth::Export,
    workbench::{self, Query},
};
use tokio::runtime::Runtime;

/// The shipped project and a snapshot of every dataset.
pub(crate) struct Shop {
    project: Project,
    bindings: IndexMap<String, Bindings>,
    snapshot: Snapshot,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Shop {
    /// Writes the snapshot.
    pub(crate) fn new(export: &Export) -> Shop {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let project = project();
        Shop {
            snapshot: runtime.block_on(write(&project, export, folder.path())),
            bindings: project.bind(&[], &[]).unwrap(),
            project,
            runtime,
            _folder: folder,
        }
    }

    /// Returns how many prices there are.
    pub(crate) fn prices(&self) -> u64 {
        self.snapshot.manifest.datasets["prices"].rows
    }

    /// Computes a relation; returns its rows.
    pub(crate) fn show(&self, relation: &str) -> usize {
        let config = EngineConfig::default();
        let query = Query {
            project: &self.project,
            bindings: &self.bindings,
            snapshot: Some(&self.snapshot),
            previous: None,
            history: &[],
            given: &[],
            now: self.snapshot.manifest.fetched_at,
            config: &config,
        };
        self.runtime.block_on(async {
            let rows = workbench::show(query, relation, None, None).await.unwrap();
            let batches: Vec<_> = rows.stream.try_collect().await.unwrap();
            batches.iter().map(|batch| batch.num_rows()).sum()
        })
    }
}

/// Returns the shipped project.
pub(crate) fn project() -> Project {
    Project::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Writes every dataset into a new snapshot below a folder.
pub(crate) async fn write(
    project: &Project,
    export: &Export,
    folder: &std::path::Path,
) -> Snapshot {
    let rows = project.datasets.values().filter_map(|dataset| {
        Some(Rows {
            dataset: dataset.clone(),
            batches: export.dataset(dataset).unwrap()?,
            total: None,
        })
    });
    let direct = Direct {
        source: export.spec().source(),
        form: "synth",
        location: &Location::folder(folder).unwrap(),
        engine: &EngineConfig::default(),
        at: "2026-11-24T06:00:00Z".parse().unwrap(),
        progress: &Events::silent(),
    };
    snapshot::write(direct, rows.collect()).await.unwrap()
}
