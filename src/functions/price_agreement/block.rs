//! Some products' prices of all compared stores, laid out for comparing.

use super::merged::Merged;

/// Products a block. The codes of two times [`super::tiles::TILE`] stores fit the
/// second-fastest cache, those of one the fastest.
pub(super) const PRODUCTS: usize = 512;

/// Products that are turned from columns into rows at once: a cache line of codes.
const LINE: usize = 32;

const WORD: usize = u64::BITS as usize;

/// A block: rows are the compared stores.
#[derive(Debug)]
pub(super) struct Block {
    rows: Vec<Row>,
    /// By row, its prices of the blocks to come.
    pub(super) left: Vec<u32>,
}

/// One store's prices of the products of a block. Vectors of codes do not cross cache
/// lines.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Row {
    /// 0 where there is no price, or no such product.
    codes: [u16; PRODUCTS],
    /// A bit for each price.
    has: [u64; PRODUCTS / WORD],
    prices: u32,
}

/// How far two rows agree.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Agreement {
    /// Products that both price.
    pub(super) common: u32,
    /// Those that cost the same.
    pub(super) same: u32,
}

/// What laying out needs beside the block; kept for its memory.
#[derive(Debug)]
pub(super) struct Columns(Vec<Vec<u16>>);

impl Columns {
    pub(super) fn new(stores: usize) -> Self {
        Columns(vec![vec![0; stores]; LINE])
    }

    /// Returns the bytes of columns.
    pub(super) fn size(stores: usize) -> usize {
        LINE * stores * size_of::<u16>()
    }
}

impl Block {
    /// Lays out the prices that `stores` ask for `products`, at most [`PRODUCTS`].
    /// Returns none when two stores that should be `alike` differ.
    pub(super) fn of(
        merged: &Merged,
        products: &[u32],
        stores: &[u16],
        alike: &[(u16, u16)],
        columns: &mut Columns,
    ) -> Option<Block> {
        let mut rows = vec![Row::empty(); stores.len()];
        for (line, products) in products.chunks(LINE).enumerate() {
            for (column, product) in columns.0.iter_mut().zip(products) {
                merged.codes(*product as usize, column);
                let differ =
                    |(a, b): &(u16, u16)| column[usize::from(*a)] != column[usize::from(*b)];
                if alike.iter().any(differ) {
                    return None;
                }
            }
            let columns = &columns.0[..products.len()];
            for (row, store) in rows.iter_mut().zip(stores) {
                let codes = &mut row.codes[line * LINE..][..columns.len()];
                for (code, column) in codes.iter_mut().zip(columns) {
                    *code = column[usize::from(*store)];
                }
            }
        }
        rows.iter_mut().for_each(Row::count);
        let left = vec![0; rows.len()];
        Some(Block { rows, left })
    }

    /// Returns the bytes of a block of this many stores.
    pub(super) fn size(stores: usize) -> usize {
        stores * (size_of::<Row>() + size_of::<u32>())
    }

    /// Returns the prices of each row.
    pub(super) fn prices(&self) -> impl Iterator<Item = u32> + '_ {
        self.rows.iter().map(|row| row.prices)
    }

    /// Compares row `a` with each of `others`; `agreements` are as many.
    pub(super) fn compare(&self, a: usize, others: &[u16], agreements: &mut [Agreement]) {
        pulp::Arch::new().dispatch(OneWithMany {
            one: &self.rows[a],
            rows: &self.rows,
            others,
            agreements,
        });
    }
}

/// A row to be compared with others: not a closure, which the compiler might leave
/// outside of the function that has the processor's vectors.
struct OneWithMany<'a> {
    one: &'a Row,
    rows: &'a [Row],
    others: &'a [u16],
    agreements: &'a mut [Agreement],
}

impl pulp::NullaryFnOnce for OneWithMany<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (agreement, other) in self.agreements.iter_mut().zip(self.others) {
            *agreement = self.one.compare(&self.rows[usize::from(*other)]);
        }
    }
}

impl Row {
    fn empty() -> Row {
        Row {
            codes: [0; PRODUCTS],
            has: [0; PRODUCTS / WORD],
            prices: 0,
        }
    }

    fn count(&mut self) {
        for (has, codes) in self.has.iter_mut().zip(self.codes.chunks(WORD)) {
            let bit = |(place, code): (usize, &u16)| u64::from(*code != 0) << place;
            *has = codes
                .iter()
                .enumerate()
                .map(bit)
                .fold(0, |has, bit| has | bit);
        }
        self.prices = self.has.iter().map(|has| has.count_ones()).sum();
    }

    #[inline(always)]
    fn compare(&self, other: &Row) -> Agreement {
        let mut common = 0;
        for place in 0..PRODUCTS / WORD {
            common += (self.has[place] & other.has[place]).count_ones();
        }
        // A block's counts fit two bytes, so a vector holds as many as it holds codes.
        let mut equal = 0u16;
        for place in 0..PRODUCTS {
            equal += u16::from(self.codes[place] == other.codes[place]);
        }
        // Equal are also those products that neither has.
        let neither = PRODUCTS as u32 + common - self.prices - other.prices;
        Agreement {
            common,
            same: u32::from(equal) - neither,
        }
    }
}
