//! The identity of bytes: their SHA-256 and how many there are.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;

use crate::storage;

/// What identifies a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Their SHA-256, in lower-case hex.
    pub sha256: String,
    /// How many there are.
    pub bytes: u64,
}

/// Collects a digest from bytes as they pass.
#[derive(Debug, Default)]
pub struct Digester {
    hasher: Sha256,
    bytes: u64,
}

impl Digest {
    /// Returns the digest of bytes in memory.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest {
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        }
    }

    /// Reads to the end and returns the digest of what was read.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Digest> {
        let mut digester = Digester::default();
        io::copy(&mut reader, &mut digester)?;
        Ok(digester.finish())
    }

    /// Returns the digest of a local file, read off the async threads.
    pub async fn of_file(file: &Path) -> io::Result<Digest> {
        let file = file.to_owned();
        let read = move || Digest::of_reader(std::fs::File::open(file)?);
        tokio::task::spawn_blocking(read).await?
    }
}

impl Digester {
    /// Returns the digest of all bytes seen.
    pub fn finish(self) -> Digest {
        Digest {
            sha256: hex::encode(self.hasher.finalize()),
            bytes: self.bytes,
        }
    }
}

impl Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns whether the text is a SHA-256 in lower-case hex.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Writes a stream to a local file, replacing it, and returns the digest of what
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
    let mut file = tokio::fs::File::create(to).await.map_err(failed)?;
    let mut digester = Digester::default();
    while let Some(chunk) = from.next().await {
        let chunk = chunk?;
        file.write_all(&chunk).await.map_err(failed)?;
        digester.write_all(&chunk).map_err(failed)?;
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
        assert!(is_sha256(&digest.sha256));
    }

    #[test]
    fn what_is_no_hash_is_told_apart() {
        assert!(!is_sha256("../../etc/passwd"));
        assert!(!is_sha256(&"A".repeat(64)));
    }
}
