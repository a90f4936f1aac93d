//! All pairs of a block whose ratio is between two bounds.

use std::{cmp::Reverse, ops::Range};

use super::{block::Block, sieve::Sieve};
use crate::algorithms::token_sets::Comparison;

/// Ratios that are wanted: over the one and below the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) over: f64,
    pub(super) below: f64,
}

/// Two names by their ids, `a < b`, and their ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) a: i64,
    pub(super) b: i64,
    pub(super) score: f64,
}

/// Finds pairs; room to do so, kept for its memory.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    block: &'a Block,
    ids: &'a [i64],
    bounds: Bounds,
    sieve: Sieve<'a>,
    comparison: Comparison<'a>,
    pub(super) found: Vec<Pair>,
}

impl<'a> Finder<'a> {
    /// Begins; `ids` are those of the block's names, by number.
    pub(super) fn new(block: &'a Block, ids: &'a [i64], bounds: Bounds) -> Self {
        Finder {
            block,
            ids,
            bounds,
            sieve: Sieve::new(block, bounds.over),
            comparison: Comparison::new(&block.names),
            found: Vec::new(),
        }
    }

    /// Returns the bytes that a finder of a block needs, less what it finds.
    pub(super) fn size(block: &Block) -> usize {
        2 * size_of::<u32>() * block.len() + size_of::<u64>() * block.names.alphabet()
    }

    /// Finds the pairs whose first name is at one of `places`; some are also found from
    /// their second.
    pub(super) fn find(&mut self, places: Range<usize>) {
        for place in places {
            let name = self.block.order[place] as usize;
            for &other in self.sieve.candidates(place) {
                let other = self.block.order[other as usize] as usize;
                let score = self.comparison.ratio(name, other, self.bounds.over);
                let (a, b) = (self.ids[name], self.ids[other]);
                if self.bounds.over < score && score < self.bounds.below && a != b {
                    let (a, b) = (a.min(b), a.max(b));
                    self.found.push(Pair { a, b, score });
                }
            }
        }
    }
}

/// Returns pairs by both ids, each once: of an id that was given two names, the greater
/// ratio.
pub(super) fn sorted(mut pairs: Vec<Pair>) -> Vec<Pair> {
    // No ratio is below 0, so its bits are in its order.
    pairs.sort_unstable_by_key(|pair| (pair.a, pair.b, Reverse(pair.score.to_bits())));
    pairs.dedup_by_key(|pair| (pair.a, pair.b));
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::algorithms::token_sets::naive;

    fn found(names: &[String], bounds: Bounds) -> Vec<Pair> {
        let block = Block::of(names.iter().map(String::as_str));
        let ids: Vec<i64> = (0..names.len() as i64).rev().collect();
        let mut finder = Finder::new(&block, &ids, bounds);
        // By two, so that each goes on from what the other left.
        for start in (0..block.len()).step_by(2) {
            finder.find(start..block.len().min(start + 2));
        }
        sorted(finder.found)
    }

    /// The rule as it is written, over all pairs.
    fn expected(names: &[String], bounds: Bounds) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for (a, name) in names.iter().rev().enumerate() {
            for (b, other) in names.iter().rev().enumerate().skip(a + 1) {
                let score = naive::ratio(name, other);
                if bounds.over < score && score < bounds.below {
                    let (a, b) = (a as i64, b as i64);
                    pairs.push(Pair { a, b, score });
                }
            }
        }
        pairs
    }

    /// Names of a few words that share many, some misspelt.
    fn names() -> impl Strategy<Value = Vec<String>> {
        let word = prop::sample::select(vec![
            "jogurt",
            "jogurti",
            "cokolada",
            "cokoladni",
            "mlijecna",
            "100",
            "100g",
            "lješnjak",
            "sa",
            "s",
            "ab",
            "ba",
            "aab",
            "x",
        ]);
        let plain = prop::collection::vec(word, 0..9).prop_map(|words| words.join(" "));
        let odd = "[ab ]{0,70}";
        let name = prop_oneof![4 => plain, 1 => odd];
        let ascii = |name: String| name.replace('š', "s");
        prop::collection::vec(name.prop_map(ascii), 0..24)
    }

    proptest! {
        #[test]
        fn every_pair_between_the_bounds_is_found_and_no_other(
            names in names(), over in prop_oneof![Just(90f64), Just(0.0), 0f64..100.0, Just(100.0)],
            below in prop_oneof![Just(100f64), Just(101.0), 0f64..100.0],
        ) {
            let bounds = Bounds { over, below };
            prop_assert_eq!(found(&names, bounds), expected(&names, bounds));
        }

        #[test]
        fn a_ratio_that_is_just_reached_is_not_over_it(names in names(), which in any::<prop::sample::Index>()) {
            let all = expected(&names, Bounds { over: 0.0, below: 101.0 });
            prop_assume!(!all.is_empty());
            let bounds = Bounds { over: which.get(&all).score, below: 101.0 };
            prop_assert_eq!(found(&names, bounds), expected(&names, bounds));
        }
    }

    #[test]
    fn an_id_with_two_names_has_one_ratio_with_another() {
        let block = Block::of(["alpha beta", "alpha beta gammm", "alpha beta gamma delta"]);
        let bounds = Bounds {
            over: 50.0,
            below: 100.0,
        };
        let mut finder = Finder::new(&block, &[5, 5, 9], bounds);
        finder.find(0..3);
        let pairs = sorted(finder.found);
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].a, pairs[0].b), (5, 9));
    }
}
