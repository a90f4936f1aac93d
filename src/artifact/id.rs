//! The names that artifacts go by.
//!
//! A pipeline's name, a running number and a hash make an artifact's id, and the id makes
//! the names of its files. Whatever is read from outside becomes one of these types first,
//! so that no path is made of text that was not validated.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Serialize};

/// How many characters of a hash an id shows.
const SHORT: usize = 16;

/// A pipeline's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PipelineName(String);

impl PipelineName {
    /// Names a pipeline.
    pub fn new(name: impl Into<String>) -> PipelineName {
        PipelineName(name.into())
    }
}

impl From<&str> for PipelineName {
    fn from(name: &str) -> PipelineName {
        PipelineName(name.to_owned())
    }
}

impl Deref for PipelineName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PipelineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for PipelineName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<String> for PipelineName {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl PartialEq<PipelineName> for String {
    fn eq(&self, other: &PipelineName) -> bool {
        *self == other.0
    }
}

/// The SHA-256 of some bytes, as 64 characters of lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

/// The text is not a SHA-256 in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its sha256 is not valid")]
pub struct NotSha256;

impl Sha256 {
    pub(super) fn of(hash: sha2::Sha256) -> Sha256 {
        use sha2::Digest as _;
        Sha256(hex::encode(hash.finalize()))
    }

    /// Returns the first 16 characters, which ids and file names show.
    pub fn short(&self) -> &str {
        &self.0[..SHORT]
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NotSha256;

    fn try_from(text: String) -> Result<Sha256, NotSha256> {
        let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match text.len() == 64 && text.bytes().all(is_hex) {
            true => Ok(Sha256(text)),
            false => Err(NotSha256),
        }
    }
}

impl FromStr for Sha256 {
    type Err = NotSha256;

    fn from_str(text: &str) -> Result<Sha256, NotSha256> {
        text.to_owned().try_into()
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> String {
        hash.0
    }
}

impl Deref for Sha256 {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Sha256 {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<Sha256> for String {
    fn eq(&self, other: &Sha256) -> bool {
        *self == other.0
    }
}

/// An artifact's running number in its pipeline, from 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Returns the number after this one.
    pub fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }

    /// Returns the name of the manifest that holds the number: `000001.manifest.json`.
    pub(crate) fn manifest(self) -> String {
        format!("{self}.manifest.json")
    }

    /// Returns the number that a manifest's name holds, if it is such a name.
    pub(crate) fn of_manifest(name: &str) -> Option<Seq> {
        let seq = Seq(name.strip_suffix(".manifest.json")?.parse().ok()?);
        (seq.manifest() == name).then_some(seq)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl PartialEq<u64> for Seq {
    fn eq(&self, other: &u64) -> bool {
        self.0 == *other
    }
}

/// A snapshot's name: `<utc, no colons>-<hash>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub String);

/// An artifact's name below its pipeline, shown as `000001-0123456789abcdef`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactId {
    /// Its number within the pipeline, from 1.
    pub seq: Seq,
    /// The hash of its content, whole; the shown name holds the beginning.
    pub sha256: Sha256,
}

impl Serialize for ArtifactId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.seq, self.sha256.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_manifests_own_name_holds_a_number() {
        assert_eq!(Seq::of_manifest("000007.manifest.json"), Some(Seq(7)));
        let long = Seq::of_manifest("1234567.manifest.json");
        assert_eq!(long, Some(Seq(1_234_567)));
        for foreign in ["7.manifest.json", "+00007.manifest.json", "000007.json", ""] {
            assert_eq!(Seq::of_manifest(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn only_sixty_four_characters_of_lower_case_hex_are_a_hash() {
        assert!("0a".repeat(32).parse::<Sha256>().is_ok());
        for wrong in ["../../etc/passwd", "", &"A".repeat(64), &"0".repeat(65)] {
            assert_eq!(wrong.parse::<Sha256>(), Err(NotSha256), "{wrong}");
        }
        let error = serde_json::from_str::<Sha256>("\"x\"").unwrap_err();
        assert!(error.to_string().contains("sha256 is not valid"), "{error}");
    }

    #[test]
    fn an_id_shows_the_number_and_the_beginning_of_the_hash() {
        let id = ArtifactId {
            seq: Seq(12),
            sha256: "0a".repeat(32).parse().unwrap(),
        };
        assert_eq!(id.to_string(), "000012-0a0a0a0a0a0a0a0a");
    }
}
