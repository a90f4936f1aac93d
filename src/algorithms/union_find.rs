//! Union-find over the numbers 0..n, for connected components.

/// Sets of numbers that only grow together; each is named by its lowest number.
///
/// Costs four bytes a number and, halving paths as it goes, next to constant
/// time an operation.
#[derive(Debug, Default)]
pub(crate) struct UnionFind {
    parent: Vec<u32>,
}

impl UnionFind {
    /// Returns `len` sets of one number each.
    pub(crate) fn new(len: u32) -> Self {
        UnionFind {
            parent: (0..len).collect(),
        }
    }

    /// Adds the next number, a set of its own.
    pub(crate) fn push(&mut self) {
        self.parent.push(self.parent.len() as u32);
    }

    /// Returns how many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.parent.len()
    }

    /// Returns the lowest number of the set that holds `number`.
    pub(crate) fn find(&mut self, mut number: u32) -> u32 {
        while self.parent[number as usize] != number {
            let grandparent = self.parent[self.parent[number as usize] as usize];
            self.parent[number as usize] = grandparent;
            number = grandparent;
        }
        number
    }

    /// Makes one set of the two that hold `a` and `b`.
    pub(crate) fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// Returns the bytes held.
    pub(crate) fn size(&self) -> usize {
        self.parent.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_is_named_by_its_lowest_number(
            edges in prop::collection::vec((0u32..30, 0u32..30), 0..40),
        ) {
            let mut sets = UnionFind::new(30);
            let mut names: Vec<u32> = (0..30).collect();
            for (a, b) in edges {
                sets.union(a, b);
                let (keep, gone) = {
                    let (a, b) = (names[a as usize], names[b as usize]);
                    (a.min(b), a.max(b))
                };
                names.iter_mut().filter(|name| **name == gone).for_each(|name| *name = keep);
            }
            let found: Vec<u32> = (0..30).map(|number| sets.find(number)).collect();
            prop_assert_eq!(found, names);
        }
    }
}
