//! Reads the parts of a size from a text in lower case.

use super::{
    number::Number,
    units::{Unit, Units, is_letter},
};

/// What is left to read. A copy is a place to come back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Scan<'a> {
    /// Takes what `take` takes, or nothing.
    pub(super) fn attempt<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let taken = take(&mut ahead)?;
        *self = ahead;
        Some(taken)
    }

    /// Takes a number: `12`, `0,75`, `.5`, `3e-02`; not the beginning of `1,000.00`.
    pub(super) fn number(&mut self) -> Option<Number<'a>> {
        self.attempt(|scan| {
            let whole = scan.digits();
            let fraction = scan.attempt(Self::fraction).unwrap_or_default();
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let exponent = scan.attempt(Self::exponent).unwrap_or_default();
            let goes_on = scan.attempt(Self::fraction).is_some();
            (!goes_on).then_some(Number {
                whole,
                fraction,
                exponent,
            })
        })
    }

    fn fraction(&mut self) -> Option<&'a str> {
        self.one(|c| matches!(c, '.' | ','))?;
        Some(self.digits()).filter(|digits| !digits.is_empty())
    }

    fn exponent(&mut self) -> Option<&'a str> {
        self.one(|c| c == 'e')?;
        let start = *self;
        self.one(|c| matches!(c, '-' | '+'));
        (!self.digits().is_empty()).then(|| self.since(start))
    }

    /// Takes a unit, and the full stop of an abbreviation. No letter or digit may follow.
    pub(super) fn unit<'u>(&mut self, units: &'u Units) -> Option<&'u Unit> {
        self.attempt(|scan| {
            scan.blanks();
            let unit = units.get(scan.run(is_letter))?;
            let ends = scan.at_end_of_word();
            scan.one(|c| c == '.');
            ends.then_some(unit)
        })
    }

    /// Takes the sign between a number of packs and what is in each.
    pub(super) fn times(&mut self) -> Option<()> {
        self.between(|c| matches!(c, 'x' | '×' | '*'))
    }

    /// Takes the dash of a range, or the stroke of a fraction.
    pub(super) fn dash(&mut self) -> Option<()> {
        self.between(|c| matches!(c, '-' | '–' | '—' | '/' | '⁄'))
    }

    /// Takes `cca`, `ca`, `approx` before a number.
    pub(super) fn about(&mut self) {
        self.attempt(|scan| {
            let word = scan.run(char::is_alphabetic);
            matches!(word, "cca" | "ca" | "approx").then_some(())?;
            scan.one(|c| c == '.');
            scan.blanks();
            scan.clone().number().map(|_| ())
        });
    }

    pub(super) fn blanks(&mut self) {
        self.run(char::is_whitespace);
    }

    pub(super) fn at_end_of_word(&self) -> bool {
        !self.rest.starts_with(char::is_alphanumeric)
    }

    /// Takes what a search for a size may step over: a word with the digits attached to
    /// it (`lemon0,33l`), or a character.
    pub(super) fn step(&mut self) {
        let start = *self;
        self.run(char::is_alphanumeric);
        if self.since(start).is_empty() {
            self.one(|_| true);
        }
        while self.since(start).ends_with(|c: char| c.is_ascii_digit())
            && self.attempt(Self::fraction).is_some()
        {
            self.run(char::is_alphanumeric);
        }
    }

    fn between(&mut self, sign: impl Fn(char) -> bool) -> Option<()> {
        self.attempt(|scan| {
            scan.blanks();
            scan.one(sign)?;
            scan.blanks();
            Some(())
        })
    }

    fn digits(&mut self) -> &'a str {
        self.run(|c| c.is_ascii_digit())
    }

    fn one(&mut self, is_wanted: impl Fn(char) -> bool) -> Option<()> {
        let first = self.rest.chars().next().filter(|c| is_wanted(*c))?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(())
    }

    fn run(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let start = *self;
        self.rest = self.rest.trim_start_matches(is_wanted);
        self.since(start)
    }

    fn since(&self, start: Self) -> &'a str {
        &start.rest[..start.rest.len() - self.rest.len()]
    }
}
