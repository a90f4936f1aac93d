//! The commit protocol: content first, then one create-only put of the manifest.
//!
//! ```text
//!  Unsealed ──put──► Unsealed ──seal──► Seal::New        the manifest is durable
//!                                  ├──► Seal::Unchanged  the same manifest was there before
//!                                  └──► Seal::Conflict   another one was; nothing was written
//! ```
//!
//! Readers begin at the manifest, so that content is complete or absent:
//!
//! - a run that is killed before the seal leaves content that nobody reads. The next run
//!   puts its own over it where the name holds a hash, and `sweep` removes the rest;
//! - of two writers one has the manifest; the other gets `Conflict`, and its content stays unread;
//! - a store that lost its answer has the manifest, which is then found unchanged.
//!
//! In go local files and manifests; out comes what became of them. What a
//! manifest says is defined by its stage.

use std::path::Path;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    kind::Kind,
    storage::{self, Format, Location, Put, Unreadable},
};

/// How many times a writer tries for a number that others take before it.
pub(crate) const MAX_RACES: usize = 100;

/// Why content could not be sealed, or a manifest not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The location refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// Other content has the name of a file.
    #[error("{path} already exists, with other content")]
    Taken {
        /// Where the file is: a path or a URL.
        path: String,
    },
    /// A manifest cannot be read.
    #[error("could not read manifest {path}")]
    Manifest {
        /// Where the manifest is: a path or a URL.
        path: String,
        /// What is wrong with it.
        source: Fault,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its text is not of its format.
    #[error(transparent)]
    Format(#[from] Unreadable),
    /// It is where another one belongs.
    #[error("it belongs to another pipeline or number")]
    Misplaced,
    /// It names a file that is not one of its own.
    #[error("its file name is not valid")]
    FileName,
}

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Storage(error) => error.kind(),
            Error::Taken { .. } | Error::Manifest { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Storage(error) => error.hint(),
            Error::Taken { .. } => Some("run the same command again".to_owned()),
            Error::Manifest { path, source } => Some(source.hint(path)),
        }
    }
}

impl Fault {
    /// Returns whether the manifest may be whole, and only another pricemill can read it.
    pub(crate) fn is_other_version(&self) -> bool {
        match self {
            Fault::Format(unreadable) => unreadable.is_other_version(),
            Fault::Misplaced | Fault::FileName => false,
        }
    }

    fn hint(&self, path: &str) -> String {
        match self {
            Fault::Format(unreadable) => unreadable.hint(path),
            Fault::Misplaced | Fault::FileName => {
                format!("inspect {path}, and delete it if it is not needed")
            }
        }
    }
}

/// Content without a manifest: nobody reads it.
#[derive(Debug)]
#[must_use = "content without a manifest does not exist"]
pub(crate) struct Unsealed<'a> {
    location: &'a Location,
}

/// What became of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was committed"]
pub(crate) enum Seal {
    /// It is new, and durable.
    New,
    /// The same was there already.
    Unchanged,
    /// Another has its name.
    Conflict,
}

impl<'a> Unsealed<'a> {
    /// Begins with no content.
    pub(crate) fn at(location: &'a Location) -> Unsealed<'a> {
        Unsealed { location }
    }

    /// Puts a file, durably.
    pub(crate) async fn put(self, name: &str, file: &Path) -> Result<Unsealed<'a>> {
        match self.location.put_new_file(name, file).await? {
            Put::New | Put::Same => Ok(self),
            Put::Different => Err(self.taken(name)),
        }
    }

    /// Puts a file whose name holds the hash of its content, durably. Other bytes under
    /// that name are what a killed run left, and are replaced.
    pub(crate) async fn put_by_hash(self, name: &str, file: &Path) -> Result<Unsealed<'a>> {
        if self.location.put_new_file(name, file).await? != Put::Different {
            return Ok(self);
        }
        self.location.delete(name).await?;
        self.put(name, file).await
    }

    /// Writes the manifest: from here on the content exists.
    pub(crate) async fn seal(
        self,
        name: &str,
        format: Format,
        manifest: &impl Serialize,
    ) -> Result<Seal> {
        let bytes = self.text(name, format, manifest)?;
        Ok(match self.location.put_new(name, bytes).await? {
            Put::New => Seal::New,
            // Also our own put, tried twice as the first answer was lost.
            Put::Same => Seal::Unchanged,
            Put::Different => Seal::Conflict,
        })
    }

    /// Writes the manifest over the one that is there, of the same content.
    pub(crate) async fn reseal(
        self,
        name: &str,
        format: Format,
        manifest: &impl Serialize,
    ) -> Result<()> {
        let bytes = self.text(name, format, manifest)?;
        Ok(self.location.put(name, bytes).await?)
    }

    fn text(&self, name: &str, format: Format, manifest: &impl Serialize) -> Result<Bytes> {
        let text = format.write(manifest);
        text.map_err(|unreadable| faulty(self.location, name, unreadable))
    }

    fn taken(&self, name: &str) -> Error {
        Error::Taken {
            path: self.location.display(name),
        }
    }
}

