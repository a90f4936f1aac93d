//! A file's rows as text fields, whatever its format. An empty field is null.
//!
//! A number keeps its digits as they are in the file: nothing passes through a
//! double. One row is held at a time (in Parquet, one batch).

mod csv;
mod json_lines;
mod parquet;

use std::{
    fmt,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use ::csv::StringRecord;
use flate2::read::MultiGzDecoder;

use self::{csv::CsvRows, json_lines::JsonLines, parquet::ParquetRows};
use super::{Error, Result, bad::Fault};

/// A format by the end of a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) enum Format {
    Csv { gzip: bool },
    JsonLines { gzip: bool },
    Parquet,
}

impl Format {
    /// Returns the format for what follows the first point of a file's name, in any case.
    pub(in crate::load) fn of(extension: &str) -> Option<Format> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Format::Csv { gzip: false },
            "csv.gz" | "tsv.gz" => Format::Csv { gzip: true },
            "jsonl" | "ndjson" => Format::JsonLines { gzip: false },
            "jsonl.gz" | "ndjson.gz" => Format::JsonLines { gzip: true },
            "parquet" => Format::Parquet,
            _ => return None,
        })
    }
}

/// Reads a file's rows.
pub(in crate::load) struct Reader {
    path: PathBuf,
    names: Vec<String>,
    rows: Rows,
}

enum Rows {
    Csv(CsvRows),
    JsonLines(JsonLines),
    Parquet(ParquetRows),
}

/// Why a file cannot be read on.
struct Stop {
    line: u64,
    reason: String,
}

impl Stop {
    fn at(line: u64, reason: impl fmt::Display) -> Stop {
        let reason = reason.to_string();
        Stop { line, reason }
    }

    fn of(self, path: &Path) -> Error {
        Error::Format {
            path: path.to_owned(),
            line: self.line,
            reason: self.reason,
        }
    }
}

/// What a read came to.
pub(in crate::load) enum Next {
    /// The record holds a row that begins on this line.
    Row(u64),
    /// The row that begins on this line cannot be read; the next ones can.
    Bad(u64, Fault),
    /// The file has no more rows.
    End,
}

impl Reader {
    /// Opens a file and reads its columns' names. JSON Lines have those of `known`.
    pub(in crate::load) fn open(path: &Path, format: Format, known: &[&str]) -> Result<Reader> {
        let file = File::open(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let stop = |stop: Stop| stop.of(path);
        let (names, rows) = match format {
            Format::Csv { gzip } => {
                let (names, rows) = CsvRows::open(plain(file, gzip)).map_err(stop)?;
                (names, Rows::Csv(rows))
            }
            Format::JsonLines { gzip } => {
                let names: Vec<_> = known.iter().map(|&name| name.to_owned()).collect();
                let rows = JsonLines::new(plain(file, gzip), &names);
                (names, Rows::JsonLines(rows))
            }
            Format::Parquet => {
                let (names, rows) = ParquetRows::open(file).map_err(stop)?;
                (names, Rows::Parquet(rows))
            }
        };
        Ok(Reader {
            path: path.to_owned(),
            names,
            rows,
        })
    }

    /// Returns the columns' names, as they are in the file; after [`Reader::rename`], as
    /// the table spells them.
    pub(in crate::load) fn names(&self) -> &[String] {
        &self.names
    }

    /// Spells names as `known` does where they differ only in case.
    pub(in crate::load) fn rename(&mut self, known: &[&str]) {
        for name in &mut self.names {
            if known.contains(&name.as_str()) {
                continue;
            }
            let same = |known: &&&str| known.eq_ignore_ascii_case(name);
            if let Some(known) = known.iter().find(same) {
                *name = (*known).to_owned();
            }
        }
    }

    /// Returns the file.
    pub(in crate::load) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what looks like a mistake in the rows read so far, each with its line.
    pub(in crate::load) fn doubts(&self) -> Vec<(u64, String)> {
        match &self.rows {
            Rows::Csv(rows) => rows.doubts(),
            Rows::JsonLines(_) | Rows::Parquet(_) => Vec::new(),
        }
    }

    /// Reads the next row into `record`.
    pub(in crate::load) fn next(&mut self, record: &mut StringRecord) -> Result<Next> {
        let read = match &mut self.rows {
            Rows::Csv(rows) => rows.next(record),
            Rows::JsonLines(rows) => rows.next(record),
            Rows::Parquet(rows) => rows.next(record),
        };
        read.map_err(|stop| stop.of(&self.path))
    }
}

/// Returns a file's bytes, decompressed.
fn plain(file: File, gzip: bool) -> Box<dyn Read + Send> {
    let file = BufReader::with_capacity(1 << 16, file);
    match gzip {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    }
}
