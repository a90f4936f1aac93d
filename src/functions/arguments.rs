//! Arguments that must be constants, and lists of records as results.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray, StructArray},
        buffer::OffsetBuffer,
        compute::cast,
        datatypes::{DataType, Field, FieldRef, Fields, Int64Type},
    },
    common::{Result, ScalarValue, exec_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
    physical_expr::{PhysicalExpr, expressions::Literal},
};

/// Returns the constant at `position` among a function's arguments.
///
/// # Errors
///
/// Returns an error that names `function` and `argument` when it is null or
/// depends on the row.
pub(super) fn constant(
    arguments: &[Arc<dyn PhysicalExpr>],
    position: usize,
    function: &str,
    argument: &str,
) -> Result<ScalarValue> {
    let literal = arguments
        .get(position)
        .and_then(|expression| expression.downcast_ref::<Literal>());
    match literal.map(Literal::value) {
        Some(value) if !value.is_null() => Ok(value.clone()),
        _ => exec_err!("{function}: {argument} must be a constant that is not null"),
    }
}

/// Returns the bigint at `position`, which must not be below `least`.
pub(super) fn constant_bigint(
    arguments: &[Arc<dyn PhysicalExpr>],
    position: usize,
    function: &str,
    argument: &str,
    least: i64,
) -> Result<i64> {
    match constant(arguments, position, function, argument)? {
        ScalarValue::Int64(Some(value)) if value >= least => Ok(value),
        other => exec_err!("{function}: {argument} must be {least} or more, not {other}"),
    }
}

/// Returns what `of` makes of each text of a function's only argument; null of null.
pub(super) fn each_text(
    given: &ScalarFunctionArgs,
    of: impl Fn(&str) -> String,
) -> Result<ColumnarValue> {
    let texts = given.args[0].to_array(given.number_rows)?;
    let texts = cast(&texts, &DataType::Utf8)?;
    let made = texts.as_string::<i32>().iter();
    let made: StringArray = made.map(|text| text.map(&of)).collect();
    Ok(ColumnarValue::Array(Arc::new(made)))
}

/// Returns the type `struct(name bigint, …)[]`.
pub(super) fn records(names: &[&str]) -> DataType {
    DataType::List(item(DataType::Struct(fields(names))))
}

/// Returns one list of records, a column of numbers for each name.
pub(super) fn list_of_records(names: &[&str], columns: Vec<Vec<i64>>) -> Result<ScalarValue> {
    let columns = columns
        .into_iter()
        .map(|column| Arc::new(Int64Array::from(column)) as ArrayRef)
        .collect();
    let rows = StructArray::try_new(fields(names), columns, None)?;
    Ok(ScalarValue::List(one_list(Arc::new(rows))?))
}

/// Returns lists of records: a column of numbers for each name, with `lengths` records each.
///
/// # Errors
///
/// Returns an error when there are more records than a column of lists can have.
pub(super) fn lists_of_records(
    names: &[&str],
    columns: Vec<Vec<i64>>,
    lengths: Vec<usize>,
) -> Result<ListArray> {
    let total: usize = lengths.iter().sum();
    if i32::try_from(total).is_err() {
        return exec_err!("{total} records are more than a column of lists can have");
    }
    let columns = columns
        .into_iter()
        .map(|column| Arc::new(Int64Array::from(column)) as ArrayRef)
        .collect();
    let rows = StructArray::try_new(fields(names), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let lists = ListArray::try_new(
        item(rows.data_type().clone()),
        offsets,
        Arc::new(rows),
        None,
    );
    Ok(lists?)
}

/// Returns the field of a state that is a list of numbers.
pub(super) fn bigints(name: &str) -> FieldRef {
    Arc::new(Field::new(name, bigint_list(), true))
}

/// Returns one list of numbers.
pub(super) fn list_of_bigints(values: Vec<i64>) -> Result<ScalarValue> {
    Ok(ScalarValue::List(one_list(Arc::new(Int64Array::from(
        values,
    )))?))
}

/// Returns the numbers of all lists of `state`, one list after the other.
pub(super) fn flattened(state: &ArrayRef) -> Result<Int64Array> {
    let Some(lists) = state.as_list_opt::<i32>() else {
        return exec_err!("a state is a list of bigint, not {}", state.data_type());
    };
    let first = lists.value_offsets()[0] as usize;
    let last = lists.value_offsets()[lists.len()] as usize;
    let values = lists.values().slice(first, last - first);
    Ok(values.as_primitive::<Int64Type>().clone())
}

fn bigint_list() -> DataType {
    DataType::List(item(DataType::Int64))
}

fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type, true))
}

fn fields(names: &[&str]) -> Fields {
    let field = |name: &&str| Field::new(*name, DataType::Int64, true);
    names.iter().map(field).collect()
}

fn one_list(values: ArrayRef) -> Result<Arc<ListArray>> {
    let list = ListArray::try_new(
        item(values.data_type().clone()),
        OffsetBuffer::from_lengths([values.len()]),
        values,
        None,
    )?;
    Ok(Arc::new(list))
}
