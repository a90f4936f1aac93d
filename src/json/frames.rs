//! Rows of a file of any size: finds where each ends, and holds no more than one
//! row and one batch.

use std::{io, ops::Range};

use datafusion::arrow::record_batch::RecordBatch;

use super::{Decoder, Error, Layout, Result};
use crate::dataset::Contract;

/// The reason given where the text ends too early.
pub(super) const CUT_SHORT: &str = "it ends unexpectedly";

const READ_BYTES: usize = 256 << 10;
/// The longest row: a super-category lists its bargains in one.
const MAX_ROW_BYTES: usize = 256 << 20;

/// Decodes a reader's rows into batches of at most `batch_rows`, holding one
/// batch at a time, and hands each to `each`.
///
/// No rows make no batch. Rows number through the whole file.
///
/// # Errors
/// The first row that breaks the contract, text that is not JSON or ends too early,
/// anything but blanks after the array, and whatever `each` returns.
pub fn decode(
    reader: impl io::Read,
    layout: Layout,
    contract: &Contract,
    batch_rows: usize,
    mut each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let mut decoder = Decoder::new(contract);
    let mut frames = Frames::new(reader, layout);
    while let Some(frame) = frames.next()? {
        let text = frames.text(frame.clone())?;
        decoder
            .row(text)
            .map_err(|error| frames.place(error, frame.start))?;
        if decoder.is_full(batch_rows) {
            each(decoder.take()?)?;
        }
    }
    if decoder.rows() > 0 {
        each(decoder.take()?)?;
    }
    Ok(())
}

/// How far an array has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    FirstRow,
    AfterRow,
}

struct Frames<R> {
    reader: R,
    layout: Layout,
    at: At,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and are not yet handed out.
    start: usize,
    end: usize,
    /// Newlines in what has left the buffer, and bytes since the last of them.
    lines_gone: usize,
    columns_gone: usize,
}

impl<R: io::Read> Frames<R> {
    fn new(reader: R, layout: Layout) -> Frames<R> {
        Frames {
            reader,
            layout,
            at: At::Start,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            lines_gone: 0,
            columns_gone: 0,
        }
    }

    /// Returns where the next row lies in the buffer.
    fn next(&mut self) -> Result<Option<Range<usize>>> {
        match self.layout {
            Layout::Array => self.next_element(),
            Layout::Lines => self.next_line(),
        }
    }

    fn next_line(&mut self) -> Result<Option<Range<usize>>> {
        if self.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let mut length = 0;
        loop {
            let unseen = &self.buffer[self.start + length..self.end];
            if let Some(newline) = unseen.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.hand_out(length + newline)));
            }
            length = self.end - self.start;
            if !self.fill()? {
                return Ok(Some(self.hand_out(length)));
            }
        }
    }

    fn next_element(&mut self) -> Result<Option<Range<usize>>> {
        if self.at == At::Start {
            self.expect(b'[', "expected a list of objects")?;
            self.at = At::FirstRow;
        }
        match (self.at, self.skip_blanks()?) {
            (_, Some(b']')) => {
                self.start += 1;
                return self.nothing_more();
            }
            (At::AfterRow, Some(b',')) => {
                self.start += 1;
                self.skip_blanks()?;
            }
            (At::AfterRow, Some(_)) => return Err(self.layout("expected a comma or `]`")),
            (_, None) => return Err(self.layout(CUT_SHORT)),
            _ => {}
        }
        self.at = At::AfterRow;
        let length = self.element_length()?;
        Ok(Some(self.hand_out(length)))
    }

    fn expect(&mut self, wanted: u8, reason: &'static str) -> Result<()> {
        match self.skip_blanks()? {
            Some(byte) if byte == wanted => {
                self.start += 1;
                Ok(())
            }
            Some(_) => Err(self.layout(reason)),
            None => Err(self.layout(CUT_SHORT)),
        }
    }

    fn nothing_more(&mut self) -> Result<Option<Range<usize>>> {
        match self.skip_blanks()? {
            Some(_) => Err(self.layout("unexpected text after the list")),
            None => Ok(None),
        }
    }

    /// Returns the length of the value that begins here: to its last bracket, or,
    /// where it has none, to what ends it.
    fn element_length(&mut self) -> Result<usize> {
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            let unseen = &self.buffer[self.start + length..self.end];
            if let Some(ends) = scan.end_in(unseen) {
                return Ok(length + ends);
            }
            length = self.end - self.start;
            if !self.fill()? {
                return Err(self.layout(CUT_SHORT));
            }
        }
    }

    /// Returns the first byte that is not blank, or `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>> {
        loop {
            let unseen = &self.buffer[self.start..self.end];
            let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            if let Some(at) = unseen.iter().position(|byte| !blank(byte)) {
                self.start += at;
                return Ok(Some(self.buffer[self.start]));
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn hand_out(&mut self, length: usize) -> Range<usize> {
        let frame = self.start..self.start + length;
        self.start = frame.end;
        frame
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.end - self.start > MAX_ROW_BYTES {
            return Err(self.layout("a row is longer than 256 MiB"));
        }
        self.let_go();
        if self.buffer.len() < self.end + READ_BYTES {
            let length = (2 * self.end).max(READ_BYTES) + READ_BYTES;
            self.buffer.resize(length, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets what was handed out.
    fn let_go(&mut self) {
        (self.lines_gone, self.columns_gone) = self.count(self.start);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    /// Returns the newlines before `at`, and the bytes since the last of them.
    fn count(&self, at: usize) -> (usize, usize) {
        let gone = &self.buffer[..at];
        let lines = gone.iter().filter(|byte| **byte == b'\n').count();
        match gone.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => (self.lines_gone + lines, at - last - 1),
            None => (self.lines_gone, self.columns_gone + at),
        }
    }

    fn text(&self, frame: Range<usize>) -> Result<&str> {
        let start = frame.start;
        std::str::from_utf8(&self.buffer[frame]).map_err(|_| Error::Layout {
            line: self.count(start).0 + 1,
            reason: "it is not valid UTF-8",
        })
    }

    fn layout(&self, reason: &'static str) -> Error {
        let line = self.count(self.start).0 + 1;
        Error::Layout { line, reason }
    }

    /// Moves the place of a syntax error from the row to the file.
    fn place(&self, error: Error, start: usize) -> Error {
        let Error::Syntax {
            line,
            column,
            source,
        } = error
        else {
            return error;
        };
        let (lines, columns) = self.count(start);
        Error::Syntax {
            line: lines + line,
            column: if line == 1 { columns + column } else { column },
            source,
        }
    }
}

/// Looks for the end of one value, chunk by chunk.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn end_in(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, byte) in chunk.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' | b'}' if self.depth == 0 => return Some(at),
                b'}' | b']' if self.depth == 1 => return Some(at + 1),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        None
    }
}
