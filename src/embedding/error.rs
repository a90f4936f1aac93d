//! Why texts could not be embedded.

use std::path::PathBuf;

use datafusion::{error::DataFusionError, parquet::errors::ParquetError};

use crate::storage;

/// Why texts could not be embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The binary has no such model.
    #[error(
        "this pricemill was built without the model `minilm`: build it with the cargo feature `minilm`, which is on by default, or set `model` under [embedding] to `ngram` or `file`"
    )]
    NotBuilt,
    /// A place refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A model's file could not be read.
    #[error("could not read {path} of the embedding model; see `path` under [embedding]")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A model's file is not what it should be.
    #[error("{path} cannot be used")]
    Model {
        /// The file or folder.
        path: PathBuf,
        /// What reads it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The model failed on texts.
    #[error("the model {name} failed")]
    Failed {
        /// The model's name.
        name: String,
        /// Its own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of vectors is not there.
    #[error("{path}, which `path` under [embedding] names, contains no Parquet file")]
    NoFile {
        /// The file or folder.
        path: String,
    },
    /// A file of vectors cannot be read.
    #[error("could not read the vectors of {path}")]
    Parquet {
        /// Where the file is: a path or a URL.
        path: String,
        /// The reader's own error.
        source: ParquetError,
    },
    /// A file of vectors is not of the form it should be.
    #[error("{path} is not a file of vectors: {reason}")]
    Form {
        /// Where the file is: a path or a URL.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of vectors lacks a text.
    #[error("{path} has no vector for {text:?}")]
    Lacks {
        /// The file or folder.
        path: String,
        /// The text that has no vector.
        text: String,
    },
    /// The session ended.
    #[error("the engine was stopped")]
    Stopped(#[source] tokio::sync::AcquireError),
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }
}
