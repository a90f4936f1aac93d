//! A SQL file, parsed once: its SELECT, the relations it names, and the place of each.
//!
//! `$name` becomes a literal of the parameter's type before parsing, token by token, so
//! a value can never become SQL. Other values take its place in the tree, not in the
//! text. Every place is one of the file.

use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Deref, Range},
    sync::Arc,
};

use datafusion::{
    common::TableReference,
    sql::{
        parser::{DFParserBuilder, Statement},
        planner::object_name_to_table_reference,
        sqlparser::{
            ast::{
                self, ObjectName, Query, Spanned, TableFactor, Value, ValueWithSpan, Visit,
                VisitMut, Visitor, VisitorMut,
            },
            dialect::GenericDialect,
            parser::ParserError,
            tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer},
        },
    },
};
use indexmap::IndexMap;

use super::{Bindings, Grain, Param, SourceFile, Template};
use crate::{
    dataset::ColumnType,
    diagnostics::{Code, Finding},
};

/// A SQL file of the project and what it says.
#[derive(Debug, Clone)]
pub struct SqlFile {
    source: SourceFile,
    parsed: Arc<Parsed>,
    /// The template that its columns fill.
    template: Option<Arc<Template>>,
}

/// A relation that SQL names, where it does so first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name, normalised as SQL does it.
    pub reference: TableReference,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

#[derive(Debug)]
struct Parsed {
    /// The SELECT, unless there are findings.
    query: Option<Box<Query>>,
    names: Vec<Name>,
    /// The parameters, by where their literals are.
    params: BTreeMap<(Location, Location), String>,
    /// The tokens without blanks and comments.
    tokens: Vec<TokenWithSpan>,
    findings: Vec<Finding>,
}

impl Deref for SqlFile {
    type Target = SourceFile;

    fn deref(&self) -> &SourceFile {
        &self.source
    }
}

impl SqlFile {
    /// Parses a file that holds one SELECT and may use these parameters.
    pub fn parse(source: SourceFile, params: &IndexMap<String, Param>) -> SqlFile {
        let parsed = match tokens(&source, params) {
            Err(findings) => Parsed::broken(Vec::new(), findings),
            Ok((tokens, params)) => match statements(&source, tokens.clone()) {
                Err(finding) => Parsed::broken(tokens, vec![*finding]),
                Ok(statements) => match only_select(&source, &tokens, statements) {
                    Err(finding) => Parsed::broken(tokens, vec![*finding]),
                    Ok(query) => Parsed::of(&source, query, tokens, params),
                },
            },
        };
        SqlFile {
            source,
            parsed: Arc::new(parsed),
            template: None,
        }
    }

    /// Takes a SELECT out of a statement that was parsed from `source`.
    pub(crate) fn within(source: SourceFile, text: ParsedText, query: Box<Query>) -> SqlFile {
        let parsed = Parsed::of(&source, query, text.tokens, text.params);
        SqlFile {
            source,
            parsed: Arc::new(parsed),
            template: None,
        }
    }

    /// Gives the model a template, which its columns fill.
    pub(super) fn fill(&mut self, template: Template) {
        self.template = Some(Arc::new(template));
    }

    /// Returns the template that its columns fill, if there is one.
    pub fn template(&self) -> Option<&Arc<Template>> {
        self.template.as_ref()
    }

