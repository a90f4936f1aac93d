//! Rows as JSON, by contract: decoding pages and artifacts, encoding artifacts.
//!
//! ```text
//!  text ─► frames (one row's text) ─► decoder (rows) ─► object (fields) ─► value ─► batch
//!             usual form: cursor ─► usual ─────────────────────────────────▲
//!  batch ─► writer ─► text
//! ```
//!
//! Text of the usual form is read in one pass, by hand; all else, and whatever is
//! wrong, by serde_json, so that there is one judge of what is accepted and one
//! wording of what is not.
//!
//! Decimals are read from their digits, never through a double. What is ill-typed
//! names its row and its field. The written form is one byte sequence for one
//! table: `[`, a newline, one object a line with keys in contract order and no
//! blanks, `]`, a newline. Nothing here knows where the bytes come from.

mod any;
mod cursor;
mod decoder;
mod frames;
mod growing;
mod object;
mod usual;
mod value;
mod writer;

use std::io;

pub(crate) use cursor::Cursor;
pub use decoder::Decoder;
pub use frames::decode;
pub(crate) use writer::encode_rows_as;
pub use writer::{Writer, encode_rows};

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}{}: {reason}", self.shown_field())]
pub struct RowError {
    /// The row, from 1, within what was decoded (a page, a file).
    pub row: u64,
    /// The field, or empty when the row itself is wrong.
    pub field: String,
    /// What is wrong: `is missing`, `must be an integer, not "7"`.
    pub reason: String,
}

impl RowError {
    fn shown_field(&self) -> String {
        if self.field.is_empty() {
            String::new()
        } else {
            format!(", field `{}`", self.field)
        }
    }
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
    /// The bytes are JSON, but not rows in the layout asked for, or end too early.
    #[error("not JSON rows at line {line}: {reason}")]
    Layout {
        /// The line, from 1.
        line: usize,
        /// What is wrong: `ends in the middle of a row`.
        reason: &'static str,
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
        /// The column's name.
        column: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// Returns whether the text ended too early: the rest may have been lost on its way.
    pub fn is_cut_short(&self) -> bool {
        match self {
            Error::Syntax { source, .. } => source.is_eof(),
            Error::Layout { reason, .. } => *reason == frames::CUT_SHORT,
            _ => false,
        }
    }
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How rows are laid out in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One JSON array of objects.
    Array,
    /// One object a line.
    Lines,
}

/// Which values can be written, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forms {
    /// Those of contracts, as artifacts hold them: a decimal is a string, and NaN an error.
    Contract,
    /// All that SQL returns, as `show` and `query` print it: a decimal is a number with all
    /// its digits, and a double that is not finite a string.
    Any,
}

#[cfg(test)]
mod tests;
