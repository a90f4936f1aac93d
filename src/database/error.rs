//! Why the database could not be read or changed.

use std::path::{Path, PathBuf};

use datafusion::error::DataFusionError;
use rusqlite::ErrorCode;

use crate::{events::grouped, kind::Kind};

/// Why the database could not be read or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text names no database of a kind that is supported.
    #[error("`{url}` is not a database that pricemill knows")]
    Url {
        /// What was given, without what may be a password.
        url: String,
    },
    /// The file or its folder could not be opened or made.
    #[error("could not open the database {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process is writing.
    #[error("the database {path} is being written by another process")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A later pricemill has changed the tables.
    #[error("the database {path} has schema version {found}, this pricemill knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u64,
        /// The latest version this build knows.
        known: u64,
    },
    /// The file has tables, but not pricemill's.
    #[error("{path} is another program's database")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is no room left.
    #[error("no space is left for the database {path}")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, or no database at all.
    #[error("the database {path} is damaged")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// A statement failed.
    #[error("could not {what}")]
    Sql {
        /// What was tried.
        what: String,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// A row breaks a rule of the table that staging could not see.
    #[error("the rows for `{table}` break a rule of the table")]
    Constraint {
        /// The table.
        table: String,
        /// SQLite's own error, which names the rule.
        source: rusqlite::Error,
    },
    /// A row that stays refers to a row that would go, or was never there.
    #[error("{rows} rows of `{table}` would refer to rows that `{parent}` does not have")]
    Dangling {
        /// The table whose rows refer.
        table: String,
        /// The table referred to.
        parent: String,
        /// How many.
        rows: u64,
    },
    /// No table has that name.
    #[error("there is no table `{name}`")]
    UnknownTable {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A column cannot be read or written as asked.
    #[error("table `{table}`, column `{column}`: {reason}")]
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// The rows on their way in could not be read.
    #[error("could not read the rows for `{table}`")]
    Rows {
        /// The table.
        table: String,
        /// The stream's own error.
        source: Box<DataFusionError>,
    },
    /// Two different rows have one key.
    #[error("two rows for `{table}` differ and have one key: {key}")]
    Conflict {
        /// The table.
        table: String,
        /// The key, as `column = value`.
        key: String,
    },
    /// The artifact has no rows for a table that has some.
    #[error("no rows for `{table}`, which has {}", grouped(*.present))]
    Empty {
        /// The table.
        table: String,
        /// Its rows now.
        present: u64,
    },
    /// The artifact has fewer than half the table's rows.
    #[error("only {} rows for `{table}`, which has {}", grouped(*.offered), grouped(*.present))]
    Shrunk {
        /// The table.
        table: String,
        /// Its rows now.
        present: u64,
        /// The rows there would be.
        offered: u64,
    },
    /// Too many rows were turned away.
    #[error(
        "{rejected} of {rows} rows for `{table}` were rejected, more than {max_percent}% (the first: {first})"
    )]
    Rejected {
        /// The table.
        table: String,
        /// How many.
        rejected: u64,
        /// Of how many.
        rows: u64,
        /// The share that is allowed.
        max_percent: f64,
        /// The first one, in words.
        first: String,
    },
    /// The ledger has a later artifact.
    #[error("artifact {seq} of {pipeline} is older than {latest}, which is applied")]
    Superseded {
        /// The pipeline.
        pipeline: String,
        /// The artifact's number.
        seq: u64,
        /// The number that stands.
        latest: u64,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Url { .. } => Kind::Usage,
            Error::Busy { .. } => Kind::Busy,
            Error::Constraint { .. }
            | Error::Dangling { .. }
            | Error::Conflict { .. }
            | Error::Empty { .. }
            | Error::Shrunk { .. }
            | Error::Rejected { .. }
            | Error::Superseded { .. } => Kind::Data,
            _ => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Url { .. } => "write it as `sqlite:PATH`".to_owned(),
            Error::Busy { .. } => "run it again once the other process is done".to_owned(),
            Error::Newer { .. } => "use the pricemill that made it, or a later one".to_owned(),
            Error::Foreign { .. } => "give `database` a file of its own".to_owned(),
            Error::Full { .. } => "free some space and run it again".to_owned(),
            Error::Corrupt { .. } => "restore an archive into a new file".to_owned(),
            Error::UnknownTable {
                nearest: Some(name),
                ..
            } => format!("did you mean `{name}`?"),
            Error::Empty { .. } | Error::Shrunk { .. } | Error::Rejected { .. } => {
                format!("if that is meant, add `--accept {}`", self.guard()?)
            }
            Error::Superseded { .. } => "name it with `--artifact` to roll back to it".to_owned(),
            _ => return None,
        })
    }

    /// Returns the guard that refused, as `--accept` waives it.
    pub(crate) fn guard(&self) -> Option<&'static str> {
        match self {
            Error::Empty { .. } => Some("empty"),
            Error::Shrunk { .. } => Some("shrink"),
            Error::Rejected { .. } => Some("change"),
            _ => None,
        }
    }

    /// Says what SQLite's error means for the database at `path`.
    pub(super) fn from_sqlite(path: &Path, what: &str, source: rusqlite::Error) -> Error {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { path },
            Some(ErrorCode::DiskFull) => Error::Full { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Corrupt { path, source }
            }
            _ => Error::Sql {
                what: what.to_owned(),
                source,
            },
        }
    }
}
