//! Artifacts to be applied: receive → pending → archive, supersede or refuse.
//!
//! ```text
//! inbox/bargains/000001-0123456789abcdef.json    the content, first
//! inbox/bargains/000001.manifest.json            create-only: takes the number
//! inbox/bargains/refused/…                       the same two, the reason in the manifest
//! archive/inbox/bargains/…                       the same two, once applied or superseded
//! ```
//!
//! What is not even an artifact (a manifest that cannot be read, content that is gone or
//! not the one received) is set aside in `refused/`, as `….broken`: it has no number
//! any more, so that the artifact can be uploaded again. A manifest of a later version is
//! left where it is.
//!
//! Every name is made here: nothing the sender says becomes a path. Content without a
//! manifest is what a killed run left; nobody reads it.

use std::{collections::BTreeSet, path::Path};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{
    artifact::{
        digest::{self, Digest},
        id::{ArtifactId, PipelineName, Seq, Sha256},
        manifest::Manifest,
        sealed::{self, Fault, MAX_RACES, Seal, Unsealed},
    },
    kind::Kind,
    report::state,
    storage::{self, Format, Location},
};

/// A received artifact's manifest at rest. Version 1 called the disposition `fate`. The
/// sender's manifest is a part of it: a new version of that one is a new one here.
pub(crate) const RECEIVED: Format = Format::version(2);

/// Why an artifact could not enter or leave the inbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The artifact could not be written, or its manifest not be read.
    #[error(transparent)]
    Sealed(#[from] sealed::Error),
    /// The number is not above those known, and its content is not the one known.
    #[error("artifact {seq} of `{pipeline}` conflicts: the receiver is already at {highest}")]
    Conflict {
        /// The pipeline's name, not an alias.
        pipeline: PipelineName,
        /// The number that was sent.
        seq: u64,
        /// The highest number that is pending, or was refused, archived or applied.
        highest: u64,
    },
    /// The bytes are not those that the manifest describes.
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
            Error::Conflict { .. } | Error::Changed { .. } | Error::Missing { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Storage(error) => error.hint(),
            Error::Sealed(error) => error.hint(),
            Error::Conflict { highest, .. } => Some(format!(
                "the receiver's numbers come from another outbox: upload from that one, or from number {} on",
                highest.saturating_add(1)
            )),
            Error::Changed { .. } | Error::Missing { .. } => Some(
                "it is set aside; remove its receipt from the outbox and upload it again"
                    .to_owned(),
            ),
            Error::Contended { .. } => {
                Some("run it again when the others have finished".to_owned())
            }
        }
    }
}

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

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq)]
pub enum Receive {
    /// It is in the inbox, durably.
    New(Received),
    /// The same content is known under that number; nothing was written.
    Already(Received),
}

/// The inbox of a data folder, or of an object store.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// `inbox/`.
    pub location: Location,
    /// `archive/inbox/`, where what was applied goes.
    pub archive: Location,
}

/// What `receive` is to do with an arrival.
enum Number {
    Known(Box<Received>),
    Free(Seq),
}

impl Received {
    /// Returns the artifact's name below its pipeline: `000001-0123456789abcdef`.
    pub fn id(&self) -> ArtifactId {
        ArtifactId {
            seq: self.seq,
            sha256: self.sha256.clone(),
        }
    }

