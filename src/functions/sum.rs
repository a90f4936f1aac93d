//! `sum(x)`: DataFusion's, except that a sum of whole numbers beyond the type's range is
//! an error and not another number.
//!
//! Whole numbers are added as 128 bits, which no number of rows exceeds; the result is
//! checked once. Null of no rows. Memory: 17 bytes a group.

use std::{collections::HashSet, mem::size_of_val, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, UInt64Array},
        datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, UInt64Type},
    },
    common::{Result, ScalarValue, exec_err},
    functions_aggregate::sum::sum_udaf,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
        SetMonotonicity, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

/// What is kept of a group; no sum of 64-bit numbers is as large.
const STATE: DataType = DataType::Decimal128(38, 0);

/// Returns `sum`.
pub(super) fn sum() -> AggregateUDF {
    Sum { given: sum_udaf() }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    given: Arc<AggregateUDF>,
}

fn is_whole(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::UInt64)
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.given.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.given.return_type(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if !is_whole(arguments.return_type()) {
            return self.given.accumulator(arguments);
        }
        let total = Total::new(arguments.return_type());
        Ok(match arguments.is_distinct {
            true => Box::new(Distinct {
                values: HashSet::new(),
                total,
            }),
            false => Box::new(total),
        })
    }

    fn create_sliding_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn Accumulator>> {
        match is_whole(arguments.return_type()) && !arguments.is_distinct {
            true => Ok(Box::new(Total::new(arguments.return_type()))),
            false => self.given.create_sliding_accumulator(arguments),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if !is_whole(arguments.return_type()) {
            return self.given.state_fields(arguments);
        }
        let field = match arguments.is_distinct {
            true => Field::new_list("distinct", Field::new_list_field(STATE, true), false),
            false => Field::new("total", STATE, true),
        };
        Ok(vec![field.into()])
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        match is_whole(arguments.return_type()) {
            true => !arguments.is_distinct,
            false => self.given.groups_accumulator_supported(arguments),
        }
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        if !is_whole(arguments.return_type()) {
            return self.given.create_groups_accumulator(arguments);
        }
        Ok(Box::new(Totals {
            data_type: arguments.return_type().clone(),
            totals: Vec::new(),
            seen: Vec::new(),
        }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.given.inner().set_monotonicity(data_type)
    }
}

/// Calls `add` with the row and the value of each whole number.
fn each(values: &ArrayRef, mut add: impl FnMut(usize, i128)) -> Result<()> {
    macro_rules! each {
        ($type:ty) => {{
            let values = values.as_primitive::<$type>();
            match values.null_count() {
                0 => {
                    for (row, value) in values.values().iter().enumerate() {
                        add(row, i128::from(*value));
                    }
                }
                _ => {
                    for (row, value) in values.iter().enumerate() {
                        if let Some(value) = value {
                            add(row, i128::from(value));
                        }
                    }
                }
            }
        }};
    }
    match values.data_type() {
        DataType::Int64 => each!(Int64Type),
        DataType::UInt64 => each!(UInt64Type),
        DataType::Decimal128(_, _) => each!(Decimal128Type),
        other => return exec_err!("sum: {other} is not a whole number"),
    }
    Ok(())
}

/// Returns totals in the type of the result, where they are in its range.
fn narrowed(data_type: &DataType, totals: Vec<Option<i128>>) -> Result<ArrayRef> {
    fn all<T: TryFrom<i128>>(totals: Vec<Option<i128>>) -> Result<Vec<Option<T>>> {
        let narrow = |total: i128| match T::try_from(total) {
            Ok(total) => Ok(total),
            Err(_) => {
                exec_err!("sum: {total} is beyond the range of bigint; cast to decimal first")
            }
        };
        let totals = totals.into_iter();
        totals.map(|total| total.map(narrow).transpose()).collect()
    }
    Ok(match data_type {
        DataType::UInt64 => Arc::new(UInt64Array::from(all::<u64>(totals)?)),
        _ => Arc::new(Int64Array::from(all::<i64>(totals)?)),
    })
}

fn states(totals: Vec<Option<i128>>) -> Result<ArrayRef> {
    Ok(Arc::new(
        Decimal128Array::from(totals).with_data_type(STATE),
    ))
}

/// One sum.
#[derive(Debug)]
struct Total {
    data_type: DataType,
    total: i128,
    /// Values in it; a window may take them out again.
    values: u64,
}

impl Total {
    fn new(data_type: &DataType) -> Total {
        Total {
            data_type: data_type.clone(),
            total: 0,
            values: 0,
        }
    }

    fn get(&self) -> Option<i128> {
        (self.values > 0).then_some(self.total)
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(&values[0], |_, value| {
            self.total += value;
            self.values += 1;
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(&values[0], |_, value| {
            self.total -= value;
            self.values -= 1;
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = narrowed(&self.data_type, vec![self.get()])?;
        ScalarValue::try_from_array(&total, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal128(self.get(), 38, 0)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sum of different values.
#[derive(Debug)]
struct Distinct {
    values: HashSet<i128>,
    total: Total,
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Distinct {
            values: known,
            total,
        } = self;
        each(&values[0], |_, value| {
            if known.insert(value) {
                total.total += value;
                total.values += 1;
            }
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.total.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.values.iter();
        let values: Vec<ScalarValue> = values
            .map(|value| ScalarValue::Decimal128(Some(*value), 38, 0))
            .collect();
        let list = ScalarValue::new_list_nullable(&values, &STATE);
        Ok(vec![ScalarValue::List(list)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        lists
            .iter()
            .flatten()
            .try_for_each(|values| self.update_batch(&[values]))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * (size_of::<i128>() + 1)
    }
}

/// Sums by group.
#[derive(Debug)]
struct Totals {
    data_type: DataType,
    totals: Vec<i128>,
    seen: Vec<bool>,
}

impl Totals {
    fn take(&mut self, emit_to: EmitTo) -> Vec<Option<i128>> {
        let totals = emit_to.take_needed(&mut self.totals);
        let seen = emit_to.take_needed(&mut self.seen);
        let both = totals.into_iter().zip(seen);
        both.map(|(total, seen)| seen.then_some(total)).collect()
    }

    fn add(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.totals.resize(count, 0);
        self.seen.resize(count, false);
        each(values, |row, value| {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.totals[groups[row]] += value;
                self.seen[groups[row]] = true;
            }
        })
    }
}

impl GroupsAccumulator for Totals {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.add(&values[0], groups, filter, count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = self.take(emit_to);
        narrowed(&self.data_type, totals)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![states(self.take(emit_to))?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.add(&states[0], groups, None, count)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut totals = vec![None; values[0].len()];
        each(&values[0], |row, value| {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                totals[row] = Some(value);
            }
        })?;
        Ok(vec![states(totals)?])
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<i128>() + self.seen.capacity()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::display::array_value_to_string;
    use proptest::prelude::*;

    use crate::{config::EngineConfig, engine::session};

    async fn first(sql: &str) -> Result<Vec<String>, String> {
        let context = session(&EngineConfig::default()).unwrap();
        let frame = context.sql(sql).await.map_err(|error| error.to_string())?;
        let batches = frame.collect().await.map_err(|error| error.to_string())?;
        let rows = batches.iter().flat_map(|batch| {
            let cells =
                (0..batch.num_rows()).map(|row| array_value_to_string(batch.column(0), row));
            cells.collect::<Vec<_>>()
        });
        Ok(rows.map(Result::unwrap).collect())
    }

    const MAX: &str = "9223372036854775807";

    #[tokio::test]
    async fn a_sum_beyond_bigint_is_an_error_in_every_form() {
        let rows = format!("(values (1, {MAX}), (1, {MAX}), (2, 5)) t(k, x)");
        for sql in [
            format!("select sum(x) from {rows}"),
            format!("select sum(x) from {rows} group by k"),
            format!("select sum(x) over () from {rows}"),
            format!("select sum(x) over (order by k rows 1 preceding) from {rows}"),
            format!("select sum(distinct x) from {rows}"),
        ] {
            let error = first(&sql).await.unwrap_err();
            assert!(
                error.contains("beyond the range of bigint"),
                "{sql}: {error}"
            );
        }
    }

    #[tokio::test]
    async fn what_passes_the_range_on_the_way_is_no_error() {
        let rows = format!("(values ({MAX}), ({MAX}), (-{MAX})) t(x)");
        assert_eq!(
            first(&format!("select sum(x) from {rows}")).await.unwrap(),
            [MAX]
        );
    }

    #[tokio::test]
    async fn other_types_and_no_rows_are_summed_as_before() {
        for (sql, sum) in [
            ("select sum(x) from (values (1.50), (2.25)) t(x)", "3.75"),
            (
                "select sum(cast(x as double)) from (values (1), (2)) t(x)",
                "3.0",
            ),
            ("select sum(x) from (values (1), (null)) t(x)", "1"),
            ("select sum(x) from (values (1)) t(x) where x > 1", ""),
            (
                "select sum(distinct x) from (values (1), (1), (2)) t(x)",
                "3",
            ),
            (
                "select sum(x) filter (where x > 1) from (values (1), (2)) t(x)",
                "2",
            ),
            (
                "select sum(cast(x as int)) from (values (1), (2)) t(x)",
                "3",
            ),
            (
                "select sum(c) from (select count(*) as c from (values (1)) t(x))",
                "1",
            ),
        ] {
            assert_eq!(first(sql).await.unwrap(), [sum], "{sql}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn groups_and_windows_equal_a_naive_sum(
            rows in prop::collection::vec((0..4i64, -100..100i64), 0..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let values: Vec<String> = rows.iter().map(|(k, x)| format!("({k}, {x})")).collect();
            let values = match values.is_empty() {
                true => "(select 0 as k, 0 as x) t(k, x) where k > 0".to_owned(),
                false => format!("(values {}) t(k, x)", values.join(", ")),
            };
            let grouped = format!("select concat(k, ':', sum(x)) as s from {values} group by k order by k");
            let found = runtime.block_on(first(&grouped)).unwrap();
            let mut naive = std::collections::BTreeMap::new();
            for (k, x) in &rows {
                *naive.entry(*k).or_insert(0) += x;
            }
            let naive: Vec<String> = naive.iter().map(|(k, sum)| format!("{k}:{sum}")).collect();
            prop_assert_eq!(found, naive);
        }
    }
}
