//! Where artifacts wait to be applied: receive → pending → archive, supersede or refuse.
//!
//! ```text
//! inbox/bargains/000001-0123456789abcdef.json    the content, first
//! inbox/bargains/000001.manifest.json            create-only: takes the number
//! inbox/bargains/refused/…                       the same two, the reason in the manifest
//! archive/inbox/bargains/…                       the same two, once applied or superseded
//! ```
//!
//! What is not even an artifact (a manifest that cannot be read, content that is gone or
//! not the one received) is set aside in `refused/`, as `….broken`: it holds no number
//! any more, so that the artifact can be uploaded again.
//!
//! Every name is of our own making: nothing the sender says becomes a path. Content
//! that no manifest tells of is what a killed run left; nobody reads it.

use std::{collections::BTreeSet, path::Path};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{
    artifact::digest::{self, Digest},
    kind::Kind,
    outbox::{self, artifact_id, manifest_name, manifest_seq},
    storage::{self, Location, Put},
};

/// How many times a receiver tries for a number that others take before it.
const MAX_RACES: usize = 100;

/// Why an artifact could not enter or leave the inbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The number is not above those known, and its content is not the one known.
    #[error("`{pipeline}` has come to artifact {highest}: other content cannot be artifact {seq}")]
    Conflict {
        /// The pipeline.
        pipeline: String,
        /// The number told.
        seq: u64,
        /// The highest number that waits, or was refused, archived or applied.
        highest: u64,
    },
    /// The bytes are not those that the manifest tells of.
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
    #[error("others kept taking the next number of `{pipeline}`")]
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
            Error::Conflict { .. }
            | Error::Changed { .. }
            | Error::Missing { .. }
            | Error::Manifest { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Storage(error) => error.hint(),
            Error::Conflict { highest, .. } => Some(format!(
                "the receiver's numbers are of another outbox; send from that one, or from number {} on",
                highest.saturating_add(1)
            )),
            Error::Changed { .. } | Error::Missing { .. } => Some(
                "it is set aside; remove its receipt from the outbox and upload it again"
                    .to_owned(),
            ),
            Error::Manifest { path, .. } => Some(format!("look at {path}, and remove it")),
            Error::Contended { .. } => Some("run it again when the others are done".to_owned()),
        }
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
    pub received_at: DateTime<Utc>,
    /// The sender's manifest, where it sent one.
    pub manifest: Option<outbox::Manifest>,
    /// What became of it.
    #[serde(default)]
    pub fate: Fate,
}

/// What became of a received artifact. Says where its two files are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Fate {
    /// It waits in the inbox.
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
        by: u64,
    },
    /// It was turned away, and lies in `refused/`.
    Refused {
        /// Why.
        reason: String,
    },
}

/// An artifact that has come and is not in the inbox yet.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The pipeline, by its name in the project.
    pub pipeline: String,
    /// The number the sender told.
    pub seq: Option<u64>,
    /// The extension of the pipeline's file, such as `json`.
    pub extension: String,
    /// What identifies the content.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// The sender's manifest.
    pub manifest: Option<outbox::Manifest>,
}

/// The last artifact of a pipeline that the database's ledger tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub seq: u64,
    /// Its hash, in hex.
    pub sha256: String,
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
    Free(u64),
}

impl Received {
    /// Returns the artifact's name below its pipeline: `000001-0123456789abcdef`.
    pub fn id(&self) -> String {
        artifact_id(self.seq, &self.sha256)
    }

    fn from_arrival(arrival: &Arrival, seq: u64) -> Received {
        let id = artifact_id(seq, &arrival.digest.sha256);
        Received {
            pipeline: arrival.pipeline.clone(),
            seq,
            file: format!("{}/{id}.{}", arrival.pipeline, arrival.extension),
            sha256: arrival.digest.sha256.clone(),
            bytes: arrival.digest.bytes,
            rows: arrival.rows,
            received_at: arrival.at,
            manifest: arrival.manifest.clone(),
            fate: Fate::Pending,
        }
    }

    /// Returns the folder of both files, below the inbox or the archive.
    fn folder(&self) -> String {
        match self.fate {
            Fate::Refused { .. } => format!("{}/refused", self.pipeline),
            Fate::Pending | Fate::Applied { .. } | Fate::Superseded { .. } => self.pipeline.clone(),
        }
    }

    fn manifest_name(&self) -> String {
        format!("{}/{}", self.folder(), manifest_name(self.seq))
    }

    /// Returns the same artifact with another fate, and its file's name for it.
    fn with_fate(&self, fate: Fate) -> Received {
        let mut moved = self.clone();
        moved.fate = fate;
        let name = self.file.rsplit('/').next().unwrap_or_default();
        moved.file = format!("{}/{name}", moved.folder());
        moved
    }

