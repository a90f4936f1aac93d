//! CSV: the first line names the columns; a row may span lines.

use std::io::{BufReader, Read};

use csv::StringRecord;

use super::{Next, Stop};
use crate::{
    load::bad::Fault,
    text::csv::{self as text, Csv},
};

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// The rows of a CSV file.
pub(super) struct CsvRows(Csv<BufReader<Box<dyn Read + Send>>>);

impl CsvRows {
    /// Reads the header; returns the columns' names too.
    pub(super) fn open(file: Box<dyn Read + Send>) -> Result<(Vec<String>, CsvRows), Stop> {
        let (names, rows) = Csv::open(BufReader::with_capacity(BUFFER, file))?;
        Ok((names, CsvRows(rows)))
    }

    /// Reads the next row into `record`.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Next, Stop> {
        Ok(match self.0.next(record)? {
            text::Read::Row(line) => Next::Row(line),
            text::Read::Bad(line, reason) => Next::Bad(line, Fault::row(reason)),
            text::Read::End => Next::End,
        })
    }

    /// Returns what looks like a mistake in the rows read, each with its line.
    pub(super) fn doubts(&self) -> Vec<(u64, String)> {
        self.0.doubts()
    }
}

impl From<text::Stop> for Stop {
    fn from(stop: text::Stop) -> Stop {
        Stop::at(stop.line, stop.reason)
    }
}
