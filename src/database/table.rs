//! A table of the database: its columns, its key and what it refers to.

use indexmap::IndexMap;

use crate::{dataset::Contract, pipeline::Reference};

/// A table: its columns, its keys and what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name, as SQL reads it.
    pub name: String,
    /// Its columns, in order.
    pub contract: Contract,
    /// Its primary key.
    pub key: Vec<String>,
    /// The columns that fill themselves when a row does not name them.
    pub defaults: Vec<String>,
    /// Column → what it must be found in.
    pub references: IndexMap<String, Reference>,
}

/// The tables that describe the schema itself: they come with the migrations, and are
/// in no list of tables and no archive.
pub(super) const OF_THE_SCHEMA: [&str; 2] = ["export_columns", "schema_version"];

/// What the names of the views that are exported begin with; no table may be named so,
/// also where there is no such view yet.
pub(super) const EXPORTED: &str = "export_";

/// Returns whether a name is the database's own: a table or a view that no pipeline and no
/// file may fill.
pub fn is_own(table: &str) -> bool {
    table == "applied_artifacts"
        || OF_THE_SCHEMA.contains(&table)
        || [EXPORTED, "sqlite_"]
            .iter()
            .any(|own| table.starts_with(own))
}

/// Returns how many tables a table refers to, one through another: parents have less
/// than their children.
pub(crate) fn depth(name: &str, tables: &[Table]) -> usize {
    depth_within(name, tables, tables.len())
}

/// Returns whether a table's rows refer to that parent, themselves or through others.
pub(crate) fn refers_to(table: &Table, tables: &[Table], parent: &Reference) -> bool {
    path_to(table, tables, parent, tables.len()).is_some()
}

/// A circle of tables, which only another program can have made, ends at `most`.
fn depth_within(name: &str, tables: &[Table], most: usize) -> usize {
    let table = tables.iter().find(|table| table.name == name && most > 0);
    let parents = table
        .into_iter()
        .flat_map(|table| table.references.values());
    let parents = parents.filter(|parent| parent.table != name);
    parents
        .map(|parent| depth_within(&parent.table, tables, most - 1) + 1)
        .max()
        .unwrap_or(0)
}

/// Returns the shortest way from a table to a parent, by the columns that refer.
pub(super) fn path_to(
    table: &Table,
    tables: &[Table],
    parent: &Reference,
    most: usize,
) -> Option<Vec<(String, Reference)>> {
    let references = || table.references.iter();
    if let Some((column, _)) = references().find(|(_, other)| *other == parent) {
        return Some(vec![(column.clone(), parent.clone())]);
    }
    let through = references().filter_map(|(column, other)| {
        let next = tables.iter().find(|table| table.name == other.table)?;
        let rest = path_to(next, tables, parent, most.checked_sub(1)?)?;
        Some([vec![(column.clone(), other.clone())], rest].concat())
    });
    through.min_by_key(Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_tables_of_the_schema_are_its_own() {
        for own in [
            "applied_artifacts",
            "schema_version",
            "export_columns",
            "export_prices",
            "export_of_tomorrow",
            "sqlite_sequence",
        ] {
            assert!(is_own(own), "{own}");
        }
        for free in ["prices", "exports", "exported_prices"] {
            assert!(!is_own(free), "{free}");
        }
    }
}
