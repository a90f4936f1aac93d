//! What came: an arrival, and the manifest beside a received file, which says where the
//! file is and what became of it. Nothing here reads or writes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    artifact::{
        digest::Digest,
        id::{ArtifactId, PipelineName, Seq, Sha256},
        manifest::Manifest,
        sealed::Fault,
    },
    report::state,
    storage::Format,
};

/// A received artifact's manifest at rest. Version 1 called the disposition `fate`. The
/// sender's manifest is a part of it: a new version of that one is a new one here.
pub(crate) const RECEIVED: Format = Format::version(2);

/// The manifest beside a received file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The pipeline's name, not an alias.
    pub pipeline: PipelineName,
    /// The artifact's number: the sender's, or the next where it sent none.
    pub seq: Seq,
    /// The file's name below the inbox: `bargains/000001-0123456789abcdef.json`.
    pub file: String,
    /// The hash of the file's bytes.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The sender's manifest, where it sent one.
    pub manifest: Option<Manifest>,
    /// What became of it.
    #[serde(default, alias = "fate")]
    pub disposition: Disposition,
}

/// What became of a received artifact. Says where its two files are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Disposition {
    /// It is in the inbox, to be applied.
    #[default]
    Pending,
    /// It is in the database, and archived.
    Applied {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// A later one came before it was applied; it is archived.
    Superseded {
        /// The later one's number.
        by: Seq,
    },
    /// It was refused, and is in `refused/`.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Disposition {
    /// Returns the word for it, the same on all screens, in reports and at rest.
    pub fn word(&self) -> &'static str {
        match self {
            Disposition::Pending => state::PENDING,
            Disposition::Applied { .. } => state::APPLIED,
            Disposition::Superseded { .. } => state::SUPERSEDED,
            Disposition::Refused { .. } => state::REFUSED,
        }
    }
}

/// An artifact that has come and is not in the inbox yet.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The pipeline, by its name in the project.
    pub pipeline: PipelineName,
    /// The number the sender gave.
    pub seq: Option<Seq>,
    /// The extension of the pipeline's file, such as `json`.
    pub extension: String,
    /// What identifies the content.
    pub digest: Digest,
    /// How many rows it has.
    pub rows: u64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// The sender's manifest.
    pub manifest: Option<Manifest>,
}

impl Received {
    /// Returns the artifact's name below its pipeline: `000001-0123456789abcdef`.
    pub fn id(&self) -> ArtifactId {
        ArtifactId {
            seq: self.seq,
            sha256: self.sha256.clone(),
        }
    }

    pub(super) fn from_arrival(arrival: &Arrival, seq: Seq) -> Received {
        let mut received = Received {
            pipeline: arrival.pipeline.clone(),
            seq,
            file: String::new(),
            sha256: arrival.digest.sha256.clone(),
            bytes: arrival.digest.bytes,
            rows: arrival.rows,
            received_at: arrival.at,
            manifest: arrival.manifest.clone(),
            disposition: Disposition::Pending,
        };
        let (folder, id) = (received.folder(), received.id());
        received.file = format!("{folder}/{id}.{}", arrival.extension);
        received
    }

    /// Returns the folder of both files, below the inbox or the archive.
    fn folder(&self) -> String {
        match self.disposition {
            Disposition::Refused { .. } => format!("{}/refused", self.pipeline),
            Disposition::Pending | Disposition::Applied { .. } | Disposition::Superseded { .. } => {
                self.pipeline.to_string()
            }
        }
    }

    pub(super) fn manifest_name(&self) -> String {
        format!("{}/{}", self.folder(), self.seq.manifest())
    }

    /// Returns the same artifact with another disposition, and its file's name for it.
    pub(super) fn with(&self, disposition: Disposition) -> Received {
        let mut moved = self.clone();
        moved.disposition = disposition;
        let name = self.file.rsplit('/').next().unwrap_or_default();
        moved.file = format!("{}/{name}", moved.folder());
        moved
    }

    /// Returns what is wrong with a manifest that was read for `pipeline` and `seq`.
    pub(super) fn fault(&self, pipeline: &str, seq: Seq) -> Option<Fault> {
        let stem = format!("{}/{}.", self.folder(), self.id());
        let extension = self.file.strip_prefix(&stem);
        if self.pipeline != *pipeline || self.seq != seq {
            Some(Fault::Misplaced)
        } else if extension.is_none_or(|e| !e.bytes().all(|b| b.is_ascii_alphanumeric())) {
            Some(Fault::FileName)
        } else {
            None
        }
    }
}

impl Arrival {
    /// Returns what the ledger knows of the number, once the archive was pruned.
    pub(super) fn as_applied(&self, applied: &ArtifactId, seq: Seq) -> Option<Received> {
        (applied.seq == seq).then(|| {
            let mut received = Received::from_arrival(self, seq);
            received.sha256 = applied.sha256.clone();
            received.disposition = Disposition::Applied { at: self.at };
            received
        })
    }
}
