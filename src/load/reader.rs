//! A file's rows as text fields, whatever its format. An empty field is no value.
//!
//! A number stays the digits that stand in the file: nothing passes through a
//! double. One row is held at a time (in Parquet, one batch).

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use csv::StringRecord;
use datafusion::{
    arrow::{
        array::{Array, AsArray},
        compute::cast,
        datatypes::DataType,
        record_batch::RecordBatch,
    },
    parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use flate2::read::MultiGzDecoder;
use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::{Error, Result, bad::Fault, line_ends::OneByteLineEnds};

/// The longest line of JSON Lines.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A format by the end of a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv { gzip: bool },
    JsonLines { gzip: bool },
    Parquet,
}

impl Format {
    /// Reads what stands behind the first point of a file's name.
    pub(super) fn of(extension: &str) -> Option<Format> {
        Some(match extension {
            "csv" => Format::Csv { gzip: false },
            "csv.gz" => Format::Csv { gzip: true },
            "jsonl" => Format::JsonLines { gzip: false },
            "jsonl.gz" => Format::JsonLines { gzip: true },
            "parquet" => Format::Parquet,
            _ => return None,
        })
    }
}

/// Reads a file's rows.
pub(super) struct Reader {
    path: PathBuf,
    names: Vec<String>,
    rows: Rows,
}

enum Rows {
    Csv(Box<csv::Reader<Box<dyn Read + Send>>>),
    JsonLines {
        lines: Box<dyn BufRead + Send>,
        line: u64,
    },
    Parquet {
        batches: ParquetRecordBatchReader,
        fields: Vec<Box<dyn Array>>,
        next: usize,
        row: u64,
    },
}

/// What a read came to.
pub(super) enum Next {
    /// The record holds a row that begins on this line.
    Row(u64),
    /// The row that begins on this line cannot be read; the next ones can.
    Bad(u64, Fault),
    /// There is no more.
    End,
}

impl Reader {
    /// Opens a file and reads its columns' names. JSON Lines have those of `known`.
    pub(super) fn open(path: &Path, format: Format, known: &[&str]) -> Result<Reader> {
        let (names, rows) = match format {
            Format::Csv { gzip } => csv(path, gzip)?,
            Format::JsonLines { gzip } => {
                let lines: Box<dyn BufRead + Send> = Box::new(BufReader::new(open(path, gzip)?));
                let names = known.iter().map(|&name| name.to_owned()).collect();
                (names, Rows::JsonLines { lines, line: 0 })
            }
            Format::Parquet => parquet(path)?,
        };
        Ok(Reader {
            path: path.to_owned(),
            names,
            rows,
        })
    }

    /// Returns the columns' names, as they stand in the file.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the next row into `record`.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Next> {
        let width = self.names.len();
        match &mut self.rows {
            Rows::Csv(reader) => next_csv(reader, record, width)
                .map_err(|(line, reason)| format_error(&self.path, line, reason)),
            Rows::JsonLines { lines, line } => next_json(lines, line, record, &self.names)
                .map_err(|source| format_error(&self.path, *line, source.to_string())),
            Rows::Parquet {
                batches,
                fields,
                next,
                row,
            } => {
                if fields.first().is_none_or(|field| *next >= field.len()) {
                    match batches
                        .next()
                        .transpose()
                        .and_then(|b| b.map(texts).transpose())
                    {
                        Ok(None) => return Ok(Next::End),
                        Ok(Some(texts)) => *fields = texts,
                        Err(source) => {
                            return Err(format_error(&self.path, *row, source.to_string()));
                        }
                    }
                    *next = 0;
                }
                record.clear();
                for field in fields.iter() {
                    record.push_field(field.as_string::<i32>().value(*next));
                }
                *next += 1;
                *row += 1;
                Ok(Next::Row(*row))
            }
        }
    }
}

fn open(path: &Path, gzip: bool) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(match gzip {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    })
}

fn csv(path: &Path, gzip: bool) -> Result<(Vec<String>, Rows)> {
    let lines = OneByteLineEnds::new(open(path, gzip)?);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(Box::new(lines) as Box<dyn Read + Send>);
    let header = reader
        .headers()
        .map_err(|source| format_error(path, 1, source.to_string()))?;
    let names = header.iter().map(|name| name.trim().to_owned()).collect();
    Ok((names, Rows::Csv(Box::new(reader))))
}

fn next_csv(
    reader: &mut csv::Reader<Box<dyn Read + Send>>,
    record: &mut StringRecord,
    width: usize,
) -> Result<Next, (u64, String)> {
    let read = reader.read_record(record);
    let end = reader.position().line();
    match read {
        Ok(false) => Ok(Next::End),
        Ok(true) => {
            let line = first_line(record, end);
            if record.len() == width {
                return Ok(Next::Row(line));
            }
            let reason = format!("has {} fields, the header has {width}", record.len());
            Ok(Next::Bad(line, Fault::row(reason)))
        }
        Err(error) => match error.kind() {
            csv::ErrorKind::Utf8 { pos, err } => {
                let line = pos.as_ref().map_or(end, |pos| pos.line());
                let reason = format!("field {} is not UTF-8", err.field() + 1);
                Ok(Next::Bad(line, Fault::row(reason)))
            }
            _ => Err((end, error.to_string())),
        },
    }
}

