//! Values of the usual form, straight from the text into their columns.
//!
//! As of the cursor, `None` means only that something is unusual. What was appended
//! until then is to be forgotten (`truncate`).

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{
    cursor::Cursor,
    growing::Texts,
    object::Object,
    value::{Dates, Decimals, KNOWN_DATES, Lists, Values, double, timestamp},
};

impl Values {
    /// Reads a value and appends it; null is not one.
    #[inline]
    pub(super) fn take(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        match self {
            Values::Bigint(values) => values.push(cursor.integer()?),
            Values::Decimal(decimals) => decimals.take(cursor)?,
            Values::Date(dates) => dates.take(cursor)?,
            Values::Text(texts) => return take_text(texts, cursor),
            Values::Double(values) => values.push(double(cursor.value()?).ok()?),
            Values::Timestamp(values) => values.push(timestamp(cursor.value()?).ok()?),
            Values::Boolean(values) => values.push(cursor.value()?.parse().ok()?),
            Values::List(lists) => lists.take(cursor)?,
            Values::Struct(structs) => {
                structs.object.take(cursor)?;
                structs.nulls.append_non_null();
            }
        }
        Some(())
    }
}

fn take_text(texts: &mut Texts, cursor: &mut Cursor<'_>) -> Option<()> {
    let text = cursor.text()?;
    // Only an escape can spell a NUL, which is refused.
    let refused = matches!(&text, Cow::Owned(text) if text.contains('\0'));
    (!refused && texts.push(&text)).then_some(())
}

impl Decimals {
    fn take(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let value = cursor.decimal(self.precision, self.scale)?;
        (value >= 0 || self.negative).then(|| self.values.push(value.into()))
    }
}

impl Dates {
    fn take(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let spelled: [u8; 10] = cursor.plain_text()?.as_bytes().try_into().ok()?;
        let slot = &mut self.known[usize::from(spelled[9] % KNOWN_DATES as u8)];
        if slot.0 != spelled {
            *slot = (spelled, Dates::read(spelled)?);
        }
        self.days.push(slot.1);
        Some(())
    }

    fn read(spelled: [u8; 10]) -> Option<i32> {
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = spelled else {
            return None;
        };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0u32, |number, digit| {
                let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
                Some(10 * number + u32::from(digit))
            })
        };
        let year = i32::try_from(number(&[y0, y1, y2, y3])?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, number(&[m0, m1])?, number(&[d0, d1])?)?;
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        i32::try_from(days).ok()
    }
}

impl Lists {
    fn take(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.take(b'[')?;
        if cursor.takes(b']') {
            return self.end(0);
        }
        let mut count = 0;
        loop {
            self.items.take(cursor)?;
            count += 1;
            if !cursor.takes(b',') {
                cursor.take(b']')?;
                return self.end(count);
            }
        }
    }
}

impl Object {
    /// Reads a list of objects and appends them as rows; returns how many.
    pub(super) fn take_all(&mut self, cursor: &mut Cursor<'_>) -> Option<usize> {
        cursor.take(b'[')?;
        if cursor.takes(b']') {
            return Some(0);
        }
        let mut count = 0;
        loop {
            self.take(cursor)?;
            count += 1;
            if !cursor.takes(b',') {
                cursor.take(b']')?;
                return Some(count);
            }
        }
    }

    /// Reads an object and appends it as a row.
    pub(super) fn take(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.take(b'{')?;
        self.begin_row();
        if !cursor.takes(b'}') {
            let mut nth = 0;
            loop {
                self.take_field(nth, cursor)?;
                nth += 1;
                if !cursor.takes(b',') {
                    cursor.take(b'}')?;
                    break;
                }
            }
        }
        self.end_row().ok()
    }

    /// Reads the `nth` field of an object.
    fn take_field(&mut self, nth: usize, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.skip_blanks();
        let place = match self.foretold(nth) {
            Some((place, spelled)) if cursor.takes_exactly(spelled) => place,
            _ => {
                let place = self.place(cursor.name()?)?;
                self.foretell(nth, place);
                place
            }
        };
        self.come(place)?;
        match self.known(place) {
            None => cursor.value().map(drop),
            Some(field) if cursor.takes_null() => field.take_null(),
            Some(field) => field.values.take(cursor),
        }
    }
}