    /// Returns what keeps the file from being a model: its syntax, unknown parameters,
    /// a statement that is no SELECT.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.parsed.findings
    }

    /// Returns the relations that it reads, those of CTEs left out, in the order of
    /// their names; none of a file that cannot be parsed.
    pub(crate) fn names(&self) -> &[Name] {
        &self.parsed.names
    }

    /// Returns the grain that the first line states, if it states one.
    pub fn grain(&self) -> Option<Grain> {
        Grain::parse(&self.source.text)
    }

    /// Returns the SELECT, if the file holds one.
    pub(crate) fn query(&self) -> Option<&Query> {
        self.parsed.query.as_deref()
    }

    /// Returns the SELECT with the parameters' values in place.
    ///
    /// # Errors
    ///
    /// Returns the file's findings.
    pub(crate) fn bound(&self, bindings: &Bindings) -> Result<Statement, Vec<Finding>> {
        let Some(query) = &self.parsed.query else {
            return Err(self.parsed.findings.clone());
        };
        let mut query = query.clone();
        let mut bind = Bind {
            params: &self.parsed.params,
            bindings,
        };
        // The walk never breaks off.
        let _ = VisitMut::visit(&mut query, &mut bind);
        Ok(Statement::Statement(Box::new(ast::Statement::Query(query))))
    }

    /// Returns the bytes of a parser's span.
    pub(crate) fn bytes(&self, span: Span) -> Range<usize> {
        span_bytes(&self.source.text, span)
    }

    /// Returns the first word of the SQL itself, after comments.
    pub(crate) fn first_token(&self) -> Range<usize> {
        let first = self.parsed.tokens.first();
        first.map_or(0..0, |token| self.bytes(token.span))
    }

    /// Returns where a word that is no string first stands.
    pub(crate) fn word(&self, name: &str) -> Option<Range<usize>> {
        let mut tokens = self.parsed.tokens.iter();
        let found = tokens.find(|token| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            _ => false,
        });
        found.map(|token| self.bytes(token.span))
    }

    /// Returns the last keywords before a place, such as `order by` before its columns.
    pub(crate) fn keywords_before(&self, at: Span, keywords: &[&str]) -> Option<Range<usize>> {
        let tokens = &self.parsed.tokens;
        let end = tokens.partition_point(|token| token.span.start < at.start);
        let is = |token: &TokenWithSpan, keyword: &str| match &token.token {
            Token::Word(word) => {
                word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword)
            }
            _ => false,
        };
        let runs = tokens[..end].windows(keywords.len());
        let found = runs.rev().find(|run| {
            let mut pairs = run.iter().zip(keywords);
            pairs.all(|(token, keyword)| is(token, keyword))
        })?;
        let (first, last) = (found.first()?, found.last()?);
        Some(self.bytes(first.span).start..self.bytes(last.span).end)
    }

    /// Returns where the outermost SELECT gives columns this name, in the text's order.
    pub(crate) fn selected(&self, name: &str) -> Vec<Range<usize>> {
        let items = self.query().and_then(|query| projection(&query.body));
        let items = items.unwrap_or_default();
        let named = items.iter().filter_map(|item| match item {
            ast::SelectItem::ExprWithAlias { alias, .. } => Some(alias),
            ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(column)) => Some(column),
            ast::SelectItem::UnnamedExpr(ast::Expr::CompoundIdentifier(parts)) => parts.last(),
            _ => None,
        });
        let found = named.filter(|ident| ident.value.eq_ignore_ascii_case(name));
        found.map(|ident| self.bytes(ident.span)).collect()
    }
}

/// Returns the columns of the first SELECT of a body.
fn projection(body: &ast::SetExpr) -> Option<&[ast::SelectItem]> {
    match body {
        ast::SetExpr::Select(select) => Some(&select.projection),
        ast::SetExpr::Query(query) => projection(&query.body),
        ast::SetExpr::SetOperation { left, .. } => projection(left),
        _ => None,
    }
}

impl Parsed {
    fn broken(tokens: Vec<TokenWithSpan>, findings: Vec<Finding>) -> Parsed {
        Parsed {
            query: None,
            names: Vec::new(),
            params: BTreeMap::new(),
            tokens,
            findings,
        }
    }

    fn of(
        source: &SourceFile,
        query: Box<Query>,
        tokens: Vec<TokenWithSpan>,
        params: BTreeMap<(Location, Location), String>,
    ) -> Parsed {
        Parsed {
            names: names(source, &query),
            query: Some(query),
            params,
            tokens,
            findings: Vec::new(),
        }
    }
}

