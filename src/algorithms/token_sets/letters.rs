//! What a word is made of: RapidFuzz's `utils.default_process`, letter by letter.
//!
//! A character of the general categories L and N stays, as the first character of
//! its lower case (`İ` is `i`); every other becomes a blank, marks too. The one
//! difference: RapidFuzz's table is of Unicode 13, so letters and digits that are
//! newer are blanks there and stay here.

use icu_properties::{CodePointMapData, props::GeneralCategory, props::GeneralCategoryGroup};

/// Returns a text's words: in lower case, everything else blanks.
pub(super) fn cleaned(text: &str, into: &mut String) {
    into.clear();
    into.extend(text.chars().map(letter));
}

/// Returns the character that stands for `c`; a blank unless it is a letter or digit.
fn letter(c: char) -> char {
    if c.is_ascii() {
        return match c.is_ascii_alphanumeric() {
            true => c.to_ascii_lowercase(),
            false => ' ',
        };
    }
    let kept = GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Number);
    match kept.contains(CodePointMapData::<GeneralCategory>::new().get(c)) {
        true => c.to_lowercase().next().unwrap_or(c),
        false => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What RapidFuzz 3.14 keeps, as first and last of each range.
    fn kept_by_rapidfuzz() -> impl Iterator<Item = char> {
        let ranges = include_str!("../../../tests/golden/letters.csv").lines();
        let bound = |hex: &str| u32::from_str_radix(hex, 16).unwrap();
        let range = move |line: &str| {
            let (first, last) = line.split_once(',').unwrap();
            bound(first)..=bound(last)
        };
        ranges.skip(1).flat_map(range).filter_map(char::from_u32)
    }

    #[test]
    fn all_that_rapidfuzz_keeps_is_kept_and_as_the_same_letter() {
        let (mut count, mut sum) = (0u64, 0u64);
        for c in kept_by_rapidfuzz() {
            let kept = letter(c);
            assert_ne!(kept, ' ', "{:x}", u32::from(c));
            count += 1;
            // What it is turned into, in the order of the letters.
            sum = sum.wrapping_mul(31).wrapping_add(u64::from(kept));
        }
        // The same of `chr(c)` under `utils.default_process`.
        assert_eq!((count, sum), (133_022, 12_733_202_717_854_723_628));
    }

    #[test]
    fn of_the_scripts_that_shops_here_write_nothing_else_is_kept() {
        let known: std::collections::BTreeSet<char> = kept_by_rapidfuzz().collect();
        // Latin, Greek, Cyrillic.
        for c in char::MIN..'\u{530}' {
            assert_eq!(letter(c) != ' ', known.contains(&c), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn marks_and_signs_are_blanks() {
        let mut text = String::new();
        cleaned("İSTANBUL Straße_ẞ e\u{301} Ⓐ Ⅻ ² ½ ΟΔΟΣ", &mut text);
        assert_eq!(text, "istanbul straße ß e    ⅻ ² ½ οδοσ");
    }
}
