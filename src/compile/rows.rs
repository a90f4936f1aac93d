//! What the tree of a query shows of its rows: whether they have an order, whether there
//! is one row only, which columns they have.

use std::{collections::BTreeMap, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{
    self, Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor, Visitor,
};

use crate::pipeline::walk;

/// The columns that tell the rows of relations apart, by the relations' names.
pub(crate) type Keys = BTreeMap<String, Vec<String>>;

/// Aggregates by which a SELECT is seen to be one row.
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "median",
    "array_agg",
    "string_agg",
    "arg_min",
    "arg_max",
    "bool_and",
    "bool_or",
];

/// Says whether a query's rows have an order: its own, or that of the one query that it
/// passes on.
pub(super) fn is_ordered(query: &Query) -> bool {
    if query.order_by.is_some() {
        return true;
    }
    match query.body.as_ref() {
        SetExpr::Query(query) => is_ordered(query),
        SetExpr::Select(select) => match select.from.as_slice() {
            [only] if only.joins.is_empty() && passes_on(select) => match &only.relation {
                TableFactor::Derived { subquery, .. } => is_ordered(subquery),
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// Says whether a SELECT keeps the rows that it reads, one by one.
pub(super) fn passes_on(select: &ast::Select) -> bool {
    let grouped = match &select.group_by {
        ast::GroupByExpr::Expressions(columns, _) => !columns.is_empty(),
        ast::GroupByExpr::All(_) => true,
    };
    !grouped && select.distinct.is_none() && select.having.is_none()
}

/// `unnest` makes several rows of one.
pub(super) fn unnests(select: &Select) -> bool {
    let mut items = select.projection.iter();
    items.any(|item| item.to_string().to_lowercase().contains("unnest("))
}

/// Says whether a SELECT makes one row: it aggregates everything, or reads nothing.
pub(super) fn is_one_row(select: &Select) -> bool {
    let groups = match &select.group_by {
        GroupByExpr::Expressions(groups, _) => groups.is_empty(),
        GroupByExpr::All(_) => false,
    };
    if !groups {
        return false;
    }
    let mut items = select.projection.iter();
    let text = |item: &SelectItem| item.to_string().to_lowercase();
    select.from.is_empty() && !items.clone().any(|item| text(item).contains("unnest("))
        || items.any(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                aggregates(expr)
            }
            _ => false,
        })
}

/// Says whether an expression holds an aggregate of SQL's own.
fn aggregates(expr: &Expr) -> bool {
    let mut calls = Aggregates(false);
    // Stops at a subquery, whose aggregates are its own.
    let _ = walk(expr, &mut calls);
    calls.0
}

/// Whether there is an aggregate.
struct Aggregates(bool);

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expr {
            let name = call.name.to_string().to_ascii_lowercase();
            self.0 |= AGGREGATES.contains(&name.as_str()) && call.over.is_none();
        }
        ControlFlow::Continue(())
    }
}

/// Returns the name of a column, without its relation's.
pub(super) fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.to_lowercase()),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}
