//! Names of brands and categories, which are one when they differ only in case.

/// Returns a name as it is compared: trimmed and case-folded (`Weiß` is `WEISS`).
///
/// Lower case alone would keep `ß` from `ss`, and the `ς` that ends a word from `σ`:
/// by way of upper case, each letter for itself, they are one.
pub(crate) fn fold_case(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            // A letter of its own, though its upper case is that of `i`.
            'ı' => folded.push(c),
            _ => folded.extend(
                c.to_lowercase()
                    .flat_map(char::to_uppercase)
                    .flat_map(char::to_lowercase),
            ),
        }
    }
    folded
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

    #[test]
    fn other_letters_stay_apart() {
        for (one, other) in [("ı", "i"), ("İ", "i"), ("é", "e"), ("a b", "ab")] {
            assert_ne!(fold_case(one), fold_case(other), "{one} {other}");
        }
    }
}
