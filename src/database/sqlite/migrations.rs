//! The versions of the schema: one SQL file each, applied once, in order.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{Error, Result, Table, catalog};

/// The migrations, in order: the first makes version 1.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/001_tables.sql")];

/// Brings the database to the latest version; does nothing when it is there.
///
/// # Errors
///
/// Refuses a database of a later version, and one with tables that are not ours.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    if found(connection, path)? == known() {
        return Ok(());
    }
    let failed = |source| Error::from_sqlite(path, "migrate the database", source);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    // Another process may have migrated while this one waited.
    let from = found(&transaction, path)?;
    migrate_from(&transaction, from).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Returns the schema's version; 0 for a database without tables.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u64> {
    let has_versions = connection
        .query_row(
            "select 1 from sqlite_schema where name = 'schema_version'",
            [],
            |_| Ok(()),
        )
        .optional()?
        .is_some();
    if !has_versions {
        return Ok(0);
    }
    let version: i64 = connection.query_row(
        "select coalesce(max(version), 0) from schema_version",
        [],
        |row| row.get(0),
    )?;
    Ok(version.cast_unsigned())
}

/// Returns the tables of a database that is migrated and empty.
pub(in crate::database) fn schema() -> Result<Vec<Table>> {
    let failed = |source| Error::Sql {
        what: "read the schema".to_owned(),
        source,
    };
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    migrate_from(&transaction, 0).map_err(failed)?;
    catalog::tables(&transaction).map_err(failed)
}

fn known() -> u64 {
    MIGRATIONS.len() as u64
}

fn found(connection: &Connection, path: &Path) -> Result<u64> {
    let failed = |source| Error::from_sqlite(path, "read the schema's version", source);
    let found = version(connection).map_err(failed)?;
    let path = path.to_owned();
    if found > known() {
        let known = known();
        return Err(Error::Newer { path, found, known });
    }
    if found == 0 && has_tables(connection).map_err(failed)? {
        return Err(Error::Foreign { path });
    }
    Ok(found)
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("select count(*) > 0 from sqlite_schema", [], |row| {
        row.get(0)
    })
}

fn migrate_from(transaction: &Transaction<'_>, from: u64) -> rusqlite::Result<()> {
    for (version, sql) in (1u64..).zip(MIGRATIONS) {
        if version > from {
            transaction.execute_batch(sql)?;
            transaction.execute(
                "insert into schema_version (version, applied_at)
                 values (?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                [version.cast_signed()],
            )?;
        }
    }
    Ok(())
}
