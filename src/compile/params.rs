//! A SQL file as a statement, its parameters in place.
//!
//! `$name` is replaced token by token with a literal of the declared type, so a
//! value can never become SQL, and every place in an error is one of the file.

use datafusion::sql::{
    parser::{DFParserBuilder, Statement},
    sqlparser::{
        ast,
        dialect::GenericDialect,
        tokenizer::{Token, TokenWithSpan, Tokenizer},
    },
};

use super::diagnose::{self, byte_at, span_bytes};
use crate::{
    dataset::ColumnType,
    diagnostics::{Code, Finding},
    pipeline::{Bindings, SourceFile},
};

/// Returns the one SELECT that the file holds.
///
/// # Errors
///
/// Finds unknown parameters, faults of syntax, and every statement that is no
/// SELECT.
pub(crate) fn parse(file: &SourceFile, bindings: &Bindings) -> Result<Statement, Vec<Finding>> {
    let tokens = Tokenizer::new(&GenericDialect {}, &file.text)
        .tokenize_with_location()
        .map_err(|error| {
            let at = byte_at(&file.text, error.location.line, error.location.column);
            let finding = Finding::new(Code::Syntax, error.message);
            vec![finding.at(file.place(at..at), "here")]
        })?;
    let tokens = bind(file, tokens, bindings)?;
    let parsed = DFParserBuilder::new(tokens)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let statements = parsed.map_err(|error| vec![diagnose::finding(&error, file, &[])])?;
    only_select(file, statements.into_iter().collect()).map_err(|finding| vec![*finding])
}

/// Puts literals in the place of placeholders.
fn bind(
    file: &SourceFile,
    tokens: Vec<TokenWithSpan>,
    bindings: &Bindings,
) -> Result<Vec<TokenWithSpan>, Vec<Finding>> {
    let mut bound = Vec::with_capacity(tokens.len());
    let mut findings = Vec::new();
    for TokenWithSpan { token, span } in tokens {
        let Token::Placeholder(placeholder) = &token else {
            bound.push(TokenWithSpan { token, span });
            continue;
        };
        let name = placeholder.trim_start_matches('$');
        match bindings.values.get(name) {
            Some((data_type, text)) => {
                let literal = literal(data_type, text).into_iter();
                bound.extend(literal.map(|token| TokenWithSpan { token, span }));
            }
            None => {
                let place = file.place(span_bytes(&file.text, span));
                findings.push(unknown(placeholder, bindings).at(place, "not declared"));
            }
        }
    }
    if findings.is_empty() {
        Ok(bound)
    } else {
        Err(findings)
    }
}

fn unknown(placeholder: &str, bindings: &Bindings) -> Finding {
    let name = placeholder.trim_start_matches('$');
    let known = bindings.values.keys().map(|known| format!("${known}"));
    let otherwise = format!("declare it as [params.{name}] in the pipeline's manifest");
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
        ColumnType::Boolean => vec![Token::make_keyword(text)],
        ColumnType::Bigint if !text.starts_with('-') => vec![Token::Number(text.to_owned(), false)],
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

/// Returns the statement if it is the only one and a SELECT.
fn only_select(
    file: &SourceFile,
    mut statements: Vec<Statement>,
) -> Result<Statement, Box<Finding>> {
    let start = diagnose::first_token(&file.text);
    let place = file.place(start.clone());
    if statements.len() > 1 {
        let finding = Finding::new(Code::NotASelect, "a file holds one SELECT, and this more");
        return Err(Box::new(
            finding
                .at(place, "the first of them")
                .help("put each into a file of its own"),
        ));
    }
    let Some(statement) = statements.pop() else {
        let finding = Finding::new(Code::NotASelect, "the file holds no SQL");
        return Err(Box::new(
            finding.at(file.place(0..0), "here").help("write a SELECT"),
        ));
    };
    if is_select(&statement) {
        return Ok(statement);
    }
    let word = file.text[start].to_ascii_uppercase();
    let finding = Finding::new(Code::NotASelect, format!("a model is a SELECT, not {word}"));
    Err(Box::new(
        finding
            .at(place, "not allowed here")
            .help("SQL reads; what is written, the manifest says"),
    ))
}

fn is_select(statement: &Statement) -> bool {
    let Statement::Statement(statement) = statement else {
        return false;
    };
    let ast::Statement::Query(query) = statement.as_ref() else {
        return false;
    };
    reads_only(&query.body)
}

fn reads_only(body: &ast::SetExpr) -> bool {
    match body {
        ast::SetExpr::Select(select) => select.into.is_none(),
        ast::SetExpr::Query(query) => reads_only(&query.body),
        ast::SetExpr::SetOperation { left, right, .. } => reads_only(left) && reads_only(right),
        ast::SetExpr::Values(_) | ast::SetExpr::Table(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "sql/a/a.sql".into(),
            text: text.into(),
        }
    }

    fn bindings(data_type: &str, value: &str) -> Bindings {
        let value = (data_type.parse().unwrap(), value.to_owned());
        Bindings {
            values: [("value".to_owned(), value)].into_iter().collect(),
        }
    }

    fn bound(data_type: &str, value: &str) -> String {
        let sql = file("select $value as x");
        parse(&sql, &bindings(data_type, value))
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_value_is_a_literal_of_its_type_and_never_sql() {
        assert_eq!(bound("bigint", "100"), "SELECT 100 AS x");
        assert_eq!(bound("bigint", "-1"), "SELECT CAST('-1' AS BIGINT) AS x");
        assert_eq!(
            bound("decimal(6,3)", "1.500"),
            "SELECT CAST('1.500' AS DECIMAL(6,3)) AS x"
        );
        assert_eq!(bound("text", "a' or 1=1 --"), "SELECT 'a'' or 1=1 --' AS x");
        assert_eq!(bound("boolean", "true"), "SELECT true AS x");
    }

    #[test]
    fn an_unknown_parameter_is_named_with_its_place() {
        let sql = file("select\n    $valeu as x");
        let findings = parse(&sql, &bindings("bigint", "1")).unwrap_err();
        assert_eq!(findings[0].help, ["did you mean `$value`?"]);
        let place = findings[0].place().unwrap();
        assert_eq!(place.line_column(), (2, 5));
        assert_eq!(&place.text[place.span.clone()], "$valeu");
    }

    #[test]
    fn only_one_select_is_a_model() {
        for refused in [
            "drop table prices",
            "insert into prices select * from prices",
            "set datafusion.execution.batch_size = 1",
            "copy prices to 'x.csv'",
            "create view x as select 1",
            "select 1 into x",
            "explain select 1",
            "select 1; select 2",
            "-- nothing",
        ] {
            let findings = parse(&file(refused), &Bindings::default()).unwrap_err();
            assert_eq!(findings[0].code, Code::NotASelect, "{refused}");
        }
        for allowed in [
            "select 1;",
            "(select 1)",
            "with a as (select 1) select * from a",
            "values (1)",
        ] {
            assert!(
                parse(&file(allowed), &Bindings::default()).is_ok(),
                "{allowed}"
            );
        }
    }
}
