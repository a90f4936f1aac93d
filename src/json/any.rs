//! Values that no contract has, and that SQL of the moment may return.
//!
//! In comes a column; out comes the JSON of its values: numbers are numbers, an instant has
//! all its digits and its zone, and what has no form in JSON (a time of day, an interval,
//! bytes) is a string. Artifacts never hold these.

use chrono::{DateTime, SecondsFormat};
use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray, Float32Array, TimestampNanosecondArray, UInt64Array},
    datatypes::{DataType, Field, Float32Type, TimeUnit, TimestampNanosecondType, UInt64Type},
    util::display::{ArrayFormatter, DurationFormat, FormatOptions},
};

use super::{Error, Result};

/// A column of such values.
pub(super) enum Any {
    Unsigned(UInt64Array),
    Real(Float32Array),
    Instant(TimestampNanosecondArray),
    /// As tables show them.
    Texts(Vec<String>),
}

/// Returns the type of a contract that holds all values of a column without a loss.
pub(super) fn as_usual(column: &ArrayRef) -> Option<DataType> {
    let list = |item: &Field| {
        let item = Field::new("item", item.data_type().clone(), true);
        DataType::List(item.into())
    };
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale)
            if *scale >= 0 =>
        {
            Some(DataType::Decimal128(*precision, *scale))
        }
        DataType::Date64 => Some(DataType::Date32),
        DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(list(item)),
        _ => None,
    }
}

impl Any {
    pub(super) fn new(column: &ArrayRef, path: &str) -> Result<Any> {
        Ok(match column.data_type() {
            DataType::UInt64 => Any::Unsigned(column.as_primitive::<UInt64Type>().clone()),
            DataType::Float32 => Any::Real(column.as_primitive::<Float32Type>().clone()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                Any::Instant(column.as_primitive::<TimestampNanosecondType>().clone())
            }
            _ => Any::Texts(texts(column).map_err(|error| Error::Value {
                column: path.to_owned(),
                reason: error.to_string(),
            })?),
        })
    }

    /// Writes the value of a row, which is not null.
    pub(super) fn encode(&self, at: usize, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Any::Unsigned(array) => {
                out.extend_from_slice(itoa::Buffer::new().format(array.value(at)).as_bytes());
            }
            Any::Real(array) => push_real(array.value(at), out),
            Any::Instant(array) => {
                let instant = DateTime::from_timestamp_nanos(array.value(at));
                push_text(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true), out);
            }
            Any::Texts(texts) => push_text(&texts[at], out),
        }
        Ok(())
    }
}

/// Returns values as tables show them; durations as ISO 8601 has them.
fn texts(column: &ArrayRef) -> Result<Vec<String>, datafusion::arrow::error::ArrowError> {
    let options = FormatOptions::default().with_duration_format(DurationFormat::ISO8601);
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let rows = 0..column.len();
    rows.map(|row| formatter.value(row).try_to_string())
        .collect()
}

/// Writes the shortest digits that read back as the same number; NaN and infinity, which
/// JSON has no number for, as strings.
pub(super) fn push_double(value: f64, out: &mut Vec<u8>) {
    match value.is_finite() {
        true => push_json(&value, out),
        false => push_text(name(value), out),
    }
}

fn push_real(value: f32, out: &mut Vec<u8>) {
    match value.is_finite() {
        true => push_json(&value, out),
        false => push_text(name(value.into()), out),
    }
}

/// Returns the name of a double that is not finite.
fn name(value: f64) -> &'static str {
    match value {
        value if value.is_nan() => "NaN",
        value if value < 0.0 => "-Infinity",
        _ => "Infinity",
    }
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    push_json(text, out);
}

fn push_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Text and finite numbers go into memory: nothing can fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::{
        array::{
            Date64Array, Decimal128Array, Decimal256Array, Float64Array, Time64MicrosecondArray,
            TimestampMillisecondArray,
        },
        datatypes::i256,
        record_batch::RecordBatch,
    };

    use super::*;
    use crate::json::{Forms, encode_rows, encode_rows_as};

    fn written(column: ArrayRef) -> String {
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let mut out = Vec::new();
        encode_rows_as(&batch, " ", Forms::Any, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_keep_every_digit_and_stay_numbers() {
        let money = Decimal128Array::from(vec![Some(-150), None, Some(5)]);
        let money = money.with_precision_and_scale(10, 2).unwrap();
        assert_eq!(
            written(Arc::new(money)),
            r#"{"a":-1.50} {"a":null} {"a":0.05}"#
        );
        let wide = Decimal256Array::from(vec![i256::from_i128(i128::MAX)]);
        let wide = wide.with_precision_and_scale(50, 2).unwrap();
        assert_eq!(
            written(Arc::new(wide)),
            r#"{"a":"1701411834604692317316873037158841057.27"}"#
        );
        let most = UInt64Array::from(vec![u64::MAX]);
        assert_eq!(written(Arc::new(most)), r#"{"a":18446744073709551615}"#);
        let real = Float32Array::from(vec![0.1]);
        assert_eq!(written(Arc::new(real)), r#"{"a":0.1}"#);
    }

    #[test]
    fn a_double_that_is_not_finite_is_a_string_and_no_artifact() {
        let doubles = Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5]);
        let doubles: ArrayRef = Arc::new(doubles);
        assert_eq!(
            written(doubles.clone()),
            r#"{"a":"NaN"} {"a":"Infinity"} {"a":"-Infinity"} {"a":0.5}"#
        );
        let batch = RecordBatch::try_from_iter([("a", doubles)]).unwrap();
        assert!(encode_rows(&batch, " ", &mut Vec::new()).is_err());
    }

    #[test]
    fn times_have_their_zone_and_dates_are_dates() {
        let nanos = TimestampNanosecondArray::from(vec![1_767_225_600_000_000_001]);
        assert_eq!(
            written(Arc::new(nanos)),
            r#"{"a":"2026-01-01T00:00:00.000000001Z"}"#
        );
        let millis = TimestampMillisecondArray::from(vec![1_767_225_600_500]);
        let millis = millis.with_timezone("+02:00");
        assert_eq!(
            written(Arc::new(millis)),
            r#"{"a":"2026-01-01T00:00:00.500Z"}"#
        );
        let days = Date64Array::from(vec![1_767_225_600_000]);
        assert_eq!(written(Arc::new(days)), r#"{"a":"2026-01-01"}"#);
        let time = Time64MicrosecondArray::from(vec![3_600_000_000]);
        assert_eq!(written(Arc::new(time)), r#"{"a":"01:00:00"}"#);
    }
}
