//! DataFusion's errors as findings in the user's own file.

use std::ops::Range;

use datafusion::{
    common::{Column, Diagnostic, SchemaError, Span, TableReference, diagnostic::DiagnosticNote},
    error::DataFusionError,
    sql::sqlparser::{
        dialect::GenericDialect,
        parser::ParserError,
        tokenizer::{self, Token, Tokenizer},
    },
};

use super::{
    contract::selected,
    workspace::{DB, EXPORT, HISTORY, PREVIOUS},
};
use crate::{
    diagnostics::{Code, Finding, nearest},
    pipeline::{SourceFile, graph::word, sql::references},
};

/// Returns the finding for an error of planning `file`; `relations` are the names
/// that it may read.
pub(crate) fn finding(error: &DataFusionError, file: &SourceFile, relations: &[String]) -> Finding {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let span = span.map(|span| bytes(&file.text, &span));
    match error.find_root() {
        DataFusionError::SQL(error, _) => syntax(error, file),
        DataFusionError::SchemaError(error, _) => schema(error, file, span),
        root => {
            let message = root.message().into_owned();
            if let Some(name) = quoted_after(&message, "table '") {
                return unknown_table(&name, file, span, relations);
            }
            if let Some(name) = quoted_after(&message, "Invalid function '") {
                return unknown_function(&name, file, span, &message);
            }
            other(&message, error.diagnostic(), file, span)
        }
    }
}

fn syntax(error: &ParserError, file: &SourceFile) -> Finding {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "the SQL is nested too deeply",
    };
    let (message, at) = match text.split_once(" at Line: ") {
        Some((message, at)) => (message, location(at)),
        None => (text, None),
    };
    let span = match at {
        Some((line, column)) => token_at(&file.text, byte_at(&file.text, line, column)),
        None => file.text.trim_end().len()..file.text.trim_end().len(),
    };
    let message = message.trim_start_matches("sql parser error: ");
    let finding = Finding::new(Code::Syntax, lower_first(message)).at(file.place(span), "here");
    // The parser took what stands before for a whole statement.
    match message.contains("end of statement") {
        true => finding.help("a comma may be missing before it, or a keyword be misspelt"),
        false => finding,
    }
}

/// Reads `3, Column: 14`.
fn location(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.split_once(", Column: ")?;
    Some((line.trim().parse().ok()?, column.trim().parse().ok()?))
}

fn schema(error: &SchemaError, file: &SourceFile, span: Option<Range<usize>>) -> Finding {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => unknown_column(field, valid_fields, file, span),
        SchemaError::AmbiguousReference { field } => {
            let name = field.name();
            let what = format!("`{name}` is a column of more than one relation");
            Finding::new(Code::AmbiguousColumn, what)
                .at(
                    file.place(span.unwrap_or_else(|| word(&file.text, name))),
                    "which?",
                )
                .help(format!("write `<relation>.{name}`"))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let span = span.unwrap_or_else(|| word(&file.text, name));
            Finding::new(
                Code::DuplicateColumn,
                format!("two columns are named `{name}`"),
            )
            .at(file.place(span), "here")
            .help("give one of them another name with `as`")
        }
    }
}

fn unknown_column(
    field: &Column,
    valid: &[Column],
    file: &SourceFile,
    span: Option<Range<usize>>,
) -> Finding {
    let name = field.name();
    let span = span.unwrap_or_else(|| word(&file.text, name));
    let finding = Finding::new(Code::UnknownColumn, format!("there is no column `{name}`"))
        .at(file.place(span), "unknown column");
    let mut names: Vec<&str> = valid.iter().map(Column::name).collect();
    names.dedup();
    let otherwise = match names.is_empty() {
        true => String::new(),
        false => format!("the columns are {}", names.join(", ")),
    };
    finding.suggest(name, names, otherwise)
}

/// Finds a relation of a schema or a catalog that a project's files do not read.
pub(crate) fn foreign(file: &SourceFile, relations: &[String]) -> Option<Finding> {
    let known = |schema: &str| [EXPORT, PREVIOUS, HISTORY, DB].contains(&schema);
    let names = references(&file.text).into_iter();
    let foreign = names.filter(|name| match name {
        TableReference::Bare { .. } => false,
        TableReference::Partial { schema, .. } => !known(schema),
        TableReference::Full { .. } => true,
    });
    let name = foreign.map(|name| name.to_string()).next()?;
    Some(unknown_table(
        &name,
        file,
        Some(word(&file.text, &name)),
        relations,
    ))
}

fn unknown_table(
    name: &str,
    file: &SourceFile,
    span: Option<Range<usize>>,
    relations: &[String],
) -> Finding {
    let mut parts = name.rsplit('.');
    let last = parts.next().unwrap_or(name);
    let known = relations.iter().map(String::as_str);
    let span = span.unwrap_or_else(|| word(&file.text, last));
    let written = &file.text[span.clone()];
    let shown = if written.is_empty() { last } else { written };
    let finding = Finding::new(
        Code::UnknownRelation,
        format!("there is no relation `{shown}`"),
    )
    .at(file.place(span), "unknown relation");
    let bare = relations.iter().filter(|name| !name.contains('.'));
    let bare: Vec<_> = bare.map(String::as_str).collect();
    let otherwise = match relations.is_empty() {
        true => String::new(),
        false => format!("there are {}", bare.join(", ")),
    };
    // What is written as a whole comes first: `export.pirces` is near `export.prices`.
    let wanted = match nearest(shown, known.clone()) {
        Some(_) => shown,
        None => last,
    };
    finding.suggest(wanted, known, otherwise)
}

