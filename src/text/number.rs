//! A number as a size spells it, exactly: no double is ever made of it.

/// The digits of a number: `12`, `0,75`, `.5`, `3E-02`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) whole: &'a str,
    /// After the decimal sign, a point or a comma.
    pub(super) fraction: &'a str,
    /// With its sign; empty when there is none.
    pub(super) exponent: &'a str,
}

impl Number<'_> {
    /// Returns the number times `unit`, rounded half up to an integer but never to 0: a
    /// part of a piece is sold as a piece. None when it is 0, more than a bigint holds, or
    /// of more than 38 digits.
    pub(super) fn times(self, unit: i64) -> Option<i64> {
        let fraction = self.fraction.trim_end_matches('0');
        let mut digits: u128 = 0;
        for digit in self.whole.bytes().chain(fraction.bytes()) {
            digits = digits
                .checked_mul(10)?
                .checked_add(u128::from(digit - b'0'))?;
        }
        let exponent = match self.exponent {
            "" => 0,
            exponent => exponent.parse::<i32>().ok()?,
        };
        let power = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let exact = digits.checked_mul(u128::try_from(unit).ok()?)?;
        let scale = 10u128.checked_pow(power.unsigned_abs());
        let rounded = match (power, scale) {
            _ if exact == 0 => return None,
            (0.., scale) => exact.checked_mul(scale?)?,
            (_, Some(scale)) => exact.checked_add(scale / 2)? / scale,
            (_, None) => 0,
        };
        i64::try_from(rounded.max(1)).ok()
    }

    /// Returns the number as a count, if it is written as one and not 0.
    pub(super) fn count(self) -> Option<i64> {
        let is_count = self.fraction.is_empty() && self.exponent.is_empty();
        is_count.then(|| self.times(1)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number<'a>(whole: &'a str, fraction: &'a str, exponent: &'a str) -> Number<'a> {
        Number {
            whole,
            fraction,
            exponent,
        }
    }

    #[test]
    fn a_half_is_rounded_up_and_nothing_is_lost_before() {
        assert_eq!(number("0", "1", "").times(1_000_000), Some(100_000));
        assert_eq!(number("2", "0005", "").times(1_000), Some(2_001));
        assert_eq!(number("2", "00049999", "").times(1_000), Some(2_000));
        assert_eq!(number("3", "", "-02").times(1_000_000), Some(30_000));
        assert_eq!(number("2", "5", "+3").times(1), Some(2_500));
        assert_eq!(number("", "5", "").times(1), Some(1));
        assert_eq!(number("0", "100", "").times(1), Some(1));
        assert_eq!(number("1", "", "-99").times(1), Some(1));
    }

    #[test]
    fn nothing_and_what_is_too_large_are_unknown() {
        let nines = "9".repeat(39);
        for (whole, fraction, exponent) in [
            ("0", "00", ""),
            ("0", "", "99"),
            ("0", "", "-99"),
            ("1", "", "-99999999999"),
            ("1", "", "2147483647"),
            ("1", "", "19"),
            (nines.as_str(), "", ""),
            (nines.as_str(), "", "-30"),
        ] {
            assert_eq!(
                number(whole, fraction, exponent).times(1),
                None,
                "{whole}e{exponent}"
            );
        }
        let zeros = "0".repeat(100_000);
        assert_eq!(number("1", &zeros, "").times(7), Some(7));
        assert_eq!(number(&zeros, "5", "").times(10), Some(5));
        assert_eq!(
            number("9223372036854775807", "", "").times(1),
            Some(i64::MAX)
        );
    }

    proptest! {
        #[test]
        fn it_is_the_quotient_of_integers(digits in 0u64..10_000_000, places in 0usize..7, unit in 1i64..10_000_000) {
            let text = format!("{digits:08}");
            let (whole, fraction) = text.split_at(8 - places);
            let power = 10u128.pow(places as u32);
            // Half up: twice the value and one, halved downward.
            let expected = (2 * u128::from(digits) * unit as u128 + power) / (2 * power);
            let expected = (digits > 0).then_some((expected as i64).max(1));
            prop_assert_eq!(number(whole, fraction, "").times(unit), expected);
        }
    }
}
