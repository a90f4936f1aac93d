//! Everything that can be known without data.
//!
//! Each model is planned once, down to what would run, over empty relations of the
//! declared columns. One session serves the whole project.

use std::{collections::BTreeSet, num::NonZeroUsize, panic::resume_unwind, thread};

use chrono::DateTime;
use datafusion::{
    common::{DFSchema, Dependency},
    logical_expr::LogicalPlan,
    prelude::SessionContext,
};
use indexmap::IndexMap;

use super::{
    contract, lint,
    targets::{self, Tables},
    workspace::{self, Workspace},
};
use crate::{
    catalog::tables,
    config::EngineConfig,
    database::Table,
    diagnostics::{Code, Finding, Severity},
    engine::{Error, Result, session},
    pipeline::{Bindings, Pipeline, Project, Relation, SourceFile, read_seed},
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
    /// The pipeline.
    pub pipeline: String,
    /// What: `product_id not null`, `one row per product_id`.
    pub what: String,
    /// Whether the plan proves it; if not, the rows are checked before the commit.
    pub proved: bool,
}

impl Checked {
    fn add(&mut self, more: Checked) {
        self.findings.extend(more.findings);
        self.promises.extend(more.promises);
        self.planned += more.planned;
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
    let failed = |error| Error::run("the project", error);
    workspace::register_no_rows(&context, project).map_err(failed)?;
    let db = workspace::schema_of(&context, "db").map_err(failed)?;
    let tables = Tables::of(project, database);
    for table in &tables.known {
        let empty = tables::empty(table.contract.arrow());
        db.register_table(table.name.clone(), empty)
            .map_err(failed)?;
    }
    let one = |place: usize| {
        let pipeline = pipelines[place];
        let bindings = bindings.get(&pipeline.name).cloned();
        let one = One {
            project,
            pipeline,
            tables: &tables,
            bindings: bindings.unwrap_or_else(|| Bindings::defaults(pipeline)),
            checked: Checked::default(),
        };
        Box::pin(one.check(&context))
    };
    let mut checked = Checked::default();
    for one in side_by_side(pipelines.len(), one) {
        checked.add(one?);
    }
    Ok(checked)
}

/// Awaits something of each number below `count`, on all processors; returns what
/// came, by number. Planning waits for nobody, so it would else be on one of them.
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

/// The check of one pipeline.
struct One<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    tables: &'a Tables,
    bindings: Bindings,
    checked: Checked,
}

