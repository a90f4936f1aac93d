//! Sets of ids that millions of rows are looked up in.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

use super::values::Value;

/// Hashes ids with two multiplications: they are numbers of a database's own, and
/// looked up for every row of a file.
#[derive(Debug, Default, Clone)]
pub(super) struct IdHasher(u64);

/// A map by id.
pub(super) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// A set of ids.
pub(super) type IdSet<K> = HashSet<K, BuildHasherDefault<IdHasher>>;

/// An odd number without a pattern: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        // The table takes its place from the low bits, which a product mixes least.
        let folded = (self.0 ^ (self.0 >> 32)).wrapping_mul(SPREAD);
        folded ^ (folded >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(SPREAD);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }
}

/// The ids of a table, each with a place from 0.
#[derive(Debug, Default)]
pub(super) struct Ids(IdMap<i64, usize>);

impl Ids {
    /// Adds an id; one that is known stays where it is.
    pub(super) fn add(&mut self, id: i64) {
        let next = self.0.len();
        self.0.entry(id).or_insert(next);
    }

    /// Returns an id's place.
    pub(super) fn place(&self, id: i64) -> Option<usize> {
        self.0.get(&id).copied()
    }
}

/// The values of a column that rows of other tables refer to.
#[derive(Debug)]
pub(super) enum Known {
    Ids(IdSet<i64>),
    Texts(HashSet<String>),
}

impl Known {
    /// Returns whether a value is known. A value of another type than the column's is
    /// not.
    pub(super) fn has(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Known::Ids(ids), Value::Bigint(id)) => ids.contains(id),
            (Known::Texts(texts), Value::Text(text)) => texts.contains(text.as_ref()),
            _ => false,
        }
    }

    /// Adds a value as it is in a file.
    pub(super) fn learn(&mut self, text: &str) {
        match self {
            Known::Ids(ids) => {
                ids.extend(text.parse::<i64>().ok());
            }
            Known::Texts(texts) => {
                texts.insert(text.to_owned());
            }
        }
    }
}

/// The keys that rows of a file have had.
///
/// A key of two ids costs a bit where the second ids lie close together, as the
/// stores of a product do, and a few dozen bytes where they do not.
#[derive(Debug)]
pub(super) enum Keys {
    One(IdSet<i64>),
    /// Of the first id and the second's upper bits: which lower bits there were.
    Two(IdMap<(i64, i64), u64>),
    Any(HashSet<String>),
}

impl Keys {
    /// Returns an empty set for keys of that many columns, all ids or not.
    pub(super) fn new(columns: usize, all_ids: bool) -> Keys {
        match (columns, all_ids) {
            (1, true) => Keys::One(IdSet::default()),
            (2, true) => Keys::Two(IdMap::default()),
            _ => Keys::Any(HashSet::new()),
        }
    }

    /// Adds a key; returns whether it is new. `text` is the key when it is not made of ids.
    pub(super) fn add(&mut self, key: &[i64], text: impl FnOnce() -> String) -> bool {
        match (self, key) {
            (Keys::One(keys), [id]) => keys.insert(*id),
            (Keys::Two(keys), [first, second]) => {
                let bits = keys.entry((*first, second >> 6)).or_default();
                let bit = 1 << (second & 63);
                let is_new = *bits & bit == 0;
                *bits |= bit;
                is_new
            }
            (Keys::Any(keys), _) => keys.insert(text()),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_new_once(
            keys in proptest::collection::vec((-3i64..3, -200i64..200), 0..200),
        ) {
            let mut oracle = HashSet::new();
            let mut two = Keys::new(2, true);
            for (a, b) in keys {
                prop_assert_eq!(two.add(&[a, b], String::new), oracle.insert((a, b)));
            }
        }
    }

    #[test]
    fn ids_of_any_pattern_spread() {
        for stride in [1u64, 64, 1 << 20, 1 << 40, u64::MAX] {
            let hashes = (0..1024u64).map(|at| {
                let mut hasher = IdHasher::default();
                hasher.write_u64(at.wrapping_mul(stride));
                hasher.finish() & 0x3ff
            });
            let places: HashSet<u64> = hashes.collect();
            assert!(places.len() > 400, "{stride}: {}", places.len());
        }
    }
}
