//! Compares each two rows of a block, block after block.
//!
//! Products of `f32` only say which pairs cannot be similar enough; each other pair is
//! scored in `f64`, in a fixed order, so that a result does not depend on the processor. A pair of
//! several blocks counts in the lowest.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use datafusion::common::Result;

use super::{
    Pair, Rule,
    best::Best,
    panels::{Few, Panels, ROWS, Sums, no_sums},
    score::{ONE, score},
    set::Set,
};
use crate::work::{memory::Memory, workers::Workers};

/// Rows that are laid out at once, in several blocks; a larger block is laid out alone.
const ROWS_AT_ONCE: usize = 1 << 16;
/// Rows that a panel is compared with while it is in the fastest cache.
const CHUNK: usize = 16 * ROWS;

/// The similar pairs of a set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Similar {
    /// Those that are kept, by both rows.
    pub(super) pairs: Vec<Pair>,
    /// How many there are in all.
    pub(super) found: u64,
}

/// Where and with what a set is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) workers: &'a Workers,
    pub(super) memory: &'a Memory,
}

/// Returns the pairs of a set that are similar enough.
///
/// # Errors
///
/// Returns an error when there is too little memory, or when the work was stopped.
pub(super) fn similar(set: &Set, rule: Rule, means: Means) -> Result<Similar> {
    let memory = means.memory.part();
    let pairs = match rule.limit {
        Some(limit) => Pairs::Best(Best::new(set.len(), limit, &memory)?),
        None => Pairs::All(Mutex::default(), &memory),
    };
    let comparison = Comparison {
        set,
        rule,
        means,
        pairs,
        found: AtomicU64::new(0),
    };
    for blocks in at_once(&blocks(set)) {
        comparison.compare(blocks)?;
    }
    Ok(Similar {
        found: comparison.found.into_inner(),
        pairs: comparison.pairs.standing(),
    })
}

/// A block and its rows, in their order.
type Block = (i64, Vec<u32>);

/// Returns the blocks of two rows or more, by number.
fn blocks(set: &Set) -> Vec<Block> {
    let mut blocks: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for row in 0..set.len() {
        for &number in set.within(row) {
            let rows = blocks.entry(number).or_default();
            // A list may name a block twice.
            if rows.last() != Some(&(row as u32)) {
                rows.push(row as u32);
            }
        }
    }
    let compared = blocks.into_iter().filter(|(_, rows)| rows.len() > 1);
    compared.collect()
}

/// Cuts the blocks into as many as are laid out at once.
fn at_once(blocks: &[Block]) -> impl Iterator<Item = &[Block]> {
    let mut rows = 0;
    blocks.chunk_by(move |block, next| {
        rows += block.1.len();
        let fits = rows + next.1.len() <= ROWS_AT_ONCE;
        rows = if fits { rows } else { 0 };
        fits
    })
}

struct Comparison<'a> {
    set: &'a Set,
    rule: Rule,
    means: Means<'a>,
    pairs: Pairs<'a>,
    found: AtomicU64,
}

/// The pairs so far.
enum Pairs<'m> {
    All(Mutex<Vec<Pair>>, &'m Memory),
    Best(Best<'m>),
}

/// A block that is laid out.
struct LaidOut<'b> {
    block: &'b Block,
    panels: Panels,
}

