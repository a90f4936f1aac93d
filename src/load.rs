//! CSV, JSON Lines or Parquet → database tables; a file's name is its table.

use std::path::{Path, PathBuf};

use crate::{
    database::{Database, TableCounts},
    error::{Kind, Result},
    progress::Progress,
};

/// A row that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The file.
    pub file: PathBuf,
    /// The line in it, the header being line 1.
    pub line: u64,
    /// The column, where one is at fault.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// What a load did.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The counts, by table.
    pub tables: Vec<TableCounts>,
}

/// Loads a file, or all that is known in a folder, in one transaction.
pub async fn load(database: &dyn Database, path: &Path, progress: &Progress) -> Result<Loaded> {
    let _ = (database, path, progress, Kind::Data);
    todo!()
}
