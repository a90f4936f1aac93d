//! Numbers for ids, in the order they come.

use datafusion::common::HashMap;

/// Ids and their numbers, from 0 on.
///
/// Ids near zero, as a database counts them, are looked up in a table; all others
/// are hashed. Costs some 8 bytes an id near zero and 32 for each other.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ids: Vec<i64>,
    /// By id; [`NONE`] where there is none, or where it is among `others`.
    near: Vec<u32>,
    others: HashMap<i64, u32>,
}

const NONE: u32 = u32::MAX;

impl Ids {
    /// Returns the number of `id`, the next one for a new id.
    #[inline]
    pub(super) fn number(&mut self, id: i64) -> u32 {
        // An id below zero is a number that no table reaches.
        match self.near.get(id as usize) {
            Some(&number) if number != NONE => number,
            _ => self.number_afar(id),
        }
    }

    fn number_afar(&mut self, id: i64) -> u32 {
        if let Some(&number) = self.others.get(&id) {
            return number;
        }
        let number = self.ids.len() as u32;
        self.ids.push(id);
        if self.ids.len().is_power_of_two() {
            self.bring_near();
        }
        match usize::try_from(id) {
            Ok(id) if id < self.reach() => self.put(id, number),
            _ => {
                self.others.insert(id, number);
            }
        }
        number
    }

    /// Returns the ids, by number.
    pub(super) fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Returns how many ids there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        let others = self.others.capacity() * (size_of::<(i64, u32)>() + 1);
        self.ids.capacity() * size_of::<i64>() + self.near.capacity() * size_of::<u32>() + others
    }

    /// How far the table may go: it must not outgrow what is in it.
    fn reach(&self) -> usize {
        1024 + 16 * self.ids.len()
    }

    fn put(&mut self, id: usize, number: u32) {
        if id >= self.near.len() {
            self.near.resize((id + 1).next_power_of_two(), NONE);
        }
        self.near[id] = number;
    }

    /// Moves the ids that are within reach by now into the table.
    fn bring_near(&mut self) {
        let reach = self.reach();
        let is_near = |id: &i64, _: &mut u32| usize::try_from(*id).is_ok_and(|id| id < reach);
        for (id, number) in self.others.extract_if(is_near).collect::<Vec<_>>() {
            self.put(id as usize, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_keeps_its_number(
            ids in prop::collection::vec(
                prop_oneof![0i64..6_000, -5i64..5, any::<i64>(), 0i64..2_000], 0..400),
        ) {
            let mut numbers = Ids::default();
            let mut expected: Vec<i64> = Vec::new();
            let mut by_id = std::collections::HashMap::new();
            for id in &ids {
                let number = *by_id.entry(*id).or_insert_with(|| {
                    expected.push(*id);
                    expected.len() as u32 - 1
                });
                prop_assert_eq!(numbers.number(*id), number);
            }
            prop_assert_eq!(numbers.ids(), expected.as_slice());
        }
    }
}
