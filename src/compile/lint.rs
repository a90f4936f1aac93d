//! What SQL may do and should not: results that hang on chance.

use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    error::Result,
    logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, expr::AggregateFunction},
};

use crate::{
    diagnostics::{Code, Finding},
    pipeline::{SourceFile, graph::word},
};

/// Functions whose value is another one each time.
const CHANCE: &[&str] = &["random", "uuid"];

/// Finds what would make two runs over one snapshot differ, in a file's own plan.
pub(crate) fn lint(plan: &LogicalPlan, file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if matches!(plan, LogicalPlan::Sort(sort) if sort.fetch.is_none()) {
        findings.push(useless_order(file));
    }
    // The walk itself cannot fail: its steps never do.
    let walked = plan.apply_with_subqueries(|node| {
        look(node, file, &mut findings)?;
        Ok(TreeNodeRecursion::Continue)
    });
    if let Err(error) = walked {
        findings.push(super::diagnose::finding(&error, file, &[]));
    }
    let mut seen = std::collections::BTreeSet::new();
    findings.retain(|finding| seen.insert(finding.message.clone()));
    findings
}

fn look(node: &LogicalPlan, file: &SourceFile, findings: &mut Vec<Finding>) -> Result<()> {
    match node {
        LogicalPlan::Limit(limit) if !is_ordered(&limit.input) => findings.push(loose_limit(file)),
        LogicalPlan::Aggregate(aggregate) => aggregates(aggregate, file, findings)?,
        _ => {}
    }
    node.apply_expressions(|expr| {
        expr.apply(|expr| {
            if let Expr::ScalarFunction(call) = expr
                && CHANCE.contains(&call.name())
            {
                findings.push(chance(file, call.name()));
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}

fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_ordered(&alias.input),
        _ => false,
    }
}

fn aggregates(aggregate: &Aggregate, file: &SourceFile, findings: &mut Vec<Finding>) -> Result<()> {
    for expr in &aggregate.aggr_expr {
        expr.apply(|expr| {
            if let Expr::AggregateFunction(call) = expr {
                findings.extend(loose_aggregate(call, aggregate, file)?);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(())
}

fn loose_aggregate(
    call: &AggregateFunction,
    aggregate: &Aggregate,
    file: &SourceFile,
) -> Result<Option<Finding>> {
    let name = call.func.name();
    if name == "array_agg" && call.params.order_by.is_empty() {
        let what = "array_agg without an order gives another list each time";
        let finding = Finding::new(Code::UnorderedArray, what);
        return Ok(Some(
            finding
                .at(file.place(word(&file.text, name)), "in no order")
                .help("write `array_agg(x order by x)`"),
        ));
    }
    let Some(argument) = call.params.args.first() else {
        return Ok(None);
    };
    let adds = matches!(name, "sum" | "avg");
    if !adds || !argument.get_type(aggregate.input.schema())?.is_floating() {
        return Ok(None);
    }
    let what = format!("{name} over a double hangs on the order of the rows");
    let finding = Finding::new(Code::InexactSum, what);
    Ok(Some(
        finding
            .at(file.place(word(&file.text, name)), "not exact")
            .help("cast to a decimal first, or sum integers"),
    ))
}

fn useless_order(file: &SourceFile) -> Finding {
    Finding::new(
        Code::UselessOrder,
        "a model has no order: what reads it sees any",
    )
    .at(file.place(word(&file.text, "order by")), "has no effect")
    .help("`order` in the manifest orders the rows that are written")
}

fn loose_limit(file: &SourceFile) -> Finding {
    Finding::new(
        Code::UnorderedLimit,
        "a limit without an order takes other rows each time",
    )
    .at(file.place(word(&file.text, "limit")), "of which rows?")
    .help("add `order by` with a key of the rows before it")
}

fn chance(file: &SourceFile, name: &str) -> Finding {
    Finding::new(
        Code::NonDeterministic,
        format!("{name}() gives another value each time"),
    )
    .at(file.place(word(&file.text, name)), "not allowed here")
    .help("the same snapshot must give the same artifact: derive the value from the rows")
}
