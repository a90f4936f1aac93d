//! What `load` did.

use serde::Serialize;

use super::{Report, Summary};

/// Files that were loaded into the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Load {
    /// How many of the paths named were loaded.
    pub paths: usize,
    /// The tables, in the order in which they were filled.
    pub tables: Vec<LoadedTable>,
    /// What was skipped: files that belong to no table, columns that no table has.
    pub warnings: Vec<String>,
}

/// A table that was filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadedTable {
    /// The path that was named.
    pub path: String,
    /// The table's name.
    pub table: String,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows whose values changed.
    pub changed: u64,
    /// Rows that are as they were.
    pub unchanged: u64,
    /// Rows that are gone: the files that replace them lack them, or what they refer to.
    pub deleted: u64,
}

impl Report for Load {
    const COMMAND: &'static str = "load";
    const COLUMNS: &'static [&'static str] = &[
        "path",
        "table",
        "inserted",
        "changed",
        "unchanged",
        "deleted",
    ];
    type Item = LoadedTable;

    fn items(&self) -> Vec<&LoadedTable> {
        self.tables.iter().collect()
    }

    fn summary(&self) -> Summary {
        Summary {
            warn: self.warnings.len(),
            pass: self.paths,
            ..Summary::all("loaded", self.tables.len(), "table")
        }
    }
}
