//! Where artifacts wait to be uploaded: stage → commit → pending → acknowledge.
//!
//! ```text
//! outbox/bargains/000001-0123456789abcdef/bargains.json   the content, first
//! outbox/bargains/000001.manifest.json                    create-only: takes the number
//! outbox/bargains/000001-0123456789abcdef/manifest.json   a copy, for readers of the folder
//! outbox/bargains/000001-0123456789abcdef/receipt-….json  one a target, after an upload
//! ```
//!
//! The manifest that takes the number has no hash in its name: two writers of other
//! content cannot both have number 1. Content whose number it does not hold is what a
//! killed run left; nobody reads it. An artifact is complete or absent.

use std::path::PathBuf;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    artifact::digest::{self, Digest},
    dataset::Contract,
    kind::Kind,
    snapshot::SnapshotId,
    storage::{self, Entry, Location, Put},
};

/// How many times a writer tries for a number that others take before it.
const MAX_RACES: usize = 100;

/// Why an artifact could not enter or leave the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The staged file could not be read.
    #[error("could not read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The bytes are not those that the manifest, or the draft, tells of.
    #[error("{path} has other content than its manifest says")]
    Changed {
        /// The file.
        path: String,
    },
    /// The manifest says its file is there, and it is not.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A manifest cannot be read.
    #[error("{path} is not an artifact's manifest: {reason}")]
    Manifest {
        /// The manifest.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Other writers took every number that was tried.
    #[error("other runs kept taking the next number of `{pipeline}`")]
    Contended {
        /// The pipeline.
        pipeline: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Storage(error) => error.kind(),
            Error::Contended { .. } => Kind::Busy,
            Error::Read { .. }
            | Error::Changed { .. }
            | Error::Missing { .. }
            | Error::Manifest { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Storage(error) => error.hint(),
            Error::Changed { .. } | Error::Missing { .. } => Some(
                "a committed artifact must not be edited; generate the pipeline again".to_owned(),
            ),
            Error::Manifest { path, .. } => Some(format!("look at {path}, and remove it")),
            Error::Contended { .. } => Some("run it again when the others are done".to_owned()),
            Error::Read { .. } => None,
        }
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
    /// The files beside it, which go no farther than the outbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The columns.
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
    /// When it was committed.
    pub committed_at: DateTime<Utc>,
    /// The run that made it.
    pub run: String,
}

/// A file beside an artifact's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Its name.
    pub file: String,
    /// The hash of its bytes, in hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
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

/// Everything of a [`Manifest`] but the number, which only a commit gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The pipeline.
    pub pipeline: String,
    /// The file's name.
    pub file: String,
    /// The hash of the file's bytes, in hex.
    pub sha256: String,
    /// The file's rows.
    pub rows: u64,
    /// The file's length.
    pub bytes: u64,
    /// The files beside it: they lie beside the one that is staged.
    pub also: Vec<Also>,
    /// The columns.
    pub contract: Contract,
    /// The snapshot it was made from.
    pub snapshot: SnapshotId,
    /// The snapshot before it, where the SQL read that too.
    pub previous: Option<SnapshotId>,
    /// Those of earlier days, the newest first, where the SQL read them.
    pub history: Vec<SnapshotId>,
    /// When that snapshot was fetched.
    pub snapshot_at: DateTime<Utc>,
    /// The parameters, as text.
    pub params: IndexMap<String, String>,
    /// The model that its SQL embedded texts with, if it did.
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

/// A draft whose file is known to be the one it tells of.
#[derive(Debug)]
pub struct Staged {
    outbox: Outbox,
    draft: Draft,
    file: PathBuf,
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

/// An artifact that its receiver has.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// The artifact.
    pub committed: Committed,
    /// What the receiver said.
    pub receipt: Receipt,
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
        artifact_id(self.seq, &self.sha256)
    }

    /// Returns the names of its files, the artifact's own first.
    fn files(&self) -> impl Iterator<Item = &str> {
        let also = self.also.iter().map(|also| also.file.as_str());
        std::iter::once(self.file.as_str()).chain(also)
    }

    /// Returns what is wrong with a manifest that was read from `<pipeline>/<seq>`.
    fn fault(&self, pipeline: &str, seq: u64) -> Option<&'static str> {
        if self.pipeline != pipeline || self.seq != seq {
            Some("it belongs to another pipeline or number")
        } else if !digest::is_sha256(&self.sha256) {
            Some("its hash is none")
        } else if !self.files().all(is_plain) {
            Some("its file is no plain name")
        } else {
            None
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.contains(['/', '\\']) && !name.starts_with('.')
}

/// Returns `000001-0123456789abcdef`.
pub(crate) fn artifact_id(seq: u64, sha256: &str) -> String {
    format!("{seq:06}-{}", sha256.get(..16).unwrap_or(sha256))
}

/// Returns the name of the manifest that holds a number: `000001.manifest.json`.
pub(crate) fn manifest_name(seq: u64) -> String {
    format!("{seq:06}.manifest.json")
}

/// Returns the number a manifest's name tells, if it is such a name.
pub(crate) fn manifest_seq(name: &str) -> Option<u64> {
    let seq = name.strip_suffix(".manifest.json")?.parse().ok()?;
    (manifest_name(seq) == name).then_some(seq)
}

impl Draft {
    fn numbered(self, seq: u64) -> Manifest {
        Manifest {
            pipeline: self.pipeline,
            seq,
            file: self.file,
            sha256: self.sha256,
            rows: self.rows,
            bytes: self.bytes,
            also: self.also,
            contract: self.contract,
            snapshot: self.snapshot,
            previous: self.previous,
            history: self.history,
            snapshot_at: self.snapshot_at,
            params: self.params,
            embedding: self.embedding,
            sql_sha256: self.sql_sha256,
            engine_version: self.engine_version,
            committed_at: self.committed_at,
            run: self.run,
        }
    }

    /// Returns whether a receiver could not tell this from the committed one, nor a
    /// reader of the files beside it.
    fn is_same_as(&self, other: &Manifest) -> bool {
        self.sha256 == other.sha256
            && self.file == other.file
            && self.contract == other.contract
            && self.also == other.also
    }
}

impl Staged {
    /// Commits the artifact under the pipeline's next number, or finds that the latest
    /// one has the same content. A number that another writer takes first is left to it.
    pub async fn commit(self) -> Result<Commit> {
        for _ in 0..MAX_RACES {
            let latest = self.outbox.latest(&self.draft.pipeline).await?;
            let seq = latest.as_ref().map_or(0, |latest| latest.manifest.seq) + 1;
            match latest {
                Some(latest) if self.draft.is_same_as(&latest.manifest) => {
                    self.outbox.write_copy(&latest).await?;
                    return Ok(Commit::Unchanged(latest));
                }
                _ => {}
            }
            if let Some(committed) = self.commit_as(seq).await? {
                return Ok(Commit::New(committed));
            }
        }
        Err(Error::Contended {
            pipeline: self.draft.pipeline,
        })
    }

    /// Writes content, then manifest; `None` when another writer has the number.
    async fn commit_as(&self, seq: u64) -> Result<Option<Committed>> {
        let manifest = self.draft.clone().numbered(seq);
        let committed = Committed {
            folder: format!("{}/{}", manifest.pipeline, manifest.id()),
            manifest,
            receipts: Vec::new(),
        };
        for file in committed.manifest.files() {
            let staged = self.file.with_file_name(file);
            let staged = if file == committed.manifest.file {
                &self.file
            } else {
                &staged
            };
            self.write_content(&format!("{}/{file}", committed.folder), staged)
                .await?;
        }
        let name = committed.claim();
        let bytes = self.outbox.json(&name, &committed.manifest)?;
        // `Same` is our own put, told twice by a store that lost its first answer.
        if self.outbox.location.put_new(&name, bytes).await? == Put::Different {
            return Ok(None);
        }
        self.outbox.write_copy(&committed).await?;
        Ok(Some(committed))
    }

    /// Other bytes under our content's own name are a killed run's: no manifest holds them.
    async fn write_content(&self, name: &str, staged: &std::path::Path) -> Result<()> {
        let location = &self.outbox.location;
        if location.put_new_file(name, staged).await? != Put::Different {
            return Ok(());
        }
        location.delete(name).await?;
        match location.put_new_file(name, staged).await? {
            Put::New | Put::Same => Ok(()),
            Put::Different => Err(Error::Changed {
                path: location.display(name),
            }),
        }
    }
}

impl Committed {
    /// Returns the file's name below the outbox.
    pub fn file(&self) -> String {
        format!("{}/{}", self.folder, self.manifest.file)
    }

    /// Returns the receipt of a target, if it has the artifact.
    pub fn receipt(&self, target: &str) -> Option<&Receipt> {
        self.receipts
            .iter()
            .find(|receipt| receipt.target == target)
    }

    fn claim(&self) -> String {
        let manifest = &self.manifest;
        format!("{}/{}", manifest.pipeline, manifest_name(manifest.seq))
    }
}

impl Outbox {
    /// Returns the outbox at a location.
    pub fn new(location: Location) -> Outbox {
        Outbox { location }
    }

    /// Makes sure that a local file is the one a draft tells of. Writes nothing.
    pub async fn stage(&self, draft: Draft, file: &std::path::Path) -> Result<Staged> {
        is_told(file, &draft.sha256, draft.bytes).await?;
        for also in &draft.also {
            is_told(&file.with_file_name(&also.file), &also.sha256, also.bytes).await?;
        }
        Ok(Staged {
            outbox: self.clone(),
            draft,
            file: file.to_owned(),
        })
    }

    /// Stages and commits a local file. The same content as the latest artifact's is
    /// `Unchanged`, and nothing is written.
    pub async fn commit(&self, draft: Draft, file: &std::path::Path) -> Result<Commit> {
        self.stage(draft, file).await?.commit().await
    }

    /// Returns the pipelines that have committed something or tried to, sorted.
    pub async fn pipelines(&self) -> Result<Vec<String>> {
        Ok(self.location.folders().await?)
    }

    /// Returns the committed artifacts of a pipeline, by number.
    pub async fn list(&self, pipeline: &str) -> Result<Vec<Committed>> {
        let entries = self.location.child(pipeline).list().await?;
        let mut found = Vec::new();
        for seq in numbers(&entries) {
            found.extend(self.read(pipeline, seq, &entries).await?);
        }
        Ok(found)
    }

    /// Returns the pipeline's artifact of the highest number.
    pub async fn latest(&self, pipeline: &str) -> Result<Option<Committed>> {
        let entries = self.location.child(pipeline).list().await?;
        match numbers(&entries).last() {
            Some(seq) => self.read(pipeline, *seq, &entries).await,
            None => Ok(None),
        }
    }

    /// Returns the latest artifact if that target does not have it yet. Older ones that
    /// were never sent are superseded: prices may go A → B → A, and only the last counts.
    pub async fn pending(&self, pipeline: &str, target: &str) -> Result<Option<Committed>> {
        let latest = self.latest(pipeline).await?;
        Ok(latest.filter(|latest| latest.receipt(target).is_none()))
    }

    /// Lays the receiver's receipt beside the artifact. A second one of the same target
    /// replaces the first.
    pub async fn acknowledge(
        &self,
        mut committed: Committed,
        receipt: Receipt,
    ) -> Result<Acknowledged> {
        let target = Digest::of_bytes(receipt.target.as_bytes()).sha256;
        let short: String = target.chars().take(16).collect();
        let name = format!("{}/receipt-{short}.json", committed.folder);
        self.location
            .put(&name, self.json(&name, &receipt)?)
            .await?;
        committed.receipts.retain(|r| r.target != receipt.target);
        committed.receipts.push(receipt.clone());
        Ok(Acknowledged { committed, receipt })
    }

    /// Copies an artifact's content to a local file and makes sure that it is what was
    /// committed: what was edited since does not leave the outbox.
    pub async fn copy_out(&self, artifact: &Committed, to: &std::path::Path) -> Result<()> {
        let name = artifact.file();
        let path = || self.location.display(&name);
        let Some(stream) = self.location.stream(&name).await? else {
            return Err(Error::Missing { path: path() });
        };
        let digest = digest::write_file(stream, to).await?;
        let manifest = &artifact.manifest;
        if (&digest.sha256, digest.bytes) != (&manifest.sha256, manifest.bytes) {
            return Err(Error::Changed { path: path() });
        }
        Ok(())
    }

    async fn read(&self, pipeline: &str, seq: u64, all: &[Entry]) -> Result<Option<Committed>> {
        let name = format!("{pipeline}/{}", manifest_name(seq));
        let Some(manifest) = self.parse::<Manifest>(&name).await? else {
            return Ok(None); // pruned since it was listed
        };
        if let Some(fault) = manifest.fault(pipeline, seq) {
            return Err(self.not_a_manifest(&name, fault));
        }
        let id = manifest.id();
        Ok(Some(Committed {
            receipts: self.receipts(pipeline, &id, all).await?,
            folder: format!("{pipeline}/{id}"),
            manifest,
        }))
    }

    async fn receipts(&self, pipeline: &str, id: &str, all: &[Entry]) -> Result<Vec<Receipt>> {
        let prefix = format!("{id}/receipt-");
        let mut receipts = Vec::new();
        for entry in all.iter().filter(|entry| entry.name.starts_with(&prefix)) {
            receipts.extend(self.parse(&format!("{pipeline}/{}", entry.name)).await?);
        }
        Ok(receipts)
    }

    async fn parse<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.location.read(name).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| self.not_a_manifest(name, error))
    }

    /// The copy is for whoever opens the folder; nothing believes it. A rerun puts back
    /// one that a kill left out.
    async fn write_copy(&self, committed: &Committed) -> Result<()> {
        let name = format!("{}/manifest.json", committed.folder);
        let bytes = self.json(&name, &committed.manifest)?;
        self.location.put_new(&name, bytes).await?;
        Ok(())
    }

    fn json(&self, name: &str, value: &impl Serialize) -> Result<Bytes> {
        let mut text =
            serde_json::to_vec_pretty(value).map_err(|error| self.not_a_manifest(name, error))?;
        text.push(b'\n');
        Ok(text.into())
    }

    fn not_a_manifest(&self, name: &str, reason: impl ToString) -> Error {
        Error::Manifest {
            path: self.location.display(name),
            reason: reason.to_string(),
        }
    }
}

/// Makes sure that a local file has the hash and the length that are told of it.
async fn is_told(file: &std::path::Path, sha256: &str, bytes: u64) -> Result<()> {
    let read = Digest::of_file(file).await;
    let digest = read.map_err(|source| Error::Read {
        path: file.to_owned(),
        source,
    })?;
    match (digest.sha256.as_str(), digest.bytes) == (sha256, bytes) {
        true => Ok(()),
        false => Err(Error::Changed {
            path: file.display().to_string(),
        }),
    }
}

/// Returns the numbers whose manifests are among the entries of a pipeline's folder, sorted.
fn numbers(entries: &[Entry]) -> Vec<u64> {
    let mut numbers: Vec<u64> = entries
        .iter()
        .filter_map(|entry| manifest_seq(&entry.name))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_manifests_own_name_tells_a_number() {
        assert_eq!(manifest_seq("000007.manifest.json"), Some(7));
        assert_eq!(manifest_seq("1234567.manifest.json"), Some(1_234_567));
        for foreign in ["7.manifest.json", "+00007.manifest.json", "000007.json", ""] {
            assert_eq!(manifest_seq(foreign), None, "{foreign}");
        }
    }
}
