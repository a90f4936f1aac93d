//! Products become pieces, one after the other as they are complete.
//!
//! A piece begins with the codes, which are nearly all of it and are written where they
//! stay; what distinguishes them follows. The format is described where it is read, in
//! `piece`.

use datafusion::arrow::buffer::Buffer;

use super::{column::Column, product::Product, run::Run};

pub(super) const MAGIC: &[u8; 8] = b"pricemx2";

/// Marks the length of a table; other lengths are those of lists.
pub(super) const IS_TABLE: u32 = 1 << 31;

/// Stands for the number of prices where there is none but the base of the codes.
pub(super) const HAS_BASE: u32 = u32::MAX;

/// After this many bytes of codes and prices a new piece begins.
const PIECE_BYTES: usize = if cfg!(test) { 512 } else { 2 << 20 };

/// The pieces so far, the last one open.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pieces: Vec<Buffer>,
    bytes: usize,
    codes: Vec<u8>,
    prices: Vec<u8>,
    heads: Vec<u8>,
}

const HEAD_BYTES: usize = 16;

impl Writer {
    /// Appends a product's run; `stores` are all so far, by number.
    pub(super) fn run(&mut self, product: i64, run: &Run, stores: &[i64]) {
        let (codes, count) = run.codes();
        let codes = &codes[..codes.len().min(stores.len())];
        let of_store = |(store, code): (usize, &u16)| (store as u16, *code);
        let codes = match count * 2 >= stores.len() {
            true => self.table(codes),
            false => self.list(
                codes
                    .iter()
                    .enumerate()
                    .map(of_store)
                    .filter(|(_, code)| *code != 0),
            ),
        };
        self.prices.extend(run.base().to_le_bytes());
        self.end(product, HAS_BASE, codes, stores);
    }

    /// Appends a product that was held.
    pub(super) fn product(&mut self, id: i64, product: &Product, stores: &[i64]) {
        let codes = match &product.codes {
            Column::Dense(codes) => self.table(codes),
            Column::Sparse(codes) => self.list(codes.iter().copied()),
        };
        let prices = product.prices.prices();
        self.prices
            .extend(prices.iter().flat_map(|price| price.to_le_bytes()));
        self.end(id, prices.len() as u32, codes, stores);
    }

    fn table(&mut self, codes: &[u16]) -> u32 {
        self.make_room();
        let before = self.codes.len();
        self.codes.resize(before + codes.len() * 2, 0);
        let (bytes, _) = self.codes[before..].as_chunks_mut();
        for (bytes, code) in bytes.iter_mut().zip(codes) {
            *bytes = code.to_le_bytes();
        }
        codes.len() as u32 | IS_TABLE
    }

    fn list(&mut self, codes: impl Iterator<Item = (u16, u16)>) -> u32 {
        self.make_room();
        let before = self.codes.len();
        for (store, code) in codes {
            self.codes.extend(store.to_le_bytes());
            self.codes.extend(code.to_le_bytes());
        }
        ((self.codes.len() - before) / 4) as u32
    }

    /// A piece that is full of codes does not move as it grows.
    fn make_room(&mut self) {
        if self.codes.is_empty() && !self.pieces.is_empty() {
            self.codes.reserve_exact(PIECE_BYTES + PIECE_BYTES / 8);
        }
    }

    fn end(&mut self, product: i64, prices: u32, codes: u32, stores: &[i64]) {
        self.heads.extend(product.to_le_bytes());
        self.heads.extend(prices.to_le_bytes());
        self.heads.extend(codes.to_le_bytes());
        if self.codes.len() + self.prices.len() >= PIECE_BYTES {
            self.close(stores);
        }
    }

    fn close(&mut self, stores: &[i64]) {
        let mut piece = std::mem::take(&mut self.codes);
        piece.reserve_exact(self.prices.len() + stores.len() * 8 + self.heads.len() + 16);
        piece.extend(&self.prices);
        piece.extend(stores.iter().flat_map(|id| id.to_le_bytes()));
        piece.extend(&self.heads);
        piece.extend((stores.len() as u32).to_le_bytes());
        piece.extend(((self.heads.len() / HEAD_BYTES) as u32).to_le_bytes());
        piece.extend(MAGIC);
        self.prices.clear();
        self.heads.clear();
        self.bytes += piece.capacity();
        self.pieces.push(Buffer::from_vec(piece));
    }

    /// Returns the pieces, without one when nothing was written.
    pub(super) fn finish(mut self, stores: &[i64]) -> Vec<Buffer> {
        if !self.heads.is_empty() {
            self.close(stores);
        }
        self.pieces
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        let open = self.codes.capacity() + self.prices.capacity() + self.heads.capacity();
        self.bytes + open + self.pieces.capacity() * size_of::<Buffer>()
    }
}
