//! The seam between what is done to a database and which database it is.
//!
//! What is done (`change`, `migrations`, `relation`) is written once, in SQL that
//! SQLite and PostgreSQL share. A [`Dialect`] spells what they do not share, a
//! [`Connection`] runs it. No type of a driver passes this seam.

use chrono::{DateTime, Utc};
use datafusion::{arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream};
use serde_json::Value;

use super::{Error, Result, table::Table};
use crate::dataset::ColumnType;

/// How a database spells what standard SQL leaves open.
pub(super) trait Dialect: Sync {
    /// Returns the place of a statement's parameter, from 1.
    fn parameter(&self, number: usize) -> String;

    /// Returns a type as columns are declared.
    fn type_name(&self, data_type: &ColumnType) -> String;

    /// Returns a table of the service, whatever temporary table has its name.
    fn table(&self, name: &str) -> String;

    /// Returns a temporary table: one that only its connection sees, and that goes with
    /// it.
    fn temporary_table(&self, name: &str) -> String;

    /// Returns the statement that indexes a temporary table.
    fn index_temporary_table(&self, name: &str, columns: &str) -> String;

    /// Returns the column, which nobody declares, that counts a table's rows in the
    /// order in which they came.
    fn row_id(&self) -> &'static str;

    /// Returns what follows the columns of a new table.
    fn table_options(&self) -> &'static str;

    /// Returns the statement that checks references when a transaction commits.
    fn defer_references(&self) -> &'static str;

    /// Returns the expression for this moment, as a timestamp.
    fn now(&self) -> &'static str;

    /// Returns the versions of the schema, in order: the first makes version 1.
    fn migrations(&self) -> &'static [&'static str];
}

/// A value that a statement is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parameter<'a> {
    Integer(i64),
    Text(&'a str),
    Instant(DateTime<Utc>),
}

/// Where rows from outside go.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// What fails when the statement fails: it follows "could not".
    pub(super) what: &'static str,
    /// The table's name, for messages.
    pub(super) name: &'a str,
    /// The table, in SQL; it is called `target` there.
    pub(super) table: String,
    /// The rows' columns, by position.
    pub(super) columns: Vec<&'a str>,
    /// What happens to a row whose key is there: an `on conflict` clause, or nothing.
    pub(super) on_conflict: String,
}

/// How many rows came, and how many of them changed the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied {
    pub(super) rows: u64,
    pub(super) written: u64,
}

/// One connection. Its calls block; what is not committed when it is dropped is undone.
///
/// `what` names the task for messages: it follows "could not".
pub(super) trait Connection {
    /// Returns how the database spells SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Returns the database's name, for messages: no password is in it.
    fn name(&self) -> String;

    /// Begins a transaction that keeps no other writer waiting.
    fn begin(&mut self, what: &'static str) -> Result<()>;

    /// Begins a transaction that is the only one to write, until it ends.
    fn begin_writing(&mut self, what: &'static str) -> Result<()>;

    /// Commits, durably.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Dangling`] when rows refer to nothing. Nothing is changed then.
    fn commit(&mut self) -> Result<()>;

    /// Runs statements one after another.
    fn script(&mut self, what: &'static str, sql: &str) -> Result<()>;

    /// Runs a statement; returns how many rows it touched.
    fn run(&mut self, what: &'static str, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64>;

    /// Runs a statement that changes a table's rows.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Constraint`] when a row breaks a rule of the table.
    fn change(&mut self, table: &str, sql: &str) -> Result<()>;

    /// Runs a query and hands out its rows, one by one.
    fn query(
        &mut self,
        what: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
        each: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()>;

    /// Puts a stream's rows into a table, the fastest way there is. `look` sees each
    /// batch before its rows are written.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Rows`] when the stream fails, [`Error::Column`] for a value that
    /// cannot be stored, and [`Error::Constraint`] for a row that breaks a rule.
    fn copy_in(
        &mut self,
        target: &Target<'_>,
        rows: SendableRecordBatchStream,
        look: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<Copied>;

    /// Returns the names of all tables and views there are, also those of no service.
    fn relations(&mut self) -> Result<Vec<String>>;

    /// Returns the service's tables, by name, without those of the schema itself.
    fn tables(&mut self) -> Result<Vec<Table>>;
}

/// Returns the one number that a query answers.
pub(super) fn number(
    connection: &mut dyn Connection,
    what: &'static str,
    sql: &str,
) -> Result<u64> {
    let numbers = numbers(connection, what, sql)?;
    Ok(numbers.first().copied().unwrap_or_default())
}

/// Returns the numbers of a query's one row.
pub(super) fn numbers(
    connection: &mut dyn Connection,
    what: &'static str,
    sql: &str,
) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    connection.query(what, sql, &[], &mut |row| {
        numbers.extend(row.iter().map(|value| value.as_u64().unwrap_or_default()));
        Ok(())
    })?;
    Ok(numbers)
}

/// Returns the error for an answer that is not what was asked for.
pub(super) fn unreadable(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::Sql {
        what: what.to_owned(),
        source: source.into(),
    }
}
