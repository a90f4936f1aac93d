//! A made-up, realistic export of any size: the same rows for the same seed.
//!
//! ```text
//!  spec ─► country (towns, stores) ─┐
//!      └─► catalog (products)  ─────┴─► market ─► prices, in key order or as they arrive
//!                                          └────► export (the datasets), a batch at a time
//! ```
//!
//! Companies price by zone: the stores of a zone share their prices but for a few in
//! a thousand, one company prices each store alone. Products are shared between
//! companies or a company's own, some are on special, sizes are spelled as shops spell
//! them, and stores lie around towns. Money is integer cents throughout.
//!
//! Every price follows from its product, its store and the seed, so nothing is sorted
//! and no price is kept: memory grows with products and stores alone.

mod random;

mod spec;

mod goods;

mod country;

mod catalog;

mod market;

mod dirt;

mod categories;

mod prices;

mod export;

mod named;

mod files;

pub use self::{
    export::{Batches, Export},
    files::{Files, Format, Layout, Made, write},
    prices::Order,
    spec::{Company, Preset, Spec, Zones},
};
use std::{io, path::PathBuf};

use crate::kind::Kind;

/// Why nothing was made up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A dataset asks for what is not made up.
    #[error("column `{column}` of dataset {dataset} is not made up, and may not be null")]
    Column {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A file could not be written.
    #[error("could not write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Column { .. } => Kind::Usage,
            Error::Write { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Column { .. } => Some("let it be null in pipelines/sources.toml".to_owned()),
            Error::Write { source, .. } => (source.kind() == io::ErrorKind::AlreadyExists)
                .then(|| "name another folder, or remove the file".to_owned()),
        }
    }
}
