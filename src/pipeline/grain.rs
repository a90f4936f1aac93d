//! The grain of a model: what its first line says that one row is.
//!
//! The line is `-- <model>: one row` or `-- <model>: one row per a, b`. It ends there, or
//! goes on after `:` or `.` with free text, which further comment lines may continue.
//! Nothing here knows which columns the model makes.

use std::ops::Range;

/// What a model's first line states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grain {
    /// The model that the line names.
    pub model: Word,
    /// The columns that no two rows share; none where there is one row in all.
    pub columns: Vec<Word>,
}

/// A word of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

impl Grain {
    /// Reads a file's first line; nothing where it states no grain.
    pub(super) fn parse(text: &str) -> Option<Grain> {
        let line = text.lines().next()?;
        let (name, stated) = line.strip_prefix("--")?.split_once(':')?;
        let listed = stated.trim_start().strip_prefix("one row")?;
        let end = listed.find([':', '.']).unwrap_or(listed.len());
        let start = line.len() - listed.len();
        Some(Grain {
            model: word(name, 2)?,
            columns: columns(&listed[..end], start)?,
        })
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> Vec<&str> {
        let columns = self.columns.iter();
        columns.map(|column| column.text.as_str()).collect()
    }
}

/// Reads ` per a, b`, or nothing at all.
fn columns(listed: &str, start: usize) -> Option<Vec<Word>> {
    if listed.trim().is_empty() {
        return Some(Vec::new());
    }
    let names = listed.strip_prefix(" per ")?;
    let mut at = start + listed.len() - names.len();
    let mut columns = Vec::new();
    for name in names.split(',') {
        columns.push(word(name, at)?);
        at += name.len() + 1;
    }
    Some(columns)
}

/// Returns a text without the blanks around it.
fn word(text: &str, start: usize) -> Option<Word> {
    let start = start + text.len() - text.trim_start().len();
    let text = text.trim();
    (!text.is_empty()).then(|| Word {
        text: text.to_owned(),
        span: start..start + text.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, Vec<String>)> {
        let grain = Grain::parse(&format!("{line}\nselect 1 as a"))?;
        for word in grain.columns.iter().chain([&grain.model]) {
            assert_eq!(&line[word.span.clone()], word.text);
        }
        let names = grain.names().into_iter().map(str::to_owned).collect();
        Some((grain.model.text, names))
    }

    fn of(model: &str, columns: &[&str]) -> Option<(String, Vec<String>)> {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Some((model.to_owned(), columns))
    }

    #[test]
    fn the_columns_end_at_a_colon_a_full_stop_or_the_line() {
        for line in [
            "-- pairs: one row per a, b",
            "-- pairs: one row per a, b.",
            "-- pairs: one row per a, b: those alike, and their score.",
            "--pairs:  one row per  a ,b. That is all: no more.",
        ] {
            assert_eq!(read(line), of("pairs", &["a", "b"]), "{line}");
        }
        assert_eq!(read("-- frame: one row"), of("frame", &[]));
        assert_eq!(
            read("-- frame: one row: the part of the world."),
            of("frame", &[])
        );
    }

    #[test]
    fn words_that_are_no_column_are_taken_as_one() {
        let line = "-- lows: one row per product and store.";
        assert_eq!(read(line), of("lows", &["product and store"]));
    }

    #[test]
    fn another_line_states_no_grain() {
        for line in [
            "select 1",
            "-- lows",
            "-- lows: the lowest prices",
            "-- lows: one row, the lowest price",
            "-- lows: one row per",
            "-- lows: one row per a,, b",
            "-- : one row",
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
