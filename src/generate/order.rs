//! The order of the rows that are written. In comes a plan; out comes the plan sorted.

use datafusion::{
    common::{Column, TableReference},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
};

use crate::pipeline::Pipeline;

/// Returns the plan with its rows in the order of all columns that have one.
pub(super) fn by_all_columns(plan: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
    let schema = plan.schema().clone();
    let columns = schema
        .iter()
        .filter(|(_, field)| !field.data_type().is_nested());
    let order = columns.map(|column| Expr::Column(Column::from(column)).sort(true, false));
    let order: Vec<_> = order.collect();
    match order.is_empty() {
        true => Ok(plan),
        false => LogicalPlanBuilder::from(plan).sort(order)?.build(),
    }
}

/// Returns the plan with the contract's columns, ordered as the manifest says; what
/// that leaves open, the grain decides.
pub(super) fn ordered(
    pipeline: &Pipeline,
    plan: LogicalPlan,
) -> datafusion::error::Result<LogicalPlan> {
    let relation = TableReference::bare(pipeline.output.clone());
    let column = |name: &str| Expr::Column(Column::new(Some(relation.clone()), name));
    let mut order: Vec<&String> = pipeline.order.iter().collect();
    order.extend(
        pipeline
            .grain
            .iter()
            .filter(|name| !pipeline.order.contains(name)),
    );
    let columns = pipeline.contract.names().map(column);
    let plan = LogicalPlanBuilder::from(plan)
        .alias(relation.clone())?
        .project(columns)?;
    if order.is_empty() {
        return plan.build();
    }
    plan.sort(order.into_iter().map(|name| column(name).sort(true, false)))?
        .build()
}
