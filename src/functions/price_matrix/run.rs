//! The prices of the product that comes at the moment, as its stores ask them.

/// One run of a product's prices, near the first of them.
///
/// A price is its distance from a base, in two bytes: no look-up, and no branch that
/// depends on the price. A price too far away does not fit.
#[derive(Debug, Default)]
pub(super) struct Run {
    base: i64,
    /// By store; a store without a price has 0.
    codes: Vec<u16>,
}

/// How far above a base a price may be.
pub(super) const REACH: i64 = u16::MAX as i64;

impl Run {
    /// Begins a run whose first price is this one.
    pub(super) fn begin(&mut self, price: i64) {
        self.base = (i64::MAX - REACH).min(price.saturating_sub(REACH / 2));
    }

    /// Adds a price, if it is near enough; of several in one store the lowest counts.
    #[inline]
    pub(super) fn add(&mut self, store: usize, price: i64) -> bool {
        let code = price.wrapping_sub(self.base);
        if !(1..=REACH).contains(&code) {
            return false;
        }
        if store >= self.codes.len() {
            self.codes.resize((store + 1).next_power_of_two(), 0);
        }
        // No price counts as the highest of all: 0 less 1.
        let code = code as u16;
        let slot = &mut self.codes[store];
        *slot = slot.wrapping_sub(1).min(code - 1) + 1;
        true
    }

    /// Returns what codes are counted from.
    pub(super) fn base(&self) -> i64 {
        self.base
    }

    /// Returns the codes by store, and how many stores have one.
    pub(super) fn codes(&self) -> (&[u16], usize) {
        let count = self.codes.iter().map(|code| usize::from(*code != 0)).sum();
        (&self.codes, count)
    }

    /// Returns the stores and their prices.
    pub(super) fn prices(&self) -> impl Iterator<Item = (u16, i64)> {
        let of_store = |(store, code): (usize, &u16)| match code {
            0 => None,
            code => Some((store as u16, self.base + i64::from(*code))),
        };
        self.codes.iter().enumerate().filter_map(of_store)
    }

    /// Forgets all prices, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.codes.fill(0);
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        self.codes.capacity() * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_fits_is_kept_exactly_and_the_lowest_of_a_store_stands(
            first in prop_oneof![any::<i64>(), 0i64..1000],
            near in prop::collection::vec((0usize..40, -40_000i64..40_000), 0..60),
        ) {
            let mut run = Run::default();
            run.begin(first);
            let mut expected = BTreeMap::new();
            for (store, away) in near {
                let price = first.saturating_add(away);
                if run.add(store, price) {
                    let stands = expected.entry(store as u16).or_insert(price);
                    *stands = price.min(*stands);
                } else {
                    // The first price leaves room on both sides, but at the ends.
                    prop_assert!(away.abs() >= REACH / 2 || first.checked_sub(REACH).is_none()
                        || first.checked_add(REACH).is_none());
                }
            }
            prop_assert_eq!(run.prices().collect::<BTreeMap<_, _>>(), expected);
            run.clear();
            prop_assert_eq!(run.prices().count(), 0);
        }
    }
}
