//! The tables there are, read back from SQLite's own schema.

use indexmap::IndexMap;
use rusqlite::Connection;

use crate::{
    database::table::{OF_THE_SCHEMA, Table},
    dataset::{Column, ColumnType, Contract},
    pipeline::Reference,
};

/// Returns the tables, by name, without those that describe the schema itself.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare_cached(
        "select name from sqlite_schema
         where type = 'table' and name not like 'sqlite\\_%' escape '\\'
         order by name",
    )?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    names
        .into_iter()
        .filter(|name| !OF_THE_SCHEMA.contains(&name.as_str()))
        .map(|name| table(connection, name))
        .collect()
}

/// Returns the names of all tables and views.
pub(super) fn relations(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("select name from sqlite_schema where type in ('table', 'view')")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Returns a table, the table it refers to, and how many of its rows refer to nothing
/// there.
pub(super) fn first_dangling(connection: &Connection) -> rusqlite::Result<(String, String, u64)> {
    connection.query_row(
        "select \"table\", parent, count(*) from pragma_foreign_key_check
         group by 1, 2 order by 1, 2 limit 1",
        [],
        |row| {
            let rows: i64 = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, rows.cast_unsigned()))
        },
    )
}

/// One column, as SQLite describes it.
struct Declared {
    column: Column,
    has_default: bool,
    key_position: i64,
}

fn table(connection: &Connection, name: String) -> rusqlite::Result<Table> {
    let declared = columns(connection, &name)?;
    let mut key: Vec<&Declared> = declared
        .iter()
        .filter(|declared| declared.key_position > 0)
        .collect();
    key.sort_by_key(|declared| declared.key_position);
    let names = |columns: Vec<&Declared>| {
        let name = |declared: &Declared| declared.column.name.clone();
        columns.into_iter().map(name).collect()
    };
    Ok(Table {
        key: names(key),
        defaults: names(
            declared
                .iter()
                .filter(|declared| declared.has_default)
                .collect(),
        ),
        references: references(connection, &name)?,
        contract: Contract {
            columns: declared
                .into_iter()
                .map(|declared| declared.column)
                .collect(),
        },
        name,
    })
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Declared>> {
    let mut statement = connection.prepare_cached(
        "select name, type, \"notnull\", dflt_value is not null, pk
         from pragma_table_info(?1) order by cid",
    )?;
    let declared = statement.query_map([table], |row| {
        let key_position = row.get(4)?;
        Ok(Declared {
            column: Column {
                name: row.get(0)?,
                data_type: column_type(&row.get::<_, String>(1)?),
                nullable: !row.get::<_, bool>(2)? && key_position == 0,
            },
            has_default: row.get(3)?,
            key_position,
        })
    })?;
    declared.collect()
}

/// Reads a declared type. Tables have those of contracts, and `integer` where
/// SQLite wants that word for a key that is the row's own number.
fn column_type(declared: &str) -> ColumnType {
    match declared.parse() {
        Ok(known) => known,
        Err(_) if declared.eq_ignore_ascii_case("integer") => ColumnType::Bigint,
        Err(_) => ColumnType::Text,
    }
}

fn references(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<IndexMap<String, Reference>> {
    let mut statement = connection.prepare_cached(
        "select \"from\", \"table\", \"to\" from pragma_foreign_key_list(?1) order by id desc",
    )?;
    let declared = statement.query_map([table], |row| {
        let reference = Reference {
            table: row.get(1)?,
            column: row.get(2)?,
        };
        Ok((row.get(0)?, reference))
    })?;
    declared.collect()
}
