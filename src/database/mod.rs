//! The service's database, behind one trait.
//!
//! Tables, keys, foreign keys and what is exported are in the migrations; what is
//! written is validated as a whole before the first row of a table changes, in one
//! transaction with the ledger's entry. Readers stream from a transaction of their
//! own; they neither wait for a writer nor hold one up.
//!
//! The rules are written once (`change`, `migrations`, `relation`), over a dialect and a
//! connection; `sqlite` has both, and reads rows. No driver's type leaves its folder.

mod change;
mod connection;
mod error;
mod migrations;
mod relation;
mod sql;
mod sqlite;
mod table;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use datafusion::{arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream};
use futures::stream::BoxStream;

pub use change::{
    Accept, Applied, Change, Fill, LedgerEntry, Missing, Reject, Replace, Staged, TableCounts,
};
pub use error::{Error, Result};
pub(crate) use migrations::same_tables;
pub use table::{Table, is_own};
pub(crate) use table::{depth, refers_to};

use crate::dataset::Dataset;

/// One page of an export.
#[derive(Debug, Clone)]
pub struct Page {
    /// All rows of the dataset.
    pub count: u64,
    /// The page's rows, in key order, of the dataset's Arrow schema.
    pub rows: RecordBatch,
}

/// A whole dataset, from one read transaction.
pub struct Export {
    /// All its rows.
    pub count: u64,
    /// The rows, in key order, of the dataset's Arrow schema.
    pub rows: SendableRecordBatchStream,
}

/// Every table's rows, from one read transaction.
pub struct Everything {
    /// The tables, by name.
    pub tables: Vec<Table>,
    /// Batches of the tables' contracts, one table after another: the table's
    /// index, and rows in key order. An empty table has no batch.
    pub rows: BoxStream<'static, Result<(usize, RecordBatch)>>,
}

/// A database of the service.
///
/// Every method returns [`Error::Busy`] when another process writes for too long,
/// [`Error::Corrupt`] when the file is damaged, and [`Error::Sql`] when the database
/// fails; what else may go wrong is said with each.
#[async_trait]
pub trait Database: fmt::Debug + Send + Sync {
    /// Returns the tables, by name, without those that describe the schema itself.
    ///
    /// # Errors
    ///
    /// Only those of every method.
    async fn tables(&self) -> Result<Vec<Table>>;

    /// Streams a table in key order, from one read transaction.
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnknownTable`], with the nearest name, for a table that is not
    /// there.
    async fn read(&self, table: &str) -> Result<SendableRecordBatchStream>;

    /// Streams all tables from one read transaction.
    ///
    /// # Errors
    ///
    /// Only those of every method; so may the stream.
    async fn read_all(&self) -> Result<Everything>;

    /// Streams a dataset in key order, from one read transaction; `None` when the
    /// database has no such relation. Holds a batch or two at a time, and ends when
    /// the stream is dropped.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Column`] when the dataset has a column of another type, or a
    /// required one that the database does not have.
    async fn export(&self, dataset: &Dataset) -> Result<Option<Export>>;

    /// Returns a page of a dataset, from 1, in key order; `None` past the end (page 1
    /// is never past the end) or when the database has no such relation.
    ///
    /// # Errors
    ///
    /// As [`Database::export`].
    async fn page(&self, dataset: &Dataset, page: u64, page_size: usize) -> Result<Option<Page>>;

    /// Fills tables from outside, in order and in one transaction: tables to be
    /// replaced as a whole are all emptied first; of others that are replaced, rows that
    /// did not come are deleted last. References are checked at the end, so rows may come
    /// before what they refer to. Tables that only lost rows are counted after those that
    /// were filled.
    ///
    /// # Errors
    ///
    /// An error in any stream, a row that violates a constraint of its table, and references to
    /// missing rows leave all as it was.
    async fn fill(&self, tables: Vec<Fill>) -> Result<Vec<TableCounts>>;

    /// Applies an artifact, once, in one transaction with its row in the ledger.
    ///
    /// # Errors
    ///
    /// Everything is validated before the first change: conflicting keys, too many
    /// rejected rows, and tables that would shrink or empty leave all as it was.
    async fn apply(&self, change: Change) -> Result<Applied>;

    /// Returns the pipeline's latest entry in the ledger.
    ///
    /// # Errors
    ///
    /// Only those of every method.
    async fn applied(&self, pipeline: &str) -> Result<Option<LedgerEntry>>;

    /// Returns the schema's version.
    ///
    /// # Errors
    ///
    /// Only those of every method.
    async fn schema_version(&self) -> Result<u64>;

    /// Returns whether the database answers.
    ///
    /// # Errors
    ///
    /// Only those of every method.
    async fn ping(&self) -> Result<()>;
}

/// How long a writer waits for another before it says that the database is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the database of that URL (`sqlite:PATH`, relative to `root`), made and
/// migrated if need be.
///
/// # Errors
///
/// Refuses a database of a later version, and one that is another program's.
pub fn open(url: &str, root: &Path) -> Result<Arc<dyn Database>> {
    open_patient(url, root, PATIENCE)
}

/// Does the same; a writer waits this long for another before the database is busy. The
/// database itself waits, by the system's time.
///
/// # Errors
///
/// As [`open`].
pub fn open_patient(url: &str, root: &Path, patience: Duration) -> Result<Arc<dyn Database>> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => {
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(Arc::new(sqlite::Sqlite::open(&root.join(path), patience)?))
        }
        _ => Err(Error::Url {
            url: url.split_once(':').map_or(url, |(kind, _)| kind).to_owned(),
        }),
    }
}

/// Returns the tables of a new database, without making one: what `db.<table>` is
/// when a project is checked.
///
/// # Errors
///
/// Returns an error when SQLite cannot hold them in memory.
pub fn schema() -> Result<Vec<Table>> {
    sqlite::schema()
}
