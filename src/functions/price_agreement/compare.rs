//! Compares each two stores of a company, exactly.
//!
//! Stores that look the same are compared as one, and what was taken for the same is
//! verified on the way. The others are compared a few blocks of products at a time,
//! those that most stores have first, so that most pairs leave early.

use std::sync::{Mutex, PoisonError};

use datafusion::common::Result;

use super::{
    block::{Block, Columns, PRODUCTS},
    lookalikes::Lookalikes,
    merged::Merged,
    share::Share,
    survey::Survey,
    tiles::{Candidate, Tile},
};
use crate::work::{memory::Memory, workers::Workers};

/// Blocks are laid out up to this many bytes; at least one is.
const BLOCKS_BYTES: usize = if cfg!(test) { 1 } else { 64 << 20 };

/// Which stores are compared, and which pairs are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// A store needs more prices than this.
    pub(super) min_prices: u64,
    /// What a pair must reach, over at least one product; none when all are wanted.
    pub(super) min_agreement: Option<Share>,
}

/// Two stores, by their numbers, and how far they agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    /// The store with the lower number.
    pub(super) a: u16,
    /// The other.
    pub(super) b: u16,
    /// How many products both price.
    pub(super) common: u32,
    /// For how many of these they ask the same.
    pub(super) same: u32,
}

impl Rule {
    fn wants(&self, common: u32, same: u32) -> bool {
        self.min_agreement
            .is_none_or(|least| common > 0 && least.is_reached(same, common))
    }
}

/// Where and with what a company is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) workers: &'a Workers,
    pub(super) memory: &'a Memory,
}

/// What a comparison found.
#[derive(Debug)]
pub(super) struct Compared {
    /// By store, how many prices it has.
    pub(super) prices: Vec<u32>,
    /// The pairs that the rule wants, by both stores.
    pub(super) pairs: Vec<Pair>,
}

/// Compares each two stores.
///
/// # Errors
///
/// Returns an error when there is too little memory, or when the work was stopped.
pub(super) fn compare(merged: &Merged, rule: Rule, means: Means) -> Result<Compared> {
    let threads = means.workers.threads();
    let surveys = Survey::size(merged, threads);
    means.memory.grow(merged.size() + surveys)?;
    let survey = Survey::of(merged, means.workers)?;
    let compared: Vec<u16> = (0..merged.stores.len())
        .filter(|&store| u64::from(survey.prices[store]) > rule.min_prices)
        .map(|store| store as u16)
        .collect();
    let classes = Lookalikes::of(&survey, &compared);
    let pairs = pairs_of(merged, &survey, classes, rule, means)?;
    Ok(Compared {
        prices: survey.prices,
        pairs,
    })
}

/// Compares one store of each class; all of them when two turn out to differ.
pub(super) fn pairs_of(
    merged: &Merged,
    survey: &Survey,
    classes: Lookalikes,
    rule: Rule,
    means: Means,
) -> Result<Vec<Pair>> {
    let comparison = Comparison {
        merged,
        survey,
        rule,
        means,
    };
    if let Some(candidates) = comparison.candidates(&classes)? {
        return comparison.expanded(&classes, &candidates);
    }
    let mut compared = classes.classes.concat();
    compared.sort_unstable();
    let single = Lookalikes::none(&compared);
    let candidates = comparison.candidates(&single)?.unwrap_or_default();
    comparison.expanded(&single, &candidates)
}

struct Comparison<'a> {
    merged: &'a Merged<'a>,
    survey: &'a Survey,
    rule: Rule,
    means: Means<'a>,
}

