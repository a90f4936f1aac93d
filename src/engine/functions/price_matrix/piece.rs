//! Prices as bytes: how they travel from one operator, or process, to the next.
//!
//! ```text
//! "pricemx1"  stores: u32  products: u32
//! store ids: i64 …
//! of each product: id: i64, distinct prices: u32, codes: u32 (top bit: a table)
//! of each product: its distinct prices: i64 …
//! of each product: a table of codes, u16 a store; or a list of store and code, u16 each
//! ```
//!
//! All numbers are little-endian. A matrix is any number of pieces, each complete in
//! itself, so that writing one never needs the memory twice. Whoever reads one trusts
//! nothing: a code has a price, a list is by store.

use datafusion::common::{Result, exec_err};

use super::{NAME, column::Column, company::Product};

const MAGIC: &[u8; 8] = b"pricemx1";

/// Marks the length of a table; other lengths are those of lists.
const IS_TABLE: u32 = 1 << 31;

/// After so many bytes of products a new piece begins.
const PIECE_BYTES: usize = if cfg!(test) { 512 } else { 8 << 20 };

/// Returns the pieces of a matrix. Products are freed as they are written.
pub(super) fn write(
    stores: &[i64],
    products: impl Iterator<Item = (i64, Product)>,
) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let (mut gathered, mut bytes) = (Vec::new(), 0);
    for (id, product) in products {
        bytes += written_bytes(&product);
        gathered.push((id, product));
        if bytes >= PIECE_BYTES {
            pieces.push(write_one(stores, &gathered, bytes));
            gathered.clear();
            bytes = 0;
        }
    }
    if !gathered.is_empty() {
        pieces.push(write_one(stores, &gathered, bytes));
    }
    pieces
}

fn written_bytes(product: &Product) -> usize {
    let codes = match &product.codes {
        Column::Sparse(codes) => codes.len() * 4,
        Column::Dense(codes) => codes.len() * 2,
    };
    16 + product.prices.prices().len() * 8 + codes
}

fn write_one(stores: &[i64], products: &[(i64, Product)], bytes: usize) -> Vec<u8> {
    let mut piece = Vec::with_capacity(16 + stores.len() * 8 + bytes);
    piece.extend(MAGIC);
    piece.extend((stores.len() as u32).to_le_bytes());
    piece.extend((products.len() as u32).to_le_bytes());
    piece.extend(stores.iter().flat_map(|id| id.to_le_bytes()));
    for (id, product) in products {
        let codes = match &product.codes {
            Column::Sparse(codes) => codes.len() as u32,
            Column::Dense(codes) => codes.len() as u32 | IS_TABLE,
        };
        piece.extend(id.to_le_bytes());
        piece.extend((product.prices.prices().len() as u32).to_le_bytes());
        piece.extend(codes.to_le_bytes());
    }
    for (_, product) in products {
        let prices = product.prices.prices().iter();
        piece.extend(prices.flat_map(|price| price.to_le_bytes()));
    }
    for (_, product) in products {
        match &product.codes {
            Column::Dense(codes) => {
                piece.extend(codes.iter().flat_map(|code| code.to_le_bytes()));
            }
            Column::Sparse(codes) => {
                for (store, code) in codes {
                    piece.extend(store.to_le_bytes());
                    piece.extend(code.to_le_bytes());
                }
            }
        }
    }
    piece
}

/// A piece that was checked, over its bytes.
#[derive(Debug)]
pub(in crate::engine::functions) struct Piece<'a> {
    stores: &'a [[u8; 8]],
    /// In the order they were written.
    pub(in crate::engine::functions) products: Vec<PieceProduct<'a>>,
}

/// One product of a piece.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine::functions) struct PieceProduct<'a> {
    /// The product.
    pub(in crate::engine::functions) id: i64,
    prices: &'a [[u8; 8]],
    codes: Codes<'a>,
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
    pub(in crate::engine::functions) fn open(bytes: &'a [u8]) -> Result<Self> {
        match Self::read(bytes) {
            Some(piece) => Ok(piece),
            None => exec_err!("these bytes are no piece of a {NAME}"),
        }
    }

    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let rest = &mut bytes;
        let [magic] = take::<8>(rest, 1)? else {
            return None;
        };
        let [stores, products] = take::<4>(rest, 2)? else {
            return None;
        };
        let [stores, products] = [stores, products].map(|count| u32::from_le_bytes(*count));
        let stores = take::<8>(rest, stores)?;
        let heads = take::<16>(rest, products)?;
        let mut products = Vec::with_capacity(heads.len());
        for head in heads {
            let (id, counts) = head.split_first_chunk()?;
            let (distinct, codes) = counts.split_first_chunk()?;
            let distinct = u32::from_le_bytes(*distinct);
            let codes = u32::from_le_bytes(*codes.first_chunk()?);
            products.push((i64::from_le_bytes(*id), distinct, codes));
        }
        let prices: Option<Vec<_>> = products
            .iter()
            .map(|(_, distinct, _)| take::<8>(rest, *distinct))
            .collect();
        let products: Option<Vec<_>> = products
            .iter()
            .zip(prices?)
            .map(|(&(id, _, codes), prices)| {
                let codes = Codes::read(rest, codes)?;
                let is_sound = codes.are_sound(stores.len(), prices.len());
                is_sound.then_some(PieceProduct { id, prices, codes })
            })
            .collect();
        (magic == MAGIC && rest.is_empty()).then_some(Piece {
            stores,
            products: products?,
        })
    }

    /// Returns the ids of the stores, by number.
    pub(in crate::engine::functions) fn stores(&self) -> impl Iterator<Item = i64> + 'a {
        self.stores.iter().map(|id| i64::from_le_bytes(*id))
    }
}

impl<'a> PieceProduct<'a> {
    /// Returns the product's distinct prices, by code less one.
    pub(in crate::engine::functions) fn prices(&self) -> impl Iterator<Item = i64> + 'a {
        self.prices.iter().map(|price| i64::from_le_bytes(*price))
    }

    /// Calls `found` with the number of each store that has the product, and the
    /// code of its price.
    #[inline]
    pub(in crate::engine::functions) fn each_code(&self, mut found: impl FnMut(usize, u16)) {
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

/// Takes `count` numbers of `N` bytes off the front of `rest`.
fn take<'a, const N: usize>(rest: &mut &'a [u8], count: u32) -> Option<&'a [[u8; N]]> {
    let (taken, left) = rest.split_at_checked((count as usize).checked_mul(N)?)?;
    *rest = left;
    Some(taken.as_chunks::<N>().0)
}
