//! What tells the rows of relations apart, as far as it is declared: a dataset's key, and
//! the grain of a model or an output.
//!
//! With it the rows of `show` and `query` have an order, where the SQL gives none.

use datafusion::{
    common::Column,
    error::Result,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
    sql::sqlparser::ast::{Select, SelectItem, SetExpr},
};

use super::{
    limits,
    rows::{Keys, column},
};
use crate::{
    catalog::{Edition, Named},
    pipeline::{Name, SqlFile},
};

/// Returns the keys of relations by their names as they are written.
pub(crate) fn of(named: &[(&Name, Named<'_>)]) -> Keys {
    let keys = named.iter().filter_map(|(name, named)| {
        let key = key(*named)?;
        Some((name.reference.to_string(), key))
    });
    keys.collect()
}

fn key(named: Named<'_>) -> Option<Vec<String>> {
    match named {
        // A row of history is one of a day.
        Named::Dataset(_, Edition::History) => None,
        Named::Dataset(dataset, _) => Some(dataset.key.clone()),
        Named::Output(pipeline) | Named::Artifact(pipeline) => Some(pipeline.grain.clone()),
        Named::Model(pipeline, model) => {
            let grain = pipeline.models.get(model)?.grain()?;
            Some(grain.names().into_iter().map(str::to_owned).collect())
        }
        Named::Seed(..) | Named::Stored(_) | Named::Made(_) => None,
    }
}

/// Orders the rows of a SELECT that gives them no order by what tells them apart, as far
/// as its columns show it.
///
/// # Errors
///
/// Never, unless DataFusion cannot sort by a column.
pub(crate) fn in_key_order(
    plan: LogicalPlan,
    file: &SqlFile,
    named: &[(&Name, Named<'_>)],
) -> Result<LogicalPlan> {
    let Some(select) = file.query().and_then(|query| match query.body.as_ref() {
        SetExpr::Select(select) => {
            let is_free =
                query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
            is_free.then_some(select.as_ref())
        }
        _ => None,
    }) else {
        return Ok(plan);
    };
    let columns = shown(select, &plan, &of(named));
    if columns.is_empty() {
        return Ok(plan);
    }
    let order = columns
        .into_iter()
        .map(|column| Expr::Column(column).sort(true, false));
    LogicalPlanBuilder::from(plan).sort(order)?.build()
}

/// Returns the columns of the key that a SELECT shows, in the key's order.
fn shown(select: &Select, plan: &LogicalPlan, keys: &Keys) -> Vec<Column> {
    let Some(key) = limits::row_key(select, keys) else {
        return Vec::new();
    };
    let column = |name: &String| {
        let mut fields = plan
            .schema()
            .iter()
            .filter(|(_, field)| field.name() == name);
        let (qualifier, field) = fields.next()?;
        let is_one = fields.next().is_none();
        (is_one && !is_computed(select, name))
            .then(|| Column::new(qualifier.cloned(), field.name()))
    };
    key.iter().filter_map(column).collect()
}

/// Says whether a SELECT gives the name of a column to something else.
fn is_computed(select: &Select, name: &str) -> bool {
    select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            alias.value.eq_ignore_ascii_case(name) && column(expr).as_deref() != Some(name)
        }
        _ => false,
    })
}
