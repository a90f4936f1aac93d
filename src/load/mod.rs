//! CSV, JSON Lines or Parquet → database tables; a file's name is its table.
//!
//! In go files of the plain layout (`stores`, `products` and `prices` with names
//! instead of ids) or of a table's own columns; out come rows, in one transaction.
//! Rows are read, typed and inserted as they pass, and a row at fault keeps all of
//! them out: the others are read to the end, so that one look shows every fault.

mod bad;
mod batch;
mod convert;
mod derived;
mod files;
mod header;
mod ids;
mod layout;
mod names;
mod options;
mod own;
mod prices;
mod products;
mod reader;
mod row;
mod rows;
mod run;
mod shape;
mod state;
mod stores;
mod values;
mod whole;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use self::{
    bad::BadRow,
    options::Options,
    run::{Request, run},
};
use self::{
    rows::TableFile,
    state::{Needs, State},
    whole::Whole,
};
use crate::{
    config::EngineConfig,
    database::{self, Database, TableCounts},
    diagnostics::{Finding, did_you_mean},
    env,
    events::Events,
    kind::Kind,
};

/// The most memory that sorting a file takes; what is over it is spilled.
const MAX_SORT_BYTES: usize = 256 << 20;

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a folder cannot be read.
    #[error("could not read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// No table has a file's name.
    #[error("{path}: no table has that name")]
    UnknownTable {
        /// The file's path.
        path: PathBuf,
        /// The nearest table.
        nearest: Option<String>,
    },
    /// No file of the folder is a table's.
    #[error("no file in {path} is named after a table: {found}")]
    NothingToLoad {
        /// The folder's path.
        path: PathBuf,
        /// What is in it.
        found: String,
    },
    /// Two files are for one table.
    #[error("{first} and {second} are for the same table")]
    TwoFiles {
        /// One.
        first: PathBuf,
        /// The other file's path.
        second: PathBuf,
    },
    /// No file is for what is to be replaced.
    #[error("no file is for the {what} that is to be replaced")]
    NothingToReplace {
        /// The table or the company.
        what: String,
        /// The nearest table that has a file.
        nearest: Option<String>,
    },
    /// There is no company of that name, neither in the database nor in the files.
    #[error("there is no company `{name}`, neither in the database nor in the files")]
    UnknownCompany {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A file's columns are not what its table needs.
    #[error("{path}: {reason}")]
    Columns {
        /// The file's path.
        path: PathBuf,
        /// What is wrong, with the column's name.
        reason: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// A file cannot be read as what its name says it is.
    #[error("{}: {reason}", bad::place(.path, *.line))]
    Format {
        /// The file's path.
        path: PathBuf,
        /// The line where reading stopped; in Parquet the row, 0 before the first.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// Rows are at fault.
    #[error("{}", bad::listed(.shown, *.count))]
    BadRows {
        /// How many there are.
        count: u64,
        /// The first of them.
        shown: Vec<BadRow>,
    },
    /// The database refused.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The database is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Read { .. } => Kind::Failed,
            Error::UnknownTable { .. }
            | Error::NothingToLoad { .. }
            | Error::TwoFiles { .. }
            | Error::NothingToReplace { .. }
            | Error::UnknownCompany { .. } => Kind::Usage,
            Error::Columns { .. } | Error::Format { .. } | Error::BadRows { .. } => Kind::Data,
            Error::Database(error) => error.kind(),
            Error::Env(error) => error.kind(),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Read { .. }
            | Error::UnknownTable { .. }
            | Error::NothingToLoad { .. }
            | Error::TwoFiles { .. }
            | Error::NothingToReplace { .. }
            | Error::UnknownCompany { .. }
            | Error::Columns { .. }
            | Error::Format { .. }
            | Error::BadRows { .. }
            | Error::Database(_) => &[],
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownTable { nearest, .. } => Some(match nearest {
                Some(name) => did_you_mean(name),
                None => "name the file after its table: stores.csv, products.csv.gz …".to_owned(),
            }),
            Error::NothingToLoad { .. } => Some(
                "name files after tables: stores.csv, products.csv.gz, prices.parquet …".to_owned(),
            ),
            Error::NothingToReplace { nearest, .. } | Error::UnknownCompany { nearest, .. } => {
                nearest.as_deref().map(did_you_mean)
            }
            Error::TwoFiles { .. } => Some("remove one of them".to_owned()),
            Error::Columns { hint, .. } => hint.clone(),
            Error::BadRows { .. } => {
                Some("nothing was loaded: correct these rows and load again".into())
            }
            Error::Database(error) => error.hint(),
            Error::Env(error) => error.hint(),
            Error::Read { .. } | Error::Format { .. } => None,
        }
    }
}

/// What a load did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The counts, by table, in the order in which they were filled.
    pub tables: Vec<TableCounts>,
    /// What was skipped: files without a table, columns that no table has.
    pub notes: Vec<String>,
}

/// Loads a file, or all that is known in a folder, in one transaction.
///
/// Memory holds what rows need to know of other rows, ids and names, and at most a
/// quarter of a gibibyte (or the engine's memory) of a file that is not in the order
/// of its table's key; the rest of it is spilled where the engine spills.
///
/// Rows are inserted, or changed by key; none is deleted but what the options say is
/// replaced as a whole. The same load twice leaves the same tables.
///
/// # Errors
///
/// Any bad row keeps all out. [`Error::BadRows`] counts them all and shows the first.
pub async fn load(
    database: &dyn Database,
    path: &Path,
    options: &Options,
    engine: &EngineConfig,
    progress: &Events,
) -> Result<Loaded> {
    let engine = &EngineConfig {
        memory_bytes: engine.memory_bytes.min(MAX_SORT_BYTES),
        ..engine.clone()
    };
    let tables = database.tables().await?;
    let mut notes = Vec::new();
    let files = files::find(path, &tables, &mut notes)?;
    let mut opened = Vec::new();
    for file in &files {
        opened.push(TableFile::open(file, &tables, options, &mut notes)?);
    }
    let whole = Whole::of(options, &files, &tables);
    let needs = Needs {
        whole: whole.clone(),
        ..TableFile::needs(&opened)
    };
    let state = State::read(database, &needs).await?;
    let company = state.replaced_company();
    let state = Arc::new(Mutex::new(state));
    let files = opened.into_iter().map(|file| {
        let replace = whole.replace(file.table(), company, options);
        file.fill(&state, replace, engine, progress)
    });
    let mut fills: Vec<_> = files.collect();
    fills.extend(derived::after(&state, &tables)?);
    let filled = database.fill(fills).await;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    // Bad rows explain more than what the database said of the rows before them.
    let _ = state.stop_if_bad();
    if let Some(error) = state.take_error() {
        return Err(error);
    }
    let tables = state.counts(filled?);
    notes.append(&mut state.notes);
    Ok(Loaded { tables, notes })
}
