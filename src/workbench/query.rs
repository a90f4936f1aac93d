//! Ad-hoc SQL: `query` over every relation there is, and `show` of one.
//!
//! A bare name is a pipeline's output, else a dataset, else the one model or seed
//! of that name; `export.<dataset>` and `<pipeline>.<model>` are always exact.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::datatypes::SchemaRef,
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    logical_expr::{LogicalPlan, LogicalPlanBuilder},
};
use indexmap::IndexMap;

use super::argument::{QUERY, error_in_arguments, in_arguments, select_all};
use crate::{
    catalog::{Edition, Given, GivenFiles, Layers, Named, Snapshots},
    compile::{self, Compiler, Failed, Keys, Meaning, Planner, Question, Scope},
    config::EngineConfig,
    diagnostics::Finding,
    engine::{Cost, Error, Result, cost::Meter, session},
    pipeline::{Bindings, Name, Pipeline, Project, Relation, SourceFile, SqlFile},
    snapshot::Snapshot,
    text::without_mark,
};

/// Where SQL of the moment runs.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The project's pipelines and datasets.
    pub project: &'a Project,
    /// The parameters, by pipeline; one that lacks has its defaults.
    pub bindings: &'a IndexMap<String, Bindings>,
    /// Where the datasets are; not needed if files replace all that are read.
    pub snapshot: Option<&'a Snapshot>,
    /// Where those of `previous` are; without it they are empty.
    pub previous: Option<&'a Snapshot>,
    /// Where those of `history` are, the newest first.
    pub history: &'a [Snapshot],
    /// Files in place of datasets, before the snapshot's.
    pub given: &'a [Given],
    /// What now() is where there is no snapshot, whose time it is otherwise.
    pub now: DateTime<Utc>,
    /// Memory, threads and temp space.
    pub config: &'a EngineConfig,
}

impl Query<'_> {
    fn at(&self) -> DateTime<Utc> {
        self.snapshot
            .map_or(self.now, |snapshot| snapshot.manifest.fetched_at)
    }

    /// Refuses to take a dataset that was not fetched for one that is empty.
    fn require(&self, needs: &Needs) -> Result<()> {
        let mut lacking = needs.datasets.iter().filter(|(name, _)| !self.has(name));
        match lacking.next() {
            None => Ok(()),
            Some((dataset, reader)) => Err(Error::NotFetched {
                dataset: dataset.clone(),
                pipeline: reader.clone(),
            }),
        }
    }

    fn has(&self, dataset: &str) -> bool {
        let fetched = |snapshot: &Snapshot| snapshot.manifest.datasets.contains_key(dataset);
        self.given.iter().any(|given| given.dataset == dataset)
            || self.snapshot.is_some_and(fetched)
    }
}

/// The rows of a query as they come.
pub struct Rows {
    /// Their columns.
    pub schema: SchemaRef,
    /// The rows; dropping the stream stops the query.
    pub stream: SendableRecordBatchStream,
    /// What the SQL probably does not mean; the rows come all the same.
    pub doubts: Vec<Finding>,
    meter: Meter,
    origin: Origin,
}

/// What the rows are computed from, to say which of them fails.
struct Origin {
    planner: Planner,
    plan: LogicalPlan,
    /// The query's own SQL, and that of the models it reads.
    files: Vec<SqlFile>,
    keys: Keys,
}

impl Rows {
    /// Returns what the query has cost so far: all, once the stream has ended.
    pub fn cost(&self) -> Cost {
        self.meter.read()
    }

    /// Returns the error of a stream with its place and the row that it comes from.
    pub async fn failed(&self, error: DataFusionError) -> Error {
        Box::pin(self.origin.failed(error)).await
    }
}

impl Origin {
    async fn failed(&self, error: DataFusionError) -> Error {
        let failed = Failed {
            planner: &self.planner,
            plan: &self.plan,
            files: self.files.iter().collect(),
            keys: &self.keys,
        };
        failed.run_error("the query", error).await
    }
}

