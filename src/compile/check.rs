//! Everything that can be known without data.
//!
//! Each model is planned once, down to what would run, over empty relations of the
//! declared columns. One session serves the whole project.

use std::{collections::BTreeSet, num::NonZeroUsize, panic::resume_unwind, path::PathBuf, thread};

use chrono::DateTime;
use datafusion::common::{DFSchema, Dependency};
use indexmap::IndexMap;

use super::{
    compiler::{Compiled, Compiler},
    targets::{self, Tables},
};
use crate::{
    catalog::Empty,
    config::EngineConfig,
    database::Table,
    diagnostics::{Finding, Severity},
    engine::{Error, Result, session},
    pipeline::{Bindings, Pipeline, Project},
};

/// What a check of the project found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// What is wrong or probably not meant, in the order of the pipelines.
    pub findings: Vec<Finding>,
    /// What the contracts promise, and whether it is proved.
    pub promises: Vec<Promise>,
    /// How many SQL files were planned.
    pub planned: usize,
}

/// Something a contract promises of an output's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// What: `product_id not null`, `one row per product_id`.
    pub what: String,
    /// Whether the plan proves it; if not, the rows are checked before the commit.
    pub proved: bool,
}

impl Checked {
    /// Adds what one pipeline's check found. What is wrong with a shared model is found in
    /// each pipeline that reads it, and reported once.
    fn add(&mut self, more: Checked) {
        for finding in more.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self.promises.extend(more.promises);
    }

    /// Says whether nothing found keeps the project from running.
    pub fn is_sound(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.all(|finding| finding.severity == Severity::Warning)
    }
}

/// Checks the pipelines' SQL; `database` is the tables of `db`, for the updates.
///
/// # Errors
///
/// Returns an error only when no session can be made: what is wrong with the
/// project is in [`Checked::findings`].
pub async fn check(
    project: &Project,
    pipelines: &[&Pipeline],
    bindings: &IndexMap<String, Bindings>,
    database: &[Table],
) -> Result<Checked> {
    let context = session(&EngineConfig::default())?;
    let compiler = Compiler::new(&Empty, &context, DateTime::UNIX_EPOCH);
    let tables = Tables::of(project, database);
    let one = |place: usize| {
        let pipeline = pipelines[place];
        let bindings = bindings.get(&pipeline.name).cloned();
        let bindings = bindings.unwrap_or_else(|| Bindings::defaults(pipeline));
        Box::pin(check_one(compiler, (project, pipeline), bindings, &tables))
    };
    let mut checked = Checked::default();
    let mut files = BTreeSet::new();
    for one in side_by_side(pipelines.len(), one) {
        let (one, planned) = one?;
        checked.add(one);
        files.extend(planned);
    }
    checked.planned = files.len();
    Ok(checked)
}

/// Awaits something of each number below `count`, on all processors; returns what
/// came, by number. Planning waits for nobody, so it would otherwise be on one of them.
fn side_by_side<F: Future<Output: Send>>(
    count: usize,
    work: impl Fn(usize) -> F + Sync,
) -> Vec<F::Output> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let runtime = tokio::runtime::Handle::current();
    let every = |first: usize| {
        let mine = (first..count).step_by(threads);
        mine.map(|number| runtime.block_on(work(number)))
            .collect::<Vec<_>>()
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let every = &every;
        let all: Vec<_> = (0..threads.min(count))
            .map(|first| scope.spawn(move || every(first)))
            .collect();
        let all = all.into_iter().map(|one| match one.join() {
            Ok(done) => done.into_iter(),
            Err(panic) => resume_unwind(panic),
        });
        all.collect()
    });
    (0..count)
        .filter_map(|number| done[number % threads].next())
        .collect()
}

async fn check_one<'a>(
    compiler: Compiler<'a>,
    (project, pipeline): (&'a Project, &'a Pipeline),
    bindings: Bindings,
    tables: &'a Tables,
) -> Result<(Checked, BTreeSet<PathBuf>)> {
    let compiled = compiler.for_check(project, pipeline, &bindings).await?;
    let mut checked = Checked {
        promises: promises(pipeline, &compiled),
        findings: compiled.findings,
        planned: 0,
    };
    let mut planned = compiled.planned;
    for step in &pipeline.update {
        let file = pipeline.updates.get(&step.table);
        planned.extend(file.map(|file| file.path.clone()));
        match compiler.step(pipeline, step, &tables.known).await {
            Ok((_, plan)) => {
                let made = plan.schema().as_arrow();
                let found = targets::findings(tables, pipeline, step, made);
                checked.findings.extend(found);
            }
            Err(Error::Invalid(findings)) => checked.findings.extend(findings.0),
            Err(error) => return Err(error),
        }
    }
    Ok((checked, planned))
}

