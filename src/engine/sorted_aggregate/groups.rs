//! The groups of sorted rows: where each begins, and which are complete.

use std::ops::Range;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, UInt64Array, make_comparator},
        compute::{SortOptions, concat, partition, take},
    },
    common::Result,
};

/// The groups that are not given out yet; the last one may go on.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The keys of the groups, column by column, a piece for each batch.
    keys: Vec<Vec<ArrayRef>>,
    count: usize,
    /// For each row of the batch at hand, its group.
    of_rows: Vec<usize>,
}

impl Groups {
    /// Numbers a batch's rows by their groups.
    pub(super) fn number(&mut self, keys: &[ArrayRef]) -> Result<()> {
        self.of_rows.clear();
        let runs = partition(keys)?.ranges();
        let Some(first) = runs.first() else {
            return Ok(());
        };
        let goes_on = self.goes_on(keys)?;
        let begun = if goes_on { &runs[1..] } else { &runs[..] };
        if goes_on {
            self.of_rows.resize(first.len(), self.count - 1);
        }
        self.begin(begun, keys)
    }

    /// Returns the group of each row of the batch.
    pub(super) fn of_rows(&self) -> &[usize] {
        &self.of_rows
    }

    /// Returns how many groups wait to be given out.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Gives out the keys of the first `count` groups.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let rest = self.count - count;
        self.count = rest;
        let mut taken = Vec::with_capacity(self.keys.len());
        for pieces in &mut self.keys {
            let whole: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            let whole = concat(&whole)?;
            *pieces = vec![whole.slice(count, rest)];
            taken.push(whole.slice(0, count));
        }
        Ok(taken)
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        let pieces = self.keys.iter().flatten();
        let keys: usize = pieces.map(|piece| piece.get_array_memory_size()).sum();
        keys + self.of_rows.capacity() * size_of::<usize>()
    }

    /// Returns whether the batch's first row belongs to the last group.
    fn goes_on(&self, keys: &[ArrayRef]) -> Result<bool> {
        if self.count == 0 {
            return Ok(false);
        }
        for (pieces, key) in self.keys.iter().zip(keys) {
            let Some(last) = pieces.iter().rfind(|piece| !piece.is_empty()) else {
                return Ok(false);
            };
            let compare = make_comparator(last, key, SortOptions::default())?;
            if compare(last.len() - 1, 0).is_ne() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin(&mut self, runs: &[Range<usize>], keys: &[ArrayRef]) -> Result<()> {
        for run in runs {
            self.of_rows.resize(run.end, self.count);
            self.count += 1;
        }
        let starts: UInt64Array = runs.iter().map(|run| run.start as u64).collect();
        self.keys.resize_with(keys.len(), Vec::new);
        for (pieces, key) in self.keys.iter_mut().zip(keys) {
            pieces.push(take(key, &starts, None)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;
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
                groups.number(&[keys]).unwrap();
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
