//! Where data at rest lies: a URL becomes a [`Location`] on an object store.
//!
//! A location is a folder of objects, on the local disk or in an `s3://` bucket;
//! every stage sees the same few operations, none of which leaves half an object
//! behind. Only this module builds stores.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::{ObjectStore, path::Path};
use url::Url;

use crate::{config::StoreOptions, error::Kind};

/// Why a location could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is neither a folder nor a URL of a kind that is supported.
    #[error("`{url}` is not a folder, file:// or s3:// location")]
    Unsupported {
        /// What was given.
        url: String,
    },
    /// The store refused or could not be reached.
    #[error("could not {action} {path}")]
    Store {
        /// What was tried: `read`, `write`, `list`, `delete`.
        action: &'static str,
        /// The object or folder, as a URL.
        path: String,
        /// The store's own error.
        source: object_store::Error,
    },
    /// The local file system refused.
    #[error("could not {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// The system's own error.
        source: std::io::Error,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        todo!()
    }

    pub(crate) fn hint(&self) -> Option<String> {
        todo!()
    }
}

/// What became of a create-only put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is new and durable.
    New,
    /// The very same bytes were there already; nothing was written.
    Same,
    /// Other bytes hold the name; nothing was written.
    Different,
}

/// An object in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name below the location, with `/` between its parts.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A folder of objects.
#[derive(Debug, Clone)]
pub struct Location {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The root of the store, as DataFusion registers it (`file:///`, `s3://bucket/`).
    root: Url,
}

impl Location {
    /// Opens a local folder (made at the first write), `file://` or `s3://bucket/prefix`.
    pub fn open(url: &str, options: &StoreOptions) -> Result<Location> {
        let _ = (url, options);
        todo!()
    }

    /// Returns an empty location in memory, for tests.
    pub fn in_memory() -> Location {
        todo!()
    }

    /// Returns the folder of that name below this one.
    pub fn child(&self, name: &str) -> Location {
        let _ = name;
        todo!()
    }

    /// Returns the object's path within the store.
    pub fn path(&self, name: &str) -> Path {
        let _ = name;
        todo!()
    }

    /// Returns the store, for readers and writers of Parquet.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Returns the store's root URL, under which the engine registers it.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// Returns the folder on the local disk, if it is one.
    pub fn local(&self) -> Option<PathBuf> {
        let _ = &self.prefix;
        todo!()
    }

    /// Returns how a user would write the object's place: a path, or a URL.
    pub fn display(&self, name: &str) -> String {
        let _ = name;
        todo!()
    }

    /// Writes an object that must not exist yet, durably.
    pub async fn put_new(&self, name: &str, bytes: Bytes) -> Result<Put> {
        let _ = (name, bytes);
        todo!()
    }

    /// Copies a local file to an object that must not exist yet, durably, without
    /// holding it in memory.
    pub async fn put_new_file(&self, name: &str, file: &std::path::Path) -> Result<Put> {
        let _ = (name, file);
        todo!()
    }

    /// Writes or replaces an object, durably.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        let _ = (name, bytes);
        todo!()
    }

    /// Returns the object's bytes, or `None` if there is none.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>> {
        let _ = name;
        todo!()
    }

    /// Streams the object's bytes, or returns `None` if there is none.
    pub async fn stream(&self, name: &str) -> Result<Option<BoxStream<'static, Result<Bytes>>>> {
        let _ = name;
        todo!()
    }

    /// Returns every object below this location, by name. A folder that is not
    /// there is empty. Temporary names and what follows a symlink are left out.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        todo!()
    }

    /// Returns the names of the folders right below this location, sorted.
    pub async fn folders(&self) -> Result<Vec<String>> {
        todo!()
    }

    /// Deletes the object; one that is not there is no error.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let _ = name;
        todo!()
    }

    /// Moves an object to another location: copies its bytes, then deletes it.
    pub async fn move_to(&self, name: &str, target: &Location, as_name: &str) -> Result<()> {
        let _ = (name, target, as_name);
        todo!()
    }
}