/// Returns what the contract promises of the output's rows, if it could be planned.
fn promises(pipeline: &Pipeline, compiled: &Compiled) -> Vec<Promise> {
    let Some(output) = compiled.models.get(&pipeline.output) else {
        return Vec::new();
    };
    let schema = output.plan.schema();
    let promise = |what: String, proved: bool| Promise {
        pipeline: pipeline.name.clone(),
        what,
        proved,
    };
    let columns = pipeline.contract.columns.iter();
    let filled = columns
        .filter(|column| !column.nullable)
        .filter_map(|column| {
            let (_, field) = schema.as_arrow().column_with_name(&column.name)?;
            Some(promise(
                format!("{} not null", column.name),
                !field.is_nullable(),
            ))
        });
    let mut promises: Vec<Promise> = filled.collect();
    if !pipeline.grain.is_empty() {
        let what = format!("one row per {}", pipeline.grain.join(", "));
        promises.push(promise(what, is_unique(schema, &pipeline.grain)));
    }
    promises
}

/// Says whether the plan proves one row per value of these columns: it groups by some
/// of them and nothing else.
fn is_unique(schema: &DFSchema, columns: &[String]) -> bool {
    let index = |name: &String| schema.index_of_column_by_name(None, name);
    let Some(columns) = columns.iter().map(index).collect::<Option<Vec<usize>>>() else {
        return false;
    };
    schema.functional_dependencies().iter().any(|dependency| {
        dependency.mode == Dependency::Single
            && dependency
                .source_indices
                .iter()
                .all(|column| columns.contains(column))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use datafusion::{
        common::tree_node::{TreeNode, TreeNodeRecursion},
        logical_expr::{Expr, ExprSchemable, LogicalPlan},
    };

    use super::*;
    use crate::functions;

    /// Returns each arg_min and arg_max of a plan, and whether it compares integers.
    fn extremes(plan: &LogicalPlan) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        let walked = plan.apply_with_subqueries(|node| {
            let inputs = node.inputs();
            let mut visit = |expr: &Expr| {
                let Expr::AggregateFunction(call) = expr else {
                    return Ok(TreeNodeRecursion::Continue);
                };
                if matches!(call.func.name(), "arg_min" | "arg_max") {
                    let schema = inputs[0].schema();
                    let types = call.params.args.iter().map(|given| given.get_type(schema));
                    let types = types.collect::<datafusion::common::Result<Vec<_>>>()?;
                    let types: Vec<_> = types.iter().collect();
                    found.push((expr.to_string(), functions::is_fast(&types)));
                }
                Ok(TreeNodeRecursion::Continue)
            };
            node.apply_expressions(|expr| expr.apply(&mut visit))
        });
        walked.unwrap();
        found
    }

    /// Plans every model that is shipped, and returns its extremes with its name.
    async fn of_project(root: &Path) -> Vec<(String, String, bool)> {
        let project = Project::load(root).unwrap();
        let context = session(&EngineConfig::default()).unwrap();
        let compiler = Compiler::new(&Empty, &context, DateTime::UNIX_EPOCH);
        let mut found = Vec::new();
        for pipeline in project.pipelines.values() {
            let bindings = Bindings::defaults(pipeline);
            let compiled = compiler
                .for_check(&project, pipeline, &bindings)
                .await
                .unwrap();
            assert_eq!(
                compiled.models.len(),
                pipeline.models.len(),
                "all are sound"
            );
            for (name, model) in &compiled.models {
                let extremes = extremes(&model.plan).into_iter();
                found.extend(extremes.map(|(expr, fast)| (name.clone(), expr, fast)));
            }
        }
        found
    }

    #[tokio::test]
    async fn no_shipped_query_compares_encoded_rows() {
        let found = of_project(Path::new(env!("CARGO_MANIFEST_DIR"))).await;
        assert!(!found.is_empty(), "bargains has some");
        for (model, expr, is_fast) in found {
            assert!(is_fast, "{model}: {expr}");
        }
    }

    #[tokio::test]
    async fn a_slow_query_would_be_seen() {
        let context = session(&EngineConfig::default()).unwrap();
        let sql = "select arg_min(name, id) from (values (1, 'a')) as t (id, name)";
        let plan = context.sql(sql).await.unwrap();
        let found = extremes(plan.logical_plan());
        assert_eq!(found.len(), 1);
        assert!(!found[0].1, "{}", found[0].0);
    }
}
