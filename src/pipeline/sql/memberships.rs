//! `x in (select …)` and `exists (select …)` as values, and NOT IN of a subquery that reads
//! the query around it: the engine knows them as conditions alone, and this one not at all.
//!
//! In comes a tree with the subqueries that are to be written out; out comes the same with
//! what they mean: counts of rows, and for unknown null, as SQL has it.

use std::{collections::BTreeSet, ops::ControlFlow};

use crate::pipeline::{walk, walk_mut};
use datafusion::sql::sqlparser::{
    ast::{
        Expr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, Spanned, TableFactor,
        UnaryOperator, Visitor, VisitorMut,
    },
    dialect::GenericDialect,
    parser::Parser,
    tokenizer::{Span, Tokenizer},
};

/// What stands for the value that is looked for, in the texts below.
const VALUE: &str = "looked for";

/// True where a row is equal; unknown where one might be, for a null; else false.
const IN: &str = r#"(case
when (select count(*) from (select 1) as "among"("item") where "looked for" = "among"."item") > 0 then true
when (select count(*) from (select 1) as "among"("item") where "among"."item" is null) > 0 then null
when "looked for" is null and (select count(*) from (select 1) as "among"("item")) > 0 then null
else false end)"#;

const EXISTS: &str = r#"((select count(*) from (select 1) as "among") > 0)"#;

/// Writes out the subqueries of a query that `meant` names.
pub(super) fn written_out(query: &mut Query, meant: &dyn Fn(*const Expr) -> bool) {
    struct Written<'a>(&'a dyn Fn(*const Expr) -> bool);
    impl VisitorMut for Written<'_> {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if (self.0)(std::ptr::from_ref(expr))
                && let Some(meant) = value(expr)
            {
                *expr = meant;
            }
            ControlFlow::Continue(())
        }
    }
    // The walk never stops early.
    let _ = walk_mut(query, &mut Written(meant));
}

/// Says whether a subquery can be written out where it is a value.
pub(super) fn is_a_value(expr: &Expr) -> bool {
    match expr {
        // A subquery within that of another is more than the engine takes apart.
        Expr::InSubquery { expr, subquery, .. } => {
            !reads_around(subquery) && is_one_column(subquery) && !has_query(expr)
        }
        Expr::Exists { subquery, .. } => !reads_around(subquery) || plain(subquery).is_some(),
        _ => false,
    }
}

/// Says whether an expression holds a subquery.
fn has_query(expr: &Expr) -> bool {
    struct Queries(bool);
    impl Visitor for Queries {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 = true;
            ControlFlow::Continue(())
        }
    }
    let mut queries = Queries(false);
    // The walk never stops early.
    let _ = walk(expr, &mut queries);
    queries.0
}

/// Says whether a query selects one expression; another is refused by the planner.
fn is_one_column(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => select.projection.len() == 1,
        _ => true,
    }
}

/// Says whether a NOT IN reads the query around it, which the engine does not know.
pub(super) fn is_correlated(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery { subquery, .. } if reads_around(subquery))
}

/// Says whether such a NOT IN can be written as NOT EXISTS: its value says whose column it
/// is, and no relation of the subquery has the same name.
pub(super) fn is_anti_join(expr: &Expr) -> bool {
    let Expr::InSubquery {
        expr: value,
        subquery,
        negated: true,
    } = expr
    else {
        return false;
    };
    let Expr::CompoundIdentifier(parts) = value.as_ref() else {
        return false;
    };
    let own = relations(subquery);
    let is_outer = parts.first().is_some_and(|it| !own.contains(&lower(it)));
    is_outer && parts.len() == 2 && plain(subquery).is_some_and(|it| item(it).is_some())
}

fn value(expr: &Expr) -> Option<Expr> {
    if is_correlated(expr) && is_anti_join(expr) {
        return not_exists(expr);
    }
    let (written, negated) = match expr {
        Expr::InSubquery {
            expr: value,
            subquery,
            negated,
        } => (template(IN, value.span(), Some(value), subquery)?, negated),
        Expr::Exists { subquery, negated } if reads_around(subquery) => {
            (counted(subquery)?, negated)
        }
        Expr::Exists { subquery, negated } => {
            (template(EXISTS, subquery.span(), None, subquery)?, negated)
        }
        _ => return None,
    };
    Some(match negated {
        true => Expr::Nested(Box::new(Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(written),
        })),
        false => written,
    })
}

