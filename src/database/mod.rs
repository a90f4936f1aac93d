//! The service's database, behind one trait.
//!
//! Tables, keys and foreign keys are in the migrations; what is written is
//! validated as a whole before the first row of a table changes, in one
//! transaction with the ledger's row.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::{arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream};
use serde::{Deserialize, Serialize};

use crate::{
    dataset::{Contract, Dataset},
    error::Kind,
    pipeline::UpdateStep,
};

/// Why the database could not be read or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match *self {}
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match *self {}
    }
}

/// A table: its columns and its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub contract: Contract,
    /// Its primary key.
    pub key: Vec<String>,
}

/// Rows for one table, as an update's SQL made them.
pub struct Staged {
    /// What is done with them.
    pub step: UpdateStep,
    /// The table's key: its primary key, or the artifact's grain for a table that
    /// the schema does not have yet.
    pub key: Vec<String>,
    /// The rows' columns.
    pub contract: Contract,
    /// The rows.
    pub rows: SendableRecordBatchStream,
}

/// An artifact on its way into the tables.
pub struct Change {
    /// The pipeline.
    pub pipeline: String,
    /// Its number.
    pub seq: u64,
    /// Its hash, in hex.
    pub sha256: String,
    /// Its rows for each table, in order.
    pub staged: Vec<Staged>,
    /// The guards that the user has waived.
    pub accept: Accept,
    /// Whether to count only.
    pub dry_run: bool,
    /// When it is applied, for the ledger.
    pub at: DateTime<Utc>,
}

/// The guards that the user has waived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accept {
    /// More rows rejected, or other changes than expected.
    pub change: bool,
    /// Fewer than half the table's rows.
    pub shrink: bool,
    /// No rows at all.
    pub empty: bool,
}

/// What became of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableCounts {
    /// The table.
    pub table: String,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows whose values changed.
    pub changed: u64,
    /// Rows that stand as they stood.
    pub unchanged: u64,
    /// Rows that went.
    pub deleted: u64,
    /// Rows that were turned away.
    pub rejected: u64,
}

/// A row that was turned away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The table it was for.
    pub table: String,
    /// The column at fault.
    pub column: String,
    /// Why.
    pub reason: String,
    /// The row, as JSON.
    pub row: String,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Whether the ledger had this very artifact as the latest already; nothing was done then.
    pub already: bool,
    /// The counts, by table, in order.
    pub tables: Vec<TableCounts>,
    /// The rows turned away.
    pub rejects: Vec<Reject>,
}

/// A row of the ledger `applied_artifacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The pipeline.
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

/// One page of an export.
#[derive(Debug, Clone)]
pub struct Page {
    /// All rows of the dataset.
    pub count: u64,
    /// The page's rows, in key order, of the dataset's Arrow schema.
    pub rows: RecordBatch,
}

/// A database of the service.
#[async_trait]
pub trait Database: fmt::Debug + Send + Sync {
    /// Returns the tables there are, by name.
    async fn tables(&self) -> Result<Vec<Table>>;

    /// Streams a table in key order, from one read transaction.
    async fn read(&self, table: &str) -> Result<SendableRecordBatchStream>;

    /// Streams a dataset in key order, from one read transaction; `None` when the
    /// database has no such relation. Holds one batch at a time.
    async fn export(&self, dataset: &Dataset) -> Result<Option<SendableRecordBatchStream>>;

    /// Returns a page of a dataset, from 1, in key order; `None` past the end (page 1
    /// is never past the end).
    async fn page(&self, dataset: &Dataset, page: u64, page_size: usize) -> Result<Option<Page>>;

    /// Replaces or fills tables from outside, all in one transaction (`load`,
    /// `update --archive`): for each table its rows, already typed.
    async fn fill(&self, tables: Vec<Fill>) -> Result<Vec<TableCounts>>;

    /// Applies an artifact, once, in one transaction with its row in the ledger.
    async fn apply(&self, change: Change) -> Result<Applied>;

    /// Returns the pipeline's latest entry in the ledger.
    async fn applied(&self, pipeline: &str) -> Result<Option<LedgerEntry>>;

    /// Returns the schema's version.
    async fn schema_version(&self) -> Result<u64>;

    /// Returns whether the database answers.
    async fn ping(&self) -> Result<()>;
}

/// Rows to put into one table.
pub struct Fill {
    /// The table.
    pub table: String,
    /// Whether the table is emptied first; else rows are inserted or changed by key.
    pub replace: bool,
    /// The rows, of the table's columns (absent nullable columns are null).
    pub rows: SendableRecordBatchStream,
}

/// Opens the database of that URL (`sqlite:PATH`), made and migrated if need be.
pub fn open(url: &str, root: &std::path::Path) -> Result<Arc<dyn Database>> {
    let _ = (url, root);
    todo!()
}

/// Returns the tables of a new database, without making one: what `db.<table>` is
/// when a project is checked.
pub fn schema() -> Result<Vec<Table>> {
    todo!()
}