/// The tokens of a text, and its parameters by place.
#[derive(Debug)]
pub(crate) struct ParsedText {
    tokens: Vec<TokenWithSpan>,
    params: BTreeMap<(Location, Location), String>,
}

/// Parses a text of any statements.
///
/// # Errors
///
/// Finds unknown parameters and faults of syntax.
pub(crate) fn parse_any(
    source: &SourceFile,
    params: &IndexMap<String, Param>,
) -> Result<(Vec<Statement>, ParsedText), Vec<Finding>> {
    let (tokens, params) = tokens(source, params)?;
    let statements = statements(source, tokens.clone()).map_err(|finding| vec![*finding])?;
    Ok((statements, ParsedText { tokens, params }))
}

type Tokens = (Vec<TokenWithSpan>, BTreeMap<(Location, Location), String>);

/// Returns the tokens with a literal for each parameter.
fn tokens(source: &SourceFile, params: &IndexMap<String, Param>) -> Result<Tokens, Vec<Finding>> {
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
struct Bind<'a> {
    params: &'a BTreeMap<(Location, Location), String>,
    bindings: &'a Bindings,
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

fn statements(
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
    let finding = Finding::new(Code::Syntax, lower_first(message)).at(source.place(span), "here");
    // The parser took what stands before for a whole statement.
    match message.contains("end of statement") {
        true => finding.help("a comma may be missing before it, or a keyword be misspelt"),
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
fn only_select(
    source: &SourceFile,
    tokens: &[TokenWithSpan],
    mut statements: Vec<Statement>,
) -> Result<Box<Query>, Box<Finding>> {
    let first = tokens.first().map(|token| token.span);
    let start = first.map_or(0..0, |span| span_bytes(&source.text, span));
    let place = source.place(start.clone());
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
    Err(Box::new(
        finding
            .at(place, "not allowed here")
            .help("SQL reads; what is written, the manifest says"),
    ))
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

/// Returns the relations that a query reads, each once, in the order of their names.
fn names(source: &SourceFile, query: &Query) -> Vec<Name> {
    let mut names = Names::default();
    // The walk never breaks off.
    let _ = query.visit(&mut names);
    let found = names.found.into_iter().map(|(reference, span)| Name {
        reference,
        span: span_bytes(&source.text, span),
    });
    found.collect()
}

/// Collects the names of relations. A CTE hides a relation of its name where it is in
/// scope, which its own SELECT is not.
#[derive(Default)]
struct Names {
    found: BTreeMap<TableReference, Span>,
    hidden: Vec<TableReference>,
    functions: Vec<Span>,
}

impl Names {
    fn reference(name: &ObjectName) -> Option<TableReference> {
        object_name_to_table_reference(name.clone(), true).ok()
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            self.functions.push(name.span());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let span = name.span();
        let Some(reference) = Names::reference(name) else {
            return ControlFlow::Continue(());
        };
        if self.functions.contains(&span) || self.hidden.contains(&reference) {
            return ControlFlow::Continue(());
        }
        let first = self.found.entry(reference).or_insert(span);
        if span.start < first.start {
            *first = span;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for (with, cte) in ctes(query) {
            if !with.recursive {
                cte.visit(self)?;
            }
            let name = ObjectName::from(vec![cte.alias.name.clone()]);
            self.hidden.extend(Names::reference(&name));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let kept = self.hidden.len().saturating_sub(ctes(query).count());
        self.hidden.truncate(kept);
        ControlFlow::Continue(())
    }
}

fn ctes(query: &Query) -> impl Iterator<Item = (&ast::With, &ast::Cte)> {
    let with = query.with.iter();
    with.flat_map(|with| with.cte_tables.iter().map(move |cte| (with, cte)))
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

/// Returns the bytes of a parser's span.
fn span_bytes(text: &str, span: Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceFile {
        SourceFile {
            path: "sql/a/a.sql".into(),
            text: text.into(),
        }
    }

    fn params(data_type: &str, default: &str) -> IndexMap<String, Param> {
        let param = Param {
            data_type: data_type.parse().unwrap(),
            default: default.to_owned(),
            min: None,
            max: None,
            one_of: Vec::new(),
            doc: String::new(),
        };
        [("value".to_owned(), param)].into_iter().collect()
    }

    fn bound(data_type: &str, default: &str, value: &str) -> String {
        let file = SqlFile::parse(source("select $value as x"), &params(data_type, default));
        let value = (data_type.parse().unwrap(), value.to_owned());
        let bindings = Bindings {
            values: [("value".to_owned(), value)].into_iter().collect(),
        };
        file.bound(&bindings).unwrap().to_string()
    }

    fn file(text: &str) -> SqlFile {
        SqlFile::parse(source(text), &IndexMap::new())
    }

    #[test]
    fn a_value_is_a_literal_of_its_type_and_never_sql() {
        assert_eq!(bound("bigint", "1", "100"), "SELECT 100 AS x");
        assert_eq!(bound("bigint", "1", "-1"), "SELECT -1 AS x");
        assert_eq!(bound("bigint", "-1", "2"), "SELECT 2 AS x");
        assert_eq!(
            bound("decimal(6,3)", "1.000", "1.500"),
            "SELECT CAST('1.500' AS DECIMAL(6,3)) AS x"
        );
        assert_eq!(
            bound("text", "a", "a' or 1=1 --"),
            "SELECT 'a'' or 1=1 --' AS x"
        );
        assert_eq!(bound("boolean", "false", "true"), "SELECT true AS x");
    }

    #[test]
    fn an_unknown_parameter_is_named_with_its_place() {
        let sql = SqlFile::parse(source("select\n    $valeu as x"), &params("bigint", "1"));
        let findings = sql.findings();
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
            assert_eq!(
                file(refused).findings()[0].code,
                Code::NotASelect,
                "{refused}"
            );
        }
        for allowed in [
            "select 1;",
            "(select 1)",
            "with a as (select 1) select * from a",
            "values (1)",
        ] {
            assert!(file(allowed).findings().is_empty(), "{allowed}");
        }
    }

    fn names_of(text: &str) -> Vec<String> {
        let file = file(text);
        let names = file.names().iter();
        names
            .map(|name| format!("{}@{}", name.reference, name.span.start))
            .collect()
    }

    #[test]
    fn names_are_relations_and_neither_ctes_nor_functions_nor_text() {
        assert_eq!(
            names_of("select 'from b' from A -- from c\njoin export.d on true"),
            ["a@21", "export.d@38"]
        );
        assert_eq!(
            names_of("with a as (select * from a), b as (select * from c) select * from a, b"),
            ["a@25", "c@49"]
        );
        assert_eq!(names_of("select * from generate_series(1, 2), a"), ["a@37"]);
        assert_eq!(
            names_of("select * from a where x in (select y from b)"),
            ["a@14", "b@42"]
        );
    }

    #[test]
    fn a_column_counts_characters_not_bytes() {
        let text = "é = 1\nčć x";
        assert_eq!(&text[byte_at(text, 2, 4)..], "x");
    }

    #[test]
    fn keywords_are_found_in_any_case_and_not_in_text() {
        let text = "select 'order by' from a ORDER  BY b";
        let sql = file(text);
        let order = sql.query().unwrap().order_by.as_ref().unwrap();
        let found = sql.keywords_before(order.span(), &["order", "by"]).unwrap();
        assert_eq!(&text[found], "ORDER  BY");
    }

    #[test]
    fn a_column_is_placed_where_the_outermost_select_names_it() {
        let text = "with x as (select 1 as id) select x.id, 2 as \"rows\" from x";
        let sql = file(text);
        assert_eq!(sql.selected("id")[0], 36..38);
        assert_eq!(&text[sql.selected("rows")[0].clone()], "\"rows\"");
        assert!(sql.selected("none").is_empty());
    }
}
