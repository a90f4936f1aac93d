//! `arg_min(value, key, …)` and `arg_max(value, key, …)`: the value of the row
//! whose keys are lowest, or highest.
//!
//! Keys are compared left to right; of rows that tie in all of them the lowest
//! value stands, in `arg_max` too. A key of the other direction is negated:
//! `arg_max(price_record_id, price, -store_id)` is the record of the highest
//! price, then of the lowest store. (Text cannot be negated: there `first_value(x
//! order by …)` serves.) A row whose first key is null does not count. A null
//! value does, since the row's own value is wanted, but it is last among ties; so
//! is a null in a further key. Without a row that counts the result is null.
//!
//! Each row's keys and value become one string of bytes that orders as they do
//! (arrow's row format), so the function is a minimum over bytes. Cost: the
//! encoding and one comparison a row. Memory: a group's best row, some 9 bytes a
//! fixed-size column (17 a decimal), the text itself, and 32 bytes.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, UInt64Array, new_null_array,
        },
        compute::{SortOptions, take},
        datatypes::{DataType, Field, FieldRef},
        row::{RowConverter, Rows, SortField},
    },
    common::{Result, ScalarValue, exec_err, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
        Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

/// Returns `arg_min`.
pub(super) fn arg_min() -> AggregateUDF {
    ArgExtreme::new("arg_min", false).into()
}

/// Returns `arg_max`.
pub(super) fn arg_max() -> AggregateUDF {
    ArgExtreme::new("arg_max", true).into()
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

    fn best(&self, arguments: &[FieldRef]) -> Result<Best> {
        let types: Vec<_> = arguments.iter().map(|field| field.data_type()).collect();
        Best::new(&types, self.highest)
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
        let field = Field::new(format!("{}[best]", arguments.name), STATE, true);
        Ok(vec![Arc::new(field)])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let best = self.best(arguments.expr_fields)?;
        Ok(Box::new(BestOfAll(best)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.best(arguments.expr_fields)?))
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
        if !RowConverter::supports_fields(&[SortField::new(compared.clone())]) {
            return plan_err!("{} cannot compare values of type {given}", self.name);
        }
        Ok(compared.clone())
    }
}

/// What a state holds for a group: its best row, encoded; null if it has none.
const STATE: DataType = DataType::LargeBinary;

/// The best row of each group, encoded so that the best is the lowest.
struct Best {
    converter: RowConverter,
    /// By group; empty while no row of the group has counted.
    rows: Vec<Box<[u8]>>,
    /// The bytes of `rows`.
    row_bytes: usize,
    /// The batch at hand, encoded: kept for its memory.
    batch: Rows,
}

impl Best {
    /// `types` are the value's and the keys', in this order.
    fn new(types: &[&DataType], highest: bool) -> Result<Self> {
        let Some((value, keys)) = types.split_first() else {
            return exec_err!("a value and its keys are needed");
        };
        let field = |data_type: &DataType, descending| {
            let options = SortOptions::new(descending, false);
            SortField::new_with_options(data_type.clone(), options)
        };
        let keys = keys.iter().map(|key| field(key, highest));
        let converter = RowConverter::new(keys.chain([field(value, false)]).collect())?;
        Ok(Best {
            batch: converter.empty_rows(0, 0),
            converter,
            rows: Vec::new(),
            row_bytes: 0,
        })
    }

    fn offer(&mut self, group: usize, row: &[u8]) {
        let best = &mut self.rows[group];
        if !best.is_empty() && **best <= *row {
            return;
        }
        if best.len() == row.len() {
            best.copy_from_slice(row);
        } else {
            self.row_bytes = self.row_bytes + row.len() - best.len();
            *best = row.into();
        }
    }

    fn grow(&mut self, groups: usize) {
        self.rows.resize_with(groups, Default::default);
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Box<[u8]>> {
        let taken = emit_to.take_needed(&mut self.rows);
        self.row_bytes -= taken.iter().map(|row| row.len()).sum::<usize>();
        taken
    }
}

impl GroupsAccumulator for Best {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let mut batch = std::mem::replace(&mut self.batch, self.converter.empty_rows(0, 0));
        batch.clear();
        self.converter
            .append(&mut batch, &keys_then_value(values))?;
        for (row, &group) in counting(values, filter).zip(group_indices) {
            if let Some(row) = row {
                self.offer(group, batch.row(row).data());
            }
        }
        self.batch = batch;
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let Some(rows) = values[0].as_binary_opt::<i64>() else {
            return exec_err!("a state is {STATE}, not {}", values[0].data_type());
        };
        for (row, &group) in rows.iter().zip(group_indices) {
            if let Some(row) = row {
                self.offer(group, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let rows = self.take(emit_to);
        decode(&self.converter, &rows)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let rows = self.take(emit_to);
        let present = rows.iter().map(|row| (!row.is_empty()).then_some(row));
        Ok(vec![Arc::new(LargeBinaryArray::from_iter(present))])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let batch = self.converter.convert_columns(&keys_then_value(values))?;
        let rows = counting(values, filter).map(|row| row.map(|row| batch.row(row).data()));
        Ok(vec![Arc::new(LargeBinaryArray::from_iter(rows))])
    }

    fn size(&self) -> usize {
        // An allocation costs about two words beyond its bytes.
        let rows = self.rows.capacity() * 2 * size_of::<Box<[u8]>>();
        rows + self.row_bytes + self.batch.size() + self.converter.size()
    }
}

/// Puts the columns in the order they are compared in.
fn keys_then_value(values: &[ArrayRef]) -> Vec<ArrayRef> {
    let mut columns = values.to_vec();
    columns.rotate_left(1);
    columns
}

/// Returns, for each row, its number if the row counts: its first key is there
/// and the filter lets it through.
fn counting<'a>(
    values: &'a [ArrayRef],
    filter: Option<&'a BooleanArray>,
) -> impl Iterator<Item = Option<usize>> + 'a {
    let nulls = values[1].logical_nulls();
    (0..values[1].len()).map(move |row| {
        let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        (is_there && passes).then_some(row)
    })
}

/// Returns the values of encoded rows, null where a row is empty.
fn decode(converter: &RowConverter, rows: &[Box<[u8]>]) -> Result<ArrayRef> {
    let parser = converter.parser();
    let present = rows.iter().filter(|row| !row.is_empty());
    let columns = converter.convert_rows(present.map(|row| parser.parse(row)))?;
    let Some(values) = columns.last() else {
        return exec_err!("an encoded row has columns");
    };
    if values.is_empty() {
        return Ok(new_null_array(values.data_type(), rows.len()));
    }
    let mut next = 0..values.len() as u64;
    let places: UInt64Array = rows
        .iter()
        .map(|row| if row.is_empty() { None } else { next.next() })
        .collect();
    Ok(take(values, &places, None)?)
}

/// The best row of all, where nothing is grouped.
struct BestOfAll(Best);

impl std::fmt::Debug for BestOfAll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BestOfAll").field(&self.0.rows).finish()
    }
}

impl Accumulator for BestOfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.update_batch(values, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        self.0.merge_batch(states, &groups, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1);
        // A window evaluates its running aggregate again and again.
        ScalarValue::try_from_array(&decode(&self.0.converter, &self.0.rows)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.grow(1);
        let state = self.0.state(EmitTo::All)?;
        state
            .iter()
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use datafusion::arrow::array::{Int64Array, StringArray};
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

    fn best(highest: bool) -> Best {
        let types = [&DataType::Int64, &DataType::Int64, &DataType::Utf8];
        Best::new(&types, highest).unwrap()
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

    fn evaluated(best: &mut Best, emit_to: EmitTo) -> Vec<Option<i64>> {
        let values = best.evaluate(emit_to).unwrap();
        let values = values.as_any().downcast_ref::<Int64Array>().unwrap();
        values.iter().collect()
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
            prop_assert_eq!(best.row_bytes, 0);
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
