//! Datasets fetched in one run, immutable Parquet with a manifest.
//!
//! ```text
//!  source ─► arrival ─┬─► partial (pages, durable as they come) ─► rows (sorted) ─┐
//!                     └─► rows (in key order, each once) ─────────────────────────┴─►
//!  parts (Parquet, disjoint key ranges) ─► manifest.json, last
//! ```
//!
//! `snapshots/<utc>-<hash>/<dataset>/part-000.parquet …` and `manifest.json`, which
//! is written last: a snapshot without it does not exist. Nothing here is ever
//! changed once it is written.

mod fetch;

mod arrival;
mod partial;

mod direct;

mod order;
mod overlap;
mod rows;
mod ties;

mod parts;
mod writer;

mod commit;
mod dangling;

mod open;

use std::{collections::BTreeMap, path::PathBuf};

use chrono::{DateTime, Utc};
use datafusion::error::DataFusionError;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use direct::{Direct, Rows, write};
pub use fetch::{Fetch, Wanted, fetch};
pub use open::{before, days, history, list, open};
#[cfg(test)]
pub(crate) use partial::FORMAT as PARTIAL;

pub use crate::artifact::id::SnapshotId;
use crate::{
    artifact::{id::Sha256, sealed},
    dataset::Contract,
    engine,
    kind::Kind,
    source::{self, FetchStats},
    storage::{self, Format, Location},
};

/// Why a snapshot could not be written, found or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A dataset could not be fetched. No snapshot was made; what came is kept for
    /// a while, so that the same command goes on where this one stopped.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The source has no such dataset.
    #[error("{origin} has no dataset `{dataset}`")]
    NoDataset {
        /// The source's name.
        origin: String,
        /// The dataset's name.
        dataset: String,
    },
    /// The location could not be read or written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The engine could not sort the rows or look at them.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A dataset's rows could not be put in order and written.
    #[error("could not write dataset {dataset}")]
    Rows {
        /// The dataset's name.
        dataset: String,
        /// The engine's own error.
        source: Box<DataFusionError>,
    },
    /// A file of a fetch in progress could not be read or written.
    #[error("could not {action} {path}")]
    Partial {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// Another snapshot has the name already.
    #[error("snapshot {} already exists", .0.0)]
    Taken(SnapshotId),
    /// A file could not be put, or a manifest not be read.
    #[error(transparent)]
    Sealed(#[from] sealed::Error),
    /// There is no snapshot of that name.
    #[error("there is no snapshot `{0}`")]
    Unknown(String),
    /// There is no snapshot that has all that is needed.
    #[error("there is no snapshot{}", with(.0))]
    Nothing(Vec<String>),
    /// The snapshot lacks a dataset.
    #[error("snapshot {} has no dataset `{dataset}`", id.0)]
    Lacks {
        /// The snapshot's id.
        id: SnapshotId,
        /// The dataset's name.
        dataset: String,
    },
}

/// Returns ` with prices, stores`; nothing where any snapshot is wanted.
fn with(datasets: &[String]) -> String {
    match datasets.is_empty() {
        true => String::new(),
        false => format!(" with {}", datasets.join(", ")),
    }
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Source(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::Engine(error) => error.kind(),
            Error::Sealed(error) => error.kind(),
            Error::Unknown(_) | Error::Lacks { .. } => Kind::Usage,
            Error::NoDataset { .. }
            | Error::Rows { .. }
            | Error::Partial { .. }
            | Error::Taken(_)
            | Error::Nothing(_) => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Source(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Sealed(error) => error.hint(),
            Error::NoDataset { .. } => Some(
                "look at the dataset's `endpoint` in pipelines/sources.toml, and at the server's address"
                    .to_owned(),
            ),
            Error::Nothing(datasets) => Some(creates(datasets)),
            Error::Lacks { dataset, .. } => Some(creates(std::slice::from_ref(dataset))),
            Error::Unknown(_) => Some(creates(&[])),
            Error::Taken(_) => Some("run the same command again".to_owned()),
            Error::Rows { .. } | Error::Partial { .. } => storage::hint_of(self),
        }
    }
}

/// Says which command creates a snapshot with these datasets: without their names it would
/// fetch what the pipelines read.
fn creates(datasets: &[String]) -> String {
    let command = [&["pricemill fetch".to_owned()], datasets].concat();
    format!("`{}` creates one", command.join(" "))
}

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its id: when it was fetched, in UTC, and a hash.
    pub id: SnapshotId,
    /// The source's name.
    pub source: String,
    /// When the fetch began: that of the oldest page, if it went on after another.
    pub fetched_at: DateTime<Utc>,
    /// The datasets, by name.
    pub datasets: IndexMap<String, Part>,
    /// The engine that wrote it.
    pub engine_version: String,
}

/// One dataset in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its columns, in order, with their types.
    pub contract: Contract,
    /// Its key; the files are sorted by it, in disjoint ranges.
    pub key: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// Its files, in key order, named below the snapshot's folder.
    pub files: Vec<File>,
    /// Rows that were equal to another and were left out.
    pub duplicates: u64,
    /// Rows that differed from the one of their key that was kept.
    pub conflicts: u64,
    /// Ids that the snapshot's other datasets lack: `store_id → stores` and how many rows.
    #[serde(default)]
    pub dangling: BTreeMap<String, u64>,
    /// How the fetch went.
    #[serde(alias = "told")]
    pub fetch: FetchStats,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name below the snapshot's folder: `prices/part-000.parquet`.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Its bounds in the key's leading integer columns. In the first of them the
    /// files' bounds are disjoint, unless one value has more rows than a file holds.
    #[serde(default)]
    pub bounds: Vec<Bounds>,
}

/// The lowest and the highest value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lowest value.
    #[serde(rename = "min", alias = "least")]
    pub min: i64,
    /// The highest value.
    #[serde(rename = "max", alias = "most")]
    pub max: i64,
}

/// A snapshot that is there.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What it holds.
    pub manifest: Manifest,
    /// Its folder, which holds the manifest and a folder per dataset.
    pub location: Location,
}

const MANIFEST: &str = "manifest.json";

/// The manifest at rest. Version 1 said `told` for `fetch`, `least` and `most` for `min`
/// and `max`, and within the fetch `count`, `foreign_next` and `again`.
pub(crate) const FORMAT: Format = Format::version(2);
