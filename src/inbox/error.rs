//! Why an artifact could not enter or leave the inbox.

use crate::{
    artifact::{id::PipelineName, sealed},
    kind::Kind,
    storage,
};

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
