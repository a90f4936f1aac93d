//! LIMIT and OFFSET: which rows they take, and whether that is known.

use datafusion::sql::sqlparser::{
    ast::{
        Distinct, Expr, GroupByExpr, LimitClause, OrderByKind, Query, Select, SelectItem, SetExpr,
        Spanned, TableFactor, Value,
    },
    tokenizer::Span,
};

use super::{
    derived,
    rows::{self, Keys, column, is_ordered},
    ties,
};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::SqlFile,
};

/// Finds a limit that may take other rows each time.
pub(super) fn findings(query: &Query, file: &SqlFile, keys: &Keys) -> Option<Finding> {
    let limit = limit(query)?;
    let is_offset = matches!(
        &query.limit_clause,
        Some(LimitClause::LimitOffset { limit: None, .. })
    );
    let keyword = if is_offset { "offset" } else { "limit" };
    if takes_nothing(query) || is_one_row(query) {
        return None;
    }
    let at = file.keywords_before(limit, &[keyword]);
    let at = file.place(at.unwrap_or_else(|| file.bytes(limit)));
    let upper = keyword.to_uppercase();
    if !is_ordered(query) {
        let what = format!("{upper} without ORDER BY may take different rows each time");
        let finding = Finding::new(Code::UnorderedLimit, what).at(at, "takes any rows");
        return Some(finding.help("add an `order by` on a unique key before it"));
    }
    let lacking = lacking(query, keys)?;
    let what = format!("{upper} after an ORDER BY with ties may take different rows each time");
    let finding = Finding::new(Code::UnorderedLimit, what).at(at, "takes any of equal rows");
    Some(finding.help(format!("add `{}` to the `order by`", lacking.join(", "))))
}

/// Returns the place of a query's limit, if it has one.
fn limit(query: &Query) -> Option<Span> {
    if let Some(fetch) = &query.fetch {
        return fetch.quantity.as_ref().map(Spanned::span);
    }
    match query.limit_clause.as_ref()? {
        LimitClause::LimitOffset { limit, offset, .. } => {
            let offset = offset.as_ref().map(|offset| offset.value.span());
            limit.as_ref().map(Spanned::span).or(offset)
        }
        LimitClause::OffsetCommaLimit { limit, .. } => Some(limit.span()),
    }
}

/// `limit 0` is a relation's columns.
fn takes_nothing(query: &Query) -> bool {
    let Some(LimitClause::LimitOffset {
        limit: Some(Expr::Value(value)),
        ..
    }) = &query.limit_clause
    else {
        return false;
    };
    matches!(&value.value, Value::Number(number, _) if number == "0")
}

/// An aggregate of everything is one row, whatever its limit.
fn is_one_row(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => rows::is_one_row(select),
        _ => false,
    }
}

/// Returns the columns that an order lacks to tell all rows apart, as far as is known.
fn lacking(query: &Query, keys: &Keys) -> Option<Vec<String>> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let OrderByKind::Expressions(order) = &query.order_by.as_ref()?.kind else {
        return None;
    };
    let by = order.iter().map(|it| ties::meant(&it.expr, select));
    let rows = derived::rows_of(select, keys);
    let lacking = rows.lacking(&by.collect::<Vec<_>>())?;
    (!lacking.is_empty()).then_some(lacking)
}

/// Returns the columns that tell the rows of a SELECT apart, if they are known.
pub(super) fn row_key(select: &Select, keys: &Keys) -> Option<Vec<String>> {
    if let GroupByExpr::Expressions(groups, modifiers) = &select.group_by
        && !groups.is_empty()
    {
        let names = groups.iter().map(|group| ordered_by(group, select).pop());
        return names
            .collect::<Option<_>>()
            .filter(|_| modifiers.is_empty());
    }
    let [from] = select.from.as_slice() else {
        return None;
    };
    match (&select.distinct, &select.group_by, &from.relation) {
        (Some(Distinct::Distinct), GroupByExpr::Expressions(..), _) => {
            let items = select.projection.iter().map(|item| match item {
                SelectItem::UnnamedExpr(expr) => column(expr),
                SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
                _ => None,
            });
            items.collect()
        }
        (
            None | Some(Distinct::All),
            GroupByExpr::Expressions(..),
            TableFactor::Table {
                name, args: None, ..
            },
        ) if from.joins.is_empty() && !rows::unnests(select) => {
            keys.get(&name.to_string().to_lowercase()).cloned()
        }
        _ => None,
    }
}

/// Returns the columns whose values an expression of ORDER BY or GROUP BY decides: itself,
/// what its name is given to, or the column of its number.
fn ordered_by(expr: &Expr, select: &Select) -> Vec<String> {
    let number: Option<usize> = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let named = column(expr);
    let item = select
        .projection
        .iter()
        .enumerate()
        .find(|(place, item)| match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                number == Some(place + 1) || named.as_ref() == Some(&alias.value.to_lowercase())
            }
            SelectItem::UnnamedExpr(_) => number == Some(place + 1),
            _ => false,
        });
    let (alias, meant) = match item {
        Some((_, SelectItem::ExprWithAlias { alias, expr })) => {
            (Some(alias.value.to_lowercase()), column(expr))
        }
        Some((_, SelectItem::UnnamedExpr(expr))) => (None, column(expr)),
        _ => (None, None),
    };
    let names = [alias, meant, named].into_iter().flatten();
    names.collect()
}
