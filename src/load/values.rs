//! From a field's text to a value of a column's type.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::{dataset::ColumnType, text::iso_date};

/// A value, typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Bigint(i64),
    Double(f64),
    Boolean(bool),
    Text(Cow<'a, str>),
    Date(i32),
    Timestamp(i64),
    /// In units of the type's scale.
    Decimal(i128),
}

/// What is wrong with a field.
pub(super) type Reason = String;

/// The most cents a price may have: those of a decimal(10,2).
const MAX_CENTS: i64 = 9_999_999_999;

/// Reads a field of a column of that type.
pub(super) fn parse<'a>(text: &'a str, data_type: &ColumnType) -> Result<Value<'a>, Reason> {
    match data_type {
        ColumnType::Bigint => integer(text).map(Value::Bigint),
        ColumnType::Double => double(text).map(Value::Double),
        ColumnType::Boolean => boolean(text).map(Value::Boolean),
        ColumnType::Text => Ok(Value::Text(text.into())),
        ColumnType::Date => date(text).map(Value::Date),
        ColumnType::Timestamp => timestamp(text).map(Value::Timestamp),
        ColumnType::Decimal { scale, .. } => {
            decimal(text, u32::from(scale.unsigned_abs())).map(Value::Decimal)
        }
        other => Err(format!("{other} cannot be loaded")),
    }
}

/// Reads an integer: digits, perhaps with a minus before them.
pub(super) fn integer(text: &str) -> Result<i64, Reason> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("must be an integer, not `{text}`"));
    }
    text.parse().map_err(|_| format!("{text} is too large"))
}

/// Reads a price in cents from its digits.
pub(super) fn cents(text: &str) -> Result<i64, Reason> {
    let cents = decimal(text, 2)?;
    if cents < 0 {
        return Err(format!("{text} is negative"));
    }
    match i64::try_from(cents) {
        Ok(cents) if cents <= MAX_CENTS => Ok(cents),
        _ => Err(format!("{text} is too large")),
    }
}

/// Reads a decimal from its digits, in units of 10^-scale.
pub(super) fn decimal(text: &str, scale: u32) -> Result<i128, Reason> {
    let not_one = || format!("must be a number like 12.50, not `{text}`");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(not_one()),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(not_one());
    }
    // Zeros past the scale add nothing.
    let (fraction, rest) = fraction.split_at(fraction.len().min(scale as usize));
    if rest.bytes().any(|byte| byte != b'0') {
        return Err(format!(
            "{text} has more than {scale} digits after the point"
        ));
    }
    let missing = scale - fraction.len() as u32;
    // What fits 18 digits needs no wide arithmetic and no text between.
    if whole.len() + scale as usize <= 18 {
        let units = whole.bytes().chain(fraction.bytes());
        let units = units.fold(0i64, |units, byte| units * 10 + i64::from(byte - b'0'));
        return Ok(sign * i128::from(units * 10i64.pow(missing)));
    }
    let units = format!("{whole}{fraction}").parse::<i128>().ok();
    let units = units.and_then(|units| units.checked_mul(10i128.checked_pow(missing)?));
    units
        .map(|units| sign * units)
        .ok_or_else(|| format!("{text} is too large"))
}

/// Reads a finite number.
pub(super) fn double(text: &str) -> Result<f64, Reason> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("must be a number, not `{text}`"))
}

/// Reads a day, as in 2026-01-31.
pub(super) fn date(text: &str) -> Result<i32, Reason> {
    iso_date::days(text).ok_or_else(|| format!("must be a date like 2026-01-31, not `{text}`"))
}

fn timestamp(text: &str) -> Result<i64, Reason> {
    let instant = text.parse::<DateTime<Utc>>();
    let instant = instant.map_err(|_| format!("must be an instant in UTC, not `{text}`"))?;
    Ok(instant.timestamp_micros())
}

fn boolean(text: &str) -> Result<bool, Reason> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("must be true or false, not `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_its_digits() {
        assert_eq!(cents("0"), Ok(0));
        assert_eq!(cents("2.5"), Ok(250));
        assert_eq!(cents("1.15"), Ok(115));
        assert_eq!(cents("5.9800"), Ok(598));
        assert_eq!(cents("5.980000000000000000"), Ok(598));
        assert_eq!(cents("99999999.99"), Ok(MAX_CENTS));
    }

    #[test]
    fn a_price_that_is_none_is_refused() {
        for text in [
            "-0.01", "1.155", "1.10001", "NaN", "1e2", "1,5", "", ".5", "5.", "+1", "inf",
        ] {
            assert!(cents(text).is_err(), "{text}");
        }
        assert!(cents("100000000.00").is_err());
        assert!(cents(&"9".repeat(60)).is_err());
    }

    #[test]
    fn an_integer_is_digits_only() {
        assert_eq!(integer("-7"), Ok(-7));
        for text in ["+7", "7.0", "7e1", "", "-", "99999999999999999999"] {
            assert!(integer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_written_out() {
        assert_eq!(date("1970-01-02"), Ok(1));
        assert!(date("2026-02-30").is_err());
        assert!(date("2026-1-3").is_err());
    }
}
