//! One product whose prices come now and then, or are far apart.

use super::{column::Column, dictionary::Dictionary};

/// A product: its prices, and the stores' codes of them.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) prices: Dictionary,
    pub(super) codes: Column,
    /// Whether its prices came in more than one run.
    is_scattered: bool,
}

impl Product {
    /// Adds a price; of several of one store the lowest counts. The company has
    /// `stores` stores so far; `seed` is odd, and the same each time. None when there
    /// are too many prices.
    #[inline]
    pub(super) fn add(&mut self, store: u16, price: i64, stores: usize, seed: u64) -> Option<()> {
        let code = self.prices.code(price, seed)?;
        let slot = self.codes.code(store, stores);
        if *slot == 0 || price < self.prices.price(*slot) {
            *slot = code;
        }
        Some(())
    }

    /// Gives back what only adding needs, unless it will be needed again.
    pub(super) fn rest(&mut self) {
        if !self.is_scattered {
            self.prices.rest();
            self.codes.rest();
        }
    }

    /// Makes ready for adding again.
    pub(super) fn wake(&mut self, seed: u64) {
        self.is_scattered = true;
        self.prices.wake(seed);
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.prices.size() + self.codes.size()
    }
}
