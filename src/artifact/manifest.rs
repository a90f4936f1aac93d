//! An artifact's manifest: what it is and where it comes from.
//!
//! A pipeline's run makes a [`Draft`]; a commit gives it a number, and it is a
//! [`Manifest`]. The manifest travels with the content from the outbox to the inbox.
//! Nothing here reads or writes a file.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::id::{ArtifactId, PipelineName, Seq, Sha256, SnapshotId};
use crate::{
    dataset::Contract,
    storage::{Format, Unreadable},
};

/// The manifest at rest, and as it is sent.
pub(crate) const FORMAT: Format = Format::version(1);

/// An artifact that has no number yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The pipeline's name, not an alias.
    pub pipeline: PipelineName,
    /// The file's name.
    pub file: String,
    /// The hash of the file's bytes, uncompressed.
    pub sha256: Sha256,
    /// The file's rows.
    pub rows: u64,
    /// The file's length.
    pub bytes: u64,
    /// The files beside it, which go no farther than the outbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The columns of the file, in order, with their types.
    pub contract: Contract,
    /// The snapshot it was made from.
    pub snapshot: SnapshotId,
    /// The snapshot before it, where the SQL read that too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SnapshotId>,
    /// Those of earlier days, the newest first, where the SQL read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<SnapshotId>,
    /// When that snapshot was fetched.
    pub snapshot_at: DateTime<Utc>,
    /// The parameters, as text.
    pub params: IndexMap<String, String>,
    /// The model that its SQL embedded texts with, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<String>,
    /// The hash of the SQL, seeds and manifest that made it, in hex.
    pub sql_sha256: String,
    /// The engine that made it.
    pub engine_version: String,
    /// When it is committed.
    pub committed_at: DateTime<Utc>,
    /// The run that made it.
    pub run: String,
}

/// An artifact that has its number. Everything but the number is the draft's, and is
/// read through it: `manifest.rows`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The pipeline's running number, from 1.
    pub seq: Seq,
    /// What it was before it had one.
    #[serde(flatten)]
    pub draft: Draft,
}

/// A file beside an artifact's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Its name.
    pub file: String,
    /// The hash of its bytes.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Deref for Manifest {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.draft
    }
}

impl Manifest {
    /// Returns the artifact's name below its pipeline: `000001-0123456789abcdef`.
    pub fn id(&self) -> ArtifactId {
        ArtifactId {
            seq: self.seq,
            sha256: self.sha256.clone(),
        }
    }

    /// Returns the manifest as it is sent, on one line.
    ///
    /// # Errors
    /// It cannot be JSON.
    pub fn to_line(&self) -> Result<String, Unreadable> {
        FORMAT.write_line(self)
    }

    /// Reads a manifest that was sent.
    ///
    /// # Errors
    /// The text is not one, or of a version that is not read.
    pub fn from_text(text: &[u8]) -> Result<Manifest, Unreadable> {
        FORMAT.read(text)
    }
}

impl Draft {
    pub(crate) fn numbered(self, seq: Seq) -> Manifest {
        Manifest { seq, draft: self }
    }

    /// Returns the names of its files, the artifact's own first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let also = self.also.iter().map(|also| also.file.as_str());
        std::iter::once(self.file.as_str()).chain(also)
    }

    /// Returns whether a receiver could not distinguish this from the committed one, nor a
    /// reader of the files beside it.
    pub(crate) fn is_same_as(&self, other: &Draft) -> bool {
        self.sha256 == other.sha256
            && self.file == other.file
            && self.contract == other.contract
            && self.also == other.also
    }
}
