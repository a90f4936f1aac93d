//! One column's values, read from the text of JSON values.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use datafusion::arrow::{
    array::{ArrayRef, ListArray, NullBufferBuilder, StructArray},
    buffer::OffsetBuffer,
    datatypes::{
        DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type,
        TimestampMicrosecondType,
    },
    error::ArrowError,
};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    growing::{Growing, Texts},
    object::Object,
};
use crate::dataset::ColumnType;

/// What is wrong with a value, and where below its column.
#[derive(Debug)]
pub(super) struct Wrong {
    /// `[3].price`, or empty for the value itself.
    pub(super) path: String,
    pub(super) reason: String,
}

impl Wrong {
    pub(super) fn new(reason: impl Into<String>) -> Wrong {
        Wrong {
            path: String::new(),
            reason: reason.into(),
        }
    }

    pub(super) fn below(mut self, step: &str) -> Wrong {
        self.path.insert_str(0, step);
        self
    }
}

/// The values of one column, growing.
#[derive(Debug)]
pub(super) enum Values {
    Bigint(Growing<i64>),
    Double(Growing<f64>),
    Boolean(Growing<bool>),
    Text(Texts),
    Date(Box<Dates>),
    Timestamp(Growing<i64>),
    Decimal(Decimals),
    List(Box<Lists>),
    Struct(Box<Structs>),
}

/// How many dates are remembered.
pub(super) const KNOWN_DATES: usize = 16;

#[derive(Debug)]
pub(super) struct Dates {
    pub(super) days: Growing<i32>,
    /// Dates as they were spelled, each where its last digit says: the rows of one
    /// export have few.
    pub(super) known: [([u8; 10], i32); KNOWN_DATES],
}

#[derive(Debug)]
pub(super) struct Decimals {
    pub(super) values: Growing<i128>,
    pub(super) precision: u8,
    pub(super) scale: usize,
    pub(super) negative: bool,
}

#[derive(Debug)]
pub(super) struct Lists {
    pub(super) items: Values,
    item_type: DataType,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
pub(super) struct Structs {
    pub(super) object: Object,
    pub(super) nulls: NullBufferBuilder,
}

impl Values {
    /// Starts a column; `negative` says whether decimals may be below zero.
    pub(super) fn new(data_type: &ColumnType, negative: bool) -> Values {
        match data_type {
            ColumnType::Bigint => Values::Bigint(Growing::new()),
            ColumnType::Double => Values::Double(Growing::new()),
            ColumnType::Boolean => Values::Boolean(Growing::new()),
            ColumnType::Text => Values::Text(Texts::new()),
            ColumnType::Date => Values::Date(Box::new(Dates {
                days: Growing::new(),
                known: Default::default(),
            })),
            ColumnType::Timestamp => Values::Timestamp(Growing::new()),
            ColumnType::Decimal { precision, scale } => Values::Decimal(Decimals {
                values: Growing::new(),
                precision: *precision,
                scale: usize::try_from(*scale).unwrap_or(0),
                negative,
            }),
            ColumnType::List(item) => Values::List(Box::new(Lists {
                items: Values::new(item, negative),
                item_type: item.arrow(),
                offsets: vec![0],
                nulls: NullBufferBuilder::new(0),
            })),
            ColumnType::Struct(columns) => Values::Struct(Box::new(Structs {
                object: Object::new(columns, negative),
                nulls: NullBufferBuilder::new(0),
            })),
        }
    }

    /// Appends the value that `raw` spells; null is not one.
    pub(super) fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        match self {
            Values::Bigint(values) => values.push(integer(raw)?),
            Values::Double(values) => values.push(double(raw)?),
            Values::Boolean(values) => values.push(boolean(raw)?),
            Values::Text(texts) => push_text(texts, raw)?,
            Values::Date(dates) => dates.days.push(date(raw)?),
            Values::Timestamp(values) => values.push(timestamp(raw)?),
            Values::Decimal(decimals) => decimals.push(raw)?,
            Values::List(lists) => lists.push(raw)?,
            Values::Struct(structs) => structs.push(raw)?,
        }
        Ok(())
    }

    /// Appends a null.
    pub(super) fn push_null(&mut self) {
        match self {
            Values::Bigint(values) | Values::Timestamp(values) => values.push_null(),
            Values::Double(values) => values.push_null(),
            Values::Boolean(values) => values.push_null(),
            Values::Text(texts) => texts.push_null(),
            Values::Date(dates) => dates.days.push_null(),
            Values::Decimal(decimals) => decimals.values.push_null(),
            Values::List(lists) => lists.push_null(),
            Values::Struct(structs) => {
                structs.object.push_null();
                structs.nulls.append_null();
            }
        }
    }

