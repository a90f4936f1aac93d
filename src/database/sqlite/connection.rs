//! Opens connections, each set up the same way, and lends those for reading.

use std::{ops::Deref, path::Path, sync::PoisonError, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{Error, Result, Sqlite, failure::failed};

/// Connections for reading that are kept open between uses.
const KEPT: usize = 8;

/// What a reader keeps of the file in memory: each export has one, of many at once, and
/// passes over its rows only once.
const READER_CACHE_KIB: i64 = 4096;

/// What a writer keeps: there is one.
const WRITER_CACHE_KIB: i64 = 65536;

/// Opens the file, made with its folder if need be, in WAL mode.
pub(super) fn create(path: &Path, patience: Duration) -> Result<Connection> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Open {
            database: path.display().to_string(),
            source: source.into(),
        })?;
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_CREATE, patience)?;
    connection
        .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
        .map_err(|source| opening(path, source))?;
    Ok(connection)
}

/// Opens the file that [`create`] has made.
fn open(path: &Path, more: OpenFlags, patience: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    #[expect(
        clippy::disallowed_methods,
        reason = "only this module opens databases"
    )]
    let connection = Connection::open_with_flags(path, flags).map_err(|source| Error::Open {
        database: path.display().to_string(),
        source: source.into(),
    })?;
    set_up(&connection, patience).map_err(|source| opening(path, source))?;
    Ok(connection)
}

fn opening(path: &Path, source: rusqlite::Error) -> Error {
    failed(&path.display().to_string(), "open the database", source)
}

fn set_up(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(patience)?;
    connection.execute_batch(
        "pragma foreign_keys = on;
         pragma synchronous = full;
         pragma journal_size_limit = 67108864;",
    )
}

/// A connection for reading, lent until it is dropped.
pub(super) struct Reader {
    database: Sqlite,
    connection: Option<Connection>,
}

impl Sqlite {
    /// Lends a connection for reading. A read never waits for a writer.
    pub(super) fn reader(&self) -> Result<Reader> {
        let kept = self.idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.open_with_cache(READER_CACHE_KIB)?,
        };
        Ok(Reader {
            database: self.clone(),
            connection: Some(connection),
        })
    }

    /// Opens a connection for one change. Its temporary tables go with it.
    pub(super) fn writer(&self) -> Result<Connection> {
        self.open_with_cache(WRITER_CACHE_KIB)
    }

    fn open_with_cache(&self, kib: i64) -> Result<Connection> {
        let connection = open(self.path(), OpenFlags::empty(), self.inner.patience)?;
        connection
            .pragma_update(None, "cache_size", -kib)
            .map_err(|source| opening(self.path(), source))?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Reader {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only drop takes the connection")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a lent connection")
    }
}

/// A connection that is still within a transaction was dropped half-way; ending
/// it lets the write-ahead log be reused.
impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let idle_again = connection.is_autocommit() || connection.execute_batch("rollback").is_ok();
        let mut idle = self.database.idle();
        if idle_again && idle.len() < KEPT {
            idle.push(connection);
        }
    }
}
