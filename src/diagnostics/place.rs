//! Where something is: bytes of a file, with lines and columns for people.

use std::{ops::Range, path::PathBuf, sync::Arc};

use serde::{Serialize, Serializer};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the project's folder.
    pub file: PathBuf,
    /// The file's whole text.
    pub text: Arc<str>,
    /// The bytes meant.
    pub span: Range<usize>,
}

/// A place with what to say of it.
///
/// It serialises as `file` (with `/`), `line` and `column`, `end_line` and `end_column`,
/// `start_byte` and `end_byte`, and `label`. Lines and columns count from 1, columns in
/// characters; bytes count from 0; the end is the first that is not meant any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The place.
    pub place: Place,
    /// What is written beside the caret; may be empty.
    pub label: String,
}

impl Annotation {
    /// Returns the place with its label.
    pub fn new(place: Place, label: impl Into<String>) -> Annotation {
        let label = label.into();
        Annotation { place, label }
    }
}

impl Place {
    /// Returns the line and the column of the place's start, both from 1, columns
    /// in characters.
    pub fn line_column(&self) -> (usize, usize) {
        self.line_column_at(self.shown_span().start)
    }

    /// Returns the line and the column of the place's end, counted likewise.
    pub fn end_line_column(&self) -> (usize, usize) {
        self.line_column_at(self.shown_span().end)
    }

    fn line_column_at(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// Returns the span within the text, on the bounds of characters.
    pub(super) fn shown_span(&self) -> Range<usize> {
        let floor = |at: usize| {
            let at = at.min(self.text.len());
            (0..=at)
                .rev()
                .find(|at| self.text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let start = floor(self.span.start);
        start..floor(self.span.end).max(start)
    }
}

/// The fields of an annotation at rest.
#[derive(Serialize)]
struct Fields<'a> {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start_byte: usize,
    end_byte: usize,
    label: &'a str,
}

impl Serialize for Annotation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (line, column) = self.place.line_column();
        let (end_line, end_column) = self.place.end_line_column();
        let span = self.place.shown_span();
        let fields = Fields {
            file: self.place.file.to_string_lossy().replace('\\', "/"),
            line,
            column,
            end_line,
            end_column,
            start_byte: span.start,
            end_byte: span.end,
            label: &self.label,
        };
        fields.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: Range<usize>) -> Place {
        Place {
            file: "a.sql".into(),
            text: text.into(),
            span,
        }
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let place = place("é = 1\nčć x", 12..13);
        assert_eq!(&place.text[place.span.clone()], "x");
        assert_eq!(place.line_column(), (2, 4));
        assert_eq!(place.end_line_column(), (2, 5));
    }

    #[test]
    fn a_span_beyond_the_text_or_within_a_character_is_no_panic() {
        assert_eq!(place("ab", 9..12).line_column(), (1, 3));
        assert_eq!(place("é", 1..2).line_column(), (1, 1));
        let (start, end) = (5, 2);
        assert_eq!(place("abcdef", start..end).end_line_column(), (1, 6));
    }
}
