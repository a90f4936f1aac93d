//! The prices of one company as they come: stores by products, in codes.

use datafusion::common::{Result, exec_err};

use super::{NAME, column::Column, dictionary::Dictionary, piece};
use crate::engine::functions::ids::Ids;

/// All prices of a company so far.
#[derive(Debug, Default)]
pub(super) struct Company {
    stores: Ids,
    /// Numbers are places in `products`.
    ids: Ids,
    products: Vec<Product>,
    /// The product of the last price, and its id.
    hot: Option<(i64, usize)>,
    /// The bytes of all `products` but the hot one.
    resting_bytes: usize,
}

/// One product: its prices, and the stores' codes of them.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) prices: Dictionary,
    pub(super) codes: Column,
    /// Whether its prices came in more than one run.
    is_scattered: bool,
}

impl Company {
    /// The most stores that a company may have.
    pub(super) const MAX_STORES: usize = u16::MAX as usize;

    /// Adds a price; of several of one product in one store the lowest stands.
    /// `seed` is odd, and the same each time.
    #[inline]
    pub(super) fn push(&mut self, store: i64, product: i64, price: i64, seed: u64) -> Result<()> {
        let store = self.stores.number(store);
        if store as usize >= Self::MAX_STORES {
            return too_many_stores(self.stores.len());
        }
        let place = match self.hot {
            Some((hot, place)) if hot == product => place,
            _ => self.turn_to(product, seed),
        };
        let hot = &mut self.products[place];
        let Some(code) = hot.prices.code(price, seed) else {
            return too_many_prices(product);
        };
        let slot = hot.codes.code(store as u16, self.stores.len());
        if *slot == 0 || price < hot.prices.price(*slot) {
            *slot = code;
        }
        Ok(())
    }

    fn turn_to(&mut self, product: i64, seed: u64) -> usize {
        if let Some((_, place)) = self.hot {
            let hot = &mut self.products[place];
            hot.rest();
            self.resting_bytes += hot.size();
        }
        let place = self.ids.number(product) as usize;
        match self.products.get_mut(place) {
            None => self.products.push(Product::default()),
            Some(found) => {
                self.resting_bytes -= found.size();
                found.wake(seed);
            }
        }
        self.hot = Some((product, place));
        place
    }

    /// Returns the prices in the form in which they travel; none are no pieces.
    pub(super) fn into_pieces(self) -> Vec<Vec<u8>> {
        let products = self.ids.ids().iter().copied().zip(self.products);
        piece::write(self.stores.ids(), products)
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        let hot = self.hot.map_or(0, |(_, place)| self.products[place].size());
        let products = self.products.capacity() * size_of::<Product>();
        self.stores.size() + self.ids.size() + products + self.resting_bytes + hot
    }
}

impl Product {
    fn size(&self) -> usize {
        self.prices.size() + self.codes.size()
    }

    /// Gives back what only adding needs, unless it will be needed again.
    fn rest(&mut self) {
        if !self.is_scattered {
            self.prices.rest();
            self.codes.rest();
        }
    }

    fn wake(&mut self, seed: u64) {
        self.is_scattered = true;
        self.prices.wake(seed);
    }
}

#[cold]
fn too_many_stores(stores: usize) -> Result<()> {
    let most = Company::MAX_STORES;
    exec_err!("{NAME}: at most {most} stores can be compared, not {stores}")
}

#[cold]
fn too_many_prices(product: i64) -> Result<()> {
    let most = Dictionary::MAX_PRICES;
    exec_err!("{NAME}: product {product} has more than {most} different prices")
}
