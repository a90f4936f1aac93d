//! Datasets fetched in one run, immutable Parquet with a manifest.
//!
//! `snapshots/<utc>-<hash>/<dataset>/part-000.parquet …` and `manifest.json`, which
//! is written last: a snapshot without it does not exist.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{dataset::Contract, error::Kind, source::Told, storage::Location};

/// Why a snapshot could not be written, found or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match *self {}
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match *self {}
    }
}

/// A snapshot's name: `<utc, no colons>-<hash>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub String);

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub id: SnapshotId,
    /// The source's name.
    pub source: String,
    /// When the fetch began.
    pub fetched_at: DateTime<Utc>,
    /// The datasets, by name.
    pub datasets: IndexMap<String, Part>,
    /// The engine that wrote it.
    pub engine_version: String,
}

/// One dataset in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its columns.
    pub contract: Contract,
    /// Its key; the files are sorted by it, in disjoint ranges.
    pub key: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Its files, in key order, named below the snapshot's folder.
    pub files: Vec<File>,
    /// Rows that were equal to another and were left out.
    pub duplicates: u64,
    /// Rows that differed from the one of their key that stands.
    pub conflicts: u64,
    /// Ids that the snapshot's other datasets lack: `store_id → stores` and how many rows.
    #[serde(default)]
    pub dangling: BTreeMap<String, u64>,
    /// What the source noticed.
    pub told: Told,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name below the snapshot's folder: `prices/part-000.parquet`.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// Its hash, in hex.
    pub sha256: String,
}

/// A snapshot that is there.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What it holds.
    pub manifest: Manifest,
    /// Its folder.
    pub location: Location,
}