    /// Forgets what was appended after that many values.
    pub(super) fn truncate(&mut self, length: usize) {
        match self {
            Values::Bigint(values) | Values::Timestamp(values) => values.truncate(length),
            Values::Double(values) => values.truncate(length),
            Values::Boolean(values) => values.truncate(length),
            Values::Text(texts) => texts.truncate(length),
            Values::Date(dates) => dates.days.truncate(length),
            Values::Decimal(decimals) => decimals.values.truncate(length),
            Values::List(lists) => lists.truncate(length),
            Values::Struct(structs) => {
                structs.object.truncate(length);
                structs.nulls.truncate(length);
            }
        }
    }

    /// Returns the length of the text held, which Arrow limits to 2 GiB a column.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Values::Text(texts) => texts.byte_length(),
            Values::List(lists) => lists.items.text_bytes() + 8 * lists.offsets.len(),
            _ => 0,
        }
    }

    /// Takes what was appended, as an array of that type, and starts again.
    pub(super) fn finish(&mut self, data_type: DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Values::Bigint(values) => values.finish::<Int64Type>(data_type)?,
            Values::Double(values) => values.finish::<Float64Type>(data_type)?,
            Values::Boolean(values) => values.finish_boolean(),
            Values::Text(texts) => texts.finish()?,
            Values::Date(dates) => dates.days.finish::<Date32Type>(data_type)?,
            Values::Timestamp(values) => values.finish::<TimestampMicrosecondType>(data_type)?,
            Values::Decimal(decimals) => decimals.values.finish::<Decimal128Type>(data_type)?,
            Values::List(lists) => Arc::new(lists.finish()?),
            Values::Struct(structs) => Arc::new(structs.finish()?),
        })
    }
}

impl Decimals {
    fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        let digits = raw
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(raw);
        let value = decimal(digits, self.precision, self.scale).map_err(|why| {
            let (precision, scale) = (self.precision, self.scale);
            Wrong::new(format!(
                "must be a decimal({precision},{scale}), not {}: {why}",
                shown(raw)
            ))
        })?;
        if value < 0 && !self.negative {
            return Err(Wrong::new(format!(
                "must not be negative, but is {}",
                shown(raw)
            )));
        }
        self.values.push(value);
        Ok(())
    }
}

impl Lists {
    fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        if !raw.starts_with('[') {
            return Err(Wrong::new(format!("must be a list, not {}", shown(raw))));
        }
        let mut items = Items {
            values: &mut self.items,
            wrong: None,
        };
        let read = serde_json::Deserializer::from_str(raw).deserialize_seq(&mut items);
        if let Some(wrong) = items.wrong {
            return Err(wrong);
        }
        let count = read.map_err(|error| Wrong::new(error.to_string()))?;
        self.end(count)
            .ok_or_else(|| Wrong::new("is a list with too many items"))
    }

    /// Ends a list of as many items; `None` where Arrow's offsets are exhausted.
    pub(super) fn end(&mut self, count: usize) -> Option<()> {
        let count = i32::try_from(count).ok()?;
        self.offsets.push(self.last().checked_add(count)?);
        self.nulls.append_non_null();
        Some(())
    }

    fn push_null(&mut self) {
        self.offsets.push(self.last());
        self.nulls.append_null();
    }

    fn last(&self) -> i32 {
        self.offsets.last().copied().unwrap_or(0)
    }

    fn truncate(&mut self, length: usize) {
        self.offsets.truncate(length + 1);
        self.items
            .truncate(usize::try_from(self.last()).unwrap_or(0));
        self.nulls.truncate(length);
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        ListArray::try_new(
            Arc::new(Field::new_list_field(self.item_type.clone(), true)),
            OffsetBuffer::new(offsets.into()),
            self.items.finish(self.item_type.clone())?,
            self.nulls.finish(),
        )
    }
}

impl Structs {
    fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        if !raw.starts_with('{') {
            return Err(Wrong::new(format!("must be an object, not {}", shown(raw))));
        }
        self.object.push(raw)?;
        self.nulls.append_non_null();
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, ArrowError> {
        let length = self.nulls.len();
        let (fields, columns) = self.object.finish()?;
        let nulls = self.nulls.finish();
        if fields.is_empty() {
            return Ok(StructArray::new_empty_fields(length, nulls));
        }
        StructArray::try_new(fields, columns, nulls)
    }
}

/// Reads the items of a list into `values` and counts them.
struct Items<'a> {
    values: &'a mut Values,
    wrong: Option<Wrong>,
}

impl<'de> Visitor<'de> for &mut Items<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            let raw = raw.get();
            let pushed = if raw == "null" {
                Err(Wrong::new("must not be null"))
            } else {
                self.values.push(raw)
            };
            if let Err(wrong) = pushed {
                self.wrong = Some(wrong.below(&format!("[{}]", count)));
                return Err(serde::de::Error::custom("ill-typed"));
            }
            count += 1;
        }
        Ok(count)
    }
}

fn integer(raw: &str) -> Result<i64, Wrong> {
    if raw
        .bytes()
        .any(|byte| !byte.is_ascii_digit() && byte != b'-')
    {
        return Err(Wrong::new(format!(
            "must be an integer, not {}",
            shown(raw)
        )));
    }
    raw.parse()
        .map_err(|_| Wrong::new(format!("must be an integer of 64 bits, not {}", shown(raw))))
}

