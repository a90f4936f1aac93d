//! Text in one case: names that are one when they differ only in case, and texts
//! without accents.

use icu_casemap::CaseMapper;
use icu_normalizer::{
    DecomposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed,
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
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(text)
        .to_lowercase()
        .chars()
        .filter(|c| !is_accent(*c))
        .collect()
}

/// Whether a character combines with the one before it, in whatever script: a mark
/// that stayed would tear its word in two.
fn is_accent(c: char) -> bool {
    CanonicalCombiningClassMapBorrowed::new().get_u8(c) != 0
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
    fn other_letters_stay_apart() {
        for (one, other) in [("ı", "i"), ("İ", "i"), ("é", "e"), ("a b", "ab")] {
            assert_ne!(fold_case(one), fold_case(other), "{one} {other}");
        }
    }
}
