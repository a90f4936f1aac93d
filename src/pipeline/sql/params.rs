//! Parameters in SQL: `$name` becomes a literal of the parameter's type, token by token,
//! so a value can never become SQL. Other values take its place in the tree.

use std::{collections::BTreeMap, ops::ControlFlow};

use datafusion::sql::sqlparser::{
    ast::{CastKind, DataType, ExactNumberInfo, Expr, Query, Value, ValueWithSpan, VisitorMut},
    dialect::GenericDialect,
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer},
};
use indexmap::IndexMap;

use super::{
    places::{byte_at, span_bytes},
    walk::walk_mut,
};
use crate::{
    dataset::ColumnType,
    diagnostics::{Code, Finding},
    pipeline::{Bindings, Param, SourceFile},
};

/// The parameters, by where their literals are.
pub(super) type Places = BTreeMap<(Location, Location), String>;

pub(super) type Tokens = (Vec<TokenWithSpan>, Places);

/// Returns the tokens with a literal for each parameter.
pub(super) fn tokens(
    source: &SourceFile,
    params: &IndexMap<String, Param>,
) -> Result<Tokens, Vec<Finding>> {
    let tokens = Tokenizer::new(&GenericDialect {}, &source.text)
        .tokenize_with_location()
        .map_err(|error| {
            let at = byte_at(&source.text, error.location.line, error.location.column);
            let finding = Finding::new(Code::Syntax, error.message);
            vec![finding.at(source.place(at..at), "here")]
        })?;
    let mut bound = Vec::with_capacity(tokens.len());
    let mut places = BTreeMap::new();
    let mut findings = Vec::new();
    let mut meant = tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)));
    for TokenWithSpan { token, span } in meant.by_ref() {
        let Token::Placeholder(placeholder) = &token else {
            bound.push(TokenWithSpan { token, span });
            continue;
        };
        let name = placeholder.trim_start_matches('$');
        match params.get(name) {
            Some(param) => {
                places.insert((span.start, span.end), name.to_owned());
                let literal = literal(&param.data_type, &param.default).into_iter();
                bound.extend(literal.map(|token| TokenWithSpan { token, span }));
            }
            None => {
                let place = source.place(span_bytes(&source.text, span));
                findings.push(unknown(source, placeholder, params).at(place, "not declared"));
            }
        }
    }
    match findings.is_empty() {
        true => Ok((bound, places)),
        false => Err(findings),
    }
}

fn unknown(source: &SourceFile, placeholder: &str, params: &IndexMap<String, Param>) -> Finding {
    let name = placeholder.trim_start_matches('$');
    let known = params.keys().map(|known| format!("${known}"));
    let otherwise = match source.path.starts_with("sql/staging") {
        true => "shared models have no parameters: use it in the model that reads this".to_owned(),
        false => format!("declare it as [params.{name}] in the pipeline's manifest"),
    };
    Finding::new(
        Code::UnknownParameter,
        format!("there is no parameter `{placeholder}`"),
    )
    .suggest(placeholder, known, otherwise)
}

/// Returns the tokens of a literal of that type.
fn literal(data_type: &ColumnType, text: &str) -> Vec<Token> {
    match data_type {
        ColumnType::Text => vec![Token::SingleQuotedString(text.to_owned())],
        ColumnType::Boolean => vec![Token::make_keyword(match text {
            "true" => "true",
            _ => "false",
        })],
        // Below zero as well: it becomes one value of the tree.
        ColumnType::Bigint => vec![Token::Number(text.to_owned(), false)],
        _ => cast(data_type, text),
    }
}

/// Returns `cast('text' as type)`.
fn cast(data_type: &ColumnType, text: &str) -> Vec<Token> {
    let mut tokens = vec![
        Token::make_keyword("CAST"),
        Token::LParen,
        Token::SingleQuotedString(text.to_owned()),
        Token::make_keyword("AS"),
    ];
    match data_type {
        ColumnType::Decimal { precision, scale } => tokens.extend([
            Token::make_keyword("DECIMAL"),
            Token::LParen,
            Token::Number(precision.to_string(), false),
            Token::Comma,
            Token::Number(scale.to_string(), false),
            Token::RParen,
        ]),
        ColumnType::Double => tokens.push(Token::make_keyword("DOUBLE")),
        ColumnType::Date => tokens.push(Token::make_keyword("DATE")),
        ColumnType::Timestamp => tokens.push(Token::make_keyword("TIMESTAMP")),
        _ => tokens.push(Token::make_keyword("BIGINT")),
    }
    tokens.push(Token::RParen);
    tokens
}

/// Puts values in the place of the parameters' literals.
pub(super) struct Bind<'a> {
    pub(super) params: &'a Places,
    pub(super) bindings: &'a Bindings,
}

impl VisitorMut for Bind<'_> {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        let name = self.params.get(&(value.span.start, value.span.end));
        if let Some((_, text)) = name.and_then(|name| self.bindings.values.get(name)) {
            match &mut value.value {
                Value::Number(number, _) => text.clone_into(number),
                Value::SingleQuotedString(old) => text.clone_into(old),
                Value::Boolean(flag) => *flag = text == "true",
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// Makes `1e20` a double, as SQL has it; without an exponent a number is exact.
pub(super) fn with_doubles(query: &mut Query) {
    struct Doubles;
    impl VisitorMut for Doubles {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Value(ValueWithSpan {
                value: Value::Number(number, _),
                span,
            }) = expr
                && number.contains(['e', 'E'])
            {
                let text = Value::SingleQuotedString(std::mem::take(number));
                *expr = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(Expr::Value(text.with_span(*span))),
                    data_type: DataType::Double(ExactNumberInfo::None),
                    array: false,
                    format: None,
                };
            }
            ControlFlow::Continue(())
        }
    }
    // The walk never stops early.
    let _ = walk_mut(query, &mut Doubles);
}
