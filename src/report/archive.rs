//! What `generate --archive` and `update --archive` did.

use serde::Serialize;

use super::{Report, Summary, state, words};

/// An archive of the whole database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// The archive's name: the instant it was made.
    pub archive: String,
    /// What was done with it.
    pub action: ArchiveAction,
    /// Where it is.
    pub location: String,
    /// Its tables; none in a dry run.
    pub tables: Vec<ArchivedTable>,
}

/// What is done with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveAction {
    /// It was made.
    Archived,
    /// It was put back into the database.
    Restored,
    /// It would be put back: this is a dry run.
    DryRun,
}

words!(ArchiveAction {
    Archived => state::ARCHIVED,
    Restored => state::RESTORED,
    DryRun => state::DRY_RUN,
});

/// One table of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedTable {
    /// The table's name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

impl Archive {
    /// Returns the rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

impl Report for Archive {
    const COMMAND: &'static str = "archive";
    const COLUMNS: &'static [&'static str] = &["table", "rows"];
    type Item = ArchivedTable;

    fn items(&self) -> Vec<&ArchivedTable> {
        self.tables.iter().collect()
    }

    fn summary(&self) -> Summary {
        let tables = match self.action {
            ArchiveAction::DryRun => return Summary::default(),
            ArchiveAction::Archived => Summary::all("archived", self.tables.len(), "table"),
            ArchiveAction::Restored => Summary::all("restored", self.tables.len(), "table"),
        };
        Summary { pass: 1, ..tables }
    }
}