/// Reads a number, or plain decimal digits in quotes, as a service may write
/// coordinates that it holds as decimals.
pub(super) fn double(raw: &str) -> Result<f64, Wrong> {
    let wrong = || Wrong::new(format!("must be a finite number, not {}", shown(raw)));
    let quoted = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let digits = quoted.unwrap_or(raw);
    if quoted.is_some() && !is_plain_number(digits) {
        return Err(wrong());
    }
    if !digits.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Err(wrong());
    }
    let value: f64 = digits.parse().map_err(|_| wrong())?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(wrong())
    }
}

fn is_plain_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn boolean(raw: &str) -> Result<bool, Wrong> {
    match raw {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Wrong::new(format!(
            "must be true or false, not {}",
            shown(raw)
        ))),
    }
}

fn date(raw: &str) -> Result<i32, Wrong> {
    let wrong = || {
        Wrong::new(format!(
            "must be a date like \"2026-11-22\", not {}",
            shown(raw)
        ))
    };
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.filter(|text| text.len() == 10 && !text.starts_with(['+', '-', ' ']));
    let day =
        NaiveDate::parse_from_str(inner.ok_or_else(wrong)?, "%Y-%m-%d").map_err(|_| wrong())?;
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).map_err(|_| wrong())
}

pub(super) fn timestamp(raw: &str) -> Result<i64, Wrong> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(|instant| instant.timestamp_micros())
        .ok_or_else(|| {
            Wrong::new(format!(
                "must be an instant like \"2026-11-22T17:01:02Z\", not {}",
                shown(raw)
            ))
        })
}

fn push_text(texts: &mut Texts, raw: &str) -> Result<(), Wrong> {
    let full = || Wrong::new("makes the column longer than 2 GiB");
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| Wrong::new(format!("must be text, not {}", shown(raw))))?;
    if !inner.contains('\\') {
        return texts.push(inner).then_some(()).ok_or_else(full);
    }
    let text: String = serde_json::from_str(raw)
        .map_err(|_| Wrong::new(format!("must be valid text, not {}", shown(raw))))?;
    if text.contains('\0') {
        return Err(Wrong::new("must not contain the character NUL"));
    }
    texts.push(&text).then_some(()).ok_or_else(full)
}

/// Reads a decimal from its digits as an integer of `10^-scale`.
fn decimal(text: &str, precision: u8, scale: usize) -> Result<i128, &'static str> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || unsigned.ends_with('.') {
        return Err("expected plain digits");
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err("it starts with a zero");
    }
    // Zeros past the scale add nothing.
    let (fraction, rest) = fraction.split_at(fraction.len().min(scale));
    if rest.bytes().any(|byte| byte != b'0') {
        return Err("it has too many digits after the point");
    }
    let significant = if whole == "0" { 0 } else { whole.len() };
    if significant + scale > usize::from(precision) {
        return Err("it has too many digits");
    }
    let read = whole
        .bytes()
        .chain(fraction.bytes())
        .fold(0i128, |value, byte| value * 10 + i128::from(byte - b'0'));
    let padding = u32::try_from(scale - fraction.len()).map_err(|_| "its scale is too large")?;
    let value = read * 10i128.pow(padding);
    Ok(if negative { -value } else { value })
}

/// Shows the text of a value, shortened.
pub(super) fn shown(raw: &str) -> String {
    const SHOWN: usize = 40;
    if raw.chars().count() <= SHOWN {
        return raw.to_owned();
    }
    let short: String = raw.chars().take(SHOWN).collect();
    format!("{short}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_read_from_its_digits() {
        assert_eq!(decimal("12.5", 10, 2), Ok(1250));
        assert_eq!(decimal("0.01", 10, 2), Ok(1));
        assert_eq!(decimal("-0.00", 10, 2), Ok(0));
        assert_eq!(decimal("5.9800", 10, 2), Ok(598));
        assert_eq!(decimal("5.980000000000000000", 10, 2), Ok(598));
        assert_eq!(decimal("7.0", 10, 0), Ok(7));
        assert_eq!(decimal("99999999.99", 10, 2), Ok(9_999_999_999));
        let most = "9".repeat(38);
        assert_eq!(decimal(&most, 38, 0), Ok(10i128.pow(38) - 1));
    }

    #[test]
    fn what_is_not_plain_digits_within_the_scale_is_no_decimal() {
        for text in [
            "1.505",
            "1e2",
            "NaN",
            "",
            ".5",
            "5.",
            "+1",
            " 1",
            "1,5",
            "007",
            "100000000.00",
            "--1",
            "Infinity",
            "1.2.3",
            "٣",
        ] {
            assert!(decimal(text, 10, 2).is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_value_is_shown_short() {
        let raw = format!("\"{}\"", "x".repeat(1000));
        assert!(shown(&raw).chars().count() < 50);
    }
}
