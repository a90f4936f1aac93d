//! The units of sizes as an argument: `list of struct(unit text, base text, amount
//! bigint)`, the same for all rows or another for each.
//!
//! `(select array_agg(named_struct('unit', unit, 'base', base, 'amount', amount) order
//! by unit) from units)` is computed once. Where a query has it once, it arrives as one
//! value; where it has it more often, DataFusion makes it a column, the same list in each
//! row: a list that equals that of the row before is not read again.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, ListArray, StructArray},
        compute::cast,
        datatypes::{DataType, Int64Type},
    },
    common::{DataFusionError, Result, exec_datafusion_err, exec_err, plan_err},
    logical_expr::ColumnarValue,
};

use crate::text::Units;

/// Returns the types of `(text, units)`, if they can be read.
///
/// # Errors
///
/// Returns an error that says what the function takes.
pub(super) fn text_and_units(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    match given {
        [text, units] if is_text(text) && is_units(units) => {
            Ok(vec![DataType::Utf8, units.clone()])
        }
        _ => plan_err!(
            "{function} takes (text, units), units a list of struct(unit text, base text, amount bigint)"
        ),
    }
}

fn is_text(given: &DataType) -> bool {
    given.is_string() || given.is_null()
}

fn is_units(given: &DataType) -> bool {
    let DataType::List(item) = given else {
        return false;
    };
    let DataType::Struct(fields) = item.data_type() else {
        return false;
    };
    let has = |name: &str, is: fn(&DataType) -> bool| {
        let field = fields.iter().find(|field| field.name() == name);
        field.is_some_and(|field| is(field.data_type()))
    };
    has("unit", is_text) && has("base", is_text) && has("amount", DataType::is_integer)
}

/// The units, row by row.
pub(super) struct UnitLists {
    function: &'static str,
    lists: ListArray,
    is_one: bool,
    last: Option<(ArrayRef, Units)>,
}

impl UnitLists {
    /// Begins to read an argument.
    ///
    /// # Errors
    ///
    /// Returns an error when it is not a column of lists.
    pub(super) fn of(function: &'static str, given: &ColumnarValue) -> Result<UnitLists> {
        let (column, is_one) = match given {
            ColumnarValue::Scalar(one) => (one.to_array()?, true),
            ColumnarValue::Array(column) => (Arc::clone(column), false),
        };
        let Some(lists) = column.as_list_opt().cloned() else {
            return exec_err!(
                "{function}: units must be a list, not {}",
                column.data_type()
            );
        };
        Ok(UnitLists {
            function,
            lists,
            is_one,
            last: None,
        })
    }

    /// Returns the units of a row.
    ///
    /// # Errors
    ///
    /// Returns an error when they are null, or when one of them makes no sense.
    pub(super) fn at(&mut self, row: usize) -> Result<&Units> {
        let last = match self.last.take() {
            Some(last) if self.is_one => last,
            last => self.read(if self.is_one { 0 } else { row }, last)?,
        };
        Ok(&self.last.insert(last).1)
    }

    fn read(&self, row: usize, last: Option<(ArrayRef, Units)>) -> Result<(ArrayRef, Units)> {
        if self.lists.is_null(row) {
            return exec_err!("{}: units must not be null", self.function);
        }
        let list = self.lists.value(row);
        match last {
            Some(last) if *last.0 == *list => Ok(last),
            _ => Ok((Arc::clone(&list), read(self.function, &list)?)),
        }
    }
}

fn read(function: &str, list: &ArrayRef) -> Result<Units> {
    let columns = Columns::of(list.as_struct())?;
    let lacking = || exec_datafusion_err!("{function}: a unit lacks its name, base or amount");
    let rows: Vec<_> = columns.rows().collect::<Option<_>>().ok_or_else(lacking)?;
    Units::of(rows).map_err(|fault| exec_datafusion_err!("{function}: {fault}"))
}

struct Columns {
    unit: ArrayRef,
    base: ArrayRef,
    amount: ArrayRef,
}

impl Columns {
    fn of(rows: &StructArray) -> Result<Columns> {
        let column = |name: &str, as_type| match rows.column_by_name(name) {
            Some(column) => cast(column, &as_type).map_err(DataFusionError::from),
            None => exec_err!("units have no column `{name}`"),
        };
        Ok(Columns {
            unit: column("unit", DataType::Utf8)?,
            base: column("base", DataType::Utf8)?,
            amount: column("amount", DataType::Int64)?,
        })
    }

    fn rows(&self) -> impl Iterator<Item = Option<(&str, &str, i64)>> {
        let texts = self
            .unit
            .as_string::<i32>()
            .iter()
            .zip(self.base.as_string::<i32>());
        let rows = texts.zip(self.amount.as_primitive::<Int64Type>());
        rows.map(|((unit, base), amount)| Some((unit?, base?, amount?)))
    }
}
