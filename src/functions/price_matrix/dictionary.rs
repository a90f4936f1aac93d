//! The distinct prices of one product, numbered from 1 in the order they come.

/// The prices of a product by code.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    prices: Vec<i64>,
    /// Codes by hash, 0 where there is none; empty while it rests.
    index: Vec<u16>,
    last: u16,
}

/// The fewest slots of an index, and how many there are for each price at least: so
/// many that the first one looked at is nearly always the right one.
const MIN_SLOTS: usize = 64;
const SLOTS_A_PRICE: usize = 3;

impl Dictionary {
    /// The most distinct prices that a product may have.
    pub(super) const MAX_PRICES: usize = u16::MAX as usize;

    /// Returns the code of `price`, none when there are too many prices. `seed` is
    /// odd, and the same each time.
    #[inline]
    pub(super) fn code(&mut self, price: i64, seed: u64) -> Option<u16> {
        if self.last != 0 && self.prices[usize::from(self.last) - 1] == price {
            return Some(self.last);
        }
        let code = match self.find(price, seed) {
            Some(code) => code,
            None => self.add(price, seed)?,
        };
        self.last = code;
        Some(code)
    }

    /// Returns the price of a code that is not 0.
    pub(super) fn price(&self, code: u16) -> i64 {
        self.prices[usize::from(code) - 1]
    }

    /// Returns the prices, by code less one.
    pub(super) fn prices(&self) -> &[i64] {
        &self.prices
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        self.prices.capacity() * size_of::<i64>() + self.index.capacity() * size_of::<u16>()
    }

    /// Gives back what only adding needs.
    pub(super) fn rest(&mut self) {
        self.index = Vec::new();
        self.prices.shrink_to_fit();
    }

    /// Makes ready for adding again, after a rest.
    pub(super) fn wake(&mut self, seed: u64) {
        if self.index.is_empty() {
            self.hash_all(seed);
        }
    }

    #[inline]
    fn find(&self, price: i64, seed: u64) -> Option<u16> {
        if self.index.is_empty() {
            return None;
        }
        let mut slot = self.slot(price, seed);
        loop {
            match self.index[slot] {
                0 => return None,
                code if self.price(code) == price => return Some(code),
                _ => slot = (slot + 1) & (self.index.len() - 1),
            }
        }
    }

    fn add(&mut self, price: i64, seed: u64) -> Option<u16> {
        if self.prices.len() == Self::MAX_PRICES {
            return None;
        }
        self.prices.push(price);
        let code = self.prices.len() as u16;
        if self.prices.len() * SLOTS_A_PRICE > self.index.len() {
            self.hash_all(seed);
        } else {
            self.hash(code, seed);
        }
        Some(code)
    }

    fn hash_all(&mut self, seed: u64) {
        let slots = (self.prices.len() * SLOTS_A_PRICE * 2).next_power_of_two();
        self.index.clear();
        self.index.resize(slots.max(MIN_SLOTS), 0);
        for code in 1..=self.prices.len() {
            self.hash(code as u16, seed);
        }
    }

    fn hash(&mut self, code: u16, seed: u64) {
        let mut slot = self.slot(self.price(code), seed);
        while self.index[slot] != 0 {
            slot = (slot + 1) & (self.index.len() - 1);
        }
        self.index[slot] = code;
    }

    fn slot(&self, price: i64, seed: u64) -> usize {
        let hash = (price as u64).wrapping_mul(seed);
        (hash >> 32) as usize & (self.index.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

    proptest! {
        #[test]
        fn a_price_keeps_its_code(
            prices in prop::collection::vec(-40i64..40, 0..400), rests in 1usize..40,
        ) {
            let mut dictionary = Dictionary::default();
            let mut expected: Vec<i64> = Vec::new();
            for (row, price) in prices.iter().enumerate() {
                if row % rests == 0 {
                    dictionary.rest();
                    dictionary.wake(SEED);
                }
                let code = dictionary.code(*price, SEED).unwrap();
                let place = expected.iter().position(|other| other == price);
                let place = place.unwrap_or_else(|| {
                    expected.push(*price);
                    expected.len() - 1
                });
                prop_assert_eq!(usize::from(code), place + 1);
            }
            prop_assert_eq!(dictionary.prices(), expected.as_slice());
        }
    }

    #[test]
    fn one_price_too_many_has_no_code() {
        let mut dictionary = Dictionary::default();
        for price in 0..Dictionary::MAX_PRICES as i64 {
            assert_eq!(dictionary.code(price, SEED), Some(price as u16 + 1));
        }
        assert_eq!(dictionary.code(-1, SEED), None);
        assert_eq!(dictionary.code(5, SEED), Some(6));
    }
}
