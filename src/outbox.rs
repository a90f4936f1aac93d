//! Artifacts to be uploaded: stage → commit → pending → acknowledge.
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

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use crate::artifact::manifest::{Also, Draft, Manifest};
use crate::{
    artifact::{
        digest::{self, Digest},
        id::{PipelineName, Seq, Sha256},
        manifest,
        sealed::{self, Fault, MAX_RACES, Seal, Unsealed},
    },
    kind::Kind,
    storage::{self, Entry, Format, Location},
};

/// A receipt at rest.
pub(crate) const RECEIPT: Format = Format::version(1);

/// Why an artifact could not enter or leave the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The artifact could not be committed, or its manifest not be read.
    #[error(transparent)]
    Sealed(#[from] sealed::Error),
    /// The staged file could not be read.
    #[error("could not read {path}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The bytes are not those that the manifest, or the draft, describes.
    #[error("{path} does not match its manifest")]
    Changed {
        /// Where the file is: a path or a URL.
        path: String,
    },
    /// The manifest says its file is there, and it is not.
    #[error("{path} is missing")]
    Missing {
        /// Where the file is: a path or a URL.
        path: String,
    },
    /// Other writers took every number that was tried.
    #[error("other runs kept taking the next number of `{pipeline}`")]
    Contended {
        /// The pipeline's name, not an alias.
        pipeline: PipelineName,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Storage(error) => error.kind(),
            Error::Sealed(error) => error.kind(),
            Error::Contended { .. } => Kind::Busy,
            Error::Read { .. } | Error::Changed { .. } | Error::Missing { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Storage(error) => error.hint(),
            Error::Sealed(error) => error.hint(),
            Error::Changed { .. } | Error::Missing { .. } => Some(
                "a committed artifact must not be edited; generate the pipeline again".to_owned(),
            ),
            Error::Contended { .. } => {
                Some("run it again when the others have finished".to_owned())
            }
            Error::Read { .. } => None,
        }
    }
}

/// What the receiver said of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where it went: an origin or a location.
    pub target: String,
    /// When the receiver confirmed it.
    pub uploaded_at: DateTime<Utc>,
    /// Whether the receiver returned the hash and the length.
    pub verified: bool,
    /// The receiver's own message, redacted.
    pub message: String,
}

/// The outbox of a data folder.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// `outbox/`.
    pub location: Location,
}

/// A draft whose file is known to be the one it describes.
#[derive(Debug)]
pub struct Staged {
    outbox: Outbox,
    draft: Draft,
    file: PathBuf,
}

/// An artifact that is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Its manifest, which committed it.
    pub manifest: Manifest,
    /// Its folder below the outbox: `bargains/000001-0123456789abcdef`.
    pub folder: String,
    /// The receipts beside it, one per target.
    pub receipts: Vec<Receipt>,
}

/// An artifact that its receiver has.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// The artifact, with the receipt among its receipts.
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

impl Staged {
    /// Commits the artifact under the pipeline's next number, or finds that the latest
    /// one has the same content. A number that another writer takes first is left to it.
    ///
    /// # Errors
    /// [`Error::Contended`] when others take every number that is tried; else the place's.
    pub async fn commit(self) -> Result<Commit> {
        for _ in 0..MAX_RACES {
            let latest = self.outbox.latest(&self.draft.pipeline).await?;
            let seq = latest.as_ref().map_or(Seq(0), |latest| latest.manifest.seq);
            match latest {
                Some(latest) if self.draft.is_same_as(&latest.manifest) => {
                    self.outbox.write_copy(&latest).await?;
                    return Ok(Commit::Unchanged(latest));
                }
                _ => {}
            }
            if let Some(committed) = self.commit_as(seq.next()).await? {
                return Ok(Commit::New(committed));
            }
        }
        Err(Error::Contended {
            pipeline: self.draft.pipeline,
        })
    }

    /// Writes content, then manifest; `None` when another writer has the number.
    async fn commit_as(&self, seq: Seq) -> Result<Option<Committed>> {
        let manifest = self.draft.clone().numbered(seq);
        let committed = Committed {
            folder: format!("{}/{}", manifest.pipeline, manifest.id()),
            manifest,
            receipts: Vec::new(),
        };
        let mut unsealed = Unsealed::at(&self.outbox.location);
        for file in committed.manifest.files() {
            let name = format!("{}/{file}", committed.folder);
            unsealed = unsealed.put_by_hash(&name, &self.staged(file)).await?;
        }
        let name = manifest_name(&committed.manifest.pipeline, seq);
        let manifest = &committed.manifest;
        if unsealed.seal(&name, manifest::FORMAT, manifest).await? == Seal::Conflict {
            return Ok(None);
        }
        self.outbox.write_copy(&committed).await?;
        Ok(Some(committed))
    }

