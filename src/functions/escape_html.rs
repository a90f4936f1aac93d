//! `escape_html(text)`: text from outside as it may appear in HTML or SVG, between tags
//! or in a quoted attribute.
//!
//! `&`, `<`, `>`, `"` and `'` become references. Characters that turn the direction of
//! what follows, and those that XML does not know, are left out; other control
//! characters are blanks. Null of null. One pass; no memory but the result's.

use datafusion::{
    arrow::datatypes::DataType,
    common::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::arguments::each_text;

/// Returns `escape_html`.
pub(super) fn escape_html() -> ScalarUDF {
    let signature = Signature::string(1, Volatility::Immutable);
    EscapeHtml { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EscapeHtml {
    signature: Signature,
}

impl ScalarUDFImpl for EscapeHtml {
    fn name(&self) -> &str {
        "escape_html"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        each_text(&given, escaped)
    }
}

/// Returns the text as it may stand in HTML or SVG.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if turns_direction(c) || is_none_of_xml(c) => {}
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether a character sets the direction of those around it (Unicode's bidi controls).
fn turns_direction(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Whether XML 1.0 has no such character, not even as a reference.
fn is_none_of_xml(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(
            escaped("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"
        );
        assert_eq!(
            escaped("Čakovec\u{202e}evil\u{2066}\u{0}\tend"),
            "Čakovecevil end"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in "\\PC*|[<>&\"'\u{0}-\u{20}\u{2028}\u{202e}a]*") {
            let escaped = escaped(&text);
            let markup = ['<', '>', '"', '\'', '\n', '\u{202e}'];
            prop_assert!(!escaped.contains(markup));
            let ends = |rest: &str| ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|r| rest.starts_with(r));
            prop_assert!(escaped.split('&').skip(1).all(ends));
        }
    }
}
