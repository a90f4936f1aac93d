//! Reads JSON of the usual form in one pass, a value at a time.
//!
//! `None` says that here is something unusual: broken text, or a value whose form
//! this reader does not know (a name with an escape, digits beyond 64 bits). It says
//! no more than that: the whole is then left to serde_json, which judges it and words
//! what is wrong. What this reader accepts, serde_json accepts with the same value.

use std::borrow::Cow;

/// How deep a value that nobody asked for may nest before it is unusual.
const MAX_DEPTH: usize = 32;

/// The most digits of a decimal that is read here.
const MAX_DIGITS: usize = 18;
/// The powers of ten.
const POWERS: [i64; MAX_DIGITS + 1] = {
    let mut powers = [1; MAX_DIGITS + 1];
    let mut at = 1;
    while at <= MAX_DIGITS {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// A place in a text.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A number's digits before a fraction.
struct Digits {
    value: u64,
    count: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Returns the cursor's position.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// Returns the text from a place to the cursor.
    pub(crate) fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    #[inline]
    pub(crate) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    /// Goes past the byte, blanks before it included.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// Goes past the byte if it comes next, blanks left aside.
    #[inline]
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        self.takes_at_once(byte)
    }

    #[inline]
    fn takes_at_once(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes past exactly these bytes if they come next.
    #[inline]
    pub(crate) fn takes_exactly(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.rest().starts_with(bytes);
        if is_next {
            self.at += bytes.len();
        }
        is_next
    }

    /// Goes past a null.
    #[inline]
    pub(crate) fn takes_null(&mut self) -> bool {
        self.skip_blanks();
        self.byte() == Some(b'n') && self.takes_exactly(b"null")
    }

    /// Makes sure that nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.skip_blanks();
        self.byte().is_none().then_some(())
    }

    /// Reads a name and the colon after it.
    pub(crate) fn name(&mut self) -> Option<&'a str> {
        let name = self.plain_text()?;
        self.take(b':')?;
        Some(name)
    }

    /// Reads a string without escapes.
    pub(crate) fn plain_text(&mut self) -> Option<&'a str> {
        match self.text()? {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// Reads a string.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let start = self.at;
        self.at += plain_length(self.rest());
        if self.takes_at_once(b'"') {
            return self.text.get(start..self.at - 1).map(Cow::Borrowed);
        }
        self.rest_of_string()?;
        let quoted = self.text.get(start - 1..self.at)?;
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    }

    /// Goes on to the end of a string, past its escapes.
    fn rest_of_string(&mut self) -> Option<()> {
        loop {
            self.at += plain_length(self.rest());
            match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    return Some(());
                }
                [b'\\', b'u', digits @ ..] => {
                    let digits = digits.get(..4)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    self.at += 6;
                }
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    ..,
                ] => self.at += 2,
                _ => return None,
            }
        }
    }

    /// Reads an integer of 64 bits.
    #[inline]
    pub(crate) fn integer(&mut self) -> Option<i64> {
        self.skip_blanks();
        let negative = self.takes_at_once(b'-');
        let value = i64::try_from(self.whole()?.value).ok()?;
        Some(if negative { -value } else { value })
    }

    /// Reads an integer from zero on.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.skip_blanks();
        self.whole().map(|digits| digits.value)
    }

    /// Reads a decimal, in quotes or not, as an integer of `10^-scale`; of 18 digits
    /// at the most.
    #[inline]
    pub(crate) fn decimal(&mut self, precision: u8, scale: usize) -> Option<i64> {
        self.skip_blanks();
        let quoted = self.takes_at_once(b'"');
        let negative = self.takes_at_once(b'-');
        let whole = self.whole()?;
        let significant = if whole.value == 0 { 0 } else { whole.count };
        if significant + scale > usize::from(precision).min(MAX_DIGITS) {
            return None;
        }
        let mut value = i64::try_from(whole.value).ok()?;
        let mut missing = scale;
        if self.takes_at_once(b'.') {
            let digits = self.digits();
            missing = scale
                .checked_sub(digits.count)
                .filter(|_| digits.count > 0)?;
            value = value * POWERS[digits.count] + i64::try_from(digits.value).ok()?;
        }
        value *= POWERS[missing];
        if quoted && !self.takes_at_once(b'"') {
            return None;
        }
        Some(if negative { -value } else { value })
    }

    /// Reads the digits of a whole number, of 64 bits.
    #[inline]
    fn whole(&mut self) -> Option<Digits> {
        let starts_with_zero = self.byte() == Some(b'0');
        let digits = self.digits();
        // Nineteen digits always fit.
        let fits = (1..=19).contains(&digits.count) && (digits.count == 1 || !starts_with_zero);
        fits.then_some(digits)
    }

    /// Reads digits, be they none; the value of too many makes no sense.
    #[inline]
    fn digits(&mut self) -> Digits {
        let (mut value, start) = (0u64, self.at);
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        Digits {
            value,
            count: self.at - start,
        }
    }

    /// Reads any value, as it is spelled.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let start = self.at;
        self.skip_value(0)?;
        self.since(start)
    }

    fn skip_value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blanks();
        match self.byte()? {
            b'"' => {
                self.at += 1;
                self.rest_of_string()
            }
            b'{' => self.skip_object(depth),
            b'[' => self.skip_list(depth),
            b't' => self.takes_exactly(b"true").then_some(()),
            b'f' => self.takes_exactly(b"false").then_some(()),
            b'n' => self.takes_exactly(b"null").then_some(()),
            _ => self.skip_number(),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Option<()> {
        self.take(b'{')?;
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            self.take(b'"')?;
            self.rest_of_string()?;
            self.take(b':')?;
            self.skip_value(depth + 1)?;
            if !self.takes(b',') {
                return self.take(b'}');
            }
        }
    }

    fn skip_list(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            self.skip_value(depth + 1)?;
            if !self.takes(b',') {
                return self.take(b']');
            }
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        self.takes_at_once(b'-');
        let starts_with_zero = self.byte() == Some(b'0');
        let whole = self.digits().count;
        if whole == 0 || (whole > 1 && starts_with_zero) {
            return None;
        }
        if self.takes_at_once(b'.') && self.digits().count == 0 {
            return None;
        }
        if self.takes_at_once(b'e') || self.takes_at_once(b'E') {
            let _ = self.takes_at_once(b'+') || self.takes_at_once(b'-');
            if self.digits().count == 0 {
                return None;
            }
        }
        Some(())
    }
}

