//! The pairs of stores, in tiles that fit the caches.

use super::{
    block::{Agreement, Block},
    share::Share,
};

/// Stores a side.
pub(super) const TILE: usize = 32;

/// Two compared stores, by their rows, and how far they agree so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) a: u16,
    pub(super) b: u16,
    pub(super) common: u32,
    pub(super) same: u32,
}

/// The pairs of some stores with some others that may yet be tied.
#[derive(Debug)]
pub(super) struct Tile {
    /// Rows of the first stores of both sides.
    corner: (usize, usize),
    rows: usize,
    /// By both rows; none before the first block.
    candidates: Option<Vec<Candidate>>,
}

impl Tile {
    /// Returns the tiles of all pairs of this many stores, each pair in one.
    pub(super) fn all(rows: usize) -> Vec<Tile> {
        let starts = || (0..rows).step_by(TILE);
        let tile = |corner| Tile {
            corner,
            rows,
            candidates: None,
        };
        starts()
            .flat_map(|a| starts().skip(a / TILE).map(move |b| tile((a, b))))
            .collect()
    }

    /// Compares the pairs that are left over some blocks. With a share that must be
    /// reached, a pair leaves that cannot reach it any more.
    pub(super) fn compare(&mut self, blocks: &[Block], least: Option<Share>) {
        let (corner, rows) = (self.corner, self.rows);
        let candidates = self.candidates.get_or_insert_with(|| pairs(corner, rows));
        for block in blocks {
            if candidates.is_empty() {
                break;
            }
            add(block, candidates);
            if let Some(least) = least {
                let left = |pair: &Candidate| {
                    block.left[usize::from(pair.a)].min(block.left[usize::from(pair.b)])
                };
                // Were all that is left in common and the same, would it be enough?
                candidates.retain(|pair| {
                    let left = left(pair);
                    least.is_reached(pair.same + left, pair.common + left)
                });
            }
        }
        candidates.shrink_to_fit();
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        let candidates = self.candidates.as_ref().map_or(0, Vec::capacity);
        candidates * size_of::<Candidate>()
    }

    /// Returns the pairs that are left.
    pub(super) fn into_candidates(self) -> Vec<Candidate> {
        let (corner, rows) = (self.corner, self.rows);
        self.candidates.unwrap_or_else(|| pairs(corner, rows))
    }
}

fn pairs(corner: (usize, usize), rows: usize) -> Vec<Candidate> {
    let side = |start: usize| start..rows.min(start + TILE);
    let pair = |a, b| Candidate {
        a: a as u16,
        b: b as u16,
        common: 0,
        same: 0,
    };
    side(corner.0)
        .flat_map(|a| {
            side(corner.1)
                .filter(move |b| a < *b)
                .map(move |b| pair(a, b))
        })
        .collect()
}

/// Adds what a block says of each pair.
fn add(block: &Block, candidates: &mut [Candidate]) {
    let mut others = [0; TILE];
    let mut agreements = [Agreement::default(); TILE];
    for of_a in candidates.chunk_by_mut(|x, y| x.a == y.a) {
        let (others, agreements) = (&mut others[..of_a.len()], &mut agreements[..of_a.len()]);
        for (other, pair) in others.iter_mut().zip(&*of_a) {
            *other = pair.b;
        }
        block.compare(usize::from(of_a[0].a), others, agreements);
        for (pair, agreement) in of_a.iter_mut().zip(agreements) {
            pair.common += agreement.common;
            pair.same += agreement.same;
        }
    }
}
