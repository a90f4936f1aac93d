//! Where artifacts wait to be uploaded: stage → commit → acknowledge.
//!
//! `outbox/<pipeline>/<seq>-<sha16>/<file>` and `manifest.json`, whose create-only
//! put takes the number. An artifact is complete or absent.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{dataset::Contract, error::Kind, snapshot::SnapshotId, storage::Location};

/// Why an artifact could not enter or leave the outbox.
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

/// An artifact's manifest: everything that says what it is and where it comes from.
/// It travels with the artifact to the inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The pipeline.
    pub pipeline: String,
    /// The pipeline's running number, from 1.
    pub seq: u64,
    /// The file's name.
    pub file: String,
    /// The hash of the file's bytes, uncompressed, in hex.
    pub sha256: String,
    /// The file's rows.
    pub rows: u64,
    /// The file's length.
    pub bytes: u64,
    /// The columns.
    pub contract: Contract,
    /// The snapshot it was made from.
    pub snapshot: SnapshotId,
    /// When that snapshot was fetched.
    pub snapshot_at: DateTime<Utc>,
    /// The parameters, as text.
    pub params: IndexMap<String, String>,
    /// The hash of the SQL, seeds and manifest that made it, in hex.
    pub sql_sha256: String,
    /// The engine that made it.
    pub engine_version: String,
    /// When it was committed.
    pub committed_at: DateTime<Utc>,
    /// The run that made it.
    pub run: String,
}

/// What the receiver said of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where it went: an origin or a location.
    pub target: String,
    /// When.
    pub uploaded_at: DateTime<Utc>,
    /// Whether the receiver repeated the hash and the length.
    pub verified: bool,
    /// The receiver's own words.
    pub message: String,
}

/// The outbox of a data folder.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// `outbox/`.
    pub location: Location,
}

/// An artifact that is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its folder below the outbox: `bargains/000001-0123456789abcdef`.
    pub folder: String,
    /// The receipts that lie beside it, one a target.
    pub receipts: Vec<Receipt>,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq)]
pub enum Commit {
    /// The artifact took a new number.
    New(Committed),
    /// The latest artifact has the same content; nothing was written.
    Unchanged(Committed),
}

impl Manifest {
    /// Returns the artifact's name below its pipeline: `000001-0123456789abcdef`.
    pub fn id(&self) -> String {
        format!("{:06}-{}", self.seq, &self.sha256[..16])
    }
}
