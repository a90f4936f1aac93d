//! Which names may be alike enough: two sieves that let nothing through unseen.
//!
//! The ratio is the greatest of three similarities, so a pair that is over a ratio is
//! so in one of two ways:
//!
//! - *as a whole*: both names, the common words in front, differ in few letters. Words in
//!   common add to neither side's letters, so they differ by no less than their lengths do,
//!   and by no less than the counts of their letters do.
//! - *one almost within the other*: what the other lacks of the one weighs little. So it has
//!   one of any words that together weigh more; the rarest are asked for.
//!
//! Both bounds are computed by the very steps that compute the ratio, and those never
//! give more for more distance: what is left out is not over the ratio, to the last bit.

use super::block::{Bag, Block};
use crate::algorithms::token_sets::{ratio_of, within};

/// Finds the places whose names may be over a ratio with that of one place.
#[derive(Debug)]
pub(super) struct Sieve<'a> {
    block: &'a Block,
    over: f64,
    /// By place, one more than the last place it was found for.
    seen: Vec<u32>,
    rarest: Vec<u32>,
    found: Vec<u32>,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(block: &'a Block, over: f64) -> Self {
        Sieve {
            block,
            over,
            seen: vec![0; block.len()],
            rarest: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Returns the other places that may be alike: as a whole only those after `place`,
    /// with the one at `place` within them any. None comes twice.
    pub(super) fn candidates(&mut self, place: usize) -> &[u32] {
        self.found.clear();
        self.alike(place);
        for found in &self.found {
            self.seen[*found as usize] = place as u32 + 1;
        }
        self.around(place);
        &self.found
    }

    /// Finds the places after `place` that may be alike as a whole.
    fn alike(&mut self, place: usize) {
        let Block { lengths, bags, .. } = self.block;
        let length = lengths[place];
        let mut start = place + 1;
        while start < lengths.len() {
            let other = lengths[start];
            let furthest = within(length + other, self.over);
            let Some(furthest) = furthest.filter(|furthest| other - length <= *furthest) else {
                // Longer ones are still further off.
                return;
            };
            let end = start + lengths[start..].partition_point(|length| *length == other);
            near(
                &bags[place],
                &bags[start..end],
                furthest,
                start,
                &mut self.found,
            );
            start = end;
        }
    }

    /// Finds the places whose names may have almost all words of that at `place`.
    fn around(&mut self, place: usize) {
        let block = self.block;
        let lacking = most_lacking(block.lengths[place], self.over);
        self.rarest.clear();
        self.rarest.extend_from_slice(block.words(place));
        self.rarest
            .sort_unstable_by_key(|word| (block.holders(*word).len(), *word));
        let mut weight = 0;
        for &word in &self.rarest {
            for &other in block.holders(word) {
                let seen = std::mem::replace(&mut self.seen[other as usize], place as u32 + 1);
                if seen != place as u32 + 1 && other as usize != place {
                    self.found.push(other);
                }
            }
            weight += block.names.letters(word).len() + 1;
            if weight > lacking {
                return;
            }
        }
    }
}

/// Returns how many letters of a name, blanks counted, another may lack at most.
fn most_lacking(length: usize, over: f64) -> usize {
    let ratio = |lacking| ratio_of(lacking, 2 * length - lacking);
    let apart = (1.0 - over / 100.0).clamp(0.0, 1.0);
    let about = 2.0 * length as f64 * apart / (1.0 + apart);
    // Rounding may have been the other way: look from a little further off.
    let mut lacking = (about as usize + 2).min(length);
    while lacking > 0 && ratio(lacking) <= over {
        lacking -= 1;
    }
    lacking
}

/// Adds the places of the bags that differ by no more than `furthest`.
fn near(bag: &Bag, others: &[Bag], furthest: usize, start: usize, into: &mut Vec<u32>) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (place, other) in others.iter().enumerate() {
                if difference(bag, other) as usize <= furthest {
                    into.push((start + place) as u32);
                }
            }
        },
    );
}

/// Written so that one instruction sums the differences of many bytes.
#[inline(always)]
fn difference(a: &Bag, b: &Bag) -> u32 {
    let mut difference = 0;
    for place in 0..size_of::<Bag>() {
        difference += (i32::from(a[place]) - i32::from(b[place])).unsigned_abs();
    }
    difference
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn another_may_lack_no_more_than_what_leaves_it_over(length in 1usize..300, over in 0f64..=100.0) {
            let lacking = (1..=length).filter(|lacking| ratio_of(*lacking, 2 * length - lacking) > over);
            prop_assert_eq!(most_lacking(length, over), lacking.max().unwrap_or(0));
        }
    }
}
