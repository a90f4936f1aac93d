//! Names with ids, where a file says the name.

use std::{collections::HashMap, hash::Hash};

/// Names with ids; one that is not known gets the next.
#[derive(Debug)]
pub(super) struct Names<K> {
    ids: HashMap<K, i64>,
    highest: i64,
    /// What is new, in the order it came: id, key, and the name as first spelled.
    pub(super) new: Vec<(i64, K, String)>,
}

impl<K> Default for Names<K> {
    fn default() -> Self {
        Names {
            ids: HashMap::new(),
            highest: 0,
            new: Vec::new(),
        }
    }
}

impl<K: Eq + Hash + Clone> Names<K> {
    /// Returns a name's id, if it has one.
    pub(super) fn get(&self, key: &K) -> Option<i64> {
        self.ids.get(key).copied()
    }

    /// Returns the names.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.ids.keys()
    }

    /// Returns a name's id, a new one if need be.
    pub(super) fn id(&mut self, key: K, name: &str) -> i64 {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        self.highest += 1;
        self.ids.insert(key.clone(), self.highest);
        self.new.push((self.highest, key, name.to_owned()));
        self.highest
    }

    /// Notes a name that has an id; of two ids, the lower one counts.
    pub(super) fn know(&mut self, key: K, id: i64) {
        self.highest = self.highest.max(id);
        let known = self.ids.entry(key).or_insert(id);
        *known = (*known).min(id);
    }
}
