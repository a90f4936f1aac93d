//! Rows as JSON, by contract: decoding pages and artifacts, encoding artifacts.
//!
//! Decimals are read from their digits, never through a double. What is ill-typed
//! names its row and its field. The written form is one byte sequence for one
//! table: `[`, a newline, one object a line with keys in contract order and no
//! blanks, `]`, a newline.

use std::io;

use datafusion::arrow::record_batch::RecordBatch;

use crate::dataset::Contract;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, field `{field}`: {reason}")]
pub struct RowError {
    /// The row, from 1, within what was decoded (a page, a file).
    pub row: u64,
    /// The field, or empty when the row itself is wrong.
    pub field: String,
    /// What is wrong: `is missing`, `must be an integer, not "7"`.
    pub reason: String,
}

/// Why rows could not be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not JSON.
    #[error("not valid JSON at line {line}, column {column}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's own error.
        source: serde_json::Error,
    },
    /// A row breaks the contract.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The bytes could not be read or written.
    #[error("could not read or write")]
    Io(#[from] io::Error),
    /// A value cannot be written: NaN, infinity, or a type that has no JSON.
    #[error("column `{column}`: {reason}")]
    Value {
        /// The column.
        column: String,
        /// What is wrong.
        reason: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How rows stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One JSON array of objects.
    Array,
    /// One object a line.
    Lines,
}

/// Collects rows into batches of a contract.
#[derive(Debug)]
pub struct Decoder {
    _contract: Contract,
}

impl Decoder {
    /// Starts a decoder.
    pub fn new(contract: &Contract) -> Decoder {
        Decoder {
            _contract: contract.clone(),
        }
    }

    /// Decodes the whole text of a JSON array of objects (a page's `results`).
    pub fn array(&mut self, text: &str) -> Result<()> {
        let _ = text;
        todo!()
    }

    /// Returns how many rows wait.
    pub fn rows(&self) -> usize {
        todo!()
    }

    /// Takes the rows that wait as one batch of the contract's Arrow schema.
    pub fn take(&mut self) -> Result<RecordBatch> {
        todo!()
    }

    /// Returns the names of the fields seen that the contract does not know, with
    /// how often each was seen.
    pub fn unknown(&self) -> &std::collections::BTreeMap<String, u64> {
        todo!()
    }
}

/// Decodes a reader's rows into batches of at most `batch_rows`, holding one
/// batch at a time, and hands each to `each`.
pub fn decode(
    reader: impl io::Read,
    layout: Layout,
    contract: &Contract,
    batch_rows: usize,
    each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let _ = (reader, layout, contract, batch_rows, each);
    todo!()
}

/// Writes batches as JSON, to the byte as the format says.
#[derive(Debug)]
pub struct Writer<W: io::Write> {
    _out: W,
}

impl<W: io::Write> Writer<W> {
    /// Starts a file.
    pub fn new(out: W, layout: Layout) -> Result<Writer<W>> {
        let _ = layout;
        Ok(Writer { _out: out })
    }

    /// Writes a batch's rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let _ = batch;
        todo!()
    }

    /// Ends the file and returns what was written to.
    pub fn finish(self) -> Result<W> {
        todo!()
    }
}

/// Appends each row of a batch as one object, separated by `separator`.
pub fn encode_rows(batch: &RecordBatch, separator: &str, out: &mut Vec<u8>) -> Result<()> {
    let _ = (batch, separator, out);
    todo!()
}
