//! `count(*)`: the lengths of runs.

use std::{ops::Range, sync::Arc};

use datafusion::{
    arrow::array::{ArrayRef, Int64Array},
    physical_expr::{PhysicalExpr, aggregate::AggregateFunctionExpr, expressions::Literal},
};

use super::groups::Runs;

/// Returns whether a function counts all rows, whatever is in them.
pub(super) fn counts_rows(function: &AggregateFunctionExpr) -> bool {
    let is_something = |argument: &Arc<dyn PhysicalExpr>| {
        let literal = argument.downcast_ref::<Literal>();
        literal.is_some_and(|literal| !literal.value().is_null())
    };
    function.fun().name() == "count"
        && !function.is_distinct()
        && function.expressions().iter().all(is_something)
}

/// The rows of each group that is not given out yet.
#[derive(Debug, Default)]
pub(super) struct Counts(Vec<i64>);

impl Counts {
    /// Counts a batch.
    pub(super) fn add(&mut self, runs: &Runs) {
        let length = |run: &Range<usize>| run.len() as i64;
        if let (true, Some(last), Some(run)) =
            (runs.goes_on, self.0.last_mut(), runs.ranges.first())
        {
            *last += length(run);
        }
        self.0.extend(runs.begun().iter().map(length));
    }

    /// Gives out the counts of the first `count` groups.
    pub(super) fn take(&mut self, count: usize) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(self.0.drain(..count)))
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        self.0.capacity() * size_of::<i64>()
    }
}
