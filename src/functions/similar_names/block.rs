//! The names of a block, laid out to find those that may be alike.

use crate::algorithms::token_sets::Names;

/// How many letters of each kind a name has; kinds are letters by number, taken
/// together beyond this many, and a count stops at 255. What two of these differ by,
/// the names differ by at least.
pub(super) type Bag = [u8; 32];

/// The names of a block that have words, by length. A name's *place* is its position
/// in that order.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) names: Names,
    /// By place: the name's number, its letters, and how many of which.
    pub(super) order: Vec<u32>,
    pub(super) lengths: Vec<usize>,
    pub(super) bags: Vec<Bag>,
    /// By word, the places of the names that have it, one word after the other.
    holders: Vec<u32>,
    ends: Vec<usize>,
}

impl Block {
    /// Lays out names; they are numbered as they come.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Block {
        let names = Names::of(texts);
        let has_words = |name: &u32| !names.words(*name as usize).is_empty();
        let mut order: Vec<u32> = (0..names.len() as u32).filter(has_words).collect();
        order.sort_by_key(|name| names.length(*name as usize));
        let length = |name: &u32| names.length(*name as usize);
        let bag = |name: &u32| bag(&names, *name as usize);
        let (holders, ends) = holders(&names, &order);
        Block {
            lengths: order.iter().map(length).collect(),
            bags: order.iter().map(bag).collect(),
            holders,
            ends,
            order,
            names,
        }
    }

    /// Returns an upper estimate of the bytes that this many names of this many bytes need.
    pub(super) fn size(names: usize, bytes: usize) -> usize {
        128 * names + 16 * bytes
    }

    /// Returns how many names have words.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the words of the name at a place.
    pub(super) fn words(&self, place: usize) -> &[u32] {
        self.names.words(self.order[place] as usize)
    }

    /// Returns the places of the names that have a word.
    pub(super) fn holders(&self, word: u32) -> &[u32] {
        let word = word as usize;
        let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.holders[start..self.ends[word]]
    }
}

fn bag(names: &Names, name: usize) -> Bag {
    let mut bag = Bag::default();
    for word in names.words(name) {
        for letter in names.letters(*word) {
            let count = &mut bag[*letter as usize % size_of::<Bag>()];
            *count = count.saturating_add(1);
        }
    }
    bag
}

/// Sorts the places of names by the words they have.
fn holders(names: &Names, order: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let mut ends = vec![0; names.vocabulary()];
    let words = |name: &u32| names.words(*name as usize);
    order
        .iter()
        .flat_map(words)
        .for_each(|word| ends[*word as usize] += 1);
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total - *end;
    }
    let mut holders = vec![0; total];
    for (place, name) in order.iter().enumerate() {
        for word in words(name) {
            let end = &mut ends[*word as usize];
            holders[*end] = place as u32;
            *end += 1;
        }
    }
    (holders, ends)
}
