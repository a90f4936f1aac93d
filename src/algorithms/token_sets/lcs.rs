//! The length of the longest common subsequence, 64 letters at a time.
//!
//! H. Hyyrö, *Bit-Parallel LCS-length Computation Revisited* (2004). Letters are
//! small numbers, so that a table takes the place of hashing; a pattern longer than
//! a word is taken in blocks, and what a block carries over is kept by position of
//! the text. Time: letters of the text × blocks of the pattern. Memory: 8 bytes a
//! letter of the alphabet and one a letter of the text, whatever the pattern.

const BLOCK: usize = u64::BITS as usize;

/// Letters of the text between two looks at whether it can still be enough.
const STRIDE: usize = 16;

/// Room to compute in; kept for its memory.
#[derive(Debug)]
pub(super) struct Lcs {
    /// By letter, its positions in the block; zeros between two calls.
    places: Vec<u64>,
    /// By position of the text, whether the block before carried over.
    carries: Vec<bool>,
}

impl Lcs {
    /// Makes room for letters below `letters`.
    pub(super) fn new(letters: usize) -> Lcs {
        Lcs {
            places: vec![0; letters],
            carries: Vec::new(),
        }
    }

    /// Returns the length of the longest common subsequence of `a` and `b`; none when
    /// it is below `least`.
    pub(super) fn length(&mut self, a: &[u32], b: &[u32], least: usize) -> Option<usize> {
        let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        if pattern.len() <= BLOCK {
            return self.with_places(pattern, |places, _| one_block(places, text, least));
        }
        self.carries.clear();
        self.carries.resize(text.len(), false);
        let (mut found, mut left) = (0, pattern.len());
        for block in pattern.chunks(BLOCK) {
            left -= block.len();
            found += self.with_places(block, |places, carries| next_block(places, text, carries));
            if found + left < least {
                return None;
            }
        }
        Some(found)
    }

    /// Calls `with` while the places of the letters of a block are set.
    fn with_places<T>(&mut self, block: &[u32], with: impl FnOnce(&[u64], &mut [bool]) -> T) -> T {
        for (place, &letter) in block.iter().enumerate() {
            self.places[letter as usize] |= 1 << place;
        }
        let value = with(&self.places, &mut self.carries);
        for &letter in block {
            self.places[letter as usize] = 0;
        }
        value
    }
}

/// A pattern that is one block. A place that is matched is a bit that is not set.
fn one_block(places: &[u64], text: &[u32], least: usize) -> Option<usize> {
    let (mut open, mut left) = (u64::MAX, text.len());
    for stride in text.chunks(STRIDE) {
        for &letter in stride {
            let matched = open & places[letter as usize];
            open = open.wrapping_add(matched) | (open - matched);
        }
        left -= stride.len();
        // Each letter that is left matches one more place at most.
        if open.count_zeros() as usize + left < least {
            return None;
        }
    }
    let found = open.count_zeros() as usize;
    (found >= least).then_some(found)
}

/// One block of a longer pattern, with what the block before carried over.
fn next_block(places: &[u64], text: &[u32], carries: &mut [bool]) -> usize {
    let mut open = u64::MAX;
    for (&letter, carry) in text.iter().zip(carries) {
        let matched = open & places[letter as usize];
        let (sum, over) = open.overflowing_add(matched);
        let (sum, over_again) = sum.overflowing_add(u64::from(*carry));
        *carry = over || over_again;
        open = sum | (open - matched);
    }
    open.count_zeros() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::algorithms::token_sets::naive;

    proptest! {
        #[test]
        fn it_is_as_long_as_the_table_says(
            a in prop::collection::vec(0u32..4, 0..200), b in prop::collection::vec(0u32..4, 0..90),
            least in 0usize..100,
        ) {
            let mut lcs = Lcs::new(4);
            let expected = naive::lcs(&a, &b);
            // Twice: the first call leaves nothing behind.
            for _ in 0..2 {
                prop_assert_eq!(lcs.length(&a, &b, 0), Some(expected));
                let enough = (expected >= least).then_some(expected);
                prop_assert_eq!(lcs.length(&b, &a, least), enough);
            }
        }
    }
}
