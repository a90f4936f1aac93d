//! The rows that could not be loaded, all counted and the first ones kept.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How many bad rows are shown.
const SHOWN: usize = 20;

/// A row that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The file's path, as it was named.
    pub file: PathBuf,
    /// The line it begins on, the header being line 1; in Parquet the row, from 1.
    pub line: u64,
    /// The column, where one is at fault.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// What is wrong with a row, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

impl Fault {
    /// A value is at fault.
    pub(super) fn at(column: &str, reason: impl Into<String>) -> Fault {
        Fault {
            column: Some(column.to_owned()),
            reason: reason.into(),
        }
    }

    /// The row as a whole is at fault.
    pub(super) fn row(reason: impl Into<String>) -> Fault {
        Fault {
            column: None,
            reason: reason.into(),
        }
    }
}

/// The bad rows of one load.
#[derive(Debug, Default)]
pub(super) struct BadRows {
    pub(super) count: u64,
    pub(super) shown: Vec<BadRow>,
}

impl BadRows {
    pub(super) fn add(&mut self, file: &Path, line: u64, fault: Fault) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(BadRow {
                file: file.to_owned(),
                line,
                column: fault.column,
                reason: fault.reason,
            });
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(&self.file, self.line))?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Returns where something is in a file: at a line, or at a row of Parquet. None is 0.
pub(super) fn place(file: &Path, line: u64) -> String {
    let is_parquet = file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
    let file = file.display();
    match (line, is_parquet) {
        (0, _) => file.to_string(),
        (row, true) => format!("{file}, row {row}"),
        (line, false) => format!("{file}, line {line}"),
    }
}

/// Says how many rows are bad, and lists those that are shown.
pub(super) fn listed(shown: &[BadRow], count: u64) -> String {
    let mut listed = match count {
        1 => "1 row cannot be loaded".to_owned(),
        count => format!("{count} rows cannot be loaded"),
    };
    for row in shown {
        listed.push_str(&format!("\n  {row}"));
    }
    if count > shown.len() as u64 {
        listed.push_str(&format!("\n  … and {} more", count - shown.len() as u64));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_a_row_of_parquet_or_the_file() {
        let place = |file: &str, line| place(Path::new(file), line);
        assert_eq!(place("a.csv", 2), "a.csv, line 2");
        assert_eq!(place("A.PARQUET", 2), "A.PARQUET, row 2");
        assert_eq!(place("a.parquet", 0), "a.parquet");
    }
}
