//! What of a type is understood: the planner drops lengths and display widths.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType, Spanned};

use super::Refused;

impl Refused<'_> {
    pub(super) fn data_type(&mut self, within: &impl Spanned, data_type: &DataType) {
        let help = match data_type {
            DataType::Varchar(Some(_))
            | DataType::Char(Some(_))
            | DataType::Character(Some(_))
            | DataType::CharacterVarying(Some(_))
            | DataType::CharVarying(Some(_))
            | DataType::Nvarchar(Some(_))
            | DataType::String(Some(_)) => "write `left(…, n)` to cut a text, and cast to `text`",
            DataType::TinyInt(Some(_))
            | DataType::SmallInt(Some(_))
            | DataType::Int2(Some(_))
            | DataType::Int(Some(_))
            | DataType::Integer(Some(_))
            | DataType::Int4(Some(_))
            | DataType::BigInt(Some(_))
            | DataType::Int8(Some(_))
            | DataType::TinyIntUnsigned(Some(_))
            | DataType::SmallIntUnsigned(Some(_))
            | DataType::Int2Unsigned(Some(_))
            | DataType::IntUnsigned(Some(_))
            | DataType::IntegerUnsigned(Some(_))
            | DataType::Int4Unsigned(Some(_))
            | DataType::BigIntUnsigned(Some(_))
            | DataType::Int8Unsigned(Some(_)) => "a whole number has no width: leave it out",
            DataType::Float(info) if info.to_string() != "" => {
                "write `real` for 32 bits, `double` for 64"
            }
            DataType::Array(
                ArrayElemTypeDef::AngleBracket(inner)
                | ArrayElemTypeDef::SquareBracket(inner, _)
                | ArrayElemTypeDef::Parenthesis(inner),
            ) => return self.data_type(within, inner),
            _ => return,
        };
        let shown = data_type.to_string().to_lowercase();
        let keyword = shown
            .split('(')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let what = format!("the length of {} would be ignored", data_type);
        self.add(within.span(), &keyword, what, help);
    }
}
