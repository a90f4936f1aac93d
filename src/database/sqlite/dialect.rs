//! How SQLite spells what standard SQL leaves open.

use crate::{
    database::{connection, sql::quoted},
    dataset::ColumnType,
};

/// SQLite's spelling.
#[derive(Debug)]
pub(super) struct Dialect;

impl connection::Dialect for Dialect {
    fn parameter(&self, number: usize) -> String {
        format!("?{number}")
    }

    /// Columns are declared with the contract's own types, so that a table's contract can
    /// be read back.
    fn type_name(&self, data_type: &ColumnType) -> String {
        data_type.to_string()
    }

    fn table(&self, name: &str) -> String {
        format!("main.{}", quoted(name))
    }

    fn temporary_table(&self, name: &str) -> String {
        format!("temp.{}", quoted(name))
    }

    fn index_temporary_table(&self, name: &str, columns: &str) -> String {
        let index = quoted(&format!("{name}_key"));
        format!("create index temp.{index} on {} ({columns})", quoted(name))
    }

    fn row_id(&self) -> &'static str {
        "rowid"
    }

    fn table_options(&self) -> &'static str {
        " without rowid"
    }

    fn defer_references(&self) -> &'static str {
        "pragma defer_foreign_keys = on"
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    }

    fn migrations(&self) -> &'static [&'static str] {
        &[
            include_str!("../migrations/sqlite/001_tables.sql"),
            include_str!("../migrations/sqlite/002_exports.sql"),
        ]
    }
}
