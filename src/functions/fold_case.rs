//! `fold_case(name)`: a name as names are compared: trimmed and case-folded.
//!
//! `Weiß`, `WEISS` and `WEIẞ` are one, `Σ`, `σ` and `ς` as well; `ı` is no `i`. Accents
//! stay. The same as `load` makes brands and categories by. Null of null. One pass; no
//! memory but the result's.

use datafusion::{
    arrow::datatypes::DataType,
    common::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::arguments::each_text;
use crate::text;

/// Returns `fold_case`.
pub(super) fn fold_case() -> ScalarUDF {
    let signature = Signature::string(1, Volatility::Immutable);
    FoldCase { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FoldCase {
    signature: Signature,
}

impl ScalarUDFImpl for FoldCase {
    fn name(&self) -> &str {
        "fold_case"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        each_text(&given, text::fold_case)
    }
}
