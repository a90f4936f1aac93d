//! `vector_set(id, vector[, within[, without[, settled]]])`: the vectors of a group, and
//! which of them are to be compared; what `similar_vectors` compares.
//!
//! Two rows are compared when a number of `within` is common to both, and none of
//! `without`: `within` are a product's categories, say, `without` a category's company.
//! Not given, all are compared, and none left out. `settled` are ids that a row is paired
//! with elsewhere: such a pair is left out, whichever row of the two says so. Rows whose
//! id or vector is null do not count; a null list is an empty one.
//!
//! Cost: none but the copy at the end. Memory: the rows as they came, all of them.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, StructArray, new_null_array},
        buffer::{NullBuffer, OffsetBuffer},
        compute::{concat, filter},
        datatypes::{DataType, Field, FieldRef, Fields},
    },
    common::{Result, ScalarValue, exec_err, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use crate::embedding::vector_type;

const NAME: &str = "vector_set";
/// The fields of a row; the last three need not be given.
const FIELDS: [&str; 5] = ["id", "vector", "within", "without", "settled"];

/// Returns `vector_set`.
pub(super) fn vector_set() -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    VectorSet { signature }.into()
}

/// Returns the type of a set.
pub(super) fn set_type() -> DataType {
    DataType::List(item())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct VectorSet {
    signature: Signature,
}

impl AggregateUDFImpl for VectorSet {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=FIELDS.len()).contains(&arguments.len()) {
            return plan_err!("{NAME} takes (id, vector, within, without, settled), two at least");
        }
        Ok(types().into_iter().take(arguments.len()).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(set_type())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[rows]", arguments.name);
        Ok(vec![Arc::new(Field::new(name, set_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Rows::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The rows so far, as they came.
#[derive(Debug, Default)]
struct Rows(Vec<ArrayRef>);

impl Rows {
    /// Returns the rows as one set.
    fn set(&self) -> Result<ScalarValue> {
        let none = new_null_array(item().data_type(), 0);
        let numbers = self.0.iter().map(numbers).sum::<usize>();
        if i32::try_from(numbers).is_err() {
            return exec_err!("{NAME}: {numbers} numbers are more than one set can hold");
        }
        let parts = self.0.iter().chain([&none]).map(AsRef::as_ref);
        let rows = concat(&parts.collect::<Vec<_>>())?;
        let offsets = OffsetBuffer::from_lengths([rows.len()]);
        let list = ListArray::try_new(item(), offsets, rows, None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }
}

/// Returns how many numbers the vectors of rows have in all.
fn numbers(rows: &ArrayRef) -> usize {
    let offsets = rows.as_struct().column(1).as_list::<i32>().value_offsets();
    let [first, .., last] = offsets else { return 0 };
    (last - first) as usize
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.push(rows_of(values.to_vec())?);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sets = states[0].as_list::<i32>();
        for set in sets.iter().flatten() {
            self.0.push(set);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.set()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let set = self.set()?;
        self.0.clear();
        Ok(vec![set])
    }

    fn size(&self) -> usize {
        let rows = self.0.iter().map(|rows| rows.get_array_memory_size());
        size_of::<Self>() + rows.sum::<usize>()
    }
}

/// Returns the rows of a batch: what is not given is filled in, what does not count left
/// out.
pub(super) fn rows_of(mut columns: Vec<ArrayRef>) -> Result<ArrayRef> {
    let rows = columns[0].len();
    if columns.len() == 2 {
        columns.push(one_block(rows)?);
    }
    let lacking = types().into_iter().skip(columns.len());
    columns.extend(lacking.map(|lacks| new_null_array(&lacks, rows)));
    let nulls = NullBuffer::union(columns[0].nulls(), columns[1].nulls());
    if let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) {
        let there = BooleanArray::new(nulls.into_inner(), None);
        let kept = columns.iter().map(|column| filter(column, &there));
        columns = kept.collect::<Result<_, _>>()?;
    }
    Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
}

/// Returns the blocks of rows that are all in one.
fn one_block(rows: usize) -> Result<ArrayRef> {
    let block = ScalarValue::new_list(&[ScalarValue::Int64(Some(0))], &DataType::Int64, true);
    ScalarValue::List(block).to_array_of_size(rows)
}

fn types() -> [DataType; FIELDS.len()] {
    let ids = || DataType::new_list(DataType::Int64, true);
    [DataType::Int64, vector_type(), ids(), ids(), ids()]
}

fn fields() -> Fields {
    let fields = FIELDS.into_iter().zip(types());
    fields
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect()
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}
