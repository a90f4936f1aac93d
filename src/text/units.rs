//! The units of sizes: what each is called, and how much of its base it is.

use std::{collections::HashMap, sync::LazyLock};

use super::fold::{folded, is_mark};

/// A unit's base, `mg`, `ul` or `piece`, and how much of it the unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) base: String,
    pub(super) amount: i64,
}

/// Units by name, in any case, with or without accents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Units {
    by_name: HashMap<String, Unit>,
}

/// What is wrong with a list of units.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A name that no size could spell.
    #[error("the unit `{0}` is not made of letters")]
    NoLetters(String),
    /// A unit of nothing, or of less.
    #[error("the unit `{0}` has an amount below 1")]
    NoAmount(String),
    /// Two units of one name that differ.
    #[error("the unit `{0}` is given twice")]
    Twice(String),
}

/// What a shop that says nothing else writes, as names are normalized on loading. The
/// shipped seed is these.
const USUAL: [(&str, &str, i64); 29] = [
    ("kg", "mg", 1_000_000),
    ("g", "mg", 1_000),
    ("gr", "mg", 1_000),
    ("dag", "mg", 10_000),
    ("dkg", "mg", 10_000),
    ("mg", "mg", 1),
    ("l", "ul", 1_000_000),
    ("lt", "ul", 1_000_000),
    ("dl", "ul", 100_000),
    ("cl", "ul", 10_000),
    ("ml", "ul", 1_000),
    ("kom", "piece", 1),
    ("ko", "piece", 1),
    ("komad", "piece", 1),
    ("komada", "piece", 1),
    ("kos", "piece", 1),
    ("pk", "piece", 1),
    ("pak", "piece", 1),
    ("pack", "piece", 1),
    ("pz", "piece", 1),
    ("ea", "piece", 1),
    ("stk", "piece", 1),
    ("pc", "piece", 1),
    ("pcs", "piece", 1),
    ("stueck", "piece", 1),
    ("kapsula", "piece", 1),
    ("rola", "piece", 1),
    ("rol", "piece", 1),
    ("tableta", "piece", 1),
];

/// Returns whether a unit's name may have a character.
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_mark(c)
}

impl Units {
    /// Returns the usual units.
    pub(crate) fn usual() -> &'static Units {
        static UNITS: LazyLock<Units> = LazyLock::new(|| Units::of(USUAL).unwrap_or_default());
        &UNITS
    }

    /// Makes a list of units from names, bases and amounts of the base.
    ///
    /// # Errors
    ///
    /// Returns the first that cannot be one.
    pub(crate) fn of<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a str, i64)>,
    ) -> Result<Units, Fault> {
        let mut units = Units::default();
        for (name, base, amount) in rows {
            if name.is_empty() || !name.chars().all(is_letter) {
                return Err(Fault::NoLetters(name.to_owned()));
            }
            if amount < 1 {
                return Err(Fault::NoAmount(name.to_owned()));
            }
            let base = base.to_owned();
            let unit = Unit { base, amount };
            let names = [name.to_lowercase(), folded(name)];
            if !names.into_iter().all(|name| units.insert(name, &unit)) {
                return Err(Fault::Twice(name.to_owned()));
            }
        }
        Ok(units)
    }

    fn insert(&mut self, name: String, unit: &Unit) -> bool {
        self.by_name.entry(name).or_insert_with(|| unit.clone()) == unit
    }

    /// Returns the unit that a word in lower case names.
    pub(super) fn get(&self, word: &str) -> Option<&Unit> {
        self.by_name.get(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_goes_by_any_case_and_without_accents() {
        let units = Units::of([("Štk", "piece", 1)]).unwrap();
        assert!(units.get("štk").is_some() && units.get("stk").is_some());
        assert!(units.get("Štk").is_none(), "asked for in lower case");
        assert_eq!(Units::usual().by_name.len(), USUAL.len());
    }

    #[test]
    fn the_shipped_seed_has_the_usual_units() {
        let seed = include_str!("../../sql/substitutions/units.csv");
        let rows = seed.lines().skip(1).map(|line| line.split(',').collect());
        let rows: Vec<Vec<&str>> = rows.collect();
        let rows = rows
            .iter()
            .map(|row| (row[0], row[1], row[2].parse().unwrap()));
        assert_eq!(&Units::of(rows).unwrap(), Units::usual());
    }

    #[test]
    fn a_list_that_makes_no_sense_is_refused() {
        let fault = |rows: &[(&'static str, &'static str, i64)]| {
            Units::of(rows.iter().copied()).unwrap_err()
        };
        assert_eq!(fault(&[("", "mg", 1)]), Fault::NoLetters("".into()));
        assert_eq!(fault(&[("m2", "mg", 1)]), Fault::NoLetters("m2".into()));
        assert_eq!(fault(&[("g", "mg", 0)]), Fault::NoAmount("g".into()));
        assert_eq!(
            fault(&[("g", "mg", 1), ("G", "mg", 2)]),
            Fault::Twice("G".into())
        );
        assert!(Units::of([("g", "mg", 1), ("G", "mg", 1)]).is_ok());
    }
}
