//! Tokens → statements, and the one SELECT of a model. What is wrong has its place in the
//! file.

use datafusion::sql::{
    parser::{DFParserBuilder, Statement},
    sqlparser::{
        ast::{self, Query},
        parser::ParserError,
        tokenizer::{Location, Span, TokenWithSpan},
    },
};

use super::places::{byte_at, span_bytes};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::SourceFile,
};

pub(super) fn statements(
    source: &SourceFile,
    tokens: Vec<TokenWithSpan>,
) -> Result<Vec<Statement>, Box<Finding>> {
    let spans: Vec<Span> = tokens.iter().map(|token| token.span).collect();
    let parsed = DFParserBuilder::new(tokens)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    match parsed {
        Ok(statements) => Ok(statements.into_iter().collect()),
        Err(error) => {
            let message = match error.find_root() {
                datafusion::error::DataFusionError::SQL(error, _) => parser_message(error),
                other => other.message().into_owned(),
            };
            Err(Box::new(syntax(source, &spans, &message)))
        }
    }
}

fn parser_message(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "the SQL is nested too deeply".to_owned(),
    }
}

/// Returns the finding for what the parser says: `… at Line: 3, Column: 14`.
fn syntax(source: &SourceFile, spans: &[Span], text: &str) -> Finding {
    let (message, at) = match text.split_once(" at Line: ") {
        Some((message, at)) => (message, location(at)),
        None => (text, None),
    };
    let end = source.text.trim_end().len();
    let span = at.map_or(end..end, |at| {
        let token = spans.iter().find(|span| span.start == at);
        match token {
            Some(span) => span_bytes(&source.text, *span),
            None => {
                let at = byte_at(&source.text, at.line, at.column);
                at..at
            }
        }
    });
    let message = message.trim_start_matches("sql parser error: ");
    let message = &message.replace("found: EOF", "found: the end of the SQL");
    let finding = Finding::new(Code::Syntax, lower_first(message)).at(source.place(span), "here");
    // The parser took what precedes it for a whole statement.
    match message.contains("end of statement") {
        true => finding.help("a comma may be missing before it, or a keyword may be misspelt"),
        false => finding,
    }
}

/// Reads `3, Column: 14`.
fn location(text: &str) -> Option<Location> {
    let (line, column) = text.split_once(", Column: ")?;
    Some(Location::new(
        line.trim().parse().ok()?,
        column.trim().parse().ok()?,
    ))
}

/// Returns the SELECT if it is the only statement.
pub(super) fn only_select(
    source: &SourceFile,
    tokens: &[TokenWithSpan],
    mut statements: Vec<Statement>,
) -> Result<Box<Query>, Box<Finding>> {
    let first = tokens.first().map(|token| token.span);
    let start = first.map_or(0..0, |span| span_bytes(&source.text, span));
    let place = source.place(start.clone());
    if statements.len() > 1 {
        let finding = Finding::new(
            Code::NotASelect,
            "a file must contain exactly one SELECT, but this one has more",
        );
        return Err(Box::new(
            finding
                .at(place, "the first")
                .help("put each into a file of its own"),
        ));
    }
    let Some(statement) = statements.pop() else {
        let finding = Finding::new(Code::NotASelect, "the file contains no SQL");
        return Err(Box::new(
            finding
                .at(source.place(0..0), "here")
                .help("write a SELECT"),
        ));
    };
    if let Some(query) = select(statement) {
        return Ok(query);
    }
    let word = source.text[start].to_ascii_uppercase();
    let finding = Finding::new(Code::NotASelect, format!("a model is a SELECT, not {word}"));
    Err(Box::new(finding.at(place, "not allowed here").help(
        "SQL only reads; the manifest declares what is written",
    )))
}

/// Returns the SELECT of a statement that is one and writes nothing.
pub(crate) fn select(statement: Statement) -> Option<Box<Query>> {
    let Statement::Statement(statement) = statement else {
        return None;
    };
    match *statement {
        ast::Statement::Query(query) if reads_only(&query.body) => Some(query),
        _ => None,
    }
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

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // An acronym or an identifier keeps its case.
        (Some(first), second) if second.is_none_or(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
