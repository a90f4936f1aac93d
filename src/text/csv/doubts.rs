//! Rows that can be read and are probably not what was meant: said, and taken as they are.

use super::quotes::Quotes;

/// Rows of one kind: how many, and where the first begins.
#[derive(Debug, Default)]
struct Rows {
    count: u64,
    first: u64,
}

/// What was seen in the rows of a text.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// A field of several lines, each of which could be a row.
    swallowed: Rows,
    /// A quote within a field that has none around it.
    literal: Rows,
}

impl Doubts {
    /// Looks at a row that has quotes.
    pub(super) fn look(
        &mut self,
        line: u64,
        row: &[u8],
        separator: u8,
        width: usize,
        quotes: &Quotes,
    ) {
        if quotes.fault.is_some() {
            return;
        }
        if quotes.has_literal {
            self.literal.add(line);
        }
        if could_be_rows(row, separator, width) {
            self.swallowed.add(line);
        }
    }

    /// Says each kind once, with its first line.
    pub(super) fn said(&self) -> Vec<(u64, String)> {
        let kinds = [
            (
                &self.swallowed,
                "a quoted field spans lines that could each be a row: is its quote closed?",
            ),
            (
                &self.literal,
                "a field without quotes around it has a quote within, taken as it is",
            ),
        ];
        let some = kinds.into_iter().filter(|(rows, _)| rows.count > 0);
        some.map(|(rows, what)| (rows.first, rows.said(what)))
            .collect()
    }
}

impl Rows {
    fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }

    fn said(&self, what: &str) -> String {
        match self.count {
            1 => what.to_owned(),
            count => format!("{what} ({count} such rows)"),
        }
    }
}

/// Whether a row has several lines, each with as many separators as the header.
fn could_be_rows(row: &[u8], separator: u8, width: usize) -> bool {
    let row = row.trim_ascii_end();
    let mut lines = row.split(|byte| *byte == b'\n').peekable();
    let is_one = lines.next().is_some() && lines.peek().is_none();
    if is_one || width < 2 {
        return false;
    }
    row.split(|byte| *byte == b'\n').all(|line| {
        let separators = line.iter().filter(|byte| **byte == separator);
        separators.count() + 1 == width
    })
}
