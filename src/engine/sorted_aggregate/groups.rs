//! The groups of sorted rows: where each begins, and which are complete.

use std::ops::Range;

use datafusion::{
    arrow::{
        array::{ArrayRef, UInt64Array, make_comparator},
        compute::{SortOptions, partition, take},
    },
    common::Result,
};

use super::pending::Pending;

/// The groups that are not given out yet; the last one may go on.
#[derive(Debug, Default)]
pub(super) struct Groups {
    keys: Vec<Pending>,
    count: usize,
    /// The batch at hand.
    runs: Runs,
    /// For each of its rows, the group.
    of_rows: Vec<usize>,
}

/// The groups of a batch, each a run of rows.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The rows of each run.
    pub(super) ranges: Vec<Range<usize>>,
    /// Whether the first run belongs to the last group of the batch before.
    pub(super) goes_on: bool,
}

impl Runs {
    /// Returns the runs that begin a group.
    pub(super) fn begun(&self) -> &[Range<usize>] {
        &self.ranges[usize::from(self.goes_on)..]
    }
}

impl Groups {
    /// Finds the groups of a batch's rows.
    pub(super) fn find(&mut self, keys: &[ArrayRef]) -> Result<()> {
        self.of_rows.clear();
        self.runs = Runs {
            ranges: partition(keys)?.ranges(),
            goes_on: self.goes_on(keys)?,
        };
        let begun = self.runs.begun();
        let starts: UInt64Array = begun.iter().map(|run| run.start as u64).collect();
        self.keys.resize_with(keys.len(), Pending::default);
        for (pending, key) in self.keys.iter_mut().zip(keys) {
            pending.push(take(key, &starts, None)?);
        }
        self.count += begun.len();
        Ok(())
    }

    /// Returns the batch's groups as runs.
    pub(super) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Returns the group of each row of the batch.
    pub(super) fn of_rows(&mut self) -> &[usize] {
        if self.of_rows.is_empty() {
            let first = self.count - self.runs.ranges.len();
            for (group, run) in (first..).zip(&self.runs.ranges) {
                self.of_rows.resize(run.end, group);
            }
        }
        &self.of_rows
    }

    /// Returns how many groups wait to be given out.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Gives out the keys of the first `count` groups.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        self.count -= count;
        self.keys.iter_mut().map(|keys| keys.take(count)).collect()
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        let keys: usize = self.keys.iter().map(Pending::size).sum();
        keys + self.of_rows.capacity() * size_of::<usize>()
    }

    /// Returns whether the batch's first row belongs to the last group.
    fn goes_on(&self, keys: &[ArrayRef]) -> Result<bool> {
        if self.count == 0 || keys.iter().any(|key| key.is_empty()) {
            return Ok(false);
        }
        for (pending, key) in self.keys.iter().zip(keys) {
            let Some(last) = pending.last() else {
                return Ok(false);
            };
            let compare = make_comparator(&last, key, SortOptions::default())?;
            if compare(0, 0).is_ne() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::{
        array::{Array, AsArray, Int64Array},
        datatypes::Int64Type,
    };
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_row_is_numbered_by_its_run_whatever_the_batches(
            mut rows in prop::collection::vec(prop::option::weighted(0.9, 0i64..9), 0..60),
            size in 1usize..9,
            keep in 0usize..3,
        ) {
            rows.sort();
            let (mut groups, mut found, mut given_out) = (Groups::default(), Vec::new(), 0);
            for batch in rows.chunks(size) {
                let keys: ArrayRef = Arc::new(Int64Array::from(batch.to_vec()));
                groups.find(&[keys]).unwrap();
                found.extend(groups.of_rows().iter().map(|group| group + given_out));
                if groups.count() > keep + 1 {
                    let count = groups.count() - 1;
                    let keys = groups.take(count).unwrap();
                    prop_assert_eq!(keys[0].len(), count);
                    given_out += count;
                }
            }
            let mut distinct = rows.clone();
            distinct.dedup();
            let place = |row: &Option<i64>| distinct.iter().position(|key| key == row).unwrap();
            prop_assert_eq!(found, rows.iter().map(place).collect::<Vec<_>>());
            if groups.count() > 0 {
                let last = groups.take(groups.count()).unwrap();
                let last: Vec<_> = last[0].as_primitive::<Int64Type>().iter().collect();
                prop_assert_eq!(&distinct[given_out..], &last[..]);
            }
        }
    }
}