    /// Returns where a file of the draft is staged: the files beside the artifact's lie
    /// beside it there too.
    fn staged(&self, file: &str) -> PathBuf {
        match file == self.draft.file {
            true => self.file.clone(),
            false => self.file.with_file_name(file),
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
}

impl Outbox {
    /// Returns the outbox at a location.
    pub fn new(location: Location) -> Outbox {
        Outbox { location }
    }

    /// Makes sure that a local file is the one a draft describes. Writes nothing.
    ///
    /// # Errors
    /// [`Error::Changed`] when it is another, [`Error::Read`] when it cannot be read.
    pub async fn stage(&self, draft: Draft, file: &Path) -> Result<Staged> {
        verify(file, &draft.sha256, draft.bytes).await?;
        for also in &draft.also {
            verify(&file.with_file_name(&also.file), &also.sha256, also.bytes).await?;
        }
        Ok(Staged {
            outbox: self.clone(),
            draft,
            file: file.to_owned(),
        })
    }

    /// Stages and commits a local file. The same content as the latest artifact's is
    /// `Unchanged`, and nothing is written.
    ///
    /// ```
    /// # use pricemill::{artifact::{digest::Digest, id::SnapshotId}, dataset::{Column, Contract}};
    /// # use pricemill::{outbox::{Commit, Draft, Outbox}, storage::Location};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("bargains.json");
    /// std::fs::write(&file, "[\n{\"product_id\":1}\n]\n")?;
    /// let digest = Digest::of_file(&file).await?;
    /// let draft = Draft {
    ///     pipeline: "bargains".into(),
    ///     file: "bargains.json".to_owned(),
    ///     sha256: digest.sha256,
    ///     bytes: digest.bytes,
    ///     rows: 1,
    ///     contract: Contract {
    ///         columns: vec![Column::parse("product_id", "bigint not null")?],
    ///     },
    ///     snapshot: SnapshotId("2026-11-22T100000Z-0123abcd".to_owned()),
    ///     // … and where it comes from: parameters, the hash of the SQL, the run.
    /// #   also: Vec::new(),
    /// #   previous: None,
    /// #   history: Vec::new(),
    /// #   snapshot_at: chrono::Utc::now(),
    /// #   params: Default::default(),
    /// #   embedding: None,
    /// #   sql_sha256: String::new(),
    /// #   engine_version: pricemill::VERSION.to_owned(),
    /// #   committed_at: chrono::Utc::now(),
    /// #   run: "run-1".to_owned(),
    /// };
    ///
    /// let outbox = Outbox::new(Location::folder(&folder.path().join("outbox"))?);
    /// let Commit::New(first) = outbox.commit(draft.clone(), &file).await? else {
    ///     panic!("nothing was committed before");
    /// };
    /// assert_eq!(first.manifest.seq, 1);
    /// // The same content again takes no number.
    /// assert_eq!(outbox.commit(draft, &file).await?, Commit::Unchanged(first));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Outbox::stage`] and [`Staged::commit`].
    pub async fn commit(&self, draft: Draft, file: &Path) -> Result<Commit> {
        self.stage(draft, file).await?.commit().await
    }

    /// Returns the pipelines that have committed something or tried to, sorted.
    ///
    /// # Errors
    ///
    /// The outbox cannot be listed.
    pub async fn pipelines(&self) -> Result<Vec<String>> {
        Ok(self.location.folders().await?)
    }

    /// Returns the committed artifacts of a pipeline, by number.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed, or a manifest or receipt in it cannot be read.
    pub async fn list(&self, pipeline: &str) -> Result<Vec<Committed>> {
        let entries = self.location.child(pipeline).list().await?;
        let mut found = Vec::new();
        for seq in numbers(&entries) {
            found.extend(self.read(pipeline, seq, &entries).await?);
        }
        Ok(found)
    }

    /// Returns the pipeline's artifact of the highest number.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed, or the manifest or a receipt cannot be read.
    pub async fn latest(&self, pipeline: &str) -> Result<Option<Committed>> {
        let entries = self.location.child(pipeline).list().await?;
        match numbers(&entries).last() {
            Some(seq) => self.read(pipeline, *seq, &entries).await,
            None => Ok(None),
        }
    }

    /// Returns the latest artifact if that target does not have it yet. Older ones that
    /// were never sent are superseded: prices may go A → B → A, and only the last counts.
    ///
    /// # Errors
    ///
    /// As [`Outbox::latest`].
    pub async fn pending(&self, pipeline: &str, target: &str) -> Result<Option<Committed>> {
        let latest = self.latest(pipeline).await?;
        Ok(latest.filter(|latest| latest.receipt(target).is_none()))
    }

    /// Writes the receiver's receipt beside the artifact. A second one of the same target
    /// replaces the first.
    ///
    /// # Errors
    ///
    /// The receipt cannot be written; the artifact then counts as not uploaded.
    pub async fn acknowledge(
        &self,
        mut committed: Committed,
        receipt: Receipt,
    ) -> Result<Acknowledged> {
        let target = Digest::of_bytes(receipt.target.as_bytes()).sha256;
        let name = format!("{}/receipt-{}.json", committed.folder, target.short());
        let text = RECEIPT.write(&receipt);
        let text = text.map_err(|error| sealed::faulty(&self.location, &name, error))?;
        self.location.put(&name, text).await?;
        committed.receipts.retain(|r| r.target != receipt.target);
        committed.receipts.push(receipt.clone());
        Ok(Acknowledged { committed, receipt })
    }

    /// Copies an artifact's content to a local file and makes sure that it is what was
    /// committed: what was edited since does not leave the outbox.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] or [`Error::Changed`] if the content is not what was committed, and
    /// a failed read or write.
    pub async fn copy_out(&self, artifact: &Committed, to: &Path) -> Result<()> {
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

    async fn read(&self, pipeline: &str, seq: Seq, all: &[Entry]) -> Result<Option<Committed>> {
        let name = manifest_name(pipeline, seq);
        let manifest = sealed::read::<Manifest>(&self.location, &name, manifest::FORMAT).await?;
        let Some(manifest) = manifest else {
            return Ok(None); // pruned since it was listed
        };
        if let Some(fault) = fault(&manifest, pipeline, seq) {
            return Err(sealed::faulty(&self.location, &name, fault).into());
        }
        let folder = format!("{pipeline}/{}", manifest.id());
        Ok(Some(Committed {
            receipts: self.receipts(pipeline, &manifest, all).await?,
            folder,
            manifest,
        }))
    }

    async fn receipts(
        &self,
        pipeline: &str,
        manifest: &Manifest,
        all: &[Entry],
    ) -> Result<Vec<Receipt>> {
        let prefix = format!("{}/receipt-", manifest.id());
        let mut receipts = Vec::new();
        for entry in all.iter().filter(|entry| entry.name.starts_with(&prefix)) {
            let name = format!("{pipeline}/{}", entry.name);
            receipts.extend(sealed::read(&self.location, &name, RECEIPT).await?);
        }
        Ok(receipts)
    }

    /// The copy is for whoever opens the folder; nothing believes it. A rerun puts back
    /// one that a kill left out.
    async fn write_copy(&self, committed: &Committed) -> Result<()> {
        let name = format!("{}/manifest.json", committed.folder);
        let copy = Unsealed::at(&self.location);
        // One that an earlier pricemill wrote stays as it is.
        let _: Seal = copy
            .seal(&name, manifest::FORMAT, &committed.manifest)
            .await?;
        Ok(())
    }
}

/// Returns the name of the manifest that holds a number.
fn manifest_name(pipeline: &str, seq: Seq) -> String {
    format!("{pipeline}/{}", seq.manifest())
}

/// Returns what is wrong with a manifest that was read as `<pipeline>/<seq>`.
fn fault(manifest: &Manifest, pipeline: &str, seq: Seq) -> Option<Fault> {
    let is_plain = |name: &str| !name.contains(['/', '\\']) && !name.starts_with('.');
    if manifest.pipeline != *pipeline || manifest.seq != seq {
        Some(Fault::Misplaced)
    } else if !manifest.files().all(is_plain) {
        Some(Fault::FileName)
    } else {
        None
    }
}

/// Makes sure that a local file has the hash and the length that a draft says.
async fn verify(file: &Path, sha256: &Sha256, bytes: u64) -> Result<()> {
    let digest = Digest::of_file(file).await.map_err(|source| Error::Read {
        path: file.to_owned(),
        source,
    })?;
    match (&digest.sha256, digest.bytes) == (sha256, bytes) {
        true => Ok(()),
        false => Err(Error::Changed {
            path: file.display().to_string(),
        }),
    }
}

/// Returns the numbers whose manifests are among the entries of a pipeline's folder, sorted.
fn numbers(entries: &[Entry]) -> Vec<Seq> {
    let names = entries.iter().map(|entry| entry.name.as_str());
    let mut numbers: Vec<Seq> = names.filter_map(Seq::of_manifest).collect();
    numbers.sort_unstable();
    numbers
}
