//! SQL on DataFusion: sessions, the functions of our own, planning, checks, runs.
//!
//! Only this module makes DataFusion sessions, in one function.

pub mod functions;
mod session;

use std::path::PathBuf;

pub use session::{peak_memory_bytes, session};

use crate::error::Kind;

/// Why SQL could not be planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A query failed, or a file could not be read or written.
    #[error("{what}")]
    Run {
        /// The file and the model, or what was done.
        what: String,
        /// DataFusion's own error.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// A file of the engine's own could not be written.
    #[error("could not write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        Kind::Failed
    }

    pub(crate) fn hint(&self) -> Option<String> {
        None
    }
}
