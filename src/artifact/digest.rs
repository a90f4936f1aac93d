//! The identity of bytes: their SHA-256 and how many there are.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use sha2::Digest as _;
use tokio::io::AsyncWriteExt;

use super::id::Sha256;
use crate::storage;

/// What identifies a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Their SHA-256.
    pub sha256: Sha256,
    /// How many there are.
    pub bytes: u64,
}

/// Collects a digest from bytes as they pass.
#[derive(Debug, Default)]
pub struct Digester {
    hasher: sha2::Sha256,
    bytes: u64,
}

impl Digest {
    /// Returns the digest of bytes in memory.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        let mut digester = Digester::default();
        digester.update(bytes);
        digester.finish()
    }

    /// Reads to the end and returns the digest of what was read.
    ///
    /// # Errors
    /// The reader's own.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Digest> {
        let mut digester = Digester::default();
        io::copy(&mut reader, &mut digester)?;
        Ok(digester.finish())
    }

    /// Returns the digest of a local file, read off the async threads.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn of_file(file: &Path) -> io::Result<Digest> {
        let file = file.to_owned();
        let read = move || Digest::of_reader(std::fs::File::open(file)?);
        tokio::task::spawn_blocking(read).await?
    }
}

impl Digester {
    /// Takes bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Returns the digest of all bytes seen.
    pub fn finish(self) -> Digest {
        Digest {
            sha256: Sha256::of(self.hasher),
            bytes: self.bytes,
        }
    }
}

impl Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a stream to a local file of passing use, replacing it, and returns the digest of what
/// was written.
pub(crate) async fn write_file(
    mut from: BoxStream<'static, storage::Result<Bytes>>,
    to: &Path,
) -> storage::Result<Digest> {
    let failed = |source| storage::Error::Io {
        action: "write",
        path: to.display().to_string(),
        source,
    };
    let file = storage::create_passing(to).map_err(failed)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut digester = Digester::default();
    while let Some(chunk) = from.next().await {
        let chunk = chunk?;
        file.write_all(&chunk).await.map_err(failed)?;
        digester.update(&chunk);
    }
    file.flush().await.map_err(failed)?;
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_hash_and_the_length() {
        let digest = Digest::of_reader(&b"abc"[..]).unwrap();
        assert_eq!(digest, Digest::of_bytes(b"abc"));
        assert_eq!(digest.bytes, 3);
        assert!(digest.sha256.starts_with("ba7816bf8f01cfea"));
    }
}
