//! The headings of a query of the moment: a column without a name is called as it is
//! written, `count(*)`, and not as the engine calls it; two columns of one name are told
//! apart by their relations, `a.id` and `b.id`.
//!
//! In comes a tree; out comes the same with names for the columns that have none. Models
//! name their columns themselves.

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr};

/// Names the columns of a query's result.
pub(super) fn named(query: &mut Query) {
    of_body(&mut query.body);
}

fn of_body(body: &mut SetExpr) {
    match body {
        // With DISTINCT, ORDER BY must repeat what is selected as it is.
        SetExpr::Select(select) if select.distinct.is_none() => {
            let written = select.projection.iter().filter_map(column);
            let written: Vec<String> = written.collect();
            for item in &mut select.projection {
                let own = column(item);
                let same = written
                    .iter()
                    .filter(|it| Some(*it) == own.as_ref())
                    .count();
                of_item(item, same > 1);
            }
        }
        SetExpr::Query(query) => of_body(&mut query.body),
        SetExpr::SetOperation { left, .. } => of_body(left),
        _ => {}
    }
}

/// Returns the name of a column that is selected as it is.
fn column(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            parts.last().map(|part| part.value.to_lowercase())
        }
        _ => None,
    }
}

/// Names a column; one of a relation by that as well, where another has its name.
fn of_item(item: &mut SelectItem, is_repeated: bool) {
    let SelectItem::UnnamedExpr(expr) = item else {
        return;
    };
    match expr {
        Expr::Identifier(_) => return,
        Expr::CompoundIdentifier(_) if !is_repeated => return,
        _ => {}
    }
    let alias = Ident::with_quote('"', expr.to_string());
    *item = SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias,
    };
}
