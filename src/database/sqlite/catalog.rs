//! The tables there are, read back from SQLite's own schema.

use indexmap::IndexMap;
use rusqlite::Connection;

use super::Table;
use crate::{
    dataset::{Column, ColumnType, Contract},
    pipeline::Reference,
};

/// Returns the tables, by name, with all but the schema's version.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare_cached(
        "select name from sqlite_schema
         where type = 'table' and name not like 'sqlite\\_%' escape '\\'
             and name <> 'schema_version'
         order by name",
    )?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    names
        .into_iter()
        .map(|name| table(connection, name))
        .collect()
}

/// Quotes a name for SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes names and puts them behind one another.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// Returns the statement that makes a table.
pub(super) fn create_table(table: &Table) -> String {
    let columns = table
        .contract
        .columns
        .iter()
        .map(|column| format!("{} {}", quoted(&column.name), column.spelled_type()))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "create table {} ({columns}, primary key ({})) without rowid",
        quoted(&table.name),
        listed(table.key.iter().map(String::as_str)),
    )
}

/// One column as SQLite tells it.
struct Told {
    column: Column,
    has_default: bool,
    place_in_key: i64,
}

fn table(connection: &Connection, name: String) -> rusqlite::Result<Table> {
    let told = columns(connection, &name)?;
    let mut key: Vec<&Told> = told.iter().filter(|told| told.place_in_key > 0).collect();
    key.sort_by_key(|told| told.place_in_key);
    let names = |columns: Vec<&Told>| {
        let name = |told: &Told| told.column.name.clone();
        columns.into_iter().map(name).collect()
    };
    Ok(Table {
        key: names(key),
        defaults: names(told.iter().filter(|told| told.has_default).collect()),
        references: references(connection, &name)?,
        contract: Contract {
            columns: told.into_iter().map(|told| told.column).collect(),
        },
        name,
    })
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Told>> {
    let mut statement = connection.prepare_cached(
        "select name, type, \"notnull\", dflt_value is not null, pk
         from pragma_table_info(?1) order by cid",
    )?;
    let told = statement.query_map([table], |row| {
        let place_in_key = row.get(4)?;
        Ok(Told {
            column: Column {
                name: row.get(0)?,
                data_type: column_type(&row.get::<_, String>(1)?),
                nullable: !row.get::<_, bool>(2)? && place_in_key == 0,
            },
            has_default: row.get(3)?,
            place_in_key,
        })
    })?;
    told.collect()
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
    let told = statement.query_map([table], |row| {
        let reference = Reference {
            table: row.get(1)?,
            column: row.get(2)?,
        };
        Ok((row.get(0)?, reference))
    })?;
    told.collect()
}
