//! Why the database could not be read or changed.

use datafusion::error::DataFusionError;

use crate::{diagnostics::did_you_mean, events::grouped, kind::Kind};

/// A driver's own error.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the database could not be read or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text names no supported database.
    #[error("`{url}` is not a supported database")]
    Url {
        /// What was given, without what may be a password.
        url: String,
    },
    /// The file or its folder could not be opened or made.
    #[error("could not open the database {database}")]
    Open {
        /// The database: its file, or its address without a password.
        database: String,
        /// What the system or the driver said.
        source: Source,
    },
    /// The file or its folder cannot be written to.
    #[error("the database {database} or its folder is read-only for this user")]
    ReadOnly {
        /// The database's file.
        database: String,
        /// What the driver said.
        source: Source,
    },
    /// Another process is writing.
    #[error("the database {database} is being written by another process")]
    Busy {
        /// The database: its file, or its address without a password.
        database: String,
    },
    /// A later pricemill has changed the tables.
    #[error(
        "the database {database} has schema version {found}, but this pricemill supports up to {known}"
    )]
    Newer {
        /// The database: its file, or its address without a password.
        database: String,
        /// The version found.
        found: u64,
        /// The latest version this build knows.
        known: u64,
    },
    /// The file has tables, but not pricemill's.
    #[error("{database} is another program's database")]
    Foreign {
        /// The database: its file, or its address without a password.
        database: String,
    },
    /// There is no room left.
    #[error("there is no space left for the database {database}")]
    Full {
        /// The database: its file, or its address without a password.
        database: String,
    },
    /// The file is damaged, or no database at all.
    #[error("the database {database} is damaged")]
    Corrupt {
        /// The database: its file, or its address without a password.
        database: String,
        /// The driver's own error.
        source: Source,
    },
    /// A statement failed.
    #[error("could not {what}")]
    Sql {
        /// What was tried.
        what: String,
        /// The driver's own error.
        source: Source,
    },
    /// A row breaks a rule of the table that staging could not see.
    #[error("the rows for `{table}` violate a constraint of the table")]
    Constraint {
        /// The table's name.
        table: String,
        /// The driver's own error, which names the rule.
        source: Source,
    },
    /// A row refers to one that would be deleted, or was never there.
    #[error("{} of `{table}` would reference missing `{parent}`", counted(*.rows))]
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
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// The rows on their way in could not be read.
    #[error("could not read the rows for `{table}`")]
    Rows {
        /// The table's name.
        table: String,
        /// The stream's own error.
        source: Box<DataFusionError>,
    },
    /// Two different rows have one key.
    #[error("two different rows for `{table}` have the same key: {key}")]
    Conflict {
        /// The table's name.
        table: String,
        /// The key, as `column = value`.
        key: String,
    },
    /// The artifact has no rows for a table that has some.
    #[error("no rows for `{table}`, which has {}", grouped(*.present))]
    Empty {
        /// The table's name.
        table: String,
        /// Its rows now.
        present: u64,
    },
    /// The artifact has fewer than half the table's rows.
    #[error("only {} rows for `{table}`, which has {}", grouped(*.offered), grouped(*.present))]
    Shrunk {
        /// The table's name.
        table: String,
        /// Its rows now.
        present: u64,
        /// The rows there would be.
        offered: u64,
    },
    /// Too many rows were rejected.
    #[error(
        "{rejected} of {rows} rows for `{table}` were rejected, more than {max_percent}% (the first: {first})"
    )]
    Rejected {
        /// The table's name.
        table: String,
        /// How many rows were rejected.
        rejected: u64,
        /// How many rows came.
        rows: u64,
        /// The share that is allowed.
        max_percent: f64,
        /// The first one, in words.
        first: String,
    },
    /// The ledger has a later artifact.
    #[error("artifact {seq} of {pipeline} is superseded: artifact {latest} is applied")]
    Superseded {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The artifact's number.
        seq: u64,
        /// The ledger's latest number.
        latest: u64,
    },
}

fn counted(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", grouped(rows)),
    }
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
            Error::Open { .. }
            | Error::ReadOnly { .. }
            | Error::Newer { .. }
            | Error::Foreign { .. }
            | Error::Full { .. }
            | Error::Corrupt { .. }
            | Error::Sql { .. }
            | Error::UnknownTable { .. }
            | Error::Column { .. }
            | Error::Rows { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Url { .. } => "write it as `sqlite:PATH`".to_owned(),
            Error::Busy { .. } => "run it again when the other process has finished".to_owned(),
            Error::ReadOnly { .. } => {
                "give this user write access to the file and its folder, or set `database` to another".to_owned()
            }
            Error::Newer { .. } => "use the pricemill that wrote it, or a later one".to_owned(),
            Error::Foreign { .. } => "give `database` a file of its own".to_owned(),
            Error::Full { .. } => "free some space and run it again".to_owned(),
            Error::Corrupt { .. } => "restore an archive into a new file".to_owned(),
            Error::UnknownTable { nearest, .. } => did_you_mean(nearest.as_ref()?),
            Error::Empty { .. } | Error::Shrunk { .. } | Error::Rejected { .. } => {
                format!("if this is intended, add `--accept {}`", self.guard()?)
            }
            Error::Superseded { .. } => "name it with `--artifact` to roll back to it".to_owned(),
            Error::Open { .. }
            | Error::Sql { .. }
            | Error::Constraint { .. }
            | Error::Dangling { .. }
            | Error::Column { .. }
            | Error::Rows { .. }
            | Error::Conflict { .. } => return None,
        })
    }

    /// Returns the guard that refused, as `--accept` waives it.
    pub(crate) fn guard(&self) -> Option<&'static str> {
        match self {
            Error::Empty { .. } => Some("empty"),
            Error::Shrunk { .. } => Some("shrink"),
            Error::Rejected { .. } => Some("change"),
            Error::Url { .. }
            | Error::Open { .. }
            | Error::ReadOnly { .. }
            | Error::Busy { .. }
            | Error::Newer { .. }
            | Error::Foreign { .. }
            | Error::Full { .. }
            | Error::Corrupt { .. }
            | Error::Sql { .. }
            | Error::Constraint { .. }
            | Error::Dangling { .. }
            | Error::UnknownTable { .. }
            | Error::Column { .. }
            | Error::Rows { .. }
            | Error::Conflict { .. }
            | Error::Superseded { .. } => None,
        }
    }
}
