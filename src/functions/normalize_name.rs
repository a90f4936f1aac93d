//! `normalize_name(name, units)`: what is left of a product's name to compare once
//! spelling, sizes and the order of words no longer count.
//!
//! Lower case, accents folded (a mark that makes a letter of its own, as in `й`, stays),
//! sizes removed, all but letters and digits to one blank, words sorted and each once. A name that is nothing but a size becomes empty;
//! null stays null. The form of `units` is in [`unit_list`].
//!
//! Cost: some passes over the text, about 1 µs for a usual name.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, StringBuilder},
        datatypes::DataType,
    },
    common::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::unit_list::{UnitLists, text_and_units};
use crate::text::normalized_name;

const NAME: &str = "normalize_name";

/// Returns `normalize_name`.
pub(super) fn normalize_name() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    NormalizeName { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NormalizeName {
    signature: Signature,
}

impl ScalarUDFImpl for NormalizeName {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        text_and_units(NAME, given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut units = UnitLists::of(NAME, &given.args[1])?;
        let names = given.args[0].to_array(given.number_rows)?;
        let mut normalized = StringBuilder::new();
        for (row, name) in names.as_string::<i32>().iter().enumerate() {
            let units = units.at(row)?;
            normalized.append_option(name.map(|name| normalized_name(name, units)));
        }
        let normalized: ArrayRef = Arc::new(normalized.finish());
        Ok(ColumnarValue::Array(normalized))
    }
}
