//! Prices as bytes: how they travel from one operator, or process, to the next.
//!
//! ```text
//! of each product: a table of codes, u16 a store; or a list of store and code, u16 each
//! of each product: its distinct prices: i64 …; or one base, from which codes count
//! store ids: i64 …
//! of each product: id: i64, distinct prices: u32 (or that there is a base),
//!                  codes: u32 (top bit: a table)
//! stores: u32  products: u32  "pricemx2"
//! ```
//!
//! All numbers are little-endian. A matrix is any number of pieces, each complete in
//! itself, so that writing one never needs the memory twice. Whoever reads one trusts
//! nothing: a code has a price, a list is by store.

use datafusion::common::{Result, exec_err};

use super::{
    NAME,
    run::REACH,
    writer::{HAS_BASE, IS_TABLE, MAGIC},
};

/// A piece that was checked, over its bytes.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    stores: &'a [[u8; 8]],
    /// In the order they were written.
    pub(crate) products: Vec<PieceProduct<'a>>,
}

/// One product of a piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceProduct<'a> {
    /// The product.
    pub(crate) id: i64,
    prices: Prices<'a>,
    codes: Codes<'a>,
}

/// What codes stand for.
#[derive(Debug, Clone, Copy)]
enum Prices<'a> {
    /// The price of a code is this much higher.
    From(i64),
    /// The prices by code less one.
    Of(&'a [[u8; 8]]),
}

/// The codes of a product: what stores have it, and which of its prices.
#[derive(Debug, Clone, Copy)]
enum Codes<'a> {
    /// By store, 0 where it has none.
    Table(&'a [[u8; 2]]),
    /// Store and code, by store.
    List(&'a [[u8; 4]]),
}

impl<'a> Piece<'a> {
    /// Reads a piece, all of it.
    ///
    /// # Errors
    ///
    /// Returns an error when the bytes are none.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self> {
        match Self::read(bytes) {
            Some(piece) => Ok(piece),
            None => exec_err!("these bytes are not a piece of a {NAME}"),
        }
    }

    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let rest = &mut bytes;
        let [magic] = take_last::<8>(rest, 1)? else {
            return None;
        };
        let [stores, products] = take_last::<4>(rest, 2)? else {
            return None;
        };
        let [stores, products] = [stores, products].map(|count| u32::from_le_bytes(*count));
        let heads = take_last::<16>(rest, products)?;
        let stores = take_last::<8>(rest, stores)?;
        let heads: Option<Vec<Head>> = heads.iter().map(Head::read).collect();
        let heads = heads?;
        let codes = heads.iter().map(|head| Codes::read(rest, head.codes));
        let codes: Option<Vec<Codes>> = codes.collect();
        let mut products = Vec::with_capacity(heads.len());
        for (head, codes) in heads.iter().zip(codes?) {
            let prices = Prices::read(rest, head.prices)?;
            let is_sound = codes.are_sound(stores.len(), prices.most()?);
            products.push(is_sound.then_some(PieceProduct {
                id: head.id,
                prices,
                codes,
            })?);
        }
        (magic == MAGIC && rest.is_empty()).then_some(Piece { stores, products })
    }

    /// Returns the ids of the stores, by number.
    pub(crate) fn stores(&self) -> impl Iterator<Item = i64> + 'a {
        self.stores.iter().map(|id| i64::from_le_bytes(*id))
    }
}

