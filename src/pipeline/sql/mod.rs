//! A SQL file, parsed once: its SELECT, the relations it names, and the place of each.
//!
//! `$name` becomes a literal of the parameter's type before parsing, token by token, so
//! a value can never become SQL. Other values take its place in the tree, not in the
//! text. Every place is one of the file.

mod clauses;
mod headings;
mod memberships;
mod names;
mod params;
mod places;
mod precedence;
mod spellings;
mod statements;
mod unnested;
mod walk;

use std::{
    ops::{Deref, Range},
    sync::Arc,
};

use datafusion::{
    common::TableReference,
    sql::{
        parser::Statement,
        sqlparser::{
            ast::{self, Query},
            tokenizer::{Span, Token, TokenWithSpan},
        },
    },
};
use indexmap::IndexMap;

pub(crate) use places::byte_at;
pub(crate) use statements::lower_first;
pub(crate) use walk::{walk, walk_mut};

use super::{Bindings, Grain, Param, SourceFile, Template};
use crate::diagnostics::Finding;
use params::{Bind, Places, tokens, with_doubles};
use places::span_bytes;
use statements::{only_select, statements};

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
    params: Places,
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

    /// Parses a query of the moment; its columns without a name are called as they are
    /// written.
    pub(crate) fn question(source: SourceFile) -> SqlFile {
        let mut file = SqlFile::parse(source, &IndexMap::new());
        if let Some(parsed) = Arc::get_mut(&mut file.parsed)
            && let Some(query) = &mut parsed.query
        {
            headings::named(query);
        }
        file
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
        // The walk never stops early.
        let _ = walk_mut(&mut query, &mut bind);
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

    /// Returns where a word first occurs outside of strings.
    pub(crate) fn word(&self, name: &str) -> Option<Range<usize>> {
        let mut tokens = self.parsed.tokens.iter();
        let found = tokens.find(|token| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            _ => false,
        });
        found.map(|token| self.bytes(token.span))
    }

    /// Returns where an operator or a bracket first occurs.
    pub(crate) fn symbol(&self, symbol: &str) -> Option<Range<usize>> {
        let mut tokens = self.parsed.tokens.iter();
        let found = tokens.find(|token| match &token.token {
            Token::Word(_) | Token::SingleQuotedString(_) => false,
            token => token.to_string() == symbol,
        });
        found.map(|token| self.bytes(token.span))
    }

    /// Returns the SELECT of the first subquery, if there is one.
    pub(crate) fn subquery(&self) -> Option<Range<usize>> {
        let tokens = &self.parsed.tokens;
        let is_select = |token: &TokenWithSpan| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case("select"),
            _ => false,
        };
        let found = tokens.windows(2).find(|pair| match pair {
            [open, select] => open.token == Token::LParen && is_select(select),
            _ => false,
        });
        found.map(|pair| self.bytes(pair[1].span))
    }

    /// Returns where a literal of this text or number first occurs.
    pub(crate) fn literal(&self, text: &str) -> Option<Range<usize>> {
        let mut tokens = self.parsed.tokens.iter();
        let found = tokens.find(|token| match &token.token {
            Token::SingleQuotedString(value) => value == text,
            Token::Number(value, _) => value == text,
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
            params: Places::new(),
            tokens,
            findings,
        }
    }

    fn of(
        source: &SourceFile,
        mut query: Box<Query>,
        tokens: Vec<TokenWithSpan>,
        params: Places,
    ) -> Parsed {
        with_doubles(&mut query);
        precedence::corrected(&mut query);
        spellings::spelled(&mut query);
        unnested::selected(&mut query);
        let (findings, values) = clauses::refused(source, &tokens, &query);
        if !findings.is_empty() {
            return Parsed::broken(tokens, findings);
        }
        memberships::written_out(&mut query, &|expr| values.contains(&expr));
        Parsed {
            names: names::names(source, &query),
            query: Some(query),
            params,
            tokens,
            findings,
        }
    }
}

/// The tokens of a text, and its parameters by place.
#[derive(Debug)]
pub(crate) struct ParsedText {
    tokens: Vec<TokenWithSpan>,
    params: Places,
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

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::Spanned;

    use super::*;
    use crate::diagnostics::Code;

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
