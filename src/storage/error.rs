//! Why a location could not be opened, read or written.

use crate::{chain::chain, kind::Kind};

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
        source: Box<object_store::Error>,
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
        match self {
            Error::Unsupported { .. } => Kind::Usage,
            Error::Store { source, .. } => match **source {
                object_store::Error::Generic { store: "S3", .. } => Kind::Unavailable,
                _ => Kind::Failed,
            },
            Error::Io { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        hint_of(self)
    }
}

/// Returns the way out of a file system that refuses, whoever's error it is.
pub(crate) fn hint_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let chain = chain(error);
    let says = |text: &str| chain.contains(text);
    if says("No space left on device") || says("Disk quota exceeded") {
        Some("free some space and run the same command again; nothing was lost".into())
    } else if says("is a symlink") {
        Some("replace the symlink with a real folder or file".into())
    } else if says("Permission denied") || says("Read-only file system") {
        Some("give this user write access, or set `data` to another folder".into())
    } else {
        None
    }
}
