//! One value between Arrow and SQLite.
//!
//! A decimal is stored as an integer in units of its scale, a date and an instant
//! as ISO 8601 text, a list as JSON text.

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Date32Array, Date32Builder,
        Decimal128Array, Decimal128Builder, Float64Array, Float64Builder, Int64Array, Int64Builder,
        ListArray, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
        TimestampMicrosecondBuilder,
    },
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
};
use rusqlite::{
    Statement,
    types::{Null, ValueRef},
};

use crate::{
    dataset::{Column, ColumnType},
    text::iso_date::{self, Day},
};

/// What is wrong with a value, for a message that names its column.
pub(super) type Reason = String;

/// Collects one column's values as they come from SQLite.
pub(super) enum Cells {
    Bigint(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Date {
        builder: Date32Builder,
        /// The date that came last, as it is stored: neighbours often share one.
        last: Option<(String, i32)>,
    },
    Timestamp(TimestampMicrosecondBuilder),
    Decimal {
        builder: Decimal128Builder,
        /// What a stored unit is worth in units of the column.
        factor: i128,
    },
    Bigints(ListBuilder<Int64Builder>),
    Texts(ListBuilder<StringBuilder>),
}

impl Cells {
    /// Starts a column that is stored as `stored` and wanted as `column`.
    pub(super) fn new(column: &Column, stored: &ColumnType) -> Result<Cells, Reason> {
        if let (ColumnType::Decimal { precision, scale }, ColumnType::Decimal { scale: held, .. }) =
            (&column.data_type, stored)
            && held <= scale
        {
            return Ok(Cells::Decimal {
                builder: Decimal128Builder::new()
                    .with_data_type(DataType::Decimal128(*precision, *scale)),
                factor: 10i128.pow(u32::from((scale - held).unsigned_abs())),
            });
        }
        if &column.data_type != stored {
            return Err(format!("is {stored}, not {}", column.data_type));
        }
        Cells::plain(stored)
    }

    fn plain(data_type: &ColumnType) -> Result<Cells, Reason> {
        Ok(match data_type {
            ColumnType::Bigint => Cells::Bigint(Int64Builder::new()),
            ColumnType::Double => Cells::Double(Float64Builder::new()),
            ColumnType::Boolean => Cells::Boolean(BooleanBuilder::new()),
            ColumnType::Text => Cells::Text(StringBuilder::new()),
            ColumnType::Date => Cells::Date {
                builder: Date32Builder::new(),
                last: None,
            },
            ColumnType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::new();
                Cells::Timestamp(builder.with_timezone("UTC"))
            }
            ColumnType::List(item) if **item == ColumnType::Bigint => {
                Cells::Bigints(ListBuilder::new(Int64Builder::new()))
            }
            ColumnType::List(item) if **item == ColumnType::Text => {
                Cells::Texts(ListBuilder::new(StringBuilder::new()))
            }
            other => return Err(format!("{other} cannot be stored in SQLite")),
        })
    }

    /// Adds one value.
    pub(super) fn append(&mut self, value: ValueRef<'_>) -> Result<(), Reason> {
        if value == ValueRef::Null {
            self.append_null();
            return Ok(());
        }
        match self {
            Cells::Bigint(builder) => builder.append_value(integer(value)?),
            Cells::Double(builder) => builder.append_value(double(value)?),
            Cells::Boolean(builder) => builder.append_value(integer(value)? != 0),
            Cells::Text(builder) => builder.append_value(text(value)?),
            Cells::Date { builder, last } => {
                let text = text(value)?;
                let day = match last {
                    Some((last, day)) if last == text => *day,
                    _ => last.insert((text.to_owned(), days(text)?)).1,
                };
                builder.append_value(day);
            }
            Cells::Timestamp(builder) => builder.append_value(micros(text(value)?)?),
            Cells::Decimal { builder, factor } => {
                builder.append_value(i128::from(integer(value)?) * *factor);
            }
            Cells::Bigints(builder) => {
                let items = json_list::<i64>(value)?;
                builder.append_value(items.into_iter().map(Some));
            }
            Cells::Texts(builder) => {
                let items = json_list::<String>(value)?;
                builder.append_value(items.into_iter().map(Some));
            }
        }
        Ok(())
    }

    fn append_null(&mut self) {
        match self {
            Cells::Bigint(builder) => builder.append_null(),
            Cells::Double(builder) => builder.append_null(),
            Cells::Boolean(builder) => builder.append_null(),
            Cells::Text(builder) => builder.append_null(),
            Cells::Date { builder, .. } => builder.append_null(),
            Cells::Timestamp(builder) => builder.append_null(),
            Cells::Decimal { builder, .. } => builder.append_null(),
            Cells::Bigints(builder) => builder.append_null(),
            Cells::Texts(builder) => builder.append_null(),
        }
    }

    /// Takes what was collected.
    pub(super) fn finish(&mut self) -> ArrayRef {
        use std::sync::Arc;
        match self {
            Cells::Bigint(builder) => Arc::new(builder.finish()),
            Cells::Double(builder) => Arc::new(builder.finish()),
            Cells::Boolean(builder) => Arc::new(builder.finish()),
            Cells::Text(builder) => Arc::new(builder.finish()),
            Cells::Date { builder, .. } => Arc::new(builder.finish()),
            Cells::Timestamp(builder) => Arc::new(builder.finish()),
            Cells::Decimal { builder, .. } => Arc::new(builder.finish()),
            Cells::Bigints(builder) => Arc::new(builder.finish()),
            Cells::Texts(builder) => Arc::new(builder.finish()),
        }
    }
}

