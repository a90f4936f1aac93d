//! What SQLite's errors mean. From here on no error holds a type of the driver.

use rusqlite::ErrorCode;

use crate::database::Error;

/// Returns what an error means; `what` follows "could not".
pub(super) fn failed(database: &str, what: &str, source: rusqlite::Error) -> Error {
    let database = database.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { database },
        Some(ErrorCode::DiskFull) => Error::Full { database },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly {
            database,
            source: source.into(),
        },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt {
            database,
            source: source.into(),
        },
        _ => Error::Sql {
            what: what.to_owned(),
            source: source.into(),
        },
    }
}

/// Returns what an error means for a statement that changes a table's rows: perhaps that
/// a row breaks a rule of the table.
pub(super) fn refused(database: &str, what: &str, table: &str, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::Constraint {
            table: table.to_owned(),
            source: source.into(),
        },
        _ => failed(database, what, source),
    }
}
