//! CSV, row by row: the one reader of files that are loaded, of seeds and of artifacts.
//!
//! In go bytes in UTF-8, with or without a byte-order mark, whose first line names the
//! columns and shows what separates fields: a comma, else a tab, else a semicolon. Out
//! come rows, each with the line on which it begins; a row may span lines. Line ends of
//! any kind end a row; within quotes they are kept as they are.
//!
//! A row that cannot be read for certain is reported, never repaired.

mod doubts;
mod quotes;

use std::io::{self, BufRead};

use csv::StringRecord;

use self::{doubts::Doubts, quotes::Quotes};

/// The most bytes of a row: what is longer has lost a quote or is no CSV.
const MAX_ROW_BYTES: usize = 64 << 20;

/// The rows of a CSV text.
pub(crate) struct Csv<R> {
    input: R,
    separator: u8,
    /// The row as it is in the text.
    row: Vec<u8>,
    /// How many lines were read.
    line: u64,
    /// How many columns the header has.
    width: usize,
    doubts: Doubts,
}

/// What reading a row came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The record holds the row that begins on this line.
    Row(u64),
    /// The row that begins on this line cannot be read, for this reason; the next can.
    Bad(u64, String),
    /// There are no more rows.
    End,
}

/// Why a text cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

impl<R: BufRead> Csv<R> {
    /// Reads the header; returns the columns' names too, without the blanks around them.
    ///
    /// # Errors
    ///
    /// The text is empty, or its first row cannot be read.
    pub(crate) fn open(input: R) -> Result<(Vec<String>, Csv<R>), Stop> {
        let mut csv = Csv {
            input,
            separator: 0,
            row: Vec::new(),
            line: 0,
            width: 0,
            doubts: Doubts::default(),
        };
        let mut header = StringRecord::new();
        match csv.next(&mut header)? {
            Read::Row(_) => {}
            Read::Bad(line, reason) => return Err(Stop { line, reason }),
            Read::End => {
                let reason = "the file is empty: its first line must name the columns".to_owned();
                return Err(Stop { line: 1, reason });
            }
        }
        csv.width = header.len();
        csv.doubts = Doubts::default();
        let names = header.iter().map(|name| name.trim().to_owned());
        Ok((names.collect(), csv))
    }

    /// Reads the next row into `record`. Empty lines are no rows.
    ///
    /// # Errors
    ///
    /// The text cannot be read, or a quote that opens is never closed.
    pub(crate) fn next(&mut self, record: &mut StringRecord) -> Result<Read, Stop> {
        loop {
            self.row.clear();
            if !self.read_line()? {
                return Ok(Read::End);
            }
            if self.width == 0 {
                self.begin();
            }
            if !self.row.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                break;
            }
        }
        let first = self.line;
        let reason = match self.row.contains(&b'"') {
            false => plain(&self.row, self.separator, record).err(),
            true => self.quoted(first, record)?,
        };
        let (found, width) = (record.len(), self.width);
        Ok(match reason {
            Some(reason) => Read::Bad(first, reason),
            None if width > 0 && found != width => {
                Read::Bad(first, format!("has {found} fields, the header has {width}"))
            }
            None => Read::Row(first),
        })
    }

    /// Returns what looks like a mistake in the rows read so far, each with its first line.
    pub(crate) fn doubts(&self) -> Vec<(u64, String)> {
        self.doubts.said()
    }

    /// Takes the byte-order mark off the first line, and finds what separates its fields.
    fn begin(&mut self) {
        if self.line == 1 && self.row.starts_with(b"\xef\xbb\xbf") {
            self.row.drain(..3);
        }
        let separators = [b',', b'\t', b';'].into_iter();
        let mut present = separators.filter(|byte| self.row.contains(byte));
        self.separator = present.next().unwrap_or(b',');
    }

    /// Reads the rest of a row that has a quote; returns what is wrong with it.
    fn quoted(&mut self, first: u64, record: &mut StringRecord) -> Result<Option<String>, Stop> {
        let mut quotes = Quotes::new(self.separator);
        quotes.look(&self.row);
        while quotes.is_open() {
            let seen = self.row.len();
            let is_last = !self.read_line()?;
            if is_last || self.row.len() > MAX_ROW_BYTES {
                let before = &self.row[..quotes.opened];
                let line = first + count(before, b'\n').max(count(before, b'\r'));
                let reason = "a quote opens here and is never closed".to_owned();
                return Err(Stop { line, reason });
            }
            quotes.look(&self.row[seen..]);
        }
        self.doubts
            .look(first, &self.row, self.separator, self.width, &quotes);
        if quotes.fault.is_some() {
            return Ok(quotes.fault);
        }
        Ok(unquoted(&self.row, self.separator, record).err())
    }

    /// Adds the next line to the row, with its end; returns whether there was one.
    fn read_line(&mut self) -> Result<bool, Stop> {
        let before = self.row.len();
        let read = add_line(&mut self.input, &mut self.row);
        let stop = |reason: String| Stop {
            line: self.line + 1,
            reason,
        };
        read.map_err(|error| stop(error.to_string()))?;
        if self.row.len() - before > MAX_ROW_BYTES {
            let most = MAX_ROW_BYTES >> 20;
            return Err(stop(format!("a line is longer than {most} MB")));
        }
        let is_one = self.row.len() > before;
        self.line += u64::from(is_one);
        Ok(is_one)
    }
}

fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == wanted).count() as u64
}

/// Copies bytes up to the next line end and with it: LF, CR LF or CR.
fn add_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    let before = line.len();
    while line.len() - before <= MAX_ROW_BYTES {
        let read = input.fill_buf()?;
        if read.is_empty() {
            return Ok(());
        }
        let end = read.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let length = end.map_or(read.len(), |end| end + 1);
        line.extend_from_slice(&read[..length]);
        input.consume(length);
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') && input.fill_buf()?.first() == Some(&b'\n') {
        line.push(b'\n');
        input.consume(1);
    }
    Ok(())
}

/// Returns a row's text, or which field is not text.
fn text(row: &[u8], separator: u8) -> Result<&str, String> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    std::str::from_utf8(row).map_err(|error| {
        let field = count(&row[..error.valid_up_to()], separator) + 1;
        format!("field {field} is not UTF-8")
    })
}

/// Splits a row without quotes.
fn plain(row: &[u8], separator: u8, record: &mut StringRecord) -> Result<(), String> {
    record.clear();
    let text = text(row, separator)?;
    text.split(char::from(separator))
        .for_each(|field| record.push_field(field));
    Ok(())
}

/// Splits a row whose quotes are sound.
fn unquoted(row: &[u8], separator: u8, record: &mut StringRecord) -> Result<(), String> {
    record.clear();
    let mut rest = Some(text(row, separator)?);
    while let Some(text) = rest {
        let (field, after) = match text.strip_prefix('"') {
            None => split(text, separator),
            Some(inside) => {
                let end = closing(inside);
                let after = inside[end..].get(2..);
                (&inside[..end], after)
            }
        };
        match text.starts_with('"') && field.contains('"') {
            true => record.push_field(&field.replace("\"\"", "\"")),
            false => record.push_field(field),
        }
        rest = after;
    }
    Ok(())
}

fn split(text: &str, separator: u8) -> (&str, Option<&str>) {
    match text.split_once(char::from(separator)) {
        Some((field, rest)) => (field, Some(rest)),
        None => (text, None),
    }
}

/// Returns where the quote is that closes a field: the first that is not doubled.
fn closing(inside: &str) -> usize {
    let bytes = inside.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return at,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests;