    fn from_arrival(arrival: &Arrival, seq: Seq) -> Received {
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

    fn manifest_name(&self) -> String {
        format!("{}/{}", self.folder(), self.seq.manifest())
    }

    /// Returns the same artifact with another disposition, and its file's name for it.
    fn with(&self, disposition: Disposition) -> Received {
        let mut moved = self.clone();
        moved.disposition = disposition;
        let name = self.file.rsplit('/').next().unwrap_or_default();
        moved.file = format!("{}/{name}", moved.folder());
        moved
    }

    /// Returns what is wrong with a manifest that was read for `pipeline` and `seq`.
    fn fault(&self, pipeline: &str, seq: Seq) -> Option<Fault> {
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

impl Inbox {
    /// Returns the inbox at a location, with the place for what was applied.
    pub fn new(location: Location, archive: Location) -> Inbox {
        Inbox { location, archive }
    }

    /// Takes a local file into the inbox, durably, content first and manifest last. The
    /// same content under a number that is known is `Already`, wherever it has gone.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] for other content under a number that is not above all that are
    /// pending, were refused or archived, or are `applied` by the ledger.
    pub async fn receive(
        &self,
        arrival: Arrival,
        file: &Path,
        applied: Option<ArtifactId>,
    ) -> Result<Receive> {
        for _ in 0..MAX_RACES {
            match self.number(&arrival, applied.as_ref()).await? {
                Number::Known(received) => return Ok(Receive::Already(*received)),
                Number::Free(seq) => {
                    let received = Received::from_arrival(&arrival, seq);
                    if self.put(&received, file).await? {
                        return Ok(Receive::New(received));
                    }
                }
            }
        }
        Err(Error::Contended {
            pipeline: arrival.pipeline,
        })
    }

    /// Returns what is pending of a pipeline, by number. Only what is complete is seen.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed, or a manifest in it cannot be read.
    pub async fn pending(&self, pipeline: &str) -> Result<Vec<Received>> {
        self.read_all(&self.location, pipeline, pipeline).await
    }

    /// Returns what was refused, by number.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed, or a manifest in it cannot be read.
    pub async fn refused(&self, pipeline: &str) -> Result<Vec<Received>> {
        let folder = format!("{pipeline}/refused");
        self.read_all(&self.location, &folder, pipeline).await
    }

    /// Returns what was applied or superseded, by number.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed, or a manifest in it cannot be read.
    pub async fn archived(&self, pipeline: &str) -> Result<Vec<Received>> {
        self.read_all(&self.archive, pipeline, pipeline).await
    }

    /// Returns an artifact by its id (`000001-0123456789abcdef`) or its number, wherever
    /// it has gone.
    ///
    /// # Errors
    ///
    /// A folder cannot be listed, or the artifact's manifest cannot be read.
    pub async fn find(&self, pipeline: &str, id: &str) -> Result<Option<Received>> {
        let seq = id.split('-').next().and_then(|seq| seq.parse().ok());
        let Some(seq) = seq else { return Ok(None) };
        let found = self.known(pipeline, Seq(seq)).await?;
        Ok(found.filter(|found| !id.contains('-') || found.id().to_string() == id))
    }

    /// Returns the pipelines that have ever received something, sorted.
    ///
    /// # Errors
    ///
    /// The inbox or its archive cannot be listed.
    pub async fn pipelines(&self) -> Result<Vec<String>> {
        let mut names = self.location.folders().await?;
        names.extend(self.archive.folders().await?);
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Streams an artifact's content as it is stored; [`Inbox::copy_out`] also verifies it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if the file is gone; the stream fails where the store does.
    pub async fn open(
        &self,
        received: &Received,
    ) -> Result<BoxStream<'static, storage::Result<Bytes>>> {
        let location = self.place(&received.disposition);
        let stream = location.stream(&received.file).await?;
        stream.ok_or_else(|| Error::Missing {
            path: location.display(&received.file),
        })
    }

    /// Copies an artifact's content to a local file and makes sure that it is what was
    /// received.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] or [`Error::Changed`] if the content is not what was received, and a
    /// failed read or write.
    pub async fn copy_out(&self, received: &Received, to: &Path) -> Result<()> {
        let digest = digest::write_file(self.open(received).await?, to).await?;
        if (&digest.sha256, digest.bytes) != (&received.sha256, received.bytes) {
            return Err(Error::Changed {
                path: self.place(&received.disposition).display(&received.file),
            });
        }
        Ok(())
    }

    /// Moves an artifact that the database has to the archive. Killed half-way and run
    /// again, or run twice, it ends the same.
    ///
    /// # Errors
    ///
    /// The files cannot be copied or deleted; the artifact is then still pending.
    pub async fn archive(&self, received: &Received, at: DateTime<Utc>) -> Result<Received> {
        self.shift(received, Disposition::Applied { at }).await
    }

    /// Moves an artifact that a later one supersedes to the archive.
    ///
    /// # Errors
    ///
    /// The files cannot be copied or deleted; the artifact is then still pending.
    pub async fn supersede(&self, received: &Received, by: Seq) -> Result<Received> {
        self.shift(received, Disposition::Superseded { by }).await
    }

    /// Moves an artifact that cannot be applied to `refused/`, with the reason.
    ///
    /// # Errors
    ///
    /// The files cannot be copied or deleted; the artifact is then still pending.
    pub async fn refuse(&self, received: &Received, reason: &str) -> Result<Received> {
        let reason = reason.to_owned();
        self.shift(received, Disposition::Refused { reason }).await
    }

    /// Moves what is pending and cannot be used out of the way of what comes after it.
    ///
    /// # Errors
    ///
    /// A file cannot be moved.
    pub async fn set_aside(&self, received: &Received) -> Result<()> {
        self.move_aside(&received.manifest_name()).await?;
        self.move_aside(&received.file).await?;
        Ok(())
    }

    /// Sets the manifests aside that cannot be read, and returns what is wrong with them.
    ///
    /// # Errors
    /// The place refused, or a manifest is of a version that is not read: it stays.
    pub async fn set_aside_unreadable(&self, pipeline: &str) -> Result<Vec<Error>> {
        let mut faults = Vec::new();
        for seq in self.numbers(&self.location, pipeline).await? {
            match self.read(&self.location, pipeline, pipeline, seq).await {
                Ok(_) => {}
                Err(Error::Sealed(sealed::Error::Manifest { source, .. }))
                    if !source.is_other_version() =>
                {
                    let name = format!("{pipeline}/{}", seq.manifest());
                    let path = self.move_aside(&name).await?;
                    faults.push(sealed::Error::Manifest { path, source }.into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(faults)
    }

    /// Moves an object of a pipeline's folder aside; returns where to.
    async fn move_aside(&self, name: &str) -> Result<String> {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let aside = format!("{folder}/refused/{file}.broken");
        self.location.move_to(name, &self.location, &aside).await?;
        Ok(self.location.display(&aside))
    }

    fn place(&self, disposition: &Disposition) -> &Location {
        match disposition {
            Disposition::Pending | Disposition::Refused { .. } => &self.location,
            Disposition::Applied { .. } | Disposition::Superseded { .. } => &self.archive,
        }
    }

    /// Decides an arrival's number. The inbox is looked at before the archive: what
    /// moves meanwhile is then seen in one of the two.
    async fn number(&self, arrival: &Arrival, applied: Option<&ArtifactId>) -> Result<Number> {
        let pipeline = &arrival.pipeline;
        let highest = self.highest(pipeline).await?;
        let highest = highest.max(applied.map_or(Seq(0), |applied| applied.seq));
        let seq = arrival.seq.unwrap_or(highest);
        if seq > highest {
            return Ok(Number::Free(seq));
        }
        let known = match self.known(pipeline, seq).await? {
            Some(known) => Some(known),
            None => applied.and_then(|applied| arrival.as_applied(applied, seq)),
        };
        match known {
            Some(known) if known.sha256 == arrival.digest.sha256 => {
                Ok(Number::Known(Box::new(known)))
            }
            _ if arrival.seq.is_none() => Ok(Number::Free(highest.next())),
            _ => Err(Error::Conflict {
                pipeline: pipeline.clone(),
                seq: seq.0,
                highest: highest.0,
            }),
        }
    }

    /// Returns the highest number that any manifest of the pipeline holds.
    async fn highest(&self, pipeline: &str) -> Result<Seq> {
        let mut highest = Seq(0);
        for location in [&self.location, &self.archive] {
            for entry in location.child(pipeline).list().await? {
                let name = entry.name.strip_prefix("refused/").unwrap_or(&entry.name);
                highest = highest.max(Seq::of_manifest(name).unwrap_or_default());
            }
        }
        Ok(highest)
    }

    /// Returns the artifact of that number, wherever it has gone.
    async fn known(&self, pipeline: &str, seq: Seq) -> Result<Option<Received>> {
        let refused = format!("{pipeline}/refused");
        for (location, folder) in [
            (&self.location, pipeline),
            (&self.location, &refused),
            (&self.archive, pipeline),
        ] {
            let found = self.read(location, folder, pipeline, seq).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Writes content, then manifest; `false` when another writer has the number.
    async fn put(&self, received: &Received, file: &Path) -> Result<bool> {
        let unsealed = Unsealed::at(&self.location);
        let unsealed = unsealed.put_by_hash(&received.file, file).await?;
        let name = received.manifest_name();
        Ok(unsealed.seal(&name, RECEIVED, received).await? != Seal::Conflict)
    }

    /// Moves both files: the new pair is complete before the old manifest goes, and the
    /// old content goes last. At every moment a complete pair is there.
    async fn shift(&self, received: &Received, disposition: Disposition) -> Result<Received> {
        let moved = received.with(disposition);
        let from = self.place(&received.disposition);
        let to = self.place(&moved.disposition);
        let stays = from.display(&received.file) == to.display(&moved.file);
        let mut unsealed = Unsealed::at(to);
        if !stays {
            let copy = self.copy(received).await?;
            unsealed = unsealed.put_by_hash(&moved.file, copy.path()).await?;
        }
        let name = moved.manifest_name();
        unsealed.reseal(&name, RECEIVED, &moved).await?;
        if !stays {
            from.delete(&received.manifest_name()).await?;
            from.delete(&received.file).await?;
        }
        Ok(moved)
    }

    /// Copies the content, as it is stored, to a temporary file.
    async fn copy(&self, received: &Received) -> Result<tempfile::NamedTempFile> {
        let temp = tempfile::NamedTempFile::new().map_err(|source| storage::Error::Io {
            action: "write",
            path: "a temporary file".to_owned(),
            source,
        })?;
        digest::write_file(self.open(received).await?, temp.path()).await?;
        Ok(temp)
    }

    async fn read_all(&self, at: &Location, folder: &str, pipeline: &str) -> Result<Vec<Received>> {
        let numbers = self.numbers(at, folder).await?;
        let mut found = Vec::with_capacity(numbers.len());
        for seq in numbers {
            found.extend(self.read(at, folder, pipeline, seq).await?);
        }
        Ok(found)
    }

    async fn numbers(&self, at: &Location, folder: &str) -> Result<BTreeSet<Seq>> {
        let entries = at.child(folder).list().await?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        Ok(names.filter_map(Seq::of_manifest).collect())
    }

    /// Reads a manifest; `None` where it has moved on since it was listed.
    async fn read(
        &self,
        at: &Location,
        folder: &str,
        pipeline: &str,
        seq: Seq,
    ) -> Result<Option<Received>> {
        let name = format!("{folder}/{}", seq.manifest());
        let received = sealed::read::<Received>(at, &name, RECEIVED).await?;
        let fault = received.as_ref().and_then(|r| r.fault(pipeline, seq));
        match fault {
            Some(fault) => Err(sealed::faulty(at, &name, fault).into()),
            None => Ok(received),
        }
    }
}

impl Arrival {
    /// Returns what the ledger knows of the number, once the archive was pruned.
    fn as_applied(&self, applied: &ArtifactId, seq: Seq) -> Option<Received> {
        (applied.seq == seq).then(|| {
            let mut received = Received::from_arrival(self, seq);
            received.sha256 = applied.sha256.clone();
            received.disposition = Disposition::Applied { at: self.at };
            received
        })
    }
}
