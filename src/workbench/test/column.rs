//! How a test spells the types and the values of a result.

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Float64Type},
    util::display::{ArrayFormatter, FormatOptions},
};

use crate::engine::{Error, Result};

/// A result column's type, as one letter after `query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Integer,
    Number,
    Text,
    Boolean,
    Date,
    Instant,
    /// `?`: a list, a struct; in a test, anything.
    Any,
}

impl Column {
    const LETTERS: [(char, Column); 7] = [
        ('I', Column::Integer),
        ('R', Column::Number),
        ('T', Column::Text),
        ('B', Column::Boolean),
        ('D', Column::Date),
        ('P', Column::Instant),
        ('?', Column::Any),
    ];

    pub(super) fn of(data_type: &DataType) -> Column {
        match data_type {
            DataType::Boolean => Column::Boolean,
            DataType::Date32 | DataType::Date64 => Column::Date,
            DataType::Timestamp(..) => Column::Instant,
            other if other.is_integer() => Column::Integer,
            other if other.is_numeric() => Column::Number,
            other if other.is_string() => Column::Text,
            _ => Column::Any,
        }
    }
}

impl sqllogictest::ColumnType for Column {
    fn from_char(letter: char) -> Option<Column> {
        Column::LETTERS
            .iter()
            .find(|known| known.0 == letter)
            .map(|known| known.1)
    }

    fn to_char(&self) -> char {
        Column::LETTERS
            .iter()
            .find(|known| known.1 == *self)
            .map_or('?', |known| known.0)
    }
}

/// Says whether the columns are of the types that a test expects.
#[expect(clippy::ptr_arg, reason = "the runner's own type of function")]
pub(super) fn matching(actual: &Vec<Column>, expected: &Vec<Column>) -> bool {
    let same =
        |(actual, expected): (&Column, &Column)| actual == expected || expected == &Column::Any;
    actual.len() == expected.len() && actual.iter().zip(expected).all(same)
}

/// Returns a value as a test spells it: `NULL`, `(empty)`, decimals to the digit,
/// doubles in shortest form.
pub(super) fn shown(column: &ArrayRef, row: usize) -> Result<String> {
    if column.is_null(row) {
        return Ok("NULL".to_owned());
    }
    if let Some(doubles) = column.as_primitive_opt::<Float64Type>() {
        return Ok(doubles.value(row).to_string());
    }
    let options = FormatOptions::default().with_null("NULL");
    let failed = |error: datafusion::arrow::error::ArrowError| Error::run("the rows", error.into());
    let formatter = ArrayFormatter::try_new(column, &options).map_err(failed)?;
    let text = formatter.value(row).try_to_string().map_err(failed)?;
    Ok(if text.is_empty() {
        "(empty)".to_owned()
    } else {
        text
    })
}
