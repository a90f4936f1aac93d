//! `arg_min(value, key, …)` and `arg_max(value, key, …)`: the value of the row
//! whose keys are lowest, or highest.
//!
//! Keys are compared left to right; of rows that tie in all of them the lowest
//! value counts, in `arg_max` too. A key of the other direction is negated:
//! `arg_max(price_record_id, price, -store_id)` is the record of the highest
//! price, then of the lowest store. (Text cannot be negated: there `first_value(x
//! order by …)` serves.) A row whose first key is null does not count. A null
//! value does, since the row's own value is wanted, but it is last among ties; so
//! is a null in a further key. Without a row that counts the result is null.
//!
//! Integers, dates and decimals of up to 18 digits are compared as 64-bit
//! integers ([`integers`]), everything else as encoded rows ([`encoded`]). A
//! group's state is its best row: the same columns as the arguments, the first key
//! null where there is none. So states merge as rows are added.

mod encoded;
mod integers;

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, BooleanArray},
        buffer::NullBuffer,
        compute::nullif,
        datatypes::{DataType, Field, FieldRef},
    },
    common::{Result, ScalarValue, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
        Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

pub(crate) use self::integers::fits_64_bits;
use self::{encoded::Encoded, integers::Integers};

/// Returns `arg_min`.
pub(super) fn arg_min() -> AggregateUDF {
    ArgExtreme::new("arg_min", false).into()
}

/// Returns `arg_max`.
pub(super) fn arg_max() -> AggregateUDF {
    ArgExtreme::new("arg_max", true).into()
}

/// Returns whether arguments of these types are compared as integers, which is
/// several times faster than as encoded rows.
pub(crate) fn is_fast(types: &[&DataType]) -> bool {
    types.len() <= integers::MAX_COLUMNS && types.iter().all(|&given| integers::fits_64_bits(given))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArgExtreme {
    name: &'static str,
    highest: bool,
    signature: Signature,
}

impl ArgExtreme {
    fn new(name: &'static str, highest: bool) -> Self {
        ArgExtreme {
            name,
            highest,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn best(&self, arguments: &[FieldRef]) -> Result<Box<dyn Best>> {
        let types: Vec<_> = arguments.iter().map(|field| field.data_type()).collect();
        match is_fast(&types) {
            true => Ok(Box::new(Integers::new(&types, self.highest))),
            false => Ok(Box::new(Encoded::new(&types, self.highest)?)),
        }
    }
}

impl AggregateUDFImpl for ArgExtreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if arguments.len() < 2 {
            return plan_err!(
                "{0} takes a value and its keys: {0}(value, key, …)",
                self.name
            );
        }
        arguments
            .iter()
            .map(|given| self.comparable(given))
            .collect()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |(place, field): (usize, &FieldRef)| {
            let name = format!("{}[{place}]", arguments.name);
            Arc::new(Field::new(name, field.data_type().clone(), true))
        };
        Ok(arguments
            .input_fields
            .iter()
            .enumerate()
            .map(field)
            .collect())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(BestOfAll(self.best(arguments.expr_fields)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(BestOfEach(self.best(arguments.expr_fields)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

impl ArgExtreme {
    /// Returns the type that an argument is compared as: itself, but for
    /// dictionaries, whose values are.
    fn comparable(&self, given: &DataType) -> Result<DataType> {
        let compared = match given {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        if !encoded::supports(compared) {
            return plan_err!("{} cannot compare values of type {given}", self.name);
        }
        Ok(compared.clone())
    }
}

/// The best row of each group.
trait Best: Send + Sync {
    /// Offers rows to their groups: the value's column, then the keys'. A row whose
    /// first key is null does not count.
    fn offer(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<()>;

    /// Returns the best rows of the first `groups` groups, as columns like those
    /// offered; null where a group has none.
    fn best(&self, groups: usize) -> Result<Vec<ArrayRef>>;

    /// Forgets the first `groups` groups.
    fn forget(&mut self, groups: usize);

    /// Returns how many groups there are.
    fn groups(&self) -> usize;

    /// Returns the bytes that are held.
    fn size(&self) -> usize;
}

/// The best row of each group, as DataFusion asks for it.
struct BestOfEach(Box<dyn Best>);

impl BestOfEach {
    fn take(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = match emit_to {
            EmitTo::All => self.0.groups(),
            EmitTo::First(groups) => groups,
        };
        let best = self.0.best(groups)?;
        self.0.forget(groups);
        Ok(best)
    }
}

impl GroupsAccumulator for BestOfEach {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let counting = self.convert_to_state(values, filter)?;
        self.0.offer(&counting, group_indices, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.offer(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to)?.swap_remove(0))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.take(emit_to)
    }

    /// A row that the filter holds back loses its first key, and so does not count.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut columns = values.to_vec();
        if let Some(filter) = filter {
            columns[1] = nullif(&values[1], &held_back(filter))?;
        }
        Ok(columns)
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

fn held_back(filter: &BooleanArray) -> BooleanArray {
    let passes = match filter.nulls().map(NullBuffer::inner) {
        Some(valid) => filter.values() & valid,
        None => filter.values().clone(),
    };
    BooleanArray::new(!&passes, None)
}

/// The best row of all, where nothing is grouped.
struct BestOfAll(Box<dyn Best>);

impl std::fmt::Debug for BestOfAll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BestOfAll")
    }
}

impl BestOfAll {
    /// A window evaluates its running aggregate again and again.
    fn row(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.0.best(1)?;
        columns
            .iter()
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }
}

impl Accumulator for BestOfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.offer(values, &groups, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.row()?.swap_remove(0))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.row()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use datafusion::arrow::array::{AsArray, Decimal128Array, Int32Array, Int64Array, StringArray};
    use datafusion::arrow::datatypes::Int64Type;
    use proptest::prelude::*;

    use super::*;
    use crate::{config::EngineConfig, engine::session};

    /// group, value, two keys, whether the filter lets it through
    type Row = (usize, Option<i64>, Option<i64>, Option<String>, bool);
    const GROUPS: usize = 4;

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let number = || prop::option::weighted(0.8, -2i64..3);
        let text = prop::option::weighted(0.8, "[ab]{0,2}");
        let row = (
            0..GROUPS,
            number(),
            number(),
            text,
            prop::bool::weighted(0.9),
        );
        prop::collection::vec(row, 0..40)
    }

    fn columns(rows: &[Row]) -> Vec<ArrayRef> {
        vec![
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
            Arc::new(
                rows.iter()
                    .map(|row| row.3.clone())
                    .collect::<StringArray>(),
            ),
        ]
    }

    fn groups(rows: &[Row]) -> Vec<usize> {
        rows.iter().map(|row| row.0).collect()
    }

    fn filter(rows: &[Row]) -> BooleanArray {
        rows.iter().map(|row| Some(row.4)).collect()
    }

    fn best(highest: bool) -> BestOfEach {
        let types = [&DataType::Int64, &DataType::Int64, &DataType::Utf8];
        BestOfEach(Box::new(Encoded::new(&types, highest).unwrap()))
    }

    /// The rule as it is written, row by row.
    fn expected(rows: &[Row], highest: bool) -> Vec<Option<i64>> {
        fn last_if_null<T: Ord>(key: Option<T>) -> (bool, Option<T>) {
            (key.is_none(), key)
        }
        let of_group = |group| {
            let counting = rows
                .iter()
                .filter(|row| row.0 == group && row.4 && row.2.is_some());
            let lowest = |row: &&Row| {
                (
                    last_if_null(row.2),
                    last_if_null(row.3.clone()),
                    last_if_null(row.1),
                )
            };
            let uppermost = |row: &&Row| {
                let keys = (
                    last_if_null(row.2.map(Reverse)),
                    last_if_null(row.3.clone().map(Reverse)),
                );
                (keys, last_if_null(row.1))
            };
            let row = if highest {
                counting.min_by_key(uppermost)
            } else {
                counting.min_by_key(lowest)
            };
            row.and_then(|row| row.1)
        };
        (0..GROUPS).map(of_group).collect()
    }

    fn evaluated(best: &mut BestOfEach, emit_to: EmitTo) -> Vec<Option<i64>> {
        let values = best.evaluate(emit_to).unwrap();
        values.as_primitive::<Int64Type>().iter().collect()
    }

    proptest! {
        #[test]
        fn the_best_row_of_each_group_gives_the_value(
            rows in rows(), highest: bool, split in 0usize..40, emitted in 0..=GROUPS,
        ) {
            let mut best = best(highest);
            let (first, second) = rows.split_at(split.min(rows.len()));
            for part in [first, second] {
                best.update_batch(&columns(part), &groups(part), Some(&filter(part)), GROUPS).unwrap();
            }
            let mut found = evaluated(&mut best, EmitTo::First(emitted));
            found.extend(evaluated(&mut best, EmitTo::All));
            prop_assert_eq!(found, expected(&rows, highest));
        }

        #[test]
        fn states_merge_to_the_same_whether_aggregated_or_converted(
            rows in rows(), highest: bool, split in 0usize..40,
        ) {
            let (first, second) = rows.split_at(split.min(rows.len()));
            let mut partial = best(highest);
            partial.update_batch(&columns(first), &groups(first), Some(&filter(first)), GROUPS).unwrap();
            let aggregated = partial.state(EmitTo::All).unwrap();
            let converted = partial.convert_to_state(&columns(second), Some(&filter(second))).unwrap();
            let mut merged = best(highest);
            merged.merge_batch(&aggregated, &(0..GROUPS).collect::<Vec<_>>(), GROUPS).unwrap();
            merged.merge_batch(&converted, &groups(second), GROUPS).unwrap();
            prop_assert_eq!(evaluated(&mut merged, EmitTo::All), expected(&rows, highest));
        }
    }

    /// Rows of integers whose groups come in runs, as sorted input has them.
    fn runs() -> impl Strategy<Value = Vec<Row>> {
        let number = || prop::option::weighted(0.97, -2i64..3);
        let text = prop::option::weighted(0.97, "[0-2]");
        let row = (number(), number(), text, prop::bool::weighted(0.97));
        let run = (0..GROUPS, prop::collection::vec(row, 0..80));
        prop::collection::vec(run, 0..6).prop_map(|runs| {
            let of_run = |(group, rows): (usize, Vec<_>)| {
                let row = move |(value, key, text, passes)| (group, value, key, text, passes);
                rows.into_iter().map(row).collect::<Vec<Row>>()
            };
            runs.into_iter().flat_map(of_run).collect()
        })
    }

    /// As `columns`, the first key a decimal and the second an integer.
    fn integer_columns(rows: &[Row]) -> Vec<ArrayRef> {
        let digit = |text: &String| text.parse::<i32>().ok();
        let mut columns = columns(rows);
        let decimals: Decimal128Array = rows.iter().map(|row| row.2.map(i128::from)).collect();
        columns[1] = Arc::new(decimals.with_precision_and_scale(10, 2).unwrap());
        let digits: Int32Array = rows
            .iter()
            .map(|row| row.3.as_ref().and_then(digit))
            .collect();
        columns[2] = Arc::new(digits);
        columns
    }

    fn best_of_integers(highest: bool) -> BestOfEach {
        let types = [
            &DataType::Int64,
            &DataType::Decimal128(10, 2),
            &DataType::Int32,
        ];
        assert!(is_fast(&types));
        BestOfEach(Box::new(Integers::new(&types, highest)))
    }

    proptest! {
        #[test]
        fn integers_in_runs_give_the_same_as_the_rule(
            rows in runs(), highest: bool, filtered: bool, split in 0usize..300, emitted in 0..=GROUPS,
        ) {
            let (first, second) = rows.split_at(split.min(rows.len()));
            let mut best = best_of_integers(highest);
            for part in [first, second] {
                let filter = filter(part);
                let filter = filtered.then_some(&filter);
                best.update_batch(&integer_columns(part), &groups(part), filter, GROUPS).unwrap();
            }
            let mut found = evaluated(&mut best, EmitTo::First(emitted));
            found.extend(evaluated(&mut best, EmitTo::All));
            let counting: Vec<Row> = rows
                .iter()
                .map(|row| (row.0, row.1, row.2, row.3.clone(), row.4 || !filtered))
                .collect();
            prop_assert_eq!(found, expected(&counting, highest));
        }

        #[test]
        fn states_of_integers_merge_to_the_same(
            rows in runs(), highest: bool, split in 0usize..300,
        ) {
            let (first, second) = rows.split_at(split.min(rows.len()));
            let mut partial = best_of_integers(highest);
            partial.update_batch(&integer_columns(first), &groups(first), Some(&filter(first)), GROUPS).unwrap();
            let aggregated = partial.state(EmitTo::All).unwrap();
            let converted = partial.convert_to_state(&integer_columns(second), Some(&filter(second))).unwrap();
            let mut merged = best_of_integers(highest);
            merged.merge_batch(&aggregated, &(0..GROUPS).collect::<Vec<_>>(), GROUPS).unwrap();
            merged.merge_batch(&converted, &groups(second), GROUPS).unwrap();
            prop_assert_eq!(evaluated(&mut merged, EmitTo::All), expected(&rows, highest));
        }
    }

    async fn answer(select: &str) -> String {
        let context = session(&EngineConfig::default()).unwrap();
        let prices = "(values
            (1, 12, 2.50, 700), (1, 11, 2.50, 800), (1, 13, 4.00, 600), (1, 14, 4.00, 500),
            (2, 12, 3.00, null), (2, 11, null, 900)
        ) as prices (product_id, store_id, price, price_record_id)";
        let sql = format!("select {select} from {prices}");
        let batches = context.sql(&sql).await.unwrap().collect().await.unwrap();
        let column = batches[0].column(0).clone();
        datafusion::arrow::util::display::array_value_to_string(&column, 0).unwrap()
    }

    #[tokio::test]
    async fn a_tie_goes_to_the_lowest_store_although_record_ids_fall() {
        let one = "filter (where product_id = 1)";
        assert_eq!(
            answer(&format!("arg_min(store_id, price) {one}")).await,
            "11"
        );
        assert_eq!(
            answer(&format!("arg_max(store_id, price) {one}")).await,
            "13"
        );
        let record = format!("arg_min(price_record_id, price, store_id) {one}");
        assert_eq!(answer(&record).await, "800");
        let record = format!("arg_max(price_record_id, price, -store_id) {one}");
        assert_eq!(answer(&record).await, "600");
    }

    #[tokio::test]
    async fn the_rows_own_value_is_taken_even_when_it_is_null() {
        let two = "filter (where product_id = 2)";
        assert_eq!(
            answer(&format!("arg_min(price_record_id, price) {two}")).await,
            ""
        );
        assert_eq!(
            answer(&format!("arg_min(store_id, price) {two}")).await,
            "12"
        );
        assert_eq!(
            answer("arg_min(store_id, price) filter (where product_id = 3)").await,
            ""
        );
    }

    #[tokio::test]
    async fn a_value_without_a_key_is_refused() {
        let context = session(&EngineConfig::default()).unwrap();
        let error = context.sql("select arg_min(1)").await.unwrap_err();
        assert!(
            error.to_string().contains("arg_min(value, key, …)"),
            "{error}"
        );
    }
}