/// Returns the files whose SQL is in a query's plan: its own, and those of the models below
/// what it names.
fn files_of(file: &SqlFile, named: &[(&Name, Named<'_>)]) -> Vec<SqlFile> {
    let below = named.iter().flat_map(|(_, named)| {
        let (pipeline, model) = match *named {
            Named::Model(pipeline, model) => (pipeline, model),
            Named::Output(pipeline) => (pipeline, pipeline.output.as_str()),
            _ => return Vec::new(),
        };
        let models = pipeline.reads.models_below(model).into_iter();
        let files = models.filter_map(|model| pipeline.models.get(model));
        files.cloned().collect::<Vec<_>>()
    });
    std::iter::once(file.clone()).chain(below).collect()
}

/// Returns the rows of a SELECT, at most `limit` of them, in its own order, or that of what
/// tells the rows apart.
///
/// # Errors
///
/// Finds what is wrong with the SQL, or with the models that it needs.
pub async fn query(job: Query<'_>, sql: &str, limit: Option<usize>) -> Result<Rows> {
    let file = parsed(sql);
    let context = session(job.config)?;
    let snapshots = Snapshots {
        current: job.snapshot,
        previous: job.previous,
        history: job.history,
    };
    let given = GivenFiles(job.given);
    let layers = Layers(vec![&given, &snapshots]);
    let compiler = Compiler::new(&layers, &context, job.at());
    let scope = Scope::Project(job.project);
    let named = compiler.named(scope, &file)?;
    job.require(&Needs::of_named(job.project, &named))?;
    let question = Box::pin(compiler.question(scope, &file, job.bindings));
    let Question {
        planner,
        plan,
        doubts,
    } = question.await?;
    let failed = |error| compile::of_query(error, &file);
    let plan = compile::in_key_order(plan, &file, &named).map_err(failed)?;
    let plan = match limit {
        Some(_) => LogicalPlanBuilder::from(plan)
            .limit(0, limit)
            .and_then(|plan| plan.build()),
        None => Ok(plan),
    };
    let plan = plan.map_err(failed)?;
    let origin = Origin {
        files: files_of(&file, &named),
        keys: compile::keys_of(&named),
        planner,
        plan,
    };
    let running = match origin.planner.start(&origin.plan).await {
        Ok(running) => running,
        Err(error) => return Err(unstarted(error, &origin, &file).await),
    };
    Ok(Rows {
        schema: running.stream.schema(),
        stream: running.stream,
        doubts,
        meter: running.meter,
        origin,
    })
}

/// Refuses SQL that reads what cannot run, before a snapshot is looked for.
pub(super) fn require_sound(project: &Project, sql: &str) -> Result<()> {
    let (file, scope) = (parsed(sql), Scope::Project(project));
    let names = file.names().iter();
    let broken = names.filter_map(|name| match scope.meaning(&name.reference) {
        Meaning::Broken(broken) => Some(broken),
        Meaning::One(_) | Meaning::Ambiguous(..) | Meaning::Unknown => None,
    });
    let broken: Vec<_> = broken.collect();
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(project.faults_of(&broken))),
    }
}

/// Returns why a query does not start: its SQL, or a value that the planner computed.
async fn unstarted(error: DataFusionError, origin: &Origin, file: &SqlFile) -> Error {
    match compile::is_of_sql(&error) {
        true => compile::of_query(error, file),
        false => Box::pin(origin.failed(error)).await,
    }
}

/// Returns the relations that SQL of the moment names, in its order; none where it cannot be
/// parsed.
pub fn relations(sql: &str) -> Vec<String> {
    let file = parsed(sql);
    let mut names: Vec<_> = file.names().iter().collect();
    names.sort_by_key(|name| name.span.start);
    let names = names.into_iter();
    names.map(|name| name.reference.to_string()).collect()
}

/// Returns SQL of the moment, parsed.
pub(super) fn parsed(sql: &str) -> SqlFile {
    let file = SourceFile {
        path: QUERY.into(),
        text: without_mark(sql).into(),
    };
    SqlFile::question(file)
}

