//! Changes: what goes into the tables, and what became of it.
//!
//! ```text
//!  Change ─► stage ─► reject ─► count ─► guard ─► write ─► ledger ─► Applied
//!            temporary tables   nothing has changed so far    one transaction
//! ```
//!
//! The algorithm is written once, over a [`Connection`](super::connection::Connection)
//! and its dialect. It never changes a row before all rows are validated, and never
//! leaves rows without their entry in the ledger.

pub(super) mod apply;
mod diff;
pub(super) mod fill;
pub(super) mod ledger;
mod reject;
mod stage;
#[cfg(test)]
mod tests;
mod whole;

use std::fmt;

use chrono::{DateTime, Utc};
use datafusion::execution::SendableRecordBatchStream;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::{
    dataset::Contract,
    pipeline::{Reference, UpdateMode},
};

/// Rows for one table, as an update's SQL made them.
pub struct Staged {
    /// The table; made with the change when the database does not have it.
    pub table: Table,
    /// Whether rows that the artifact lacks are deleted.
    pub mode: UpdateMode,
    /// Column → what it must be found in, beside the table's own references.
    pub references: IndexMap<String, Reference>,
    /// The share of rows that may be rejected, in percent, before the change is refused.
    pub max_rejects_percent: f64,
    /// The rows' columns: the table's key and any others of its columns.
    pub contract: Contract,
    /// The rows, in any order.
    pub rows: SendableRecordBatchStream,
}

/// An artifact on its way into the tables.
pub struct Change {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// Its number within the pipeline, from 1.
    pub seq: u64,
    /// Its hash, in hex.
    pub sha256: String,
    /// Its rows for each table, in order.
    pub staged: Vec<Staged>,
    /// The guards that the user has waived.
    pub accept: Accept,
    /// Whether it may be older than what the ledger has: a rollback.
    pub rollback: bool,
    /// Whether to count only.
    pub dry_run: bool,
    /// When it is applied, for the ledger.
    pub at: DateTime<Utc>,
    /// Called for each rejected row, also when the whole change is refused.
    pub on_reject: Box<dyn FnMut(Reject) + Send>,
}

/// The guards that the user has waived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accept {
    /// More rows rejected than the pipeline allows.
    pub change: bool,
    /// Fewer than half the table's rows.
    pub shrink: bool,
    /// No rows at all.
    pub empty: bool,
}

/// What became of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableCounts {
    /// The table's name.
    pub table: String,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows whose values changed.
    pub changed: u64,
    /// Rows that stay as they are.
    pub unchanged: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Rows that were equal to another and were left out.
    #[serde(default)]
    pub collapsed: u64,
}

/// A row that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The table it was for.
    pub table: String,
    /// The column at fault.
    pub column: String,
    /// Why.
    pub reason: String,
    /// The row, as it would be in the table.
    pub row: IndexMap<String, serde_json::Value>,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Whether this artifact was the ledger's latest already; then nothing was done.
    pub already: bool,
    /// The counts, by table, in order.
    pub tables: Vec<TableCounts>,
}

/// An entry of the ledger `applied_artifacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The artifact's number.
    pub seq: u64,
    /// Its hash, in hex.
    pub sha256: String,
    /// When it was applied.
    pub applied_at: DateTime<Utc>,
    /// The counts, by table.
    pub counts: Vec<TableCounts>,
}

/// Rows to put into one table as they are.
pub struct Fill {
    /// The table; made when the database does not have it.
    pub table: Table,
    /// What becomes of the rows that the table has.
    pub replace: Replace,
    /// The rows: the table's key and any others of its columns.
    pub rows: SendableRecordBatchStream,
}

/// What becomes of the rows that a table has when it is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// They stay: rows are inserted, or changed by key.
    Nothing,
    /// They all go before the first row comes.
    All,
    /// Those that do not come go, and what refers to them as its foreign keys say.
    Missing(Missing),
}

/// What the rows that come are the whole of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// A column and its value: only rows that refer to it, themselves or through others,
    /// are replaced. The whole table where there is none.
    pub within: Option<(Reference, i64)>,
    /// The guards that the user has waived.
    pub accept: Accept,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("pipeline", &self.pipeline)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fill")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}