impl PieceProduct<'_> {
    /// Returns the price that a code stands for; 0 stands for none.
    #[inline]
    pub(crate) fn price(&self, code: u16) -> i64 {
        match self.prices {
            Prices::From(base) => base + i64::from(code),
            Prices::Of(prices) => i64::from_le_bytes(prices[usize::from(code) - 1]),
        }
    }

    /// Puts the code of each store that has the product in its place in `codes`, where
    /// all were 0; `numbers` are those places.
    pub(crate) fn place_codes(&self, numbers: &[u16], codes: &mut [u16]) {
        match self.codes {
            // Without a look at which stores have it: that would be a guess each time.
            Codes::Table(table) => {
                for (code, number) in table.iter().zip(numbers) {
                    codes[usize::from(*number)] = u16::from_le_bytes(*code);
                }
            }
            Codes::List(_) => {
                self.each_code(|store, code| codes[usize::from(numbers[store])] = code);
            }
        }
    }

    /// Calls `found` with the number of each store that has the product, and the
    /// code of its price.
    #[inline]
    pub(crate) fn each_code(&self, mut found: impl FnMut(usize, u16)) {
        match self.codes {
            Codes::Table(codes) => {
                for (store, code) in codes.iter().enumerate() {
                    match u16::from_le_bytes(*code) {
                        0 => {}
                        code => found(store, code),
                    }
                }
            }
            Codes::List(codes) => {
                for code in codes {
                    let (store, code) = parts(*code);
                    found(usize::from(store), code);
                }
            }
        }
    }
}

/// What is recorded of a product.
struct Head {
    id: i64,
    prices: u32,
    codes: u32,
}

impl Head {
    fn read(bytes: &[u8; 16]) -> Option<Self> {
        let (id, counts) = bytes.split_first_chunk()?;
        let (prices, codes) = counts.split_first_chunk()?;
        Some(Head {
            id: i64::from_le_bytes(*id),
            prices: u32::from_le_bytes(*prices),
            codes: u32::from_le_bytes(*codes.first_chunk()?),
        })
    }
}

impl<'a> Prices<'a> {
    fn read(rest: &mut &'a [u8], count: u32) -> Option<Self> {
        match count {
            HAS_BASE => match take::<8>(rest, 1)? {
                [base] => Some(Prices::From(i64::from_le_bytes(*base))),
                _ => None,
            },
            count => take::<8>(rest, count).map(Prices::Of),
        }
    }

    /// Returns the highest code that has a price; none where a price would be none.
    fn most(self) -> Option<usize> {
        match self {
            Prices::From(base) => base.checked_add(REACH).map(|_| REACH as usize),
            Prices::Of(prices) => Some(prices.len()),
        }
    }
}

impl<'a> Codes<'a> {
    fn read(rest: &mut &'a [u8], count: u32) -> Option<Self> {
        match count & IS_TABLE {
            0 => take::<4>(rest, count).map(Codes::List),
            _ => take::<2>(rest, count & !IS_TABLE).map(Codes::Table),
        }
    }

    fn are_sound(self, stores: usize, prices: usize) -> bool {
        match self {
            Codes::Table(codes) => {
                let highest = codes.iter().map(|code| u16::from_le_bytes(*code)).max();
                codes.len() <= stores && usize::from(highest.unwrap_or(0)) <= prices
            }
            Codes::List(codes) => {
                let is_sound = |code: &[u8; 4]| {
                    let (store, code) = parts(*code);
                    usize::from(store) < stores && (1..=prices).contains(&usize::from(code))
                };
                codes.iter().all(is_sound) && codes.is_sorted_by(|a, b| parts(*a).0 < parts(*b).0)
            }
        }
    }
}

fn parts([a, b, c, d]: [u8; 4]) -> (u16, u16) {
    (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
}

/// Takes `count` numbers of `N` bytes off the end of `rest`.
fn take_last<'a, const N: usize>(rest: &mut &'a [u8], count: u32) -> Option<&'a [[u8; N]]> {
    let left = rest.len().checked_sub((count as usize).checked_mul(N)?)?;
    let (left, taken) = rest.split_at(left);
    *rest = left;
    Some(taken.as_chunks::<N>().0)
}

/// Takes `count` numbers of `N` bytes off the front of `rest`.
fn take<'a, const N: usize>(rest: &mut &'a [u8], count: u32) -> Option<&'a [[u8; N]]> {
    let (taken, left) = rest.split_at_checked((count as usize).checked_mul(N)?)?;
    *rest = left;
    Some(taken.as_chunks::<N>().0)
}