impl One<'_> {
    async fn check(mut self, context: &SessionContext) -> Result<Checked> {
        let workspace = self.workspace(context)?;
        let broken = self.models(&workspace).await?;
        for (name, file) in &self.pipeline.rules {
            let reads = self.pipeline.reads.rules.get(name);
            if !reads_any(reads, &broken) {
                self.plan(&workspace, file).await;
            }
        }
        self.updates(context).await?;
        Ok(self.checked)
    }

    /// Opens the pipeline's schema with an empty relation for all that it may read.
    fn workspace(&mut self, context: &SessionContext) -> Result<Workspace> {
        let failed = |error| Error::run(&self.pipeline.name, error);
        let relations = workspace::relations(self.project, self.pipeline);
        let relation = self.pipeline.relation();
        let workspace = Workspace::new(context, &relation, DateTime::UNIX_EPOCH, relations);
        let workspace = workspace.map_err(failed)?;
        for dataset in self.project.datasets.values() {
            let table = tables::empty(dataset.contract.arrow());
            workspace.register(&dataset.name, table).map_err(failed)?;
        }
        for other in self.project.pipelines.values() {
            if other.name != self.pipeline.name {
                let table = tables::empty(other.contract.arrow());
                workspace
                    .register(&other.relation(), table)
                    .map_err(failed)?;
            }
        }
        for (name, file) in &self.pipeline.seeds {
            match read_seed(file) {
                Ok(batch) => {
                    let table = tables::empty(batch.schema());
                    workspace.register(name, table).map_err(failed)?;
                }
                Err(finding) => self.checked.findings.push(*finding),
            }
        }
        Ok(workspace)
    }

    /// Plans the models in order and returns those that could not be; what reads one
    /// of these is left out, since its faults would be echoes.
    async fn models(&mut self, workspace: &Workspace) -> Result<BTreeSet<String>> {
        let pipeline = self.pipeline;
        let mut broken = BTreeSet::new();
        for name in pipeline.reads.all_models() {
            let echoes = reads_any(pipeline.reads.models.get(name), &broken);
            let plan = match echoes {
                true => None,
                false => self.plan(workspace, &pipeline.models[name]).await,
            };
            let Some(plan) = plan else {
                broken.insert(name.to_owned());
                continue;
            };
            if name == pipeline.output {
                let found = contract::compare(pipeline, plan.schema().as_arrow());
                self.checked.findings.extend(found);
                self.promises(plan.schema());
            }
            let table = tables::empty(std::sync::Arc::new(plan.schema().as_arrow().clone()));
            let registered = workspace.register(name, table);
            registered.map_err(|error| Error::run(&pipeline.name, error))?;
        }
        Ok(broken)
    }

    /// Plans a file down to what would run, and records what is wrong with it.
    async fn plan(&mut self, workspace: &Workspace, file: &SourceFile) -> Option<LogicalPlan> {
        self.checked.planned += 1;
        let plan = match workspace.plan(file, &self.bindings).await {
            Ok(plan) => plan,
            Err(mut findings) => {
                findings
                    .iter_mut()
                    .for_each(|finding| self.private(finding));
                self.checked.findings.extend(findings);
                return None;
            }
        };
        self.checked.findings.extend(lint::lint(&plan, file));
        match workspace.physical(&plan).await {
            Ok(_) => Some(plan),
            Err(error) => {
                self.checked.findings.push(workspace.finding(&error, file));
                None
            }
        }
    }

    /// Says of an unknown relation that it is another pipeline's own model.
    fn private(&self, finding: &mut Finding) {
        if finding.code != Code::UnknownRelation {
            return;
        }
        let Some(place) = finding.place() else {
            return;
        };
        let written = place.text.get(place.span.clone()).unwrap_or_default();
        let name = written.rsplit('.').next().unwrap_or_default();
        let owner = self
            .project
            .pipelines
            .values()
            .find(|p| p.models.contains_key(name));
        if let Some(owner) = owner.filter(|owner| owner.name != self.pipeline.name) {
            finding.help = vec![format!(
                "`{name}` is a model of {}, and models are private: read its output `{}`",
                owner.name,
                owner.relation()
            )];
        }
    }

    fn promises(&mut self, schema: &DFSchema) {
        let pipeline = self.pipeline;
        let promise = |what: String, proved: bool| Promise {
            pipeline: pipeline.name.clone(),
            what,
            proved,
        };
        for column in pipeline
            .contract
            .columns
            .iter()
            .filter(|column| !column.nullable)
        {
            if let Some((_, field)) = schema.as_arrow().column_with_name(&column.name) {
                let what = format!("{} not null", column.name);
                self.checked
                    .promises
                    .push(promise(what, !field.is_nullable()));
            }
        }
        if !pipeline.grain.is_empty() {
            let what = format!("one row per {}", pipeline.grain.join(", "));
            let proved = is_unique(schema, &pipeline.grain);
            self.checked.promises.push(promise(what, proved));
        }
    }

    /// Checks what each step of the update gives its table: what its SQL makes of
    /// `artifact` and `db`, or the artifact itself.
    async fn updates(&mut self, context: &SessionContext) -> Result<()> {
        let pipeline = self.pipeline;
        let mut relations = vec!["artifact".to_owned()];
        let tables = self.tables.known.iter();
        relations.extend(tables.map(|table| format!("db.{}", table.name)));
        let failed = |error| Error::run(&pipeline.name, error);
        let schema = format!("update of {}", pipeline.name);
        let workspace = Workspace::new(context, &schema, DateTime::UNIX_EPOCH, relations);
        let workspace = workspace.map_err(failed)?;
        let artifact = tables::empty(pipeline.contract.arrow());
        workspace.register("artifact", artifact).map_err(failed)?;
        for step in &pipeline.update {
            let made = match pipeline.updates.get(&step.table) {
                None => Some(pipeline.contract.arrow()),
                Some(file) => {
                    let plan = self.plan(&workspace, file).await;
                    plan.map(|plan| std::sync::Arc::new(plan.schema().as_arrow().clone()))
                }
            };
            if let Some(made) = made {
                let found = targets::findings(self.tables, pipeline, step, &made);
                self.checked.findings.extend(found);
            }
        }
        Ok(())
    }
}

fn reads_any(relations: Option<&Vec<Relation>>, models: &BTreeSet<String>) -> bool {
    let mut relations = relations.into_iter().flatten();
    relations.any(|relation| matches!(relation, Relation::Model(name) if models.contains(name)))
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
        logical_expr::{Expr, ExprSchemable},
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

    /// Plans every model that is shipped, and returns its extremes with its file.
    async fn of_project(root: &Path) -> Vec<(String, String, bool)> {
        let project = Project::load(root).unwrap();
        let context = session(&EngineConfig::default()).unwrap();
        workspace::register_no_rows(&context, &project).unwrap();
        let mut found = Vec::new();
        for pipeline in project.pipelines.values() {
            let mut one = One {
                project: &project,
                pipeline,
                tables: &Tables::of(&project, &[]),
                bindings: Bindings::defaults(pipeline),
                checked: Checked::default(),
            };
            let workspace = one.workspace(&context).unwrap();
            for name in pipeline.reads.all_models() {
                let file = &pipeline.models[name];
                let plan = one.plan(&workspace, file).await.expect("a sound model");
                let extremes = extremes(&plan).into_iter();
                found.extend(extremes.map(|(expr, fast)| (name.to_owned(), expr, fast)));
                let made = std::sync::Arc::new(plan.schema().as_arrow().clone());
                workspace.register(name, tables::empty(made)).unwrap();
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