/// One column of a batch on its way into SQLite.
pub(super) enum Values<'a> {
    Bigint(&'a Int64Array),
    Double(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Text(&'a StringArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Decimal(&'a Decimal128Array),
    List(&'a ListArray),
}

impl<'a> Values<'a> {
    /// Looks at an array whose type is a column type's own.
    pub(super) fn new(array: &'a dyn Array) -> Result<Values<'a>, Reason> {
        Ok(match array.data_type() {
            DataType::Int64 => Values::Bigint(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Values::Double(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Values::Boolean(array.as_boolean()),
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Date32 => Values::Date(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Values::Timestamp(array.as_primitive::<TimestampMicrosecondType>())
            }
            DataType::Decimal128(_, _) => Values::Decimal(array.as_primitive::<Decimal128Type>()),
            DataType::List(item)
                if matches!(item.data_type(), DataType::Int64 | DataType::Utf8) =>
            {
                Values::List(array.as_list())
            }
            other => return Err(format!("{other} cannot be stored in SQLite")),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Bigint(array) => array.is_null(row),
            Values::Double(array) => array.is_null(row),
            Values::Boolean(array) => array.is_null(row),
            Values::Text(array) => array.is_null(row),
            Values::Date(array) => array.is_null(row),
            Values::Timestamp(array) => array.is_null(row),
            Values::Decimal(array) => array.is_null(row),
            Values::List(array) => array.is_null(row),
        }
    }

    /// Binds a row's value to a parameter, counted from 1.
    pub(super) fn bind(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
    ) -> Result<(), Reason> {
        if self.is_null(row) {
            return said(statement.raw_bind_parameter(parameter, Null));
        }
        said(match self {
            Values::Bigint(array) => statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Double(array) => {
                statement.raw_bind_parameter(parameter, finite(array.value(row))?)
            }
            Values::Boolean(array) => statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Text(array) => statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Date(array) => {
                statement.raw_bind_parameter(parameter, iso_date(array.value(row))?.text())
            }
            Values::Timestamp(array) => {
                statement.raw_bind_parameter(parameter, iso_instant(array.value(row))?)
            }
            Values::Decimal(array) => {
                statement.raw_bind_parameter(parameter, stored_decimal(array.value(row))?)
            }
            Values::List(array) => {
                statement.raw_bind_parameter(parameter, json_text(&array.value(row))?)
            }
        })
    }
}

fn said(bound: rusqlite::Result<()>) -> Result<(), Reason> {
    bound.map_err(|error| error.to_string())
}

fn integer(value: ValueRef<'_>) -> Result<i64, Reason> {
    value.as_i64().map_err(|_| holds(value, "an integer"))
}

/// A whole number in a column of doubles may be stored as an integer.
fn double(value: ValueRef<'_>) -> Result<f64, Reason> {
    match value {
        ValueRef::Real(double) => Ok(double),
        ValueRef::Integer(integer) => Ok(integer as f64),
        _ => Err(holds(value, "a number")),
    }
}

fn text(value: ValueRef<'_>) -> Result<&str, Reason> {
    value.as_str().map_err(|_| holds(value, "text"))
}

fn holds(value: ValueRef<'_>, wanted: &str) -> Reason {
    format!("holds {}, not {wanted}", value.data_type())
}

fn days(text: &str) -> Result<i32, Reason> {
    iso_date::days(text).ok_or_else(|| format!("`{text}` is not a date"))
}

fn iso_date(days: i32) -> Result<Day, Reason> {
    Ok(Day::of(days).ok_or("is out of the range of dates")?)
}

fn micros(text: &str) -> Result<i64, Reason> {
    let instant = DateTime::parse_from_rfc3339(text);
    let instant = instant.map_err(|_| format!("`{text}` is not an instant"))?;
    Ok(instant.timestamp_micros())
}

fn iso_instant(micros: i64) -> Result<String, Reason> {
    let instant = DateTime::<Utc>::from_timestamp_micros(micros);
    let instant = instant.ok_or("is out of the range of instants")?;
    Ok(instant.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn finite(value: f64) -> Result<f64, Reason> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{value} cannot be stored"))
    }
}

fn stored_decimal(value: i128) -> Result<i64, Reason> {
    i64::try_from(value).map_err(|_| "has more digits than can be stored".to_owned())
}

fn json_list<T: serde::de::DeserializeOwned>(value: ValueRef<'_>) -> Result<Vec<T>, Reason> {
    serde_json::from_str(text(value)?).map_err(|error| format!("is not a list: {error}"))
}

fn json_text(items: &ArrayRef) -> Result<String, Reason> {
    let text = match items.data_type() {
        DataType::Int64 => {
            let items: Vec<Option<i64>> = items.as_primitive::<Int64Type>().iter().collect();
            serde_json::to_string(&items)
        }
        _ => serde_json::to_string(&items.as_string::<i32>().iter().collect::<Vec<_>>()),
    };
    text.map_err(|error| error.to_string())
}
