//! Lines and columns of the parser as bytes of the text.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Span;

/// Returns the byte of a line and a column, both from 1, columns in characters.
pub(crate) fn byte_at(text: &str, line: u64, column: u64) -> usize {
    let index = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut start = 0;
    for _ in 0..index(line) {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let rest = &text[start..];
    rest.char_indices()
        .nth(index(column))
        .map_or(text.len(), |(at, _)| start + at)
}

/// Returns the bytes of a parser's span.
pub(super) fn span_bytes(text: &str, span: Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_counts_characters_not_bytes() {
        let text = "é = 1\nčć x";
        assert_eq!(&text[byte_at(text, 2, 4)..], "x");
    }
}
