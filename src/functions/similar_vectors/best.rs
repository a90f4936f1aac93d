//! The best pairs of each row, up to a limit.

use std::sync::{Mutex, PoisonError};

use datafusion::common::Result;

use super::{Pair, score::ONE};
use crate::work::memory::Memory;

/// The best pairs of all rows.
pub(super) struct Best<'m> {
    /// The most pairs a row may have.
    limit: usize,
    rows: Vec<Mutex<Row>>,
    memory: &'m Memory,
}

/// One row's pairs: each is the other row behind how far its score is from 1, so that
/// better ones are lower, and a tie goes to the lower id.
type Row = Vec<u64>;

impl<'m> Best<'m> {
    pub(super) fn new(rows: usize, limit: usize, memory: &'m Memory) -> Result<Best<'m>> {
        memory.grow(rows * size_of::<Mutex<Row>>())?;
        let rows = std::iter::repeat_with(Mutex::default).take(rows).collect();
        Ok(Best {
            limit,
            rows,
            memory,
        })
    }

    /// Offers a pair to both its rows.
    pub(super) fn offer(&self, pair: Pair) -> Result<()> {
        self.offer_to(pair.a, key(pair.b, pair.score))?;
        self.offer_to(pair.b, key(pair.a, pair.score))
    }

    fn offer_to(&self, row: u32, key: u64) -> Result<()> {
        let row = self.rows[row as usize].lock();
        let mut row = row.unwrap_or_else(PoisonError::into_inner);
        if row.len() == row.capacity() {
            // Twice the limit are let in before the worse half has to go.
            if row.len() >= 2 * self.limit {
                keep(&mut row, self.limit);
            } else {
                let more = row.len().max(4).min(2 * self.limit - row.len());
                self.memory.grow(more * size_of::<u64>())?;
                row.reserve_exact(more);
            }
        }
        row.push(key);
        Ok(())
    }

    /// Returns the pairs that are among the best of both their rows, by both.
    pub(super) fn pairs(self) -> Vec<Pair> {
        let rows = self.rows.into_iter();
        let mut rows: Vec<Row> = rows
            .map(|row| row.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        for row in &mut rows {
            keep(row, self.limit);
            row.sort_unstable();
        }
        let mut pairs = Vec::new();
        for (a, of_a) in (0..).zip(&rows) {
            let first = pairs.len();
            for &key in of_a {
                let pair = pair(a, key);
                if a < pair.b && has(&rows[pair.b as usize], a, pair.score) {
                    pairs.push(pair);
                }
            }
            pairs[first..].sort_unstable_by_key(|pair| pair.b);
        }
        pairs
    }
}

/// Drops all but the best.
fn keep(row: &mut Row, limit: usize) {
    if row.len() > limit {
        row.select_nth_unstable(limit);
        row.truncate(limit);
    }
}

fn has(row: &Row, other: u32, score: i32) -> bool {
    row.binary_search(&key(other, score)).is_ok()
}

fn key(other: u32, score: i32) -> u64 {
    let from_one = (ONE - score) as u64;
    from_one << u32::BITS | u64::from(other)
}

fn pair(a: u32, key: u64) -> Pair {
    Pair {
        a,
        b: key as u32,
        score: ONE - (key >> u32::BITS) as i32,
    }
}
