//! The first row of each group whose key is lowest, or highest.
//!
//! `min(price)`, `arg_min(store_id, price)` and `arg_min(price_record_id, price,
//! store_id)` all ask for the same row where a product's rows come by store: the
//! first of the lowest price. So it is looked for once, and only that row's values are
//! touched. Cost: one vectorised pass over the key for all of them together, the
//! highest price's functions too, and a look for the first row of each extreme.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, UInt64Array},
        compute::{SortOptions, cast, take},
        datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, Int64Type},
        record_batch::RecordBatch,
    },
    common::Result,
    physical_expr::{
        PhysicalExpr, PhysicalSortExpr, aggregate::AggregateFunctionExpr, expressions::NegativeExpr,
    },
    physical_plan::{ExecutionPlanProperties, aggregates::AggregateExec},
};

use super::{
    groups::Runs,
    kernels::{self, At, Extremes},
    pending::Pending,
};
use crate::functions::fits_64_bits;

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
    let within = expressions.map(|(expression, descends)| plain(expression, descends));
    let order = groups.chain(within).map(|(expression, descends)| {
        let options = SortOptions::new(descends, false);
        PhysicalSortExpr::new(expression, options)
    });
    let known = aggregate.input().equivalence_properties();
    known.ordering_satisfy(order).unwrap_or(false)
}

/// Returns the expression without its sign, and whether that descends: rows that fall
/// by `-store_id` rise by `store_id`. (The lowest bigint is its own negative, and no id.)
fn plain(expression: &Arc<dyn PhysicalExpr>, descends: bool) -> (Arc<dyn PhysicalExpr>, bool) {
    match expression.downcast_ref::<NegativeExpr>() {
        Some(negative) => plain(negative.arg(), !descends),
        None => (Arc::clone(expression), descends),
    }
}

/// Looks for the first extreme rows of each group, for all functions of one key.
#[derive(Debug)]
pub(super) struct Search {
    key: Arc<dyn PhysicalExpr>,
    lowest: End,
    highest: End,
}

/// One end of a key's values.
#[derive(Debug, Default)]
struct End {
    /// The key of the last group's row so far.
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
            let known = searches
                .iter()
                .position(|search| search.key.eq(&wanted.key));
            let known = known.unwrap_or_else(|| {
                searches.push(Search {
                    key: Arc::clone(&wanted.key),
                    lowest: End::default(),
                    highest: End::default(),
                });
                searches.len() - 1
            });
            let search = &mut searches[known];
            let end = match wanted.highest {
                true => &mut search.highest,
                false => &mut search.lowest,
            };
            end.values.push(Value {
                place,
                expression: wanted.value,
                found: Pending::default(),
            });
        }
        searches
    }

    /// Looks through a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, runs: &Runs) -> Result<()> {
        let keys = self.key.evaluate(batch)?.into_array(batch.num_rows())?;
        let found = match keys.data_type() {
            DataType::Int64 => extremes::<Int64Type>(&keys, runs)?,
            DataType::Decimal128(..) => extremes::<Decimal128Type>(&keys, runs)?,
            _ => extremes::<Int64Type>(&cast(&keys, &DataType::Int64)?, runs)?,
        };
        let lowest = found.iter().map(|found| found.map(|found| found.lowest));
        self.lowest
            .add(batch, lowest, runs.goes_on, |new, best| new < best)?;
        let highest = found.iter().map(|found| found.map(|found| found.highest));
        self.highest
            .add(batch, highest, runs.goes_on, |new, best| new > best)
    }

    /// Gives out the values of the first `count` groups, each with its function's place.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<(usize, ArrayRef)>> {
        let values = self.values_mut();
        values
            .map(|value| Ok((value.place, value.found.take(count)?)))
            .collect()
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        let values = self.lowest.values.iter().chain(&self.highest.values);
        values.map(|value| value.found.size()).sum()
    }

    fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let highest = self.highest.values.iter_mut();
        self.lowest.values.iter_mut().chain(highest)
    }
}

/// Returns the extremes of each run.
fn extremes<T: ArrowPrimitiveType<Native: kernels::Number>>(
    keys: &ArrayRef,
    runs: &Runs,
) -> Result<Vec<Option<Extremes>>> {
    let keys = keys.as_primitive::<T>();
    let runs = runs.ranges.iter().cloned();
    runs.map(|run| kernels::extremes(keys, run)).collect()
}

impl End {
    /// Takes the values of each run's row. The first run's row is kept only if it is
    /// better than that of the group it goes on with; the last run's key is kept, since
    /// its group may go on.
    fn add(
        &mut self,
        batch: &RecordBatch,
        runs: impl Iterator<Item = Option<At>>,
        goes_on: bool,
        is_better: fn(i64, i64) -> bool,
    ) -> Result<()> {
        if self.values.is_empty() {
            return Ok(());
        }
        let mut found = Found::default();
        for (place, at) in runs.enumerate() {
            if place > 0 || !goes_on {
                found.begun.push(at.map(|at| at.row as u64));
                self.best = at.map(|at| at.value);
            } else if let Some(at) = at
                && self.best.is_none_or(|best| is_better(at.value, best))
            {
                found.last = Some(at.row as u64);
                self.best = Some(at.value);
            }
        }
        self.values
            .iter_mut()
            .try_for_each(|value| value.take(batch, &found))
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
