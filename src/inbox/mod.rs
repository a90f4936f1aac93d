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

mod error;
mod moves;
mod received;

use std::{collections::BTreeSet, path::Path};

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::{
    artifact::{
        digest,
        id::{ArtifactId, Seq},
        sealed::{self, MAX_RACES, Seal, Unsealed},
    },
    storage::{self, Location},
};

pub use error::{Error, Result};
pub(crate) use received::RECEIVED;
pub use received::{Arrival, Disposition, Received};

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
