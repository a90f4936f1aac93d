//! Forms of SQL that the engine knows under another form only.
//!
//! In comes a tree of the parser; out comes the same with `order by all` as that, and not as
//! a column `all`, with `fetch first 3 rows only` as `limit 3`, and with
//! `like 'a!_b' escape '!'` as `like 'a\_b'`.

use std::ops::ControlFlow;

use crate::pipeline::walk_mut;
use datafusion::sql::sqlparser::ast::{
    Expr, Fetch, LimitClause, OrderByKind, Query, Value, ValueWithSpan, VisitorMut,
};

/// Spells a query as the engine knows it.
pub(super) fn spelled(query: &mut Query) {
    struct Spelled;
    impl VisitorMut for Spelled {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            if let Some(order_by) = &mut query.order_by {
                order_by_all(&mut order_by.kind);
            }
            fetch_first(query);
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Like {
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                pattern,
                escape_char,
                ..
            } = expr
            {
                like(pattern, escape_char);
            }
            ControlFlow::Continue(())
        }
    }
    // The walk never stops early.
    let _ = walk_mut(query, &mut Spelled);
}

fn order_by_all(kind: &mut OrderByKind) {
    let OrderByKind::Expressions(list) = kind else {
        return;
    };
    let [only] = list.as_slice() else { return };
    let is_all = match &only.expr {
        Expr::Identifier(name) => {
            name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all")
        }
        _ => false,
    };
    if is_all {
        *kind = OrderByKind::All(only.options);
    }
}

/// Limits a query to the first rows that it fetches. What ties share, and a share of the
/// rows, is no limit.
fn fetch_first(query: &mut Query) {
    let Some(Fetch {
        with_ties: false,
        percent: false,
        quantity,
    }) = &mut query.fetch
    else {
        return;
    };
    let one = || Expr::value(Value::Number("1".to_owned(), false));
    let first = quantity.take();
    let offset = match query.limit_clause.take() {
        None => None,
        Some(LimitClause::LimitOffset {
            limit: None,
            offset,
            limit_by,
        }) if limit_by.is_empty() => offset,
        other => {
            // Two limits: that of FETCH is refused at its place.
            *quantity = first;
            query.limit_clause = other;
            return;
        }
    };
    query.fetch = None;
    query.limit_clause = Some(LimitClause::LimitOffset {
        limit: Some(first.unwrap_or_else(one)),
        offset,
        limit_by: Vec::new(),
    });
}

/// Writes a literal pattern with `\` for its own escape.
fn like(pattern: &mut Expr, escape: &mut Option<ValueWithSpan>) {
    let (
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        }),
        Some(ValueWithSpan {
            value: Value::SingleQuotedString(by),
            ..
        }),
    ) = (pattern, &*escape)
    else {
        return;
    };
    let mut by = by.chars();
    if let (Some(by), None) = (by.next(), by.next()) {
        *text = escaped(text, by);
        *escape = None;
    }
}

fn escaped(pattern: &str, by: char) -> String {
    if by == '\\' {
        return pattern.to_owned();
    }
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == by => {
                out.push('\\');
                out.extend(chars.next());
            }
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::{ast::Statement, dialect::GenericDialect, parser::Parser};

    use super::*;

    #[test]
    fn the_first_rows_are_a_limit_and_ties_are_not() {
        for (sql, meant) in [
            (
                "SELECT a FROM t FETCH FIRST 3 ROWS ONLY",
                "SELECT a FROM t LIMIT 3",
            ),
            (
                "SELECT a FROM t FETCH FIRST ROW ONLY",
                "SELECT a FROM t LIMIT 1",
            ),
            (
                "SELECT a FROM t OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY",
                "SELECT a FROM t LIMIT 3 OFFSET 2 ROWS",
            ),
            (
                "SELECT a FROM t FETCH FIRST 3 ROWS WITH TIES",
                "SELECT a FROM t FETCH FIRST 3 ROWS WITH TIES",
            ),
            (
                "SELECT a FROM t LIMIT 2 FETCH FIRST 3 ROWS ONLY",
                "SELECT a FROM t LIMIT 2 FETCH FIRST 3 ROWS ONLY",
            ),
        ] {
            let parsed = Parser::parse_sql(&GenericDialect {}, sql)
                .unwrap()
                .remove(0);
            let Statement::Query(mut query) = parsed else {
                panic!("{sql}");
            };
            spelled(&mut query);
            assert_eq!(query.to_string(), meant);
        }
    }

    #[test]
    fn a_pattern_keeps_its_meaning_under_another_escape() {
        for (pattern, by, meant) in [
            ("a!_c%", '!', "a\\_c%"),
            ("100!%", '!', "100\\%"),
            ("a!!b", '!', "a\\!b"),
            ("a\\b", '!', "a\\\\b"),
            ("a\\_b", '\\', "a\\_b"),
        ] {
            assert_eq!(escaped(pattern, by), meant, "{pattern}");
        }
    }
}
