//! Which Arrow types of other programs hold a contract's values without loss.
//!
//! In comes an Arrow type; out comes whether all its values are the contract's, or only
//! those that somebody has looked at. Nothing here reads a value.

use datafusion::arrow::datatypes::DataType;

use super::ColumnType;

impl ColumnType {
    /// Returns whether every value of an Arrow type is one of this type, exactly.
    pub fn holds(&self, there: &DataType) -> bool {
        match (self, there) {
            (_, DataType::Null) => true,
            (_, DataType::Dictionary(_, value)) => self.holds(value),
            (ColumnType::Bigint, _) => there.is_integer() && there != &DataType::UInt64,
            (ColumnType::Double, DataType::Float16 | DataType::Float32) => true,
            (
                &ColumnType::Decimal { precision, scale },
                &(DataType::Decimal32(digits, fraction)
                | DataType::Decimal64(digits, fraction)
                | DataType::Decimal128(digits, fraction)),
            ) => {
                let whole = |digits: u8, fraction: i8| i16::from(digits) - i16::from(fraction);
                fraction <= scale && whole(digits, fraction) <= whole(precision, scale)
            }
            (ColumnType::List(item), DataType::List(field) | DataType::LargeList(field)) => {
                item.holds(field.data_type())
            }
            _ => ColumnType::from_arrow(there).as_ref() == Some(self),
        }
    }

    /// Returns whether values of an Arrow type, once they are looked at, may be of this
    /// type: decimals of more digits, such as the decimal(38,18) that other programs
    /// write, whole numbers where decimals are wanted, dates as midnights.
    pub fn may_hold(&self, there: &DataType) -> bool {
        match (self, there) {
            (_, DataType::Dictionary(_, value)) => self.may_hold(value),
            (ColumnType::Decimal { .. } | ColumnType::Bigint, there) => {
                there.is_decimal() || there.is_integer()
            }
            (ColumnType::Date, DataType::Date64 | DataType::Timestamp(_, None)) => true,
            _ => self.holds(there),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    fn parsed(wanted: &str) -> ColumnType {
        wanted.parse().unwrap()
    }

    fn is_fit(wanted: &str, there: DataType) -> bool {
        parsed(wanted).holds(&there)
    }

    #[test]
    fn narrower_numbers_fit_and_none_that_would_lose_digits() {
        assert!(is_fit("bigint", DataType::Int64));
        assert!(is_fit("bigint", DataType::UInt32));
        assert!(!is_fit("bigint", DataType::UInt64));
        assert!(!is_fit("bigint", DataType::Float64));
        assert!(!is_fit("bigint", DataType::Utf8));
        assert!(is_fit("double", DataType::Float32));
        assert!(!is_fit("double", DataType::Int64));
        assert!(is_fit("decimal(10,2)", DataType::Decimal128(10, 2)));
        assert!(is_fit("decimal(10,2)", DataType::Decimal64(9, 1)));
        assert!(!is_fit("decimal(10,2)", DataType::Decimal128(10, 3)));
        assert!(!is_fit("decimal(10,2)", DataType::Decimal128(10, 1)));
        assert!(!is_fit("decimal(10,2)", DataType::Float64));
    }

    #[test]
    fn text_fits_in_every_form_of_it_and_nulls_everywhere() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert!(is_fit("text", dictionary));
        assert!(is_fit("text", DataType::LargeUtf8));
        assert!(!is_fit("text", DataType::Binary));
        for wanted in ["text", "bigint", "date", "bigint[]"] {
            assert!(is_fit(wanted, DataType::Null), "{wanted}");
        }
    }

    #[test]
    fn wider_numbers_and_midnights_fit_where_their_values_do() {
        let midnight =
            |zone: Option<&str>| DataType::Timestamp(TimeUnit::Nanosecond, zone.map(Into::into));
        for (wanted, there) in [
            ("decimal(10,2)", DataType::Decimal128(38, 18)),
            ("decimal(10,2)", DataType::Decimal256(60, 4)),
            ("decimal(10,2)", DataType::Int64),
            ("bigint", DataType::UInt64),
            ("bigint", DataType::Decimal128(20, 0)),
            ("date", DataType::Date64),
            ("date", midnight(None)),
        ] {
            assert!(!is_fit(wanted, there.clone()), "{wanted} {there}");
            assert!(parsed(wanted).may_hold(&there), "{wanted} {there}");
        }
        for (wanted, there) in [
            ("decimal(10,2)", DataType::Float64),
            ("bigint", DataType::Float64),
            ("bigint", DataType::Utf8),
            ("date", midnight(Some("Europe/Zagreb"))),
            ("date", DataType::Utf8),
            ("text", DataType::Int64),
        ] {
            assert!(!parsed(wanted).may_hold(&there), "{wanted} {there}");
        }
    }
}