/// `not exists (select 1 from … where … and (x = item) is not false)`.
fn not_exists(expr: &Expr) -> Option<Expr> {
    let Expr::InSubquery {
        expr: value,
        subquery,
        ..
    } = expr
    else {
        return None;
    };
    let wanted = item(plain(subquery)?)?;
    let equal = Expr::IsNotFalse(Box::new(Expr::Nested(Box::new(binary(
        value.as_ref().clone(),
        "=",
        wanted.clone(),
    )?))));
    let mut subquery = subquery.clone();
    let SetExpr::Select(select) = subquery.body.as_mut() else {
        return None;
    };
    select.selection = match select.selection.take() {
        Some(before) => Some(binary(Expr::Nested(Box::new(before)), "and", equal)?),
        None => Some(equal),
    };
    Some(Expr::Exists {
        subquery,
        negated: true,
    })
}

/// `((select count(*) from …) > 0)`.
fn counted(subquery: &Query) -> Option<Expr> {
    plain(subquery)?;
    let mut subquery = subquery.clone();
    let count = parsed("count(*)", subquery.span())?;
    if let SetExpr::Select(select) = subquery.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(count)];
    }
    let zero = parsed("0", subquery.span())?;
    let rows = Expr::Subquery(Box::new(subquery));
    Some(Expr::Nested(Box::new(binary(rows, ">", zero)?)))
}

fn binary(left: Expr, op: &str, right: Expr) -> Option<Expr> {
    let Expr::BinaryOp { op, .. } = parsed(&format!("1 {op} 1"), left.span())? else {
        return None;
    };
    Some(Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    })
}

/// Parses a text of ours, as if it were written at a place.
fn parsed(text: &str, at: Span) -> Option<Expr> {
    let dialect = GenericDialect {};
    let mut tokens = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .ok()?;
    tokens.iter_mut().for_each(|token| token.span = at);
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    parser.parse_expr().ok()
}

/// Parses a text of ours, and puts the value and the subquery into it.
fn template(text: &str, at: Span, value: Option<&Expr>, subquery: &Query) -> Option<Expr> {
    struct Filled<'a> {
        value: Option<&'a Expr>,
        subquery: &'a Query,
    }
    impl VisitorMut for Filled<'_> {
        type Break = ();

        fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            if let TableFactor::Derived { subquery, .. } = factor {
                **subquery = self.subquery.clone();
            }
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let (Expr::Identifier(name), Some(value)) = (&*expr, self.value)
                && name.value == VALUE
            {
                *expr = Expr::Nested(Box::new(value.clone()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut written = parsed(text, at)?;
    // The walk never stops early.
    let _ = walk_mut(&mut written, &mut Filled { value, subquery });
    Some(written)
}

/// Returns the SELECT of a query that is nothing but one: its rows are those of FROM that
/// satisfy WHERE.
fn plain(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(groups, _) => !groups.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let is_plain = query.with.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && !is_grouped
        && !select.from.is_empty()
        && !select.projection.iter().any(calls);
    is_plain.then_some(select)
}

/// Says whether an item calls a function, which may be an aggregate.
fn calls(item: &SelectItem) -> bool {
    struct Calls(bool);
    impl Visitor for Calls {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.0 |= matches!(expr, Expr::Function(_));
            ControlFlow::Continue(())
        }
    }
    let mut calls = Calls(false);
    // The walk never stops early.
    let _ = walk(item, &mut calls);
    calls.0
}

/// Returns the one expression that a SELECT selects.
fn item(select: &Select) -> Option<&Expr> {
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] => Some(expr),
        _ => None,
    }
}

/// Says whether a query names a relation that it does not read itself.
fn reads_around(query: &Query) -> bool {
    struct Columns(Vec<String>);
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(parts) = expr
                && let [.., relation, _] = parts.as_slice()
            {
                self.0.push(lower(relation));
            }
            ControlFlow::Continue(())
        }
    }
    let own = relations(query);
    let mut columns = Columns(Vec::new());
    // The walk never stops early.
    let _ = walk(query, &mut columns);
    columns.0.iter().any(|relation| !own.contains(relation))
}

/// Returns the names of the relations that a query reads.
fn relations(query: &Query) -> BTreeSet<String> {
    struct Relations(BTreeSet<String>);
    impl Visitor for Relations {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let (alias, name) = match factor {
                TableFactor::Table { alias, name, .. } => (alias, name.0.last()),
                TableFactor::Derived { alias, .. }
                | TableFactor::Function { alias, .. }
                | TableFactor::UNNEST { alias, .. }
                | TableFactor::NestedJoin { alias, .. } => (alias, None),
                _ => return ControlFlow::Continue(()),
            };
            let name = name.and_then(|name| name.as_ident());
            let named = alias.as_ref().map(|alias| &alias.name).or(name);
            self.0.extend(named.map(lower));
            ControlFlow::Continue(())
        }
    }
    let mut relations = Relations(BTreeSet::new());
    // The walk never stops early.
    let _ = walk(query, &mut relations);
    relations.0
}

fn lower(name: &Ident) -> String {
    name.value.to_lowercase()
}