/// Returns the rows of a relation, `prices`, `bargains.extremes` or `store-groups`,
/// for which `filter` holds, at most `limit` of them.
///
/// # Errors
///
/// As [`query()`]; the findings are in the relation's name and in the filter.
pub async fn show(
    job: Query<'_>,
    relation: &str,
    filter: Option<&str>,
    limit: Option<usize>,
) -> Result<Rows> {
    let rows = query(job, &select_all(relation, filter), limit).await;
    let mut rows = rows.map_err(|error| error_in_arguments(error, relation, filter))?;
    in_arguments(&mut rows.doubts, relation, filter);
    Ok(rows)
}

/// What SQL of the moment reads: itself, and through the models that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The pipelines whose models it reads, by name.
    pub pipelines: BTreeSet<String>,
    /// The datasets that are required, each with what reads it.
    pub datasets: BTreeMap<String, String>,
    /// Those that count as empty where they are not.
    pub optional: BTreeSet<String>,
    /// The datasets of `previous`.
    pub previous: BTreeSet<String>,
    /// The datasets of `history`.
    pub history: BTreeSet<String>,
}

impl Needs {
    /// Returns what the SQL needs; nothing for what cannot be parsed or means nothing,
    /// which [`query`] finds.
    pub fn of(project: &Project, sql: &str) -> Needs {
        let (file, scope) = (parsed(sql), Scope::Project(project));
        let names = file.names().iter();
        let named = names.filter_map(|name| match scope.meaning(&name.reference) {
            Meaning::One(named) => Some((name, named)),
            Meaning::Ambiguous(..) | Meaning::Broken(_) | Meaning::Unknown => None,
        });
        Needs::of_named(project, &named.collect::<Vec<_>>())
    }

    fn of_named(project: &Project, named: &[(&Name, Named<'_>)]) -> Needs {
        let mut needs = Needs::default();
        for (_, named) in named {
            match named {
                Named::Dataset(dataset, edition) => {
                    needs.dataset(&dataset.name, *edition, None);
                }
                Named::Model(pipeline, model) => needs.model(project, pipeline, model),
                Named::Output(pipeline) => needs.model(project, pipeline, &pipeline.output),
                Named::Seed(..) | Named::Artifact(_) | Named::Stored(_) | Named::Made(_) => {}
            }
        }
        let required = &needs.datasets;
        needs.optional.retain(|name| !required.contains_key(name));
        needs
    }

    fn model(&mut self, project: &Project, pipeline: &Pipeline, model: &str) {
        // Shared models are no pipeline's own, and have no parameters.
        if project.pipelines.contains_key(&pipeline.name) {
            self.pipelines.insert(pipeline.name.clone());
        }
        for below in pipeline.reads.models_below(model) {
            for relation in pipeline.reads.models.get(below).into_iter().flatten() {
                match relation {
                    Relation::Dataset(name) => {
                        self.dataset(name, Edition::Current, Some(pipeline));
                    }
                    Relation::Previous(name) => {
                        self.dataset(name, Edition::Previous, Some(pipeline));
                    }
                    Relation::History(name) => {
                        self.dataset(name, Edition::History, Some(pipeline));
                    }
                    Relation::Output(name) => {
                        if let Some(above) = project.pipelines.get(name) {
                            self.model(project, above, &above.output);
                        }
                    }
                    Relation::Model(_) | Relation::Seed(_) => {}
                }
            }
        }
    }

    fn dataset(&mut self, name: &str, edition: Edition, reader: Option<&Pipeline>) {
        let optional = reader.is_some_and(|reader| reader.optional.iter().any(|o| o == name));
        let reader = reader.map_or("the query", |reader| &reader.name);
        let name = name.to_owned();
        match edition {
            Edition::Previous => drop(self.previous.insert(name)),
            Edition::History => drop(self.history.insert(name)),
            Edition::Current if optional => drop(self.optional.insert(name)),
            Edition::Current => {
                self.datasets
                    .entry(name)
                    .or_insert_with(|| reader.to_owned());
            }
        }
    }
}
