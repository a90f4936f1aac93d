//! The keys of relations that a query makes itself: its CTEs and its subqueries in FROM.
//!
//! In comes a query with the keys of what it reads; out come the columns of its result
//! that tell its rows apart, where they are seen.

use std::ops::ControlFlow;

use crate::pipeline::walk;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier,
    Visitor, WildcardAdditionalOptions,
};

use super::{
    rows::{self, Keys, column},
    ties::{self, Known, Source, same},
};

/// Returns the keys with those of the CTEs of a query, and of the queries in it. A name that
/// means two things has none.
pub(super) fn with_ctes(query: &Query, keys: &Keys) -> Keys {
    struct Ctes(Keys);
    impl Visitor for Ctes {
        type Break = ();

        fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let Some(with) = &query.with else {
                return ControlFlow::Continue(());
            };
            for cte in &with.cte_tables {
                let name = cte.alias.name.value.to_lowercase();
                let renamed = !cte.alias.columns.is_empty() || with.recursive;
                let key = key(&cte.query, &self.0).filter(|_| !renamed);
                let known = self.0.remove(&name);
                if let Some(key) = key.filter(|key| known.is_none_or(|known| known == *key)) {
                    self.0.insert(name, key);
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut ctes = Ctes(keys.clone());
    // The walk never stops early.
    let _ = walk(query, &mut ctes);
    ctes.0
}

/// Returns the columns of a query's result that tell its rows apart.
pub(super) fn key(query: &Query, keys: &Keys) -> Option<Vec<String>> {
    of_body(&query.body, keys)
}

fn of_body(body: &SetExpr, keys: &Keys) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => of_select(select, keys),
        SetExpr::Query(query) => key(query, keys),
        SetExpr::SetOperation {
            left,
            op: SetOperator::Union,
            set_quantifier: SetQuantifier::None | SetQuantifier::Distinct,
            ..
        } => names(left),
        SetExpr::SetOperation {
            left,
            op: SetOperator::Intersect | SetOperator::Except,
            ..
        } => of_body(left, keys).or_else(|| names(left)),
        _ => None,
    }
}

fn of_select(select: &Select, keys: &Keys) -> Option<Vec<String>> {
    if rows::unnests(select) {
        return None;
    }
    let source = rows_of(select, keys);
    if let Some(groups) = source.groups() {
        let named = groups.iter().map(|group| shown(group, select, &source));
        return named.collect();
    }
    let open = source.lacking(&[]).and_then(|_| source.open(&[]))?;
    let named = open.into_iter().map(|(relation, name)| {
        let written = match &relation {
            Some(relation) => compound(relation, &name),
            None => Expr::Identifier(name.as_str().into()),
        };
        shown(&written, select, &source)
    });
    named.collect()
}

/// Returns the rows of a SELECT, those of DISTINCT as groups.
pub(super) fn rows_of(select: &Select, keys: &Keys) -> Source {
    let groups = match &select.distinct {
        Some(Distinct::On(on)) => on.iter().map(|it| ties::meant(it, select)).collect(),
        Some(Distinct::Distinct) => projected(select).unwrap_or_default(),
        None | Some(Distinct::All) => grouped_by(select),
    };
    of_groups(select, groups, keys)
}

/// Returns the rows that a SELECT's windows read, and that DISTINCT chooses from.
pub(super) fn before_distinct(select: &Select, keys: &Keys) -> Source {
    of_groups(select, grouped_by(select), keys)
}

fn of_groups(select: &Select, groups: Vec<Expr>, keys: &Keys) -> Source {
    let known = Known {
        keys,
        of_query: key,
    };
    Source::of(select, groups, known)
}

/// Returns what a SELECT groups by, with what its numbers and names mean.
pub(super) fn grouped_by(select: &Select) -> Vec<Expr> {
    match &select.group_by {
        GroupByExpr::Expressions(groups, _) => {
            groups.iter().map(|it| ties::meant(it, select)).collect()
        }
        GroupByExpr::All(_) => Vec::new(),
    }
}

/// Returns the expressions of a SELECT's list, if none is a star.
fn projected(select: &Select) -> Option<Vec<Expr>> {
    let items = select.projection.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.clone())
        }
        _ => None,
    });
    items.collect()
}

/// Returns the name under which a SELECT shows an expression, or a column equal to it.
fn shown(wanted: &Expr, select: &Select, source: &Source) -> Option<String> {
    let (relation, name) = parts(wanted);
    let is = |expr: &Expr| {
        let equal = name.as_ref().map(|name| (relation.clone(), name.clone()));
        same(expr, wanted) || equal.is_some_and(|equal| source.equals(expr, &equal))
    };
    select.projection.iter().find_map(|item| match item {
        SelectItem::UnnamedExpr(expr) if is(expr) => column(expr),
        SelectItem::ExprWithAlias { expr, alias } if is(expr) => Some(alias.value.to_lowercase()),
        SelectItem::Wildcard(options) if is_plain(options) => name.clone(),
        SelectItem::QualifiedWildcard(of, options) if is_plain(options) => {
            let of = of.to_string().to_lowercase();
            let is_of = relation.as_ref().is_none_or(|relation| of == *relation);
            name.clone().filter(|_| is_of)
        }
        _ => None,
    })
}

fn parts(expr: &Expr) -> (Option<String>, Option<String>) {
    let relation = match expr {
        Expr::CompoundIdentifier(parts) => {
            let at = parts.len().checked_sub(2);
            at.map(|at| parts[at].value.to_lowercase())
        }
        _ => None,
    };
    (relation, column(expr))
}

fn compound(relation: &str, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![relation.into(), name.into()])
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_exclude.is_none() && options.opt_except.is_none() && options.opt_replace.is_none()
}

/// Returns the names of the columns of a body, if they are written.
fn names(body: &SetExpr) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => {
            let items = select.projection.iter().map(|item| match item {
                SelectItem::UnnamedExpr(expr) => column(expr),
                SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
                _ => None,
            });
            items.collect()
        }
        SetExpr::Query(query) => names(&query.body),
        SetExpr::SetOperation { left, .. } => names(left),
        _ => None,
    }
}