/// Reads a manifest; `None` where there is none, and so no content either.
pub(crate) async fn read<T: DeserializeOwned>(
    location: &Location,
    name: &str,
    format: Format,
) -> Result<Option<T>> {
    let Some(text) = location.read(name).await? else {
        return Ok(None);
    };
    let manifest = format.read(&text);
    manifest
        .map(Some)
        .map_err(|unreadable| faulty(location, name, unreadable))
}

/// Returns the error of a manifest with a fault.
pub(crate) fn faulty(location: &Location, name: &str, fault: impl Into<Fault>) -> Error {
    Error::Manifest {
        path: location.display(name),
        source: fault.into(),
    }
}

/// Deletes the folders below `place` that killed runs left without a manifest, where
/// `is_left` says that no run can be at work on them any more.
pub(crate) async fn sweep(
    place: &Location,
    manifest: &str,
    is_left: impl Fn(&str) -> bool,
) -> storage::Result<()> {
    for id in place.folders().await? {
        let folder = place.child(&id);
        if is_left(&id) && folder.read(manifest).await?.is_none() {
            for entry in folder.list().await? {
                folder.delete(&entry.name).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format::version(1);
    const MANIFEST: &str = "manifest.json";

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        file
    }

    async fn seal(location: &Location, content: &str) -> Result<Seal> {
        let unsealed = Unsealed::at(location);
        let unsealed = unsealed.put("rows", file(content).path()).await?;
        let manifest = serde_json::json!({ "content": content });
        unsealed.seal(MANIFEST, FORMAT, &manifest).await
    }

    fn places() -> (tempfile::TempDir, [Location; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let local = Location::folder(folder.path()).unwrap();
        (folder, [Location::in_memory(), local])
    }

    #[tokio::test]
    async fn the_same_content_again_is_unchanged_and_other_content_a_conflict() {
        let (_folder, places) = places();
        for location in places {
            assert_eq!(seal(&location, "one").await.unwrap(), Seal::New);
            assert_eq!(seal(&location, "one").await.unwrap(), Seal::Unchanged);
            let two = file("two");
            let other = Unsealed::at(&location).put_by_hash("other", two.path());
            let manifest = serde_json::json!({ "content": "two" });
            let other = other.await.unwrap().seal(MANIFEST, FORMAT, &manifest).await;
            assert_eq!(other.unwrap(), Seal::Conflict);
            let there: serde_json::Value =
                read(&location, MANIFEST, FORMAT).await.unwrap().unwrap();
            assert_eq!(there["content"], "one");
        }
    }

    #[tokio::test]
    async fn what_a_killed_run_left_is_replaced_only_where_the_name_holds_the_hash() {
        let (_folder, places) = places();
        for location in places {
            location.put("rows", "half".into()).await.unwrap();
            let whole = file("whole");
            let taken = Unsealed::at(&location).put("rows", whole.path());
            assert!(matches!(taken.await, Err(Error::Taken { .. })));
            let put = Unsealed::at(&location).put_by_hash("rows", whole.path());
            let _ = put.await.unwrap();
            assert_eq!(location.read("rows").await.unwrap().unwrap(), "whole");
        }
    }

    #[tokio::test]
    async fn only_folders_without_a_manifest_are_swept() {
        let (_folder, places) = places();
        for location in places {
            let sealed = seal(&location.child("a"), "sealed").await;
            assert_eq!(sealed.unwrap(), Seal::New);
            for unsealed in ["a/left", "b/left", "c/left"] {
                location.put(unsealed, "x".into()).await.unwrap();
            }
            sweep(&location, MANIFEST, |id| id < "c").await.unwrap();
            assert_eq!(location.folders().await.unwrap(), ["a", "c"]);
            assert!(location.read("a/left").await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn a_manifest_of_a_later_version_is_refused_with_what_to_do() {
        let location = Location::in_memory();
        let text = r#"{"format_version":2}"#;
        location.put(MANIFEST, text.into()).await.unwrap();
        let read = read::<serde_json::Value>(&location, MANIFEST, FORMAT).await;
        let error = read.unwrap_err();
        assert!(error.to_string().contains(MANIFEST), "{error}");
        assert!(error.hint().unwrap().contains("newer pricemill"));
    }
}
