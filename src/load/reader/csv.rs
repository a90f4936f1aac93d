//! CSV: the first line names the columns; a row may span lines.

use std::io::Read;

use csv::{Position, StringRecord};

use super::{Next, Stop};
use crate::load::{bad::Fault, line_ends::OneByteLineEnds};

/// The rows of a CSV file.
pub(super) struct CsvRows {
    reader: Box<csv::Reader<OneByteLineEnds<Box<dyn Read + Send>>>>,
    /// How many columns the header has.
    width: usize,
}

impl CsvRows {
    /// Reads the header; returns the columns' names too.
    pub(super) fn open(file: Box<dyn Read + Send>) -> Result<(Vec<String>, CsvRows), Stop> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(OneByteLineEnds::new(file));
        let header = reader.headers().map_err(|error| Stop::at(1, error))?;
        let names: Vec<_> = header.iter().map(|name| name.trim().to_owned()).collect();
        let rows = CsvRows {
            reader: Box::new(reader),
            width: names.len(),
        };
        Ok((names, rows))
    }

    /// Reads the next row into `record`.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Next, Stop> {
        let read = self.reader.read_record(record);
        let end = self.reader.position().line();
        match read {
            Ok(false) => Ok(Next::End),
            Ok(true) => {
                let line = first_line(record, end);
                if record.len() == self.width {
                    return Ok(Next::Row(line));
                }
                let (found, width) = (record.len(), self.width);
                let reason = format!("has {found} fields, the header has {width}");
                Ok(Next::Bad(line, Fault::row(reason)))
            }
            Err(error) => match error.kind() {
                csv::ErrorKind::Utf8 { pos, err } => {
                    let line = pos.as_ref().map_or(end, Position::line);
                    let reason = format!("field {} is not UTF-8", err.field() + 1);
                    Ok(Next::Bad(line, Fault::row(reason)))
                }
                _ => Err(Stop::at(end, error)),
            },
        }
    }
}

/// Returns the line on which a record begins: the reader's own idea of it is too low
/// behind empty lines.
fn first_line(record: &StringRecord, end: u64) -> u64 {
    let within = record.as_slice().bytes().filter(|byte| *byte == b'\n');
    let position = record.position().map_or(end, Position::line);
    position.max(end.saturating_sub(within.count() as u64 + 1))
}
