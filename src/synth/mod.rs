//! A made-up, realistic export of any size: the same rows for the same seed.
//!
//! ```text
//!  spec ─► country (towns, stores) ─┐
//!      └─► catalog (products)  ─────┴─► market ─► prices, in key order or as they arrive
//!                                          ├────► export (the datasets) ─► snapshot, files
//!                                          └────► tables ─► database
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

mod ahead;

mod files;

mod tables;

mod run;

pub use self::{
    export::{Batches, Export},
    files::{Files, Format, Layout, WrittenFile, write},
    prices::Order,
    run::{Folder, Request, Target, run},
    spec::{Company, Preset, Spec, Zones},
    tables::fill,
};
use std::{io, path::PathBuf};

use datafusion::error::DataFusionError;

use crate::{database, diagnostics::Finding, env, kind::Kind, snapshot};

/// Why nothing was made up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// The snapshot could not be written.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// A dataset asks for what is not made up.
    #[error("cannot generate values of type {declared} for column `{column}` of dataset {dataset}")]
    Column {
        /// The dataset's name.
        dataset: String,
        /// The column's name.
        column: String,
        /// Its type, as the contract has it.
        declared: String,
    },
    /// A file could not be written.
    #[error("could not write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The database lacks a table.
    #[error("the database has no table `{0}`")]
    NoTable(String),
    /// A table that would be filled has rows.
    #[error("table {0} of the database already has rows")]
    NotEmpty(String),
    /// A table could not be looked at.
    #[error("could not read table {table}")]
    Read {
        /// The table's name.
        table: String,
        /// The engine's own error.
        source: Box<DataFusionError>,
    },
    /// The database refused.
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Column { .. } | Error::NotEmpty(_) => Kind::Usage,
            Error::Write { .. } | Error::NoTable(_) | Error::Read { .. } => Kind::Failed,
            Error::Env(error) => error.kind(),
            Error::Snapshot(error) => error.kind(),
            Error::Database(error) => error.kind(),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Snapshot(_)
            | Error::Column { .. }
            | Error::Write { .. }
            | Error::NoTable(_)
            | Error::NotEmpty(_)
            | Error::Read { .. }
            | Error::Database(_) => &[],
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Column { .. } => Some("keep the shipped types in pipelines/sources.toml; a column of your own must be nullable".to_owned()),
            Error::Write { source, .. } => (source.kind() == io::ErrorKind::AlreadyExists)
                .then(|| "name another folder, or remove the file".to_owned()),
            Error::NotEmpty(_) => Some(
                "name another database (PRICEMILL_DATABASE=sqlite:made-up.db), or replace its rows with --replace"
                    .to_owned(),
            ),
            Error::Env(error) => error.hint(),
            Error::Snapshot(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::NoTable(_) | Error::Read { .. } => None,
        }
    }
}
