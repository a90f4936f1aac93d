//! How many of two stores' prices must be the same.

use datafusion::common::{Result, ScalarValue, exec_err};

use super::NAME;

/// A share of a whole, as an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    numerator: i128,
    denominator: i128,
}

impl Share {
    /// Returns `numerator` ÷ `denominator` percent, which is from 0 to 100.
    pub(super) fn percent(numerator: i128, denominator: i128) -> Share {
        Share {
            numerator,
            denominator: 100 * denominator,
        }
    }

    /// Reads an exact number of percent.
    ///
    /// # Errors
    ///
    /// Returns an error that names `min_agreement` for anything else.
    pub(super) fn of(percent: &ScalarValue) -> Result<Share> {
        let refused = || exec_err!("{NAME}: min_agreement must be from 0 to 100, not {percent}");
        let (numerator, scale) = match percent {
            ScalarValue::Decimal32(Some(unscaled), _, scale) => (i128::from(*unscaled), *scale),
            ScalarValue::Decimal64(Some(unscaled), _, scale) => (i128::from(*unscaled), *scale),
            ScalarValue::Decimal128(Some(unscaled), _, scale) => (*unscaled, *scale),
            other => match other.cast_to(&datafusion::arrow::datatypes::DataType::Int64) {
                Ok(ScalarValue::Int64(Some(whole))) if other.data_type().is_integer() => {
                    (i128::from(whole), 0)
                }
                _ => return refused(),
            },
        };
        // More digits would leave no room to multiply exactly.
        let digits = match u32::try_from(scale) {
            Ok(digits) if digits <= 18 => digits,
            _ => return refused(),
        };
        let denominator = 10i128.pow(digits);
        match (0..=100 * denominator).contains(&numerator) {
            true => Ok(Share::percent(numerator, denominator)),
            false => refused(),
        }
    }

    /// Returns whether `same` of `common` is this share or more.
    pub(super) fn is_reached(self, same: u32, common: u32) -> bool {
        i128::from(same) * self.denominator >= self.numerator * i128::from(common)
    }
}
