//! Days as text, `2026-01-31`: read and written millions of times, so without the
//! machinery of formats.

use chrono::{Datelike, NaiveDate};
use datafusion::arrow::datatypes::Date32Type;

/// Returns the days since 1970-01-01 of a day that is written out, if it is one.
pub(crate) fn days(text: &str) -> Option<i32> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        let mut digits = digits.iter();
        digits.try_fold(0u32, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let year = number(&[y0, y1, y2, y3])?.cast_signed();
    let date = NaiveDate::from_ymd_opt(year, number(&[m0, m1])?, number(&[d0, d1])?)?;
    Some(Date32Type::from_naive_date(date))
}

/// A day written out.
pub(crate) struct Day([u8; 10]);

impl Day {
    /// Returns a day of the years 0 to 9999 as text; `None` for another.
    pub(crate) fn of(days: i32) -> Option<Day> {
        let date = Date32Type::to_naive_date_opt(days)?;
        let year = u32::try_from(date.year())
            .ok()
            .filter(|year| *year < 10_000)?;
        let mut text = *b"0000-00-00";
        write(&mut text[..4], year);
        write(&mut text[5..7], date.month());
        write(&mut text[8..], date.day());
        Some(Day(text))
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn write(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_day_reads_and_writes_as_chrono_does(days_since in -719_528i32..2_932_896) {
            let date = Date32Type::to_naive_date_opt(days_since).unwrap();
            let text = date.format("%Y-%m-%d").to_string();
            let day = Day::of(days_since).unwrap();
            prop_assert_eq!(day.text(), &text);
            prop_assert_eq!(days(&text), Some(days_since));
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "2026-02-30",
            "2026-1-3",
            "",
            "2026-01-3x",
            "+026-01-01",
            "2026/01/01",
        ] {
            assert_eq!(days(text), None, "{text}");
        }
        assert!(Day::of(2_932_897).is_none());
    }
}
