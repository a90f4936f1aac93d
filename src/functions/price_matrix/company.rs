//! The prices of one company as they come: stores by products, in codes.
//!
//! ```text
//!  a product's run ─► Run ──┬─ ended ─────────────────────► Writer ─► pieces
//!                           └─ a price too far away ┐         ▲
//!  the product again ───────────────────────────► Product ────┘ at the end
//! ```
//!
//! Where rows come by product, each product is written once, as it ends, and nothing
//! else is held. A product that comes again is held until the end, and may so have two
//! parts in the pieces: whoever reads them puts both together.

use datafusion::{
    arrow::buffer::Buffer,
    common::{Result, exec_err},
};

use super::{NAME, dictionary::Dictionary, product::Product, run::Run, writer::Writer};
use crate::functions::ids::Ids;

/// All prices of a company so far.
#[derive(Debug, Default)]
pub(super) struct Company {
    stores: Ids,
    /// Numbers are places in `held`.
    products: Ids,
    /// Products that came again, or whose prices are far apart.
    held: Vec<Option<Box<Product>>>,
    /// The bytes of all that are held but the hot one.
    resting_bytes: usize,
    /// The product of the last price.
    hot: Option<Hot>,
    /// Its prices, unless it is held.
    run: Run,
    written: Writer,
}

#[derive(Debug, Clone, Copy)]
struct Hot {
    product: i64,
    place: usize,
    is_held: bool,
}

impl Company {
    /// The most stores that a company may have.
    pub(super) const MAX_STORES: usize = u16::MAX as usize;

    /// Adds a price; of several of one product in one store the lowest counts.
    /// `seed` is odd, and the same each time.
    #[inline]
    pub(super) fn push(&mut self, store: i64, product: i64, price: i64, seed: u64) -> Result<()> {
        let store = self.stores.number(store) as usize;
        if store >= Self::MAX_STORES {
            return too_many_stores(self.stores.len());
        }
        let hot = match self.hot {
            Some(hot) if hot.product == product => hot,
            _ => self.turn_to(product, price, seed),
        };
        if !hot.is_held && self.run.add(store, price) {
            return Ok(());
        }
        self.hold(hot, store as u16, price, seed)
    }

    fn turn_to(&mut self, product: i64, price: i64, seed: u64) -> Hot {
        self.leave();
        let place = self.products.number(product) as usize;
        let is_held = place < self.held.len();
        if is_held {
            let bytes = self.held[place].as_ref().map_or(0, |held| held.size());
            self.resting_bytes -= bytes;
            self.held[place].get_or_insert_default().wake(seed);
        } else {
            self.held.push(None);
            self.run.begin(price);
        }
        let hot = Hot {
            product,
            place,
            is_held,
        };
        self.hot = Some(hot);
        hot
    }

    /// Ends the hot product's run.
    fn leave(&mut self) {
        let Some(hot) = self.hot.take() else {
            return;
        };
        if let Some(held) = &mut self.held[hot.place] {
            held.rest();
            self.resting_bytes += held.size();
        } else {
            self.written.run(hot.product, &self.run, self.stores.ids());
            self.run.clear();
        }
    }

    /// Adds a price to the hot product, which is held from here on.
    fn hold(&mut self, hot: Hot, store: u16, price: i64, seed: u64) -> Result<()> {
        let stores = self.stores.len();
        let held = self.held[hot.place].get_or_insert_default();
        let mut added = Some(());
        if !hot.is_held {
            let mut before = self.run.prices();
            added = before.try_for_each(|(store, price)| held.add(store, price, stores, seed));
            drop(before);
            self.run.clear();
            self.hot = Some(Hot {
                is_held: true,
                ..hot
            });
        }
        match added.and_then(|()| held.add(store, price, stores, seed)) {
            Some(()) => Ok(()),
            None => too_many_prices(hot.product),
        }
    }

    /// Returns the prices in the form in which they travel; without prices, no pieces.
    pub(super) fn into_pieces(mut self) -> Vec<Buffer> {
        self.leave();
        let stores = self.stores.ids();
        for (id, held) in self.products.ids().iter().zip(self.held) {
            if let Some(product) = held {
                self.written.product(*id, &product, stores);
            }
        }
        self.written.finish(stores)
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        let hot = self.hot.and_then(|hot| self.held[hot.place].as_ref());
        let hot = hot.map_or(0, |held| held.size());
        let ids = self.stores.size() + self.products.size();
        let held = self.held.capacity() * size_of::<Option<Box<Product>>>();
        ids + held + self.resting_bytes + hot + self.run.size() + self.written.size()
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
