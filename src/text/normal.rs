//! The normalized name of a product: what is left to compare once spelling,
//! sizes and the order of words no longer count.

use std::collections::BTreeSet;

use super::{
    fold::{folded, is_of_word},
    units::Units,
};

/// Returns a name in lower case, without accents and sizes, all but letters
/// and digits one blank, words sorted and each once. Of a name that is nothing but a
/// size, nothing is left.
pub(crate) fn normalized_name(name: &str, units: &Units) -> String {
    let folded = folded(name);
    let without_sizes = without_sizes(&folded, units);
    let words: BTreeSet<&str> = without_sizes
        .split(|c: char| !is_of_word(c))
        .filter(|word| !word.is_empty())
        .collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// Returns the text with every size in it one blank.
fn without_sizes(text: &str, units: &Units) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut end = 0;
    for (size, _) in units.sizes(text) {
        kept.push_str(&text[end..size.start]);
        kept.push(' ');
        end = size.end;
    }
    kept.push_str(&text[end..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(name: &str) -> String {
        normalized_name(name, Units::usual())
    }

    #[test]
    fn words_are_folded_sorted_and_unique() {
        assert_eq!(
            normalized("Češ. kob. Poličan/Paprika SK2"),
            "ces kob paprika polican sk2"
        );
        assert_eq!(normalized("Milk, MILK & milk"), "milk");
        assert_eq!(normalized("Straße ﬁn"), "fin straße");
        assert_eq!(normalized("ガム שָׁלוֹם"), "שלום ガム");
        assert_eq!(normalized("Йогурт ЗЛАТИЙ 200г"), "200г златий йогурт");
        assert_eq!(normalized("ข้าว-ขาว"), "ขาว ข้าว");
    }

    #[test]
    fn sizes_are_left_out() {
        for name in [
            "Čaj 1,5l",
            "čaj 0.20 KG",
            "6 x 330 ml čaj",
            "Čaj 330ml x6",
            "Čaj 3E-02 L",
            "Čaj 2e3 ml",
            "čaj 10/1 kom 20 g",
            "čaj ca. 200-400g",
            "čaj ½ l",
        ] {
            assert_eq!(normalized(name), "caj", "{name}");
        }
    }

    #[test]
    fn a_number_without_a_unit_stays() {
        assert_eq!(normalized("Vitamin B12 1000 lit"), "1000 b12 lit vitamin");
        assert_eq!(normalized("7up 0,5l"), "7up");
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let once = normalized("KAKAO NESQUIK PLUS 800g NESTLÉ");
        assert_eq!(normalized(&once), once);
    }
}
