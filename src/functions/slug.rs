//! `slug(name)`: a name as part of a web address.
//!
//! Lower case, accents off (NFKD, and the letters that are not an accented letter to
//! Unicode: `đ` is `d`, `ß` is `ss`), letters and digits, each run of anything else one
//! `-`, none at the ends. Letters of other scripts stay. Null of null; of a name that
//! has neither letter nor digit, nothing.
//!
//! One pass over the text; no memory but the result's.

use datafusion::{
    arrow::datatypes::DataType,
    common::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};
use icu_normalizer::{
    DecomposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed,
};

use super::arguments::each_text;

/// Returns `slug`.
pub(super) fn slug() -> ScalarUDF {
    let signature = Signature::string(1, Volatility::Immutable);
    Slug { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Slug {
    signature: Signature,
}

impl ScalarUDFImpl for Slug {
    fn name(&self) -> &str {
        "slug"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        each_text(&given, of)
    }
}

/// Returns the slug of one name.
fn of(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(name);
    for letter in decomposed.to_lowercase().chars() {
        match plain(letter) {
            Some(plain) => slug.push_str(plain),
            None if letter.is_alphanumeric() => slug.push(letter),
            None if is_accent(letter) || slug.is_empty() || slug.ends_with('-') => {}
            None => slug.push('-'),
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Returns how a letter is written that does not decompose.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ø' => "o",
        'ŧ' => "t",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        _ => return None,
    })
}

fn is_accent(letter: char) -> bool {
    CanonicalCombiningClassMapBorrowed::new().get_u8(letter) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slug_is_words_of_plain_letters() {
        for (name, slug) in [
            ("Dairy & eggs", "dairy-eggs"),
            ("  Čaj, KAVA i šećer  ", "caj-kava-i-secer"),
            ("Đumbir", "dumbir"),
            ("STRAẞE 1 ½", "strasse-1-1-2"),
            ("İzmir", "izmir"),
            ("Пиво", "пиво"),
            ("--", ""),
            ("", ""),
        ] {
            assert_eq!(of(name), slug, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_slug_of_a_slug_is_itself(name in "\\PC{0,20}") {
            let slug = of(&name);
            prop_assert_eq!(of(&slug), slug.clone());
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }
}
