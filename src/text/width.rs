//! How wide a text is on a terminal, and the text cut to a width.
//!
//! In go texts, out come columns of the terminal: two for a wide letter (CJK, most
//! emoji), none for a mark that is put on another. Nothing here knows a table.

use std::borrow::Cow;

use icu_properties::{
    CodePointMapData,
    props::{EastAsianWidth, GeneralCategory},
};

/// What stands for the rest of a text.
pub(crate) const MORE: char = '…';

/// Returns the columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.chars().map(of).sum(),
    }
}

fn of(letter: char) -> usize {
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    if matches!(
        category,
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark | GeneralCategory::Format
    ) {
        return 0;
    }
    match CodePointMapData::<EastAsianWidth>::new().get(letter) {
        EastAsianWidth::Wide | EastAsianWidth::Fullwidth => 2,
        _ => 1,
    }
}

/// Returns a text in one line of at most `most` columns, with `…` for what is left out.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && width(text) <= most {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut room) = (String::new(), most.saturating_sub(1));
    for letter in line.chars() {
        let needed = of(letter);
        if needed > room {
            break;
        }
        room -= needed;
        shown.push(letter);
    }
    shown.truncate(shown.trim_end().len());
    shown.push(MORE);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_columns_and_marks_none() {
        assert_eq!(width("milk"), 4);
        assert_eq!(width("mlijeko š"), 9);
        assert_eq!(width("s\u{30c}"), 1);
        assert_eq!(width("牛乳"), 4);
        assert_eq!(width("🥛"), 2);
    }

    #[test]
    fn a_text_is_cut_to_a_width_and_to_one_line() {
        assert_eq!(cut("milk", 4), "milk");
        assert_eq!(cut("whole milk", 8), "whole m…");
        assert_eq!(cut("whole milk", 7), "whole…");
        assert_eq!(cut("牛乳牛乳", 4), "牛…");
        assert_eq!(cut("a\nb", 9), "a…");
        assert_eq!(width(&cut("whole milk", 1)), 1);
    }
}