/// Returns how many bytes come before a quote, a backslash or a control character.
///
/// Eight bytes are looked at in one step: a byte below `x` borrows from its highest
/// bit in `word - x`, if it is not above 127 itself (Hacker's Delight, chapter 6).
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let quotes = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslashes = zero_in(word ^ (ONES * u64::from(b'\\')));
        let found = controls | quotes | backslashes;
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    let start = 8 * words.len();
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let tail = bytes[start..].iter().position(special);
    tail.map_or(bytes.len(), |at| start + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn skipped(text: &str) -> bool {
        let mut cursor = Cursor::new(text);
        cursor.value().is_some() && cursor.end().is_some()
    }

    #[test]
    fn an_integer_has_64_bits_and_no_zero_before_it() {
        let integer = |text| Cursor::new(text).integer();
        assert_eq!(integer(" 9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer("-0"), Some(0));
        for text in ["9223372036854775808", "007", "-", "", "+1", "x"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn a_string_ends_at_its_quote_wherever_it_stands() {
        for length in 0..40 {
            let text = "č".repeat(length);
            let spelled = format!("\"{text}\"x");
            assert_eq!(Cursor::new(&spelled).plain_text(), Some(text.as_str()));
            let escaped = format!("\"{text}\\n\\u017e\"");
            let read = Cursor::new(&escaped).text();
            assert_eq!(read.as_deref(), Some(format!("{text}\nž").as_str()));
            assert_eq!(Cursor::new(&format!("\"{text}\n\"")).text(), None);
        }
    }

    #[test]
    fn a_value_too_deep_is_left_to_the_parser() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(skipped(&nested(MAX_DEPTH)));
        assert!(!skipped(&nested(100_000)));
    }

    proptest! {
        #[test]
        fn a_plain_run_is_as_long_as_its_bytes_say(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
            let expected = bytes.iter().position(special).unwrap_or(bytes.len());
            prop_assert_eq!(plain_length(&bytes), expected);
        }

        #[test]
        fn a_value_is_one_to_the_parser_too(text in "[\\[\\]{}\",:0-9.eE+\\\\ \nau\u{1}-]{0,12}|(true|false|null|[0-9.eE-]{1,6}| )*") {
            let expected = serde_json::from_str::<&RawValue>(&text).is_ok();
            prop_assert_eq!(skipped(&text), expected, "{}", text);
        }
    }
}
