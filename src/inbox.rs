//! Where artifacts wait to be applied: receive → pending → archive, or refuse.
//!
//! `inbox/<pipeline>/<seq>-<sha16>.<ext>` and `<seq>-<sha16>.manifest.json`, last.

use serde::{Deserialize, Serialize};

use crate::{error::Kind, outbox, storage::Location};

/// Why an artifact could not enter or leave the inbox.
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

/// What lies beside a received file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The pipeline.
    pub pipeline: String,
    /// The artifact's number: the sender's, or the next where it told none.
    pub seq: u64,
    /// The file's name below the inbox: `bargains/000001-0123456789abcdef.json`.
    pub file: String,
    /// The hash of the file's bytes, in hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// When it came.
    pub received_at: chrono::DateTime<chrono::Utc>,
    /// The sender's manifest, where it sent one.
    pub manifest: Option<outbox::Manifest>,
}

/// The inbox of a data folder, or of an object store.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// `inbox/`.
    pub location: Location,
    /// `archive/inbox/`, where what was applied goes.
    pub archive: Location,
}
