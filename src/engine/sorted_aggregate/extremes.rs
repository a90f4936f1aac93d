//! The first row of each group whose key is lowest, or highest.
//!
//! `min(price)`, `arg_min(store_id, price)` and `arg_min(price_record_id, price,
//! store_id)` all ask for the same row where a product's rows come by store: the
//! first of the lowest price. So it is looked for once, and only that row's values are
//! touched. Cost: two vectorised passes over the key for all of them together.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, UInt64Array},
        compute::{SortOptions, cast, take},
        datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, Int64Type},
        record_batch::RecordBatch,
    },
    common::Result,
    physical_expr::{PhysicalExpr, PhysicalSortExpr, aggregate::AggregateFunctionExpr},
    physical_plan::{ExecutionPlanProperties, aggregates::AggregateExec},
};

use super::{groups::Runs, kernels, pending::Pending};
use crate::engine::functions::fits_64_bits;

/// The row that a function wants, and the value it takes from it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Arc<dyn PhysicalExpr>,
    pub(super) highest: bool,
    pub(super) value: Arc<dyn PhysicalExpr>,
}

impl Wanted {
    /// Returns what an aggregate function wants, if it is the first row of the lowest
    /// or highest key: because it takes the key itself, or because the rows' order is
    /// that of its ties.
    pub(super) fn by(function: &AggregateFunctionExpr, aggregate: &AggregateExec) -> Option<Self> {
        let is_plain = !function.is_distinct() && function.order_bys().is_empty();
        let arguments = function.expressions();
        let wanted = match (function.fun().name(), arguments.as_slice()) {
            (name @ ("min" | "max"), [key]) => Wanted {
                key: key.clone(),
                highest: name == "max",
                value: key.clone(),
            },
            (name @ ("arg_min" | "arg_max"), [value, key, ties @ ..]) => {
                let highest = name == "arg_max";
                let ties = ties.iter().map(|tie| (tie, highest));
                if !is_order(ties.chain([(value, false)]), aggregate) {
                    return None;
                }
                Wanted {
                    key: key.clone(),
                    highest,
                    value: value.clone(),
                }
            }
            _ => return None,
        };
        let key = wanted.key.data_type(&aggregate.input().schema()).ok()?;
        (is_plain && fits_64_bits(&key)).then_some(wanted)
    }
}

/// Returns whether the rows of a group come in the order of these expressions, each
/// with whether it descends, nulls last.
fn is_order<'e>(
    expressions: impl Iterator<Item = (&'e Arc<dyn PhysicalExpr>, bool)>,
    aggregate: &AggregateExec,
) -> bool {
    let groups = aggregate.group_expr().input_exprs();
    let groups = groups.into_iter().map(|group| (group, false));
    let within = expressions.map(|(expression, descends)| (Arc::clone(expression), descends));
    let order = groups.chain(within).map(|(expression, descends)| {
        let options = SortOptions::new(descends, false);
        PhysicalSortExpr::new(expression, options)
    });
    let known = aggregate.input().equivalence_properties();
    known.ordering_satisfy(order).unwrap_or(false)
}

/// Looks for the first extreme row of each group, for all functions that want it.
#[derive(Debug)]
pub(super) struct Search {
    key: Arc<dyn PhysicalExpr>,
    highest: bool,
    /// The best key of the last group so far.
    best: Option<i64>,
    values: Vec<Value>,
}

/// A function's values.
#[derive(Debug)]
struct Value {
    /// The function's place among all.
    place: usize,
    expression: Arc<dyn PhysicalExpr>,
    found: Pending,
}

impl Search {
    /// Returns the searches that serve all these functions, given with their places.
    pub(super) fn all(wanted: impl Iterator<Item = (usize, Wanted)>) -> Vec<Search> {
        let mut searches: Vec<Search> = Vec::new();
        for (place, wanted) in wanted {
            let serves = |search: &&mut Search| {
                search.highest == wanted.highest && search.key.eq(&wanted.key)
            };
            let value = Value {
                place,
                expression: wanted.value,
                found: Pending::default(),
            };
            match searches.iter_mut().find(serves) {
                Some(search) => search.values.push(value),
                None => searches.push(Search {
                    key: wanted.key,
                    highest: wanted.highest,
                    best: None,
                    values: vec![value],
                }),
            }
        }
        searches
    }

    /// Looks through a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, runs: &Runs) -> Result<()> {
        let keys = self.key.evaluate(batch)?.into_array(batch.num_rows())?;
        let found = match keys.data_type() {
            DataType::Int64 => self.find::<Int64Type>(&keys, runs)?,
            DataType::Decimal128(..) => self.find::<Decimal128Type>(&keys, runs)?,
            _ => self.find::<Int64Type>(&cast(&keys, &DataType::Int64)?, runs)?,
        };
        for value in &mut self.values {
            value.take(batch, &found)?;
        }
        Ok(())
    }

    /// Gives out the values of the first `count` groups, each with its function's place.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<(usize, ArrayRef)>> {
        let values = self.values.iter_mut();
        values
            .map(|value| Ok((value.place, value.found.take(count)?)))
            .collect()
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        self.values.iter().map(|value| value.found.size()).sum()
    }

    /// Finds each run's row; the last run's key is kept, since its group may go on.
    fn find<T: ArrowPrimitiveType<Native: kernels::Number>>(
        &mut self,
        keys: &ArrayRef,
        runs: &Runs,
    ) -> Result<Found> {
        let keys = keys.as_primitive::<T>();
        let mut found = Found::default();
        for (place, run) in runs.ranges.iter().enumerate() {
            let extreme = match self.highest {
                true => kernels::first_extreme::<_, true>(keys, run.clone())?,
                false => kernels::first_extreme::<_, false>(keys, run.clone())?,
            };
            let row = extreme.map(|(row, _)| row as u64);
            let key = extreme.map(|(_, key)| key);
            if place > 0 || !runs.goes_on {
                found.begun.push(row);
                self.best = key;
            } else if key.is_some_and(|key| self.best.is_none_or(|best| key < best)) {
                found.last = row;
                self.best = key;
            }
        }
        Ok(found)
    }
}

/// The rows found in a batch.
#[derive(Debug, Default)]
struct Found {
    /// A row that takes the place of the last group's so far.
    last: Option<u64>,
    /// For each group that begins, its row; none while all its keys are null.
    begun: Vec<Option<u64>>,
}

impl Value {
    fn take(&mut self, batch: &RecordBatch, found: &Found) -> Result<()> {
        let values = self.expression.evaluate(batch)?;
        let values = values.into_array(batch.num_rows())?;
        if found.last.is_some() {
            let row = UInt64Array::from(vec![found.last]);
            self.found.replace_last(take(&values, &row, None)?);
        }
        let rows = UInt64Array::from(found.begun.clone());
        self.found.push(take(&values, &rows, None)?);
        Ok(())
    }
}