impl Comparison<'_> {
    /// Returns the pairs of classes that are wanted; none at all when two stores of
    /// a class differ.
    fn candidates(&self, classes: &Lookalikes) -> Result<Option<Vec<Candidate>>> {
        let memory = self.means.memory.part();
        let (stores, alike) = (classes.first_stores(), classes.others());
        let at_once = (BLOCKS_BYTES / Block::size(stores.len()).max(1)).max(1);
        let needed = self.survey.products.len().div_ceil(PRODUCTS);
        memory.grow(needed.min(at_once) * Block::size(stores.len()))?;
        let of_store = |store: &u16| self.survey.shared[usize::from(*store)];
        let mut left: Vec<u32> = stores.iter().map(of_store).collect();
        let tiles: Vec<Mutex<Tile>> = Tile::all(stores.len())
            .into_iter()
            .map(Mutex::new)
            .collect();
        for products in self.survey.products.chunks(at_once * PRODUCTS) {
            let Some(mut blocks) = self.blocks(products, &stores, &alike, &memory)? else {
                return Ok(None);
            };
            for block in &mut blocks {
                let prices = block.prices();
                left.iter_mut()
                    .zip(prices)
                    .for_each(|(left, prices)| *left -= prices);
                block.left.clone_from(&left);
            }
            self.compare(&tiles, &blocks, &memory)?;
        }
        let tiles = tiles.into_iter().map(|tile| tile.into_inner());
        let tiles = tiles.map(|tile| tile.unwrap_or_else(PoisonError::into_inner));
        let candidates = tiles.flat_map(Tile::into_candidates);
        let wanted = candidates.filter(|pair| self.rule.wants(pair.common, pair.same));
        Ok(Some(wanted.collect()))
    }

    /// Lays out products; none when two stores that should be alike differ.
    fn blocks(
        &self,
        products: &[u32],
        stores: &[u16],
        alike: &[(u16, u16)],
        memory: &Memory,
    ) -> Result<Option<Vec<Block>>> {
        let columns = memory.part();
        let all_stores = self.merged.stores.len();
        columns.grow(self.means.workers.threads() * Columns::size(all_stores))?;
        let laid_out = self.means.workers.each(
            products.len().div_ceil(PRODUCTS),
            || (Columns::new(all_stores), Vec::new()),
            |(columns, blocks), place| {
                let start = place * PRODUCTS;
                let products = &products[start..products.len().min(start + PRODUCTS)];
                let block = Block::of(self.merged, products, stores, alike, columns);
                blocks.push((place, block));
                Ok(())
            },
        )?;
        let mut blocks: Vec<_> = laid_out.into_iter().flat_map(|state| state.1).collect();
        blocks.sort_unstable_by_key(|(place, _)| *place);
        Ok(blocks.into_iter().map(|(_, block)| block).collect())
    }

    fn compare(&self, tiles: &[Mutex<Tile>], blocks: &[Block], memory: &Memory) -> Result<()> {
        let compare = |_: &mut (), place: usize| {
            let mut tile = tiles[place].lock().unwrap_or_else(PoisonError::into_inner);
            let before = tile.size();
            tile.compare(blocks, self.rule.min_agreement);
            memory.grow(tile.size().saturating_sub(before))
        };
        self.means.workers.each(tiles.len(), || (), compare)?;
        Ok(())
    }

    /// Returns the pairs of stores for the pairs of their classes, and those within
    /// a class.
    fn expanded(&self, classes: &Lookalikes, candidates: &[Candidate]) -> Result<Vec<Pair>> {
        let class = |row: u16| &classes.classes[usize::from(row)];
        let between = candidates
            .iter()
            .map(|pair| class(pair.a).len() * class(pair.b).len());
        let within = classes
            .classes
            .iter()
            .map(|class| class.len() * (class.len() - 1) / 2);
        let most = between.chain(within).sum();
        self.means.memory.grow(most * size_of::<Pair>())?;
        let mut pairs = Vec::with_capacity(most);
        for pair in candidates {
            for &a in class(pair.a) {
                let with_a = class(pair.b).iter().map(|&b| Pair {
                    a: a.min(b),
                    b: a.max(b),
                    common: pair.common,
                    same: pair.same,
                });
                pairs.extend(with_a);
            }
        }
        for class in &classes.classes {
            let shared = self.survey.shared[usize::from(class[0])];
            if self.rule.wants(shared, shared) {
                pairs.extend(pairs_within(class, shared));
            }
        }
        pairs.sort_unstable();
        Ok(pairs)
    }
}

fn pairs_within(class: &[u16], shared: u32) -> impl Iterator<Item = Pair> + '_ {
    let pair = move |a, b| Pair {
        a,
        b,
        common: shared,
        same: shared,
    };
    class
        .iter()
        .enumerate()
        .flat_map(move |(place, &a)| class[place + 1..].iter().map(move |&b| pair(a, b)))
}
