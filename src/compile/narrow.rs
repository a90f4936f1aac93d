//! What a run's parameters leave out need not be there.
//!
//! `where $method = 'price'` is false for any other method: what only that branch reads
//! is then neither fetched nor computed. The optimiser finds it, over empty relations.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use datafusion::{
    common::{
        Result,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, LogicalPlan, Volatility},
};
use indexmap::IndexMap;

use super::compiler::{Compiled, Compiler};
use crate::{
    catalog::Empty,
    config::EngineConfig,
    engine::{Error, session},
    pipeline::{Bindings, Pipeline, Project, Relation, dag::Dag, resolve},
};

/// Returns the project in which the pipelines read only what these parameters leave
/// them. A pipeline that cannot be planned reads what it did: its run says why.
///
/// # Errors
///
/// Returns an error only when no session can be made.
pub async fn narrowed(
    project: &Project,
    pipelines: &[&Pipeline],
    bindings: &IndexMap<String, Bindings>,
    config: &EngineConfig,
) -> Result<Project, Error> {
    let pipelines = project.in_order(pipelines);
    if !pipelines.iter().any(|pipeline| chooses(pipeline)) {
        return Ok(project.clone());
    }
    let context = session(config)?;
    let compiler = Compiler::new(&Empty, &context, DateTime::UNIX_EPOCH);
    let mut narrowed = project.clone();
    for pipeline in pipelines.into_iter().filter(|pipeline| chooses(pipeline)) {
        let Some(bindings) = bindings.get(&pipeline.name) else {
            continue;
        };
        let compiled = compiler.for_run(project, pipeline, bindings).await?;
        if let Ok(Some(read)) = read(project, pipeline, &compiled) {
            let reads = &mut narrowed.pipelines[&pipeline.name].reads;
            let inputs = reads.inputs(&pipeline.output).into_iter().cloned();
            reads.left_out = inputs.filter(|input| !read.contains(input)).collect();
        }
    }
    Ok(narrowed)
}

/// Says whether a parameter has values to choose from.
fn chooses(pipeline: &Pipeline) -> bool {
    let mut params = pipeline.params.values();
    params.any(|param| !param.one_of.is_empty())
}

/// Returns what the optimised plans read, if all could be planned and none depends on
/// the time, which is not known yet.
fn read(
    project: &Project,
    pipeline: &Pipeline,
    compiled: &Compiled,
) -> Result<Option<BTreeSet<Relation>>> {
    let models = compiled.models.values().map(|model| &model.plan);
    for plan in models.chain(compiled.checks.values()) {
        if depends_on_time(plan)? {
            return Ok(None);
        }
    }
    if !compiled.findings.is_empty() {
        return Ok(None);
    }
    let scanned = |plan| scanned(project, pipeline, compiled, plan);
    let mut by_model = BTreeMap::new();
    for (name, model) in &compiled.models {
        if model.deferred.is_some() {
            by_model.insert(Relation::Model(name.clone()), scanned(&model.plan)?);
        }
    }
    let files = std::iter::once(&pipeline.output).chain(&pipeline.reads.also);
    let mut open: Vec<Relation> = files.cloned().map(Relation::Model).collect();
    for check in compiled.checks.values() {
        open.extend(scanned(check)?);
    }
    Ok(Some(reached(open, &by_model)))
}

/// Returns what a plan still reads once it is optimised.
fn scanned(
    project: &Project,
    pipeline: &Pipeline,
    compiled: &Compiled,
    plan: &LogicalPlan,
) -> Result<BTreeSet<Relation>> {
    let mut scanned = BTreeSet::new();
    let optimised = compiled.planner.optimised(plan)?;
    optimised.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            scanned.extend(resolve(project, pipeline, &scan.table_name));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scanned)
}

/// Returns all that is read from `open` on, models by what they read themselves.
fn reached(
    open: Vec<Relation>,
    by_model: &BTreeMap<Relation, BTreeSet<Relation>>,
) -> BTreeSet<Relation> {
    let reads = Dag::of(by_model);
    let below: BTreeSet<Relation> = reads.in_order(&open).into_iter().cloned().collect();
    open.into_iter().chain(below).collect()
}

/// Says whether a function of the plan gives something else another time: `now()`.
fn depends_on_time(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part {
                    found |= call.func.signature().volatility != Volatility::Immutable;
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}
