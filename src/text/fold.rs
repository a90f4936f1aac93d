//! Text in one case: names that are one when they differ only in case, and texts
//! without accents.

use icu_casemap::CaseMapper;
use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::{CanonicalCombiningClassMapBorrowed, CanonicalCompositionBorrowed},
};

/// Returns a name as it is compared: trimmed and case-folded, as Unicode defines it
/// (`Weiß` is `WEISS`, `ı` is not `i`).
pub(crate) fn fold_case(name: &str) -> String {
    let name = name.trim();
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => CaseMapper::new().fold_string(name).into_owned(),
    }
}

/// Returns a text in lower case, without accents.
///
/// An accent is a mark that readers of its script can do without: those of Latin and
/// Greek letters, the points of Hebrew and Arabic, a stress on a Cyrillic vowel. A mark
/// that makes a letter of its own stays: `й` is no `и`, `が` is no `か`.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut kept = String::with_capacity(text.len());
    let mut letter = ' ';
    for c in decomposed.to_lowercase().chars() {
        if !is_mark(c) {
            letter = c;
            kept.push(c);
        } else if belongs_to(letter, c) {
            kept.push(c);
        }
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&kept);
    composed.into_owned()
}

/// Returns whether a character is part of a word: a letter, a digit, or a mark on one.
pub(crate) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// Returns whether a character combines with the one before it, in whatever script.
pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && CanonicalCombiningClassMapBorrowed::new().get_u8(c) != 0
}

/// Returns whether a letter is another without the mark, to those who read it.
fn belongs_to(letter: char, mark: char) -> bool {
    match letter {
        // Cyrillic: what is in an alphabet is one character. `ё` is written `е` as well,
        // `ѐ` and `ѝ` are stressed vowels.
        '\u{400}'..='\u{52f}' => {
            let one = CanonicalCompositionBorrowed::new().compose(letter, mark);
            one.is_some_and(|one| !matches!(one, 'ё' | 'ѐ' | 'ѝ'))
        }
        // Arabic: a hamza, but where it is on an alef, which goes without it too.
        '\u{600}'..='\u{6ff}' => matches!(mark, '\u{653}'..='\u{655}') && letter != 'ا',
        // Symbols and what follows Latin and Greek.
        '\u{1d00}'..='\u{2fff}' => false,
        // Indic scripts, Thai, kana and others: a mark changes the word.
        _ => letter >= '\u{900}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_are_one() {
        for (one, other) in [
            (" Dukat ", "DUKAT"),
            ("Weiß", "WEISS"),
            ("Straße", "STRAẞE"),
            ("ΟΔΟΣ", "οδος"),
            ("οδος", "οδοσ"),
            ("ÉCLAIR\u{a0}", "éclair"),
            ("ﬁn", "FIN"),
            ("Å", "å"), // the sign of the unit Ångström
        ] {
            assert_eq!(fold_case(one), fold_case(other), "{one} {other}");
        }
    }

    /// By way of upper case, as names were folded in earlier versions.
    fn by_way_of_upper_case(c: char) -> String {
        match c {
            'ı' => c.to_string(),
            _ => {
                let upper = c.to_lowercase().flat_map(char::to_uppercase);
                upper.flat_map(char::to_lowercase).collect()
            }
        }
    }

    #[test]
    fn names_fold_as_they_did_in_earlier_versions() {
        let folds = |c: char| CaseMapper::new().fold_string(&c.to_string()).into_owned();
        // Latin, Greek, Cyrillic, Armenian, letters as symbols, ligatures, full width. Of
        // the others only Cherokee differs, and letters younger than the standard library.
        let scripts = [
            '\0'..='\u{58f}',
            '\u{1e00}'..='\u{24ff}',
            '\u{fb00}'..='\u{fb1f}',
            '\u{ff00}'..='\u{ffef}',
        ];
        let differ = |c: &char| folds(*c) != by_way_of_upper_case(*c);
        assert_eq!(
            scripts
                .into_iter()
                .flatten()
                .filter(differ)
                .collect::<String>(),
            ""
        );
    }

    #[test]
    fn accents_go_and_letters_of_their_own_stay() {
        for (text, expected) in [
            ("Češ ŽIVOTÉ Ångström ñ ǆ", "ces zivote angstrom n dz"),
            ("Άλφα Ϊ", "αλφα ι"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد أإآ", "محمد ااا"),
            ("رئيس مؤمن", "رئيس مؤمن"),
            ("Йогурт ЇЖА Ўзор Ѓ Ќ объём", "йогурт їжа ўзор ѓ ќ объем"),
            ("за\u{301}мок и\u{306}\u{301} ѝ", "замок й и"),
            ("ﾊﾞﾀｰ ガム ぱん", "バター ガム ぱん"),
            ("ข้าว ขาว", "ข้าว ขาว"),
            ("दूध क्रीम", "दूध क्रीम"),
            ("김치", "김치"),
        ] {
            assert_eq!(folded(text), expected);
            assert_eq!(folded(expected), expected, "a second time");
        }
        assert_ne!(folded("мой"), folded("мои"));
    }

    #[test]
    fn other_letters_stay_apart() {
        for (one, other) in [("ı", "i"), ("İ", "i"), ("é", "e"), ("a b", "ab")] {
            assert_ne!(fold_case(one), fold_case(other), "{one} {other}");
        }
    }
}