/// Returns the line on which a record begins: the reader's own idea of it is too low
/// behind empty lines.
fn first_line(record: &StringRecord, end: u64) -> u64 {
    let within = record.as_slice().bytes().filter(|byte| *byte == b'\n');
    let position = record.position().map_or(end, csv::Position::line);
    position.max(end.saturating_sub(within.count() as u64 + 1))
}

fn next_json(
    lines: &mut dyn BufRead,
    line: &mut u64,
    record: &mut StringRecord,
    names: &[String],
) -> io::Result<Next> {
    let mut text = String::new();
    while text.trim().is_empty() {
        text.clear();
        *line += 1;
        if lines.take(MAX_LINE_BYTES).read_line(&mut text)? == 0 {
            return Ok(Next::End);
        }
    }
    let line = *line;
    let object = match serde_json::from_str::<IndexMap<String, Box<RawValue>>>(text.trim()) {
        Ok(object) => object,
        Err(error) => {
            let reason = format!("is not a JSON object: {error}");
            return Ok(Next::Bad(line, Fault::row(reason)));
        }
    };
    if let Some(name) = object.keys().find(|name| !names.contains(name)) {
        return Ok(Next::Bad(line, Fault::at(name, "there is no such column")));
    }
    record.clear();
    for name in names {
        record.push_field(
            &object
                .get(name)
                .map_or(String::new(), |raw| plain_text(raw)),
        );
    }
    Ok(Next::Row(line))
}

/// Returns a string's text, nothing for null, and the digits or letters of all else.
fn plain_text(raw: &RawValue) -> String {
    match raw.get() {
        "null" => String::new(),
        text if text.starts_with('"') => serde_json::from_str(text).unwrap_or_default(),
        text => text.to_owned(),
    }
}

fn parquet(path: &Path) -> Result<(Vec<String>, Rows)> {
    let file = File::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let failed = |error: String| format_error(path, 0, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| failed(error.to_string()))?;
    let names = builder.schema().fields().iter();
    let names = names.map(|field| field.name().clone()).collect();
    let batches = builder.build().map_err(|error| failed(error.to_string()))?;
    let rows = Rows::Parquet {
        batches,
        fields: Vec::new(),
        next: 0,
        row: 0,
    };
    Ok((names, rows))
}

/// Casts a batch's columns to text: an integer, a decimal or a date keeps its digits.
fn texts(
    batch: RecordBatch,
) -> std::result::Result<Vec<Box<dyn Array>>, datafusion::arrow::error::ArrowError> {
    let texts = batch.columns().iter();
    texts
        .map(|column| {
            let text = cast(column, &DataType::Utf8)?;
            Ok(Box::new(text.as_string::<i32>().clone()) as Box<dyn Array>)
        })
        .collect()
}

fn format_error(path: &Path, line: u64, reason: String) -> Error {
    Error::Format {
        path: path.to_owned(),
        line,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stores.csv");
        std::fs::write(&path, text).unwrap();
        let mut reader = Reader::open(&path, Format::Csv { gzip: false }, &[]).unwrap();
        let (mut record, mut lines) = (StringRecord::new(), Vec::new());
        loop {
            match reader.next(&mut record).unwrap() {
                Next::Row(line) | Next::Bad(line, _) => lines.push(line),
                Next::End => return lines,
            }
        }
    }

    #[test]
    fn a_row_stands_where_it_begins() {
        assert_eq!(lines("id,name\n1,a\n2,b\n3,c"), [2, 3, 4]);
        assert_eq!(lines("id,name\n1,\"a\nb\nc\"\n2,b\n"), [2, 5]);
    }

    #[test]
    fn line_ends_of_two_bytes_and_empty_lines_count_right() {
        assert_eq!(lines("id,name\r\n1,a\r\n2,b\r\n"), [2, 3]);
        assert_eq!(lines("id,name\r\n1,\"a\r\nb\"\r\n2,b\r\n"), [2, 4]);
        assert_eq!(lines("id,name\n1,a\n\n\n2,b\n"), [2, 5]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stores.csv");
        std::fs::write(&path, "\u{feff}id,name\n").unwrap();
        let reader = Reader::open(&path, Format::Csv { gzip: false }, &[]).unwrap();
        assert_eq!(reader.names(), ["id", "name"]);
    }

    #[test]
    fn json_keeps_a_numbers_digits() {
        let raw: Box<RawValue> = serde_json::from_str("1.10").unwrap();
        assert_eq!(plain_text(&raw), "1.10");
        let raw: Box<RawValue> = serde_json::from_str("\"a\\u0062\"").unwrap();
        assert_eq!(plain_text(&raw), "ab");
    }
}
