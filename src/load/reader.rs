//! A file's rows as text fields, whatever its format. An empty field is no value.
//!
//! A number stays the digits that stand in the file: nothing passes through a
//! double. One row is held at a time (in Parquet, one batch).

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use csv::StringRecord;
use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray},
        compute::cast,
        datatypes::DataType,
        record_batch::RecordBatch,
    },
    parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use flate2::read::MultiGzDecoder;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
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
        fields: Vec<StringArray>,
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
                    let text = field.is_valid(*next).then(|| field.value(*next));
                    record.push_field(text.unwrap_or_default());
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
    let mut json = serde_json::Deserializer::from_str(text.trim());
    let fields = Fields(names).deserialize(&mut json);
    let fields = match fields.and_then(|fields| json.end().map(|()| fields)) {
        Ok(Ok(fields)) => fields,
        Ok(Err(name)) => return Ok(Next::Bad(line, Fault::at(&name, "there is no such column"))),
        Err(error) => {
            let reason = format!("is not a JSON object: {error}");
            return Ok(Next::Bad(line, Fault::row(reason)));
        }
    };
    record.clear();
    for raw in fields {
        match raw {
            Some(raw) => record.push_field(&plain_text(raw)),
            None => record.push_field(""),
        }
    }
    Ok(Next::Row(line))
}

/// Reads an object's values, one for each of these names; of a name that comes twice
/// the last. `Err` is a name that is none of them.
struct Fields<'n>(&'n [String]);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = std::result::Result<Vec<Option<&'de RawValue>>, String>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = std::result::Result<Vec<Option<&'de RawValue>>, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        let mut unknown = None;
        while let Some(name) = object.next_key::<Name<'de>>()? {
            let value = object.next_value::<&RawValue>()?;
            match self.0.iter().position(|known| *known == name.0) {
                Some(place) => values[place] = Some(value),
                None => unknown = unknown.or(Some(name.0.into_owned())),
            }
        }
        Ok(match unknown {
            None => Ok(values),
            Some(name) => Err(name),
        })
    }
}

/// A name, borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns a string's text, nothing for null, and the digits or letters of all else.
fn plain_text(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    if text == "null" {
        return "".into();
    }
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match quoted {
        None => text.into(),
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(_) => serde_json::from_str::<String>(text)
            .unwrap_or_default()
            .into(),
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
) -> std::result::Result<Vec<StringArray>, datafusion::arrow::error::ArrowError> {
    let texts = batch.columns().iter();
    texts
        .map(|column| {
            let text = cast(column, &DataType::Utf8)?;
            Ok(text.as_string::<i32>().clone())
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