fn unknown_function(
    name: &str,
    file: &SourceFile,
    span: Option<Range<usize>>,
    message: &str,
) -> Finding {
    let span = span.unwrap_or_else(|| word(&file.text, name));
    let finding = Finding::new(
        Code::UnknownFunction,
        format!("there is no function `{name}`"),
    )
    .at(file.place(span), "unknown function");
    // DataFusion always names one, however far from what is written.
    let named = quoted_after(message, "Did you mean '");
    let otherwise =
        "functions are those of DataFusion's SQL, and our own: `pricemill docs functions`";
    finding.suggest(name, named, otherwise)
}

/// Returns the finding for a name that two columns of one SELECT have.
fn repeated(message: &str, file: &SourceFile) -> Option<Finding> {
    let (_, rest) = message.split_once("unique expression names but the expression \"")?;
    let (expression, _) = rest.split_once("\" at position")?;
    let name = match expression.rsplit_once(" AS ") {
        Some((_, alias)) => alias,
        None => expression.rsplit('.').next().unwrap_or(expression),
    };
    let finding = Finding::new(
        Code::DuplicateColumn,
        format!("two columns are named `{name}`"),
    );
    let finding = match selected(&file.text, name).as_slice() {
        [first, .., second] => finding
            .at(file.place(second.clone()), "the second")
            .see(file.place(first.clone()), "the first"),
        _ => finding.at(file.place(first_token(&file.text)), "in this SELECT"),
    };
    Some(finding.help("give one of them another name with `as`"))
}

/// Returns the finding for a column that is neither grouped nor aggregated.
fn ungrouped(message: &str, file: &SourceFile, span: Range<usize>) -> Option<Finding> {
    let (before, _) = message.split_once("' must appear in GROUP BY")?;
    let (_, written) = before.rsplit_once('\'')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let column = match written.rsplit_once('.') {
        Some((_, column)) if written.chars().all(is_name) => column,
        _ => written,
    };
    let what = format!("`{column}` is neither grouped nor aggregated");
    let help = format!("put it into `group by`, or aggregate it: `min({column})`");
    let finding = Finding::new(Code::UngroupedColumn, what);
    Some(finding.at(file.place(span), "which row's?").help(help))
}

fn other(
    message: &str,
    diagnostic: Option<&Diagnostic>,
    file: &SourceFile,
    span: Option<Range<usize>>,
) -> Finding {
    let message = diagnostic.map_or(message, |diagnostic| diagnostic.message.as_str());
    let mut lines = message.trim().lines();
    let first = lines.next().unwrap_or("the SQL cannot be planned");
    let span = span.unwrap_or_else(|| first_token(&file.text));
    if let Some(finding) = ungrouped(first, file, span.clone()) {
        return finding;
    }
    if let Some(finding) = repeated(first, file) {
        return finding;
    }
    let mut finding = Finding::new(Code::BadSql, lower_first(first.trim_end_matches('.')))
        .at(file.place(span), "in this SELECT");
    let rest = lines.map(str::trim).filter(|line| !line.is_empty());
    finding.help.extend(rest.map(str::to_owned));
    if let Some(diagnostic) = diagnostic {
        let helps = diagnostic.helps.iter().map(|help| help.message.clone());
        finding.help.extend(helps);
        finding.help.extend(noted(&diagnostic.notes));
    }
    finding
}

/// Returns the notes; two that only say "has type X" become one.
fn noted(notes: &[DiagnosticNote]) -> Vec<String> {
    let messages = notes.iter().map(|note| note.message.as_str());
    let types = messages.clone().map(|text| text.strip_prefix("has type "));
    match types.collect::<Option<Vec<_>>>().as_deref() {
        Some([left, right]) => vec![format!("one side is a {left}, the other a {right}")],
        _ => messages.map(str::to_owned).collect(),
    }
}

/// Returns what stands between `before` and the next quote.
fn quoted_after(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once('\'').map(|(name, _)| name.to_owned())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // An acronym or an identifier keeps its case.
        (Some(first), second) if second.is_none_or(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Returns the byte of a line and a column, both from 1, columns in characters.
pub(crate) fn byte_at(text: &str, line: u64, column: u64) -> usize {
    let index = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut start = 0;
    for _ in 0..index(line) {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let rest = &text[start..];
    rest.char_indices()
        .nth(index(column))
        .map_or(text.len(), |(at, _)| start + at)
}

fn bytes(text: &str, span: &Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}

/// Returns the bytes of a parser's span.
pub(crate) fn span_bytes(text: &str, span: tokenizer::Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}

/// Returns the token that begins at a byte.
fn token_at(text: &str, at: usize) -> Range<usize> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location();
    let spans = tokens.unwrap_or_default().into_iter();
    spans
        .map(|token| span_bytes(text, token.span))
        .find(|span| span.start == at)
        .unwrap_or(at..at)
}

/// Returns the first word of the SQL itself, after comments.
pub(crate) fn first_token(text: &str) -> Range<usize> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location();
    let mut tokens = tokens.unwrap_or_default().into_iter();
    tokens
        .find(|token| !matches!(token.token, Token::Whitespace(_)))
        .map_or(0..0, |token| span_bytes(text, token.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_counts_characters_not_bytes() {
        let text = "é = 1\nčć x";
        assert_eq!(&text[byte_at(text, 2, 4)..], "x");
        assert_eq!(byte_at("a", 9, 9), 1);
    }

    #[test]
    fn the_first_token_is_after_the_comments() {
        let text = "-- a comment\n/* b */ select 1";
        assert_eq!(&text[first_token(text)], "select");
    }
}
