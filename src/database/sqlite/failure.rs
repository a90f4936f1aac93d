//! What SQLite's errors mean. From here on no error holds a type of the driver.

use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

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
        _ if is_shared_memory_full(&source) => Error::Full { database },
        _ => Error::Sql {
            what: what.to_owned(),
            source: source.into(),
        },
    }
}

/// The file beside the database that its readers and writer share did not fit the disk.
fn is_shared_memory_full(error: &rusqlite::Error) -> bool {
    let found = error.sqlite_error().map(|error| error.extended_code);
    found == Some(SQLITE_IOERR_SHMSIZE)
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

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn no_space_for_any_of_its_files_is_no_space() {
        for code in [ffi::SQLITE_FULL, SQLITE_IOERR_SHMSIZE] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let failed = failed("a.db", "open the database", error);
            assert!(matches!(failed, Error::Full { .. }), "{code}: {failed}");
        }
    }
}
