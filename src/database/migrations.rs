//! The versions of the schema: one SQL file each, applied once, in order.
//!
//! In goes a connection, out comes a database of the latest version, in one
//! transaction. refinery would do this too, but keeps a history table of its own,
//! while our `schema_version` is part of the contract with archives and with databases
//! that are in use. It refuses a database of a later version, and one that
//! belongs to another program.

use super::{
    Error, Result,
    connection::{Connection, number},
};

/// The first version whose tables are those of the latest: what later ones added is no
/// table's content.
const SAME_TABLES_SINCE: u64 = 1;

/// Brings the database to the latest version; does nothing when it is there.
///
/// # Errors
///
/// Refuses a database of a later version, and one with tables that are not ours.
pub(super) fn migrate(connection: &mut dyn Connection) -> Result<()> {
    if found(connection)? == known(connection) {
        return Ok(());
    }
    connection.begin_writing("migrate the database")?;
    // Another process may have migrated while this one waited.
    let from = found(connection)?;
    let migrations = connection.dialect().migrations();
    for (version, sql) in (1u64..).zip(migrations) {
        if version > from {
            connection.script("migrate the database", sql)?;
            let now = connection.dialect().now();
            let applied = format!(
                "insert into schema_version (version, applied_at) values ({version}, {now})"
            );
            connection.run("migrate the database", &applied, &[])?;
        }
    }
    connection.commit()
}

/// Returns the schema's version; 0 for a database without tables.
pub(super) fn version(connection: &mut dyn Connection) -> Result<u64> {
    let relations = connection.relations()?;
    if !relations.iter().any(|name| name == "schema_version") {
        return Ok(0);
    }
    number(
        connection,
        "read the schema's version",
        "select coalesce(max(version), 0) from schema_version",
    )
}

/// Returns whether the rows of an archive fit the tables of a database, by their schema
/// versions. What a later version's tables are is not known.
pub(crate) fn same_tables(archive: u64, database: u64) -> bool {
    (SAME_TABLES_SINCE..=database).contains(&archive)
}

fn known(connection: &dyn Connection) -> u64 {
    connection.dialect().migrations().len() as u64
}

fn found(connection: &mut dyn Connection) -> Result<u64> {
    let found = version(connection)?;
    let (known, database) = (known(connection), connection.name());
    if found > known {
        return Err(Error::Newer {
            database,
            found,
            known,
        });
    }
    if found == 0 && !connection.relations()?.is_empty() {
        return Err(Error::Foreign { database });
    }
    Ok(found)
}
