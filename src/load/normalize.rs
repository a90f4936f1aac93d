//! The normalized name of a product: what is left to compare once spelling,
//! sizes and the order of words no longer count.

use std::{collections::BTreeSet, iter::Peekable, str::Chars};

use icu_normalizer::{
    DecomposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed,
};

/// Units that make a number a size.
const UNITS: [&str; 21] = [
    "kg", "g", "gr", "dag", "mg", "l", "lt", "ml", "cl", "dl", "pk", "pack", "kom", "komad", "kos",
    "pz", "ea", "kapsula", "rola", "rol", "tableta",
];

/// Returns a name in lower case, without accents (NFKD) and sizes, all but letters
/// and digits one blank, words sorted and each once. Of a name that is nothing but a
/// size, nothing is left.
pub fn normalized_name(name: &str) -> String {
    let folded = folded(name);
    let without_sizes = without_sizes(&folded);
    let words: BTreeSet<&str> = without_sizes
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(name)
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

/// Returns the text with every size in it one blank.
fn without_sizes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        if !in_word
            && first.is_ascii_digit()
            && let Some(length) = size(rest)
        {
            kept.push(' ');
            rest = &rest[length..];
            continue;
        }
        in_word = first.is_alphanumeric();
        kept.push(first);
        rest = &rest[first.len_utf8()..];
    }
    kept
}

/// Returns the length of the size that a text begins with: `0,5 l`, `6 x 330ml`,
/// `330ml x 6`, `3e-02 l`.
fn size(text: &str) -> Option<usize> {
    let mut scan = Scan(text.chars().peekable());
    let length = |scan: Scan<'_>| text.len() - scan.0.map(char::len_utf8).sum::<usize>();
    scan.number()?;
    let pack = scan.clone();
    if scan.times().is_some() && scan.number().is_some() && scan.unit().is_some() {
        return Some(length(scan));
    }
    let mut scan = pack;
    scan.unit()?;
    let single = scan.clone();
    let times = scan.times().is_some() && scan.number().is_some();
    Some(length(match times && scan.at_end_of_word() {
        true => scan,
        false => single,
    }))
}

#[derive(Clone)]
struct Scan<'a>(Peekable<Chars<'a>>);

impl Scan<'_> {
    fn digits(&mut self) -> Option<()> {
        self.0.next_if(char::is_ascii_digit)?;
        while self.0.next_if(char::is_ascii_digit).is_some() {}
        Some(())
    }

    /// Digits, a point or comma with more of them, an exponent.
    fn number(&mut self) -> Option<()> {
        self.digits()?;
        self.attempt(|scan| {
            scan.0.next_if(|c| matches!(c, '.' | ','))?;
            scan.digits()
        });
        self.attempt(|scan| {
            scan.0.next_if_eq(&'e')?;
            scan.0.next_if(|c| matches!(c, '-' | '+'));
            scan.digits()
        });
        Some(())
    }

    fn times(&mut self) -> Option<()> {
        self.attempt(|scan| {
            scan.blanks();
            scan.0.next_if(|c| matches!(c, 'x' | '×' | '*'))?;
            scan.blanks();
            Some(())
        })
    }

    fn unit(&mut self) -> Option<()> {
        self.attempt(|scan| {
            scan.blanks();
            let mut unit = String::new();
            while let Some(c) = scan.0.next_if(|c| c.is_alphabetic()) {
                unit.push(c);
            }
            (UNITS.contains(&unit.as_str()) && scan.at_end_of_word()).then_some(())
        })
    }

    fn at_end_of_word(&mut self) -> bool {
        self.0.peek().is_none_or(|c| !c.is_alphanumeric())
    }

    fn blanks(&mut self) {
        while self.0.next_if_eq(&' ').is_some() {}
    }

    /// Takes what `take` takes, or nothing.
    fn attempt(&mut self, take: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let mut ahead = self.clone();
        take(&mut ahead)?;
        *self = ahead;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_sorted_and_unique() {
        assert_eq!(
            normalized_name("Češ. kob. Poličan/Paprika SK2"),
            "ces kob paprika polican sk2"
        );
        assert_eq!(normalized_name("Milk, MILK & milk"), "milk");
        assert_eq!(normalized_name("Straße ﬁn"), "fin straße");
        assert_eq!(normalized_name("ガム שָׁלוֹם"), "שלום カム");
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
        ] {
            let left = normalized_name(name);
            assert!(left == "caj" || left == "10 caj", "{name}: {left}");
        }
    }

    #[test]
    fn a_number_without_a_unit_stays() {
        assert_eq!(
            normalized_name("Vitamin B12 1000 lit"),
            "1000 b12 lit vitamin"
        );
        assert_eq!(normalized_name("7up 0,5l"), "7up");
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let once = normalized_name("KAKAO NESQUIK PLUS 800g NESTLÉ");
        assert_eq!(normalized_name(&once), once);
    }
}