impl Comparison<'_> {
    fn compare(&self, blocks: &[Block]) -> Result<()> {
        let memory = self.means.memory.part();
        let laid_out = self.lay_out(blocks, &memory)?;
        let chunks: Vec<(&LaidOut, usize)> = laid_out
            .iter()
            .flat_map(|block| {
                let starts = (0..block.block.1.len()).step_by(CHUNK);
                starts.map(move |start| (block, start))
            })
            .collect();
        let compare = |sums: &mut Sums, number: usize| {
            let (block, start) = chunks[number];
            self.compare_chunk(block, start, sums)
        };
        self.means.workers.each(chunks.len(), no_sums, compare)?;
        Ok(())
    }

    fn lay_out<'b>(&self, blocks: &'b [Block], memory: &Memory) -> Result<Vec<LaidOut<'b>>> {
        let size = |block: &Block| Panels::size(self.set.dimension, block.1.len());
        memory.grow(blocks.iter().map(size).sum())?;
        let lay_out = |done: &mut Vec<(usize, Panels)>, number: usize| {
            let rows = &blocks[number].1;
            let unit = |place: usize| self.unit(rows[place] as usize);
            done.push((number, Panels::of(self.set.dimension, rows.len(), unit)));
            Ok(())
        };
        let done = self.means.workers.each(blocks.len(), Vec::new, lay_out)?;
        let laid_out = done.into_iter().flatten().map(|(number, panels)| LaidOut {
            block: &blocks[number],
            panels,
        });
        let mut laid_out: Vec<LaidOut> = laid_out.collect();
        // The longest first: what is left for last is short.
        laid_out.sort_by_key(|block| (std::cmp::Reverse(block.block.1.len()), block.block.0));
        Ok(laid_out)
    }

    /// Returns a row's vector with length 1, as near as `f32` comes.
    fn unit(&self, row: usize) -> Vec<f32> {
        let length = self.set.squares[row].sqrt();
        let scale = if length == 0.0 { 0.0 } else { 1.0 / length };
        let numbers = self.set.vector(row).iter();
        numbers
            .map(|number| (f64::from(*number) * scale) as f32)
            .collect()
    }

    /// Compares some rows of a block with all that follow them.
    fn compare_chunk(&self, block: &LaidOut, start: usize, sums: &mut Sums) -> Result<()> {
        let panels = &block.panels;
        let cut = self.rule.cut(self.set.dimension);
        let end = block.block.1.len().min(start + CHUNK);
        let chunk: Vec<(usize, Few)> = (start..end)
            .step_by(ROWS)
            .map(|first| (first, panels.few(first)))
            .collect();
        for panel in start / panels.width()..panels.count() {
            self.means.workers.go_on()?;
            let after = (panel + 1) * panels.width();
            for (first, few) in chunk.iter().filter(|(first, _)| *first < after) {
                if panels.multiply(few, panel, cut, sums) {
                    let corner = (*first, panel * panels.width());
                    let sums = sums[..ROWS * panels.width()].chunks(panels.width());
                    self.take(block.block, corner, sums, cut)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the pairs of a tile that are similar enough.
    fn take<'s>(
        &self,
        (number, rows): &Block,
        corner: (usize, usize),
        sums: impl Iterator<Item = &'s [f32]>,
        cut: f32,
    ) -> Result<()> {
        for (a, sums) in (corner.0..).zip(sums) {
            let over = (corner.1..).zip(sums).filter(|(_, sum)| **sum > cut);
            for (b, _) in over.filter(|(b, _)| a < *b && *b < rows.len()) {
                self.take_pair(*number, rows[a], rows[b])?;
            }
        }
        Ok(())
    }

    fn take_pair(&self, block: i64, a: u32, b: u32) -> Result<()> {
        let (set, rows) = (self.set, (a as usize, b as usize));
        if set.first_common(rows.0, rows.1) != Some(block) || set.apart(rows.0, rows.1) {
            return Ok(());
        }
        let (of_a, of_b) = (set.vector(rows.0), set.vector(rows.1));
        let score = score(of_a, set.squares[rows.0], of_b, set.squares[rows.1]);
        if score <= self.rule.over {
            return Ok(());
        }
        self.found.fetch_add(1, Ordering::Relaxed);
        self.pairs.push(Pair { a, b, score })
    }
}

impl Pairs<'_> {
    fn push(&self, pair: Pair) -> Result<()> {
        match self {
            Pairs::Best(best) => best.offer(pair),
            Pairs::All(pairs, memory) => {
                let mut pairs = pairs.lock().unwrap_or_else(PoisonError::into_inner);
                if pairs.len() == pairs.capacity() {
                    let more = pairs.len().max(1024);
                    memory.grow(more * size_of::<Pair>())?;
                    pairs.reserve_exact(more);
                }
                pairs.push(pair);
                Ok(())
            }
        }
    }

    /// Returns the pairs that are kept, by both rows.
    fn standing(self) -> Vec<Pair> {
        match self {
            Pairs::Best(best) => best.pairs(),
            Pairs::All(pairs, _) => {
                let mut pairs = pairs.into_inner().unwrap_or_else(PoisonError::into_inner);
                pairs.sort_unstable_by_key(|pair| (pair.a, pair.b));
                pairs
            }
        }
    }
}

impl Rule {
    /// Returns what the product of two vectors is not over unless their score may be.
    ///
    /// A score over `over` is a cosine half a ten-thousandth over it at least. Sums of so
    /// many products of `f32` are off by less than as many roundings, in any order.
    fn cut(&self, dimension: usize) -> f32 {
        let least = (f64::from(self.over) + 0.5) / f64::from(ONE);
        let off = (dimension as f64 + 16.0) * f64::from(f32::EPSILON);
        (least - off) as f32
    }
}
