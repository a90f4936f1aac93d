//! How an artifact leaves the inbox: archived, superseded, refused, or set aside.
//!
//! A move is killed half-way and run again, or run twice, and ends the same.

use chrono::{DateTime, Utc};

use super::{Disposition, Error, Inbox, RECEIVED, Received, Result};
use crate::{
    artifact::{
        digest,
        id::Seq,
        sealed::{self, Unsealed},
    },
    storage,
};

impl Inbox {
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
}