    /// Returns what is wrong with a manifest that was read for `pipeline` and `seq`.
    fn fault(&self, pipeline: &str, seq: u64) -> Option<&'static str> {
        let stem = format!("{}/{}.", self.folder(), self.id());
        let extension = self.file.strip_prefix(&stem);
        if self.pipeline != pipeline || self.seq != seq {
            Some("it belongs to another pipeline or number")
        } else if !digest::is_sha256(&self.sha256) {
            Some("its hash is none")
        } else if extension.is_none_or(|e| !e.bytes().all(|b| b.is_ascii_alphanumeric())) {
            Some("its file has a foreign name")
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
    /// [`Error::Conflict`] for other content under a number that is not above all that
    /// wait, were refused, archived, or are `applied` by the ledger.
    pub async fn receive(
        &self,
        arrival: Arrival,
        file: &Path,
        applied: Option<Mark>,
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

    /// Returns what waits for a pipeline, by number. Only what is complete is seen.
    pub async fn pending(&self, pipeline: &str) -> Result<Vec<Received>> {
        self.read_all(&self.location, pipeline, pipeline).await
    }

    /// Returns what was turned away, by number.
    pub async fn refused(&self, pipeline: &str) -> Result<Vec<Received>> {
        let folder = format!("{pipeline}/refused");
        self.read_all(&self.location, &folder, pipeline).await
    }

    /// Returns what was applied or superseded, by number.
    pub async fn archived(&self, pipeline: &str) -> Result<Vec<Received>> {
        self.read_all(&self.archive, pipeline, pipeline).await
    }

    /// Returns an artifact by its id (`000001-0123456789abcdef`) or its number, wherever
    /// it has gone.
    pub async fn find(&self, pipeline: &str, id: &str) -> Result<Option<Received>> {
        let seq = id.split('-').next().and_then(|seq| seq.parse().ok());
        let Some(seq) = seq else { return Ok(None) };
        let found = self.known(pipeline, seq).await?;
        Ok(found.filter(|found| !id.contains('-') || found.id() == id))
    }

    /// Returns the pipelines that have ever received something, sorted.
    pub async fn pipelines(&self) -> Result<Vec<String>> {
        let mut names = self.location.folders().await?;
        names.extend(self.archive.folders().await?);
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Streams an artifact's content as it lies; [`Inbox::copy_out`] also verifies it.
    pub async fn open(
        &self,
        received: &Received,
    ) -> Result<BoxStream<'static, storage::Result<Bytes>>> {
        let location = self.place(&received.fate);
        let stream = location.stream(&received.file).await?;
        stream.ok_or_else(|| Error::Missing {
            path: location.display(&received.file),
        })
    }

    /// Copies an artifact's content to a local file and makes sure that it is what was
    /// received.
    pub async fn copy_out(&self, received: &Received, to: &Path) -> Result<()> {
        let digest = digest::write_file(self.open(received).await?, to).await?;
        if (&digest.sha256, digest.bytes) != (&received.sha256, received.bytes) {
            return Err(Error::Changed {
                path: self.place(&received.fate).display(&received.file),
            });
        }
        Ok(())
    }

    /// Moves an artifact that the database has to the archive. Killed half-way and run
    /// again, or run twice, it ends the same.
    pub async fn archive(&self, received: &Received, at: DateTime<Utc>) -> Result<Received> {
        self.shift(received, Fate::Applied { at }).await
    }

    /// Moves an artifact that a later one has overtaken to the archive.
    pub async fn supersede(&self, received: &Received, by: u64) -> Result<Received> {
        self.shift(received, Fate::Superseded { by }).await
    }

    /// Moves an artifact that cannot be applied to `refused/`, with the reason.
    pub async fn refuse(&self, received: &Received, reason: &str) -> Result<Received> {
        let reason = reason.to_owned();
        self.shift(received, Fate::Refused { reason }).await
    }

    /// Takes what waits and cannot be used out of the way of what comes after it.
    pub async fn set_aside(&self, received: &Received) -> Result<()> {
        self.move_aside(&received.manifest_name()).await?;
        self.move_aside(&received.file).await?;
        Ok(())
    }

    /// Sets the manifests aside that cannot be read, and returns what is wrong with them.
    pub async fn set_aside_unreadable(&self, pipeline: &str) -> Result<Vec<Error>> {
        let mut faults = Vec::new();
        for seq in self.numbers(&self.location, pipeline).await? {
            match self.read(&self.location, pipeline, pipeline, seq).await {
                Ok(_) => {}
                Err(Error::Manifest { reason, .. }) => {
                    let name = format!("{pipeline}/{}", manifest_name(seq));
                    let path = self.move_aside(&name).await?;
                    faults.push(Error::Manifest { path, reason });
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

    fn place(&self, fate: &Fate) -> &Location {
        match fate {
            Fate::Pending | Fate::Refused { .. } => &self.location,
            Fate::Applied { .. } | Fate::Superseded { .. } => &self.archive,
        }
    }

    /// Decides an arrival's number. The inbox is looked at before the archive: what
    /// moves meanwhile is then seen in one of the two.
    async fn number(&self, arrival: &Arrival, applied: Option<&Mark>) -> Result<Number> {
        let pipeline = &arrival.pipeline;
        let highest = self.highest(pipeline).await?;
        let highest = highest.max(applied.map_or(0, |mark| mark.seq));
        let seq = arrival.seq.unwrap_or(highest);
        if seq > highest {
            return Ok(Number::Free(seq));
        }
        let known = match self.known(pipeline, seq).await? {
            Some(known) => Some(known),
            None => applied.and_then(|mark| arrival.as_applied(mark, seq)),
        };
        match known {
            Some(known) if known.sha256 == arrival.digest.sha256 => {
                Ok(Number::Known(Box::new(known)))
            }
            _ if arrival.seq.is_none() => Ok(Number::Free(highest + 1)),
            _ => Err(Error::Conflict {
                pipeline: pipeline.clone(),
                seq,
                highest,
            }),
        }
    }

    /// Returns the highest number that any manifest of the pipeline holds.
    async fn highest(&self, pipeline: &str) -> Result<u64> {
        let mut highest = 0;
        for location in [&self.location, &self.archive] {
            for entry in location.child(pipeline).list().await? {
                let name = entry.name.strip_prefix("refused/").unwrap_or(&entry.name);
                highest = highest.max(manifest_seq(name).unwrap_or(0));
            }
        }
        Ok(highest)
    }

    /// Returns the artifact of that number, wherever it has gone.
    async fn known(&self, pipeline: &str, seq: u64) -> Result<Option<Received>> {
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
        self.put_content(received, file).await?;
        let name = received.manifest_name();
        let bytes = self.json(&name, received)?;
        Ok(self.location.put_new(&name, bytes).await? != Put::Different)
    }

    /// Other bytes under our content's own name are a killed run's: no manifest holds them.
    async fn put_content(&self, received: &Received, file: &Path) -> Result<()> {
        let name = &received.file;
        if self.location.put_new_file(name, file).await? != Put::Different {
            return Ok(());
        }
        self.location.delete(name).await?;
        match self.location.put_new_file(name, file).await? {
            Put::New | Put::Same => Ok(()),
            Put::Different => Err(Error::Changed {
                path: self.location.display(name),
            }),
        }
    }

    /// Moves both files: the new pair is complete before the old manifest goes, and the
    /// old content goes last. At every moment a complete pair is there.
    async fn shift(&self, received: &Received, fate: Fate) -> Result<Received> {
        let moved = received.with_fate(fate);
        let (from, to) = (self.place(&received.fate), self.place(&moved.fate));
        let stays = from.display(&received.file) == to.display(&moved.file);
        if !stays {
            self.copy(received, &moved).await?;
        }
        let name = moved.manifest_name();
        to.put(&name, self.json(&name, &moved)?).await?;
        if !stays {
            from.delete(&received.manifest_name()).await?;
            from.delete(&received.file).await?;
        }
        Ok(moved)
    }

    /// Copies the content to its new place, unless an earlier, killed move did.
    async fn copy(&self, received: &Received, moved: &Received) -> Result<()> {
        let temp = tempfile::NamedTempFile::new().map_err(|source| storage::Error::Io {
            action: "write",
            path: "a temporary file".to_owned(),
            source,
        })?;
        let stream = self.open(received).await?;
        digest::write_file(stream, temp.path()).await?;
        let to = self.place(&moved.fate);
        if to.put_new_file(&moved.file, temp.path()).await? == Put::Different {
            to.delete(&moved.file).await?;
            to.put_new_file(&moved.file, temp.path()).await?;
        }
        Ok(())
    }

    async fn read_all(&self, at: &Location, folder: &str, pipeline: &str) -> Result<Vec<Received>> {
        let numbers = self.numbers(at, folder).await?;
        let mut found = Vec::with_capacity(numbers.len());
        for seq in numbers {
            found.extend(self.read(at, folder, pipeline, seq).await?);
        }
        Ok(found)
    }

    async fn numbers(&self, at: &Location, folder: &str) -> Result<BTreeSet<u64>> {
        let entries = at.child(folder).list().await?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        Ok(names.filter_map(manifest_seq).collect())
    }

    async fn read(
        &self,
        at: &Location,
        folder: &str,
        pipeline: &str,
        seq: u64,
    ) -> Result<Option<Received>> {
        let name = format!("{folder}/{}", manifest_name(seq));
        let Some(bytes) = at.read(&name).await? else {
            return Ok(None); // moved on since it was listed
        };
        let not_one = |reason: String| Error::Manifest {
            path: at.display(&name),
            reason,
        };
        let received: Received =
            serde_json::from_slice(&bytes).map_err(|error| not_one(error.to_string()))?;
        match received.fault(pipeline, seq) {
            Some(fault) => Err(not_one(fault.to_owned())),
            None => Ok(Some(received)),
        }
    }

    fn json(&self, name: &str, received: &Received) -> Result<Bytes> {
        let mut text = serde_json::to_vec_pretty(received).map_err(|error| Error::Manifest {
            path: self.location.display(name),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        Ok(text.into())
    }
}

impl Arrival {
    /// Returns what the ledger knows of the number, once the archive was pruned.
    fn as_applied(&self, mark: &Mark, seq: u64) -> Option<Received> {
        (mark.seq == seq).then(|| {
            let mut received = Received::from_arrival(self, seq);
            received.sha256 = mark.sha256.clone();
            received.fate = Fate::Applied { at: self.at };
            received
        })
    }
}
