//! What a run's parameters leave out need not be there.
//!
//! `where $method = 'price'` is false for any other method: what only that branch reads
//! is then neither fetched nor computed. The optimiser finds it, over empty relations.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::DateTime;
use datafusion::{
    common::{
        Result,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, LogicalPlan, Volatility},
    prelude::SessionContext,
};
use indexmap::IndexMap;

use super::workspace::{self, Workspace};
use crate::{
    catalog::tables,
    config::EngineConfig,
    engine::{Error, session},
    pipeline::{Bindings, Pipeline, Project, Relation, SourceFile, sql::resolve},
};

/// Returns the project in which the pipelines read only what these parameters leave
/// them. A pipeline that cannot be planned reads what it did: its run tells why.
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
    let failed = |error| Error::run("the datasets", error);
    workspace::register_no_rows(&context, project).map_err(failed)?;
    let mut narrowed = project.clone();
    for pipeline in pipelines.into_iter().filter(|pipeline| chooses(pipeline)) {
        let planned = Planned {
            context: &context,
            project,
            pipeline,
        };
        let Some(bindings) = bindings.get(&pipeline.name) else {
            continue;
        };
        if let Some(read) = planned.read(bindings).await {
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

/// A pipeline whose parameters may choose what it reads.
struct Planned<'a> {
    context: &'a SessionContext,
    project: &'a Project,
    pipeline: &'a Pipeline,
}

impl Planned<'_> {
    /// Returns what the optimised plans read, if all can be planned.
    async fn read(&self, bindings: &Bindings) -> Option<BTreeSet<Relation>> {
        let (workspace, reads) = (self.workspace().ok()?, &self.pipeline.reads);
        let mut by_model = BTreeMap::new();
        for model in reads.needed_models(&self.pipeline.output) {
            let plan = timeless(&workspace, &self.pipeline.models[model], bindings).await?;
            if self.is_planned_alone(model) {
                by_model.insert(model, self.scanned(&workspace, &plan).ok()?);
                let schema = Arc::new(plan.schema().as_arrow().clone());
                workspace.register(model, tables::empty(schema)).ok()?;
            } else {
                workspace.register_view(model, plan).ok()?;
            }
        }
        let mut open: Vec<Relation> = self.delivered().collect();
        for rule in self.pipeline.rules.values() {
            let plan = timeless(&workspace, rule, bindings).await?;
            open.extend(self.scanned(&workspace, &plan).ok()?);
        }
        Some(reached(open, &by_model))
    }

    /// Returns the models that become files.
    fn delivered(&self) -> impl Iterator<Item = Relation> {
        let also = self.pipeline.reads.also.iter();
        let models = std::iter::once(&self.pipeline.output).chain(also);
        models.cloned().map(Relation::Model)
    }

    fn is_planned_alone(&self, model: &str) -> bool {
        let output = &self.pipeline.output;
        model == output || self.pipeline.reads.is_written(model, output)
    }

    /// Opens the pipeline's schema with no row in it.
    fn workspace(&self) -> Result<Workspace> {
        let name = self.pipeline.relation();
        let workspace = Workspace::new(self.context, &name, DateTime::UNIX_EPOCH, Vec::new())?;
        for relation in self.pipeline.reads.inputs(&self.pipeline.output) {
            workspace.register_empty(self.project, self.pipeline, relation)?;
        }
        Ok(workspace)
    }

    /// Returns what the plan still reads once it is optimised.
    fn scanned(&self, workspace: &Workspace, plan: &LogicalPlan) -> Result<BTreeSet<Relation>> {
        let mut scanned = BTreeSet::new();
        workspace.optimised(plan)?.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                scanned.extend(resolve(self.project, self.pipeline, &scan.table_name));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(scanned)
    }
}

/// Returns all that is read from `open` on, models by what they read themselves.
fn reached(
    mut open: Vec<Relation>,
    by_model: &BTreeMap<&str, BTreeSet<Relation>>,
) -> BTreeSet<Relation> {
    let mut reached = BTreeSet::new();
    while let Some(relation) = open.pop() {
        if let Relation::Model(model) = &relation
            && !reached.contains(&relation)
        {
            open.extend(by_model.get(model.as_str()).into_iter().flatten().cloned());
        }
        reached.insert(relation);
    }
    reached
}

/// Plans a file that does not hang on the time, which is not known yet.
async fn timeless(
    workspace: &Workspace,
    file: &SourceFile,
    bindings: &Bindings,
) -> Option<LogicalPlan> {
    let plan = workspace.plan(file, bindings).await.ok()?;
    (!hangs_on_time(&plan).ok()?).then_some(plan)
}

/// Says whether a function of the plan gives something else another time: `now()`.
fn hangs_on_time(plan: &LogicalPlan) -> Result<bool> {
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
