//! The pieces of a company's matrix, as one: its stores by id, its products by id.

use std::ops::{Deref, Range};

use datafusion::common::{HashMap, Result, exec_err};

use super::NAME;
use crate::functions::price_matrix::{Piece, PieceProduct};

/// A company's prices, wherever they lie.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    /// Ids, ascending; a store's number is its place here.
    pub(super) stores: Vec<i64>,
    /// By piece and its own number of a store, the store.
    numbers: Vec<Vec<u16>>,
    /// What the pieces have of products, by product id.
    parts: Vec<Part<'a>>,
    /// By product, by id, its parts.
    products: Vec<Range<usize>>,
}

/// What one piece has of a product.
#[derive(Debug)]
struct Part<'a> {
    piece: usize,
    product: PieceProduct<'a>,
}

impl<'a> Merged<'a> {
    /// The most stores that can be compared: a store is a number of two bytes.
    pub(super) const MAX_STORES: usize = u16::MAX as usize;

    /// Reads all pieces of a company.
    ///
    /// # Errors
    ///
    /// Returns an error when one is none, or when there are too many stores.
    pub(super) fn open(pieces: &'a [impl Deref<Target = [u8]>]) -> Result<Self> {
        let pieces: Result<Vec<Piece>> = pieces.iter().map(|piece| Piece::open(piece)).collect();
        let pieces = pieces?;
        let mut stores: Vec<i64> = pieces.iter().flat_map(Piece::stores).collect();
        stores.sort_unstable();
        stores.dedup();
        if stores.len() > Self::MAX_STORES {
            let (most, given) = (Self::MAX_STORES, stores.len());
            return exec_err!("{NAME} compares at most {most} stores, not {given}");
        }
        let number = |id: i64| stores.partition_point(|store| *store < id) as u16;
        let numbers = pieces
            .iter()
            .map(|piece| piece.stores().map(number).collect())
            .collect();
        let mut parts: Vec<Part> = Vec::new();
        for (piece, of_piece) in pieces.iter().enumerate() {
            let products = of_piece.products.iter();
            parts.extend(products.map(|&product| Part { piece, product }));
        }
        parts.sort_by_key(|part| part.product.id);
        Ok(Merged {
            products: runs(&parts),
            stores,
            numbers,
            parts,
        })
    }

    /// Returns how many products there are.
    pub(super) fn products(&self) -> usize {
        self.products.len()
    }

    /// Returns the bytes held, without the pieces themselves.
    pub(super) fn size(&self) -> usize {
        let numbers: usize = self.numbers.iter().map(Vec::len).sum();
        let parts = self.parts.capacity() * size_of::<Part>();
        let products = self.products.capacity() * size_of::<Range<usize>>();
        self.stores.capacity() * 8 + numbers * 2 + parts + products
    }

    /// Fills `codes`, by store, with numbers that are equal where the product's
    /// prices are, and 0 where a store has none.
    pub(super) fn codes(&self, product: usize, codes: &mut [u16]) {
        codes.fill(0);
        match &self.parts[self.products[product].clone()] {
            [part] => part.product.place_codes(&self.numbers[part.piece], codes),
            parts => self.codes_of_parts(parts, codes),
        }
    }

    /// Numbers the prices that count, the lowest of each store: there is a number for
    /// each, since there is one for each store.
    fn codes_of_parts(&self, parts: &[Part], codes: &mut [u16]) {
        let mut lowest = vec![0; codes.len()];
        for part in parts {
            let numbers = &self.numbers[part.piece];
            part.product.each_code(|store, code| {
                let price = part.product.price(code);
                let store = usize::from(numbers[store]);
                if codes[store] == 0 || price < lowest[store] {
                    (codes[store], lowest[store]) = (1, price);
                }
            });
        }
        let mut by_price: HashMap<i64, u16> = HashMap::new();
        for (code, price) in codes.iter_mut().zip(lowest) {
            if *code != 0 {
                let next = by_price.len() as u16 + 1;
                *code = *by_price.entry(price).or_insert(next);
            }
        }
    }
}

fn runs(parts: &[Part]) -> Vec<Range<usize>> {
    let mut start = 0;
    let of_product = parts.chunk_by(|a, b| a.product.id == b.product.id);
    of_product
        .map(|run| {
            start += run.len();
            start - run.len()..start
        })
        .collect()
}
