//! Compares the prices of each two stores, exactly, a block of products at a time.
//!
//! In go products, each with what the stores ask for it; out come the pairs that
//! agree. Stores are numbered from 0 in the order of their ids.

/// Two stores and how far they agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    /// The store with the lower id.
    pub(super) store_a: i64,
    /// The other.
    pub(super) store_b: i64,
    /// How many products both price.
    pub(super) common: u64,
    /// For how many of these they ask the same.
    pub(super) same: u64,
}

/// A share of a whole, as an exact fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    numerator: i128,
    denominator: i128,
}

impl Share {
    /// Returns `numerator` ÷ `denominator` percent, which is from 0 to 100.
    pub(super) fn percent(numerator: i128, denominator: i128) -> Share {
        Share {
            numerator,
            denominator: 100 * denominator,
        }
    }

    fn is_reached(self, same: u32, common: u32) -> bool {
        i128::from(same) * self.denominator >= self.numerator * i128::from(common)
    }
}

/// A pair that may still be tied.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    a: u16,
    b: u16,
    common: u32,
    same: u32,
}

/// The comparison so far.
#[derive(Debug)]
pub(super) struct Comparison {
    min_agreement: Share,
    candidates: Vec<Candidate>,
    /// By store, the prices that the blocks to come hold.
    left: Vec<u32>,
    /// Stores by products: 0 where a store has no price, else equal where the
    /// prices of the product are.
    codes: Vec<u16>,
    /// Products in `codes`.
    products: usize,
}

impl Comparison {
    /// The most stores: a product's prices must fit two bytes.
    pub(super) const MAX_STORES: usize = u16::MAX as usize;

    /// Products a block: two rows of codes fit the fastest cache.
    pub(super) const BLOCK_PRODUCTS: usize = 4096;

    /// Starts with every pair of `stores`; `prices` are the stores of all prices
    /// that will be added.
    pub(super) fn new(
        stores: usize,
        prices: impl Iterator<Item = usize>,
        min_agreement: Share,
    ) -> Self {
        let mut left = vec![0; stores];
        prices.for_each(|store| left[store] += 1);
        let pair = |a, b| Candidate {
            a,
            b,
            common: 0,
            same: 0,
        };
        let stores_b = |a| (a + 1..stores as u16).map(move |b| pair(a, b));
        Comparison {
            min_agreement,
            candidates: (0..stores as u16).flat_map(stores_b).collect(),
            left,
            codes: vec![0; stores * Self::BLOCK_PRODUCTS],
            products: 0,
        }
    }

    /// Returns the bytes that comparing so many stores takes.
    pub(super) fn size(stores: usize) -> usize {
        let pairs = stores * stores / 2 * size_of::<Candidate>();
        pairs + stores * Self::BLOCK_PRODUCTS * size_of::<u16>()
    }

    /// Adds a product: what each store that has it asks, a store once.
    pub(super) fn add_product(&mut self, prices: &mut [(usize, i64)]) {
        for (store, _) in prices.iter() {
            self.left[*store] -= 1;
        }
        if prices.len() < 2 {
            return;
        }
        prices.sort_unstable_by_key(|price| price.1);
        for (code, same) in (1..).zip(prices.chunk_by(|a, b| a.1 == b.1)) {
            for (store, _) in same {
                self.codes[store * Self::BLOCK_PRODUCTS + self.products] = code;
            }
        }
        self.products += 1;
        if self.products == Self::BLOCK_PRODUCTS {
            self.compare_block();
        }
    }

    /// Returns the tied pairs, by `ids` of the stores.
    pub(super) fn finish(mut self, ids: &[i64]) -> Vec<Pair> {
        self.compare_block();
        let tied = self.candidates.iter().filter(|pair| pair.common > 0);
        tied.map(|pair| Pair {
            store_a: ids[usize::from(pair.a)],
            store_b: ids[usize::from(pair.b)],
            common: pair.common.into(),
            same: pair.same.into(),
        })
        .collect()
    }

    fn compare_block(&mut self) {
        let row = |store: u16| {
            let start = usize::from(store) * Self::BLOCK_PRODUCTS;
            &self.codes[start..start + self.products]
        };
        let (left, min_agreement) = (&self.left, self.min_agreement);
        self.candidates.retain_mut(|pair| {
            let (common, same) = compare(row(pair.a), row(pair.b));
            pair.common += u32::from(common);
            pair.same += u32::from(same);
            // Were all that is left in common and the same, would it be enough?
            let left = left[usize::from(pair.a)].min(left[usize::from(pair.b)]);
            min_agreement.is_reached(pair.same + left, pair.common + left)
        });
        self.codes.fill(0);
        self.products = 0;
    }
}

/// Returns how many products have a price in both rows, and how many the same.
fn compare(a: &[u16], b: &[u16]) -> (u16, u16) {
    // Counts of a block fit two bytes, so a vector holds as many as it holds codes.
    let (mut common, mut same) = (0, 0);
    for (a, b) in a.iter().zip(b) {
        let is_common = (*a != 0) & (*b != 0);
        common += u16::from(is_common);
        same += u16::from(is_common & (a == b));
    }
    (common, same)
}
