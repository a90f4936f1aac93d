//! The token-set ratio of two prepared names.
//!
//! With words in common, it is the greatest of three similarities: of the common
//! words with all of one name, with all of the other, and of both names with the
//! common words in front. Only the last needs a comparison of letters, and what is
//! in front on both sides does not count in it.

use super::{
    lcs::Lcs,
    names::{BLANK, Names},
};

/// Returns the ratio of two texts, in percent, of this many letters together that are this
/// far apart: in these very steps of double arithmetic.
pub(crate) fn ratio_of(distance: usize, total: usize) -> f64 {
    match total {
        0 => 100.0,
        total => 100.0 - 100.0 * distance as f64 / total as f64,
    }
}

/// Returns how far apart at most two texts of `total` letters together may be for a
/// ratio over `over`; none when they cannot be so alike.
pub(crate) fn within(total: usize, over: f64) -> Option<usize> {
    let about = (1.0 - over / 100.0) * total as f64;
    // Rounding may have been the other way: look from a little further off.
    let mut distance = (about.max(0.0) as usize + 2).min(total);
    while ratio_of(distance, total) <= over {
        distance = distance.checked_sub(1)?;
    }
    Some(distance)
}

/// Two names at a time; room to compute in, kept for its memory.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    names: &'a Names,
    only_a: Vec<u32>,
    only_b: Vec<u32>,
    lcs: Lcs,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(names: &'a Names) -> Self {
        Comparison {
            names,
            only_a: Vec::new(),
            only_b: Vec::new(),
            lcs: Lcs::new(names.alphabet()),
        }
    }

    /// Returns the ratio of two names, exactly where it is over `floor`; where it is
    /// not, something that is not over it either.
    pub(crate) fn ratio(&mut self, a: usize, b: usize, floor: f64) -> f64 {
        if self.names.words(a).is_empty() || self.names.words(b).is_empty() {
            return 0.0;
        }
        let common = self.split(a, b);
        let (only_a, only_b) = (self.only_a.len(), self.only_b.len());
        if common > 0 && (only_a == 0 || only_b == 0) {
            return 100.0;
        }
        let (all_a, all_b) = (self.names.length(a), self.names.length(b));
        let best = match common {
            0 => 0.0,
            common => {
                let with_a = ratio_of(1 + only_a, common + all_a);
                with_a.max(ratio_of(1 + only_b, common + all_b))
            }
        };
        let whole = self.whole(all_a + all_b, best.max(floor));
        whole.map_or(best, |whole| whole.max(best))
    }

    /// Returns the ratio of both names whole, if it is over `floor`.
    fn whole(&mut self, total: usize, floor: f64) -> Option<f64> {
        let furthest = within(total, floor)?;
        let apart = self.only_a.len() + self.only_b.len();
        let least = apart.saturating_sub(furthest).div_ceil(2);
        let alike = self.lcs.length(&self.only_a, &self.only_b, least)?;
        Some(ratio_of(apart - 2 * alike, total))
    }

    /// Spells out the words that only one of the names has; returns the letters of
    /// those that both have. All joined by blanks.
    fn split(&mut self, a: usize, b: usize) -> usize {
        self.only_a.clear();
        self.only_b.clear();
        let (mut of_a, mut of_b) = (self.names.words(a), self.names.words(b));
        let mut common = 0;
        while let ([first_a, rest_a @ ..], [first_b, rest_b @ ..]) = (of_a, of_b) {
            match first_a.cmp(first_b) {
                std::cmp::Ordering::Less => {
                    spell(&mut self.only_a, self.names.letters(*first_a));
                    of_a = rest_a;
                }
                std::cmp::Ordering::Greater => {
                    spell(&mut self.only_b, self.names.letters(*first_b));
                    of_b = rest_b;
                }
                std::cmp::Ordering::Equal => {
                    common += self.names.letters(*first_a).len() + 1;
                    (of_a, of_b) = (rest_a, rest_b);
                }
            }
        }
        for word in of_a {
            spell(&mut self.only_a, self.names.letters(*word));
        }
        for word in of_b {
            spell(&mut self.only_b, self.names.letters(*word));
        }
        common.saturating_sub(1)
    }
}

fn spell(text: &mut Vec<u32>, word: &[u32]) {
    if !text.is_empty() {
        text.push(BLANK);
    }
    text.extend_from_slice(word);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::algorithms::token_sets::naive;

    fn ratio(a: &str, b: &str, floor: f64) -> f64 {
        let names = Names::of([a, b]);
        Comparison::new(&names).ratio(0, 1, floor)
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(
            a in "[abAB .]{0,24}|[a-d ]{0,160}", b in "[abAB .]{0,24}|[a-d ]{0,160}",
            floor in 0f64..100.0,
        ) {
            let expected = naive::ratio(&a, &b);
            prop_assert_eq!(ratio(&a, &b, 0.0), expected);
            let above = ratio(&b, &a, floor);
            prop_assert!(above == expected || (above <= floor && expected <= floor));
        }

        #[test]
        fn the_furthest_distance_is_the_last_that_is_over(total in 0usize..400, over in 0f64..=100.0) {
            let expected = (0..=total).rev().find(|distance| ratio_of(*distance, total) > over);
            prop_assert_eq!(within(total, over), expected);
        }

        #[test]
        fn a_distance_that_is_just_not_over_is_too_far(total in 1usize..400, over in 0usize..400) {
            let over = ratio_of(over.min(total), total);
            let expected = (0..=total).rev().find(|distance| ratio_of(*distance, total) > over);
            prop_assert_eq!(within(total, over), expected);
        }
    }

    #[test]
    fn letters_are_counted_and_not_bytes() {
        // "kruška" and "kruška" with a mark, which is a blank: two words.
        assert_eq!(ratio("KRUŠKA", "kruška", 0.0), 100.0);
        assert_eq!(ratio("ŠŠ", "šž", 0.0), 50.0);
        assert_eq!(ratio("İ", "i", 0.0), 100.0);
        assert_eq!(ratio("…", "…", 0.0), 0.0);
    }
}
