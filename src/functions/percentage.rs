//! `percentage(part, whole)`: the part in percent of the whole, a double.
//!
//! How much dearer a price is than another is `percentage(dear - cheap, cheap)`. Both are
//! exact numbers, decimals or integers. `100 * part` and `whole` are brought to one scale
//! as integers; the only rounding is one division of the two as doubles, so that the same
//! two prices give the same percentage to the last bit, whatever their scales. Null where
//! one is null, or the whole is zero.
//!
//! Cost: one multiplication and one division a row; no memory but the result's.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Decimal128Array, Float64Array},
        compute::cast,
        datatypes::{DataType, Decimal128Type, Int64Type},
    },
    common::{Result, exec_datafusion_err, plan_err},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

const NAME: &str = "percentage";

/// Returns `percentage`.
pub(super) fn percentage() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    Percentage { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentage {
    signature: Signature,
}

impl ScalarUDFImpl for Percentage {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.len() != 2 {
            return plan_err!("{NAME} takes (part, whole)");
        }
        let coerced = given.iter().map(|data_type| match data_type {
            DataType::Decimal128(..) => Ok(data_type.clone()),
            DataType::Null => Ok(DataType::Int64),
            integer if integer.is_integer() => Ok(DataType::Int64),
            other => plan_err!("{NAME} takes decimals and integers, not {other}"),
        });
        coerced.collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (part, part_scale) = exact(&given.args[0].to_array(given.number_rows)?)?;
        let (whole, whole_scale) = exact(&given.args[1].to_array(given.number_rows)?)?;
        let scale = part_scale.max(whole_scale);
        let (up_part, up_whole) = (scale - part_scale, scale - whole_scale);
        let rows = part
            .iter()
            .zip(&whole)
            .map(|(part, whole)| match (part, whole) {
                (Some(part), Some(whole)) => {
                    of_integers(raised(part, up_part)?, raised(whole, up_whole)?)
                }
                _ => Ok(None),
            });
        let shares: Float64Array = rows.collect::<Result<Vec<_>>>()?.into();
        Ok(ColumnarValue::Array(Arc::new(shares)))
    }
}

/// Returns exact numbers as integers, and how many of their digits are decimals.
fn exact(numbers: &ArrayRef) -> Result<(Decimal128Array, u32)> {
    match numbers.data_type() {
        DataType::Decimal128(_, scale) => {
            let digits = u32::try_from(*scale);
            let digits = digits.map_err(|_| exec_datafusion_err!("{NAME}: scale {scale}"))?;
            Ok((numbers.as_primitive::<Decimal128Type>().clone(), digits))
        }
        _ => {
            let integers = cast(numbers, &DataType::Int64)?;
            let integers = integers.as_primitive::<Int64Type>().iter();
            let wide = integers.map(|integer| integer.map(i128::from));
            Ok((wide.collect(), 0))
        }
    }
}

/// Returns the number with more digits after the point.
fn raised(number: i128, digits: u32) -> Result<i128> {
    let raised = 10i128.checked_pow(digits);
    let raised = raised.and_then(|power| number.checked_mul(power));
    raised.ok_or_else(|| exec_datafusion_err!("{NAME}: {number} is too large"))
}

fn of_integers(part: i128, whole: i128) -> Result<Option<f64>> {
    let hundredfold = part.checked_mul(100);
    let hundredfold =
        hundredfold.ok_or_else(|| exec_datafusion_err!("{NAME}: {part} is too large"))?;
    Ok((whole != 0).then(|| hundredfold as f64 / whole as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{config::EngineConfig, engine::session};

    async fn shown(expression: &str) -> Result<String> {
        let context = session(&EngineConfig::default()).unwrap();
        let sql = format!("select cast({expression} as text)");
        let batches = context.sql(&sql).await?.collect().await?;
        let text = cast(batches[0].column(0), &DataType::Utf8)?;
        let text = text.as_string::<i32>().iter().next().flatten();
        Ok(text.unwrap_or("null").to_owned())
    }

    #[tokio::test]
    async fn it_is_one_division_of_two_integers() {
        for (expression, percentage) in [
            ("percentage(1.90, 1.05)", "180.95238095238096"),
            ("percentage(1.9, 1.0500)", "180.95238095238096"),
            ("percentage(190, 105)", "180.95238095238096"),
            ("percentage(1, 3.00)", "33.333333333333336"),
            ("percentage(0.00, 2.50)", "0.0"),
            ("percentage(-0.50, 2)", "-25.0"),
            ("percentage(1.00, 0.00)", "null"),
            ("percentage(null, 1)", "null"),
            ("percentage(1.00, null)", "null"),
        ] {
            assert_eq!(shown(expression).await.unwrap(), percentage, "{expression}");
        }
    }

    #[tokio::test]
    async fn doubles_are_refused_and_so_is_what_is_too_large() {
        let refused = shown("percentage(cast(1 as double), 2)").await;
        assert!(refused.unwrap_err().to_string().contains("not Float64"));
        let most = "cast('99999999999999999999999999999999999999' as decimal(38,0))";
        let refused = shown(&format!("percentage({most}, 1.00)")).await;
        assert!(refused.unwrap_err().to_string().contains("too large"));
        let refused = shown("percentage(1)").await;
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("takes (part, whole)")
        );
    }

    proptest! {
        #[test]
        fn scales_change_nothing(
            part in -1_000_000i128..1_000_000, whole in 1i128..1_000_000, up in 0u32..6,
        ) {
            let plain = of_integers(part, whole).unwrap();
            prop_assert_eq!(plain, Some((part * 100) as f64 / whole as f64));
            let (part, whole) = (raised(part, up).unwrap(), raised(whole, up).unwrap());
            prop_assert_eq!(of_integers(part, whole).unwrap(), plain);
        }
    }
}
