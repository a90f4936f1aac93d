//! Runs pipelines over one snapshot: models → output → checks → the artifact's file.
//!
//! Pipelines run one after another, each after those it reads; an output is
//! computed once and read by the others as it was written. One failure leaves the
//! pipelines that do not read it alone. Each model, check and file is an event as soon as
//! it is known. Nothing is committed here.

mod intermediate;
mod located;
mod picture;
pub mod run;
mod verify;
mod write;

pub use run::{Request, run};
pub use verify::{CheckResult, SHOWN};

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::{
    catalog::TableProvider,
    common::{Column, TableReference},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
    prelude::SessionContext,
};
use indexmap::IndexMap;

use self::{intermediate::Intermediate, located::Part, verify::Against};
use crate::{
    artifact::id::Sha256,
    catalog::{Layers, Named, Relations, Snapshots, tables},
    clock::Stopwatch,
    compile::{Compiled, Compiler, Model, delivered},
    config::EngineConfig,
    embedding::{Embedded, Embedding},
    engine::{Cost, Error, Result, session},
    events::{Event, Events},
    functions,
    pipeline::{Bindings, OutputFile, Pipeline, Project},
    snapshot::Snapshot,
};

/// What to generate, from what, and where.
#[derive(Debug)]
pub struct Generate<'a> {
    /// The project's pipelines and datasets.
    pub project: &'a Project,
    /// The pipelines asked for; those they read are computed as well.
    pub pipelines: &'a [&'a Pipeline],
    /// The parameters, by pipeline, from [`Project::bind`]; one that lacks has its defaults.
    pub bindings: &'a IndexMap<String, Bindings>,
    /// Where the datasets are.
    pub snapshot: &'a Snapshot,
    /// Where those of `previous` are; without it they are empty.
    pub previous: Option<&'a Snapshot>,
    /// Where those of `history` are, the newest first.
    pub history: &'a [Snapshot],
    /// The rows of each pipeline's last committed artifact, for the check `change`.
    pub previous_rows: IndexMap<String, u64>,
    /// Memory, threads and temp space.
    pub config: &'a EngineConfig,
    /// An empty folder for intermediates and the artifacts' files.
    pub work: &'a Path,
    /// The clock, for the check `age`.
    pub now: DateTime<Utc>,
    /// Who watches: the tasks, models, checks and files, as they come.
    pub events: &'a Events,
}

/// One pipeline and what became of it.
#[derive(Debug)]
pub struct Generated {
    /// The pipeline's name.
    pub pipeline: String,
    /// Whether it was asked for, and not only read by one that was.
    pub selected: bool,
    /// What was computed, in order, whatever came after.
    pub steps: Vec<Step>,
    /// What was embedded for it.
    pub embedded: Embedded,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a pipeline.
#[derive(Debug)]
pub enum Outcome {
    /// The artifact's file is there and may be committed.
    Done(Box<Output>),
    /// A check with severity `error` failed.
    Refused(Vec<CheckResult>),
    /// Its SQL is invalid or failed; the error names file and model.
    Failed(Error),
    /// A pipeline that it reads has no output.
    Skipped {
        /// That pipeline.
        because: String,
    },
}

/// An artifact's file before its commit.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file, in the work folder.
    pub file: PathBuf,
    /// Its name, such as `bargains.json`.
    pub name: String,
    /// The hash of its bytes, in hex.
    pub sha256: Sha256,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Every check, the warnings among them.
    pub checks: Vec<CheckResult>,
    /// The hash of manifest, SQL and seeds, in hex.
    pub sql_sha256: String,
    /// The parameters, as text.
    pub params: IndexMap<String, String>,
    /// The model that texts were embedded with, if the SQL embeds any.
    pub embedding: Option<String>,
    /// How long it took to write the file from the output's rows.
    pub written_in: Duration,
    /// The files beside it, in the order of the manifest.
    pub also: Vec<Also>,
    /// The typed rows, as the next pipeline reads them.
    pub parquet: PathBuf,
}

/// A file beside an artifact's, in the same folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Also {
    /// Its name, such as `map.svg`.
    pub name: String,
    /// The hash of its bytes, in hex.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub bytes: u64,
}

/// One model that was computed and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The model's name, without the pipeline's.
    pub model: String,
    /// The models that its plan computes along with it, as only it reads them, in the
    /// order of the pipeline.
    pub inlined: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// What it took, its inlined models included.
    pub cost: Cost,
}

/// Generates every pipeline asked for, and those they read, in the order that they
/// ran.
///
/// # Errors
///
/// Returns an error only when nothing could start; what becomes of a pipeline is its
/// [`Outcome`].
pub async fn generate(job: Generate<'_>) -> Result<Vec<Generated>> {
    let mut run = Run::new(job)?;
    let mut all = Vec::new();
    for pipeline in run.order() {
        all.push(run.one(pipeline).await);
    }
    Ok(all)
}

/// Pipelines over one snapshot, one after another.
struct Run<'a> {
    job: Generate<'a>,
    context: SessionContext,
    embedding: Arc<Embedding>,
    /// The outputs that passed their checks, by pipeline.
    outputs: IndexMap<String, Intermediate>,
}

impl<'a> Run<'a> {
    fn new(job: Generate<'a>) -> Result<Run<'a>> {
        let context = session(job.config)?;
        Ok(Run {
            job,
            embedding: Embedding::of(&context.copied_config()),
            context,
            outputs: IndexMap::new(),
        })
    }

    /// Returns the pipelines asked for and those they read, each after those it reads.
    fn order(&self) -> Vec<&'a Pipeline> {
        self.job.project.in_order(self.job.pipelines)
    }

    /// Says whether a pipeline was asked for, and not only read by one that was.
    fn is_selected(&self, pipeline: &Pipeline) -> bool {
        let mut wanted = self.job.pipelines.iter();
        wanted.any(|wanted| wanted.name == pipeline.name)
    }

    /// Computes a pipeline after those it reads.
    async fn one(&mut self, pipeline: &Pipeline) -> Generated {
        let mut steps = Vec::new();
        let before = self.embedding.embedded();
        let outcome = self.outcome(pipeline, &mut steps).await;
        let embedded = self.embedding.embedded().since(before);
        self.emit_embedded(pipeline, embedded);
        Generated {
            pipeline: pipeline.name.clone(),
            selected: self.is_selected(pipeline),
            steps,
            embedded,
            outcome,
        }
    }

    fn emit_embedded(&self, pipeline: &Pipeline, embedded: Embedded) {
        if embedded.texts > 0 {
            self.job.events.emit(Event::TextsEmbedded {
                pipeline: pipeline.name.clone(),
                embedded: embedded.into(),
            });
        }
    }

    async fn outcome(&mut self, pipeline: &Pipeline, steps: &mut Vec<Step>) -> Outcome {
        let upstream = self.job.project.upstream(pipeline);
        let lacking = upstream
            .iter()
            .find(|above| !self.outputs.contains_key(&above.name));
        if let Some(above) = lacking {
            return Outcome::Skipped {
                because: above.name.clone(),
            };
        }
        self.job.events.begin(&pipeline.name, None, "rows");
        let outcome = match Box::pin(self.pipeline(pipeline, steps)).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(error),
        };
        self.job.events.end(&pipeline.name, &outcome.summary());
        outcome
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, steps: &mut Vec<Step>) -> Result<Outcome> {
        self.require_datasets(pipeline)?;
        let folder = self.job.work.join(&pipeline.name);
        let bindings = self.bindings(pipeline);
        let mut made = PipelineRun {
            compiled: self.compiled(pipeline, &bindings).await?,
            run: self,
            pipeline,
            bindings,
            folder: folder.clone(),
            embeds: false,
            steps,
            also: IndexMap::new(),
            tables: IndexMap::new(),
        };
        let output = made.output().await?;
        let checks = made.checks(&output).await?;
        if checks.iter().any(CheckResult::refuses) {
            return Ok(Outcome::Refused(checks));
        }
        let what = format!("{} of {}", pipeline.file.name, pipeline.name);
        let started = Stopwatch::start();
        let written = write::write(&output, &pipeline.file, &folder, &what).await?;
        let written_in = started.elapsed();
        made.run.job.events.emit(Event::OutputWritten {
            pipeline: pipeline.name.clone(),
            file: pipeline.file.name.clone(),
            bytes: written.bytes,
            seconds: written_in.as_secs_f64(),
        });
        let done = Output {
            file: written.path,
            name: pipeline.file.name.clone(),
            sha256: written.sha256,
            rows: output.rows,
            bytes: written.bytes,
            checks,
            also: made.write_also().await?,
            sql_sha256: pipeline.sql_sha256(),
            params: made.bindings.texts(),
            embedding: made.embedding().await?,
            written_in,
            parquet: output.path.clone(),
        };
        self.outputs.insert(pipeline.name.clone(), output);
        Ok(Outcome::Done(Box::new(done)))
    }

    /// Refuses to take a dataset that was not fetched for one that is empty.
    fn require_datasets(&self, pipeline: &Pipeline) -> Result<()> {
        let has = |name: &str| self.job.snapshot.manifest.datasets.contains_key(name);
        let optional = |name: &str| pipeline.optional.iter().any(|other| other == name);
        match pipeline
            .datasets()
            .into_iter()
            .find(|name| !has(name) && !optional(name))
        {
            None => Ok(()),
            Some(name) => Err(Error::NotFetched {
                dataset: name.to_owned(),
                pipeline: pipeline.name.clone(),
            }),
        }
    }

    fn bindings(&self, pipeline: &Pipeline) -> Bindings {
        let given = self.job.bindings.get(&pipeline.name);
        given
            .cloned()
            .unwrap_or_else(|| Bindings::defaults(pipeline))
    }

    /// Plans all that the pipeline's run needs, before any of it runs.
    async fn compiled(&self, pipeline: &Pipeline, bindings: &Bindings) -> Result<Compiled> {
        let job = &self.job;
        let snapshots = Snapshots {
            current: Some(job.snapshot),
            previous: job.previous,
            history: job.history,
        };
        let outputs = Outputs(&self.outputs);
        let layers = Layers(vec![&outputs, &snapshots]);
        let at = job.snapshot.manifest.fetched_at;
        let compiler = Compiler::new(&layers, &self.context, at);
        let mut compiled = compiler.for_run(job.project, pipeline, bindings).await?;
        match std::mem::take(&mut compiled.findings) {
            findings if findings.is_empty() => Ok(compiled),
            findings => Err(Error::invalid(findings)),
        }
    }
}

/// The outputs of pipelines, as they were written.
#[derive(Debug)]
struct Outputs<'a>(&'a IndexMap<String, Intermediate>);

#[async_trait]
impl Relations for Outputs<'_> {
    async fn table(
        &self,
        _: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Named::Output(pipeline) = named else {
            return Ok(None);
        };
        let Some(output) = self.0.get(&pipeline.name) else {
            return Ok(None);
        };
        let table = tables::parquet(&output.path, output.schema.clone(), &pipeline.order);
        let what = format!("the output of {}", pipeline.name);
        table.map(Some).map_err(|error| Error::run(&what, error))
    }
}

/// A pipeline as it is being made.
struct PipelineRun<'r, 'a> {
    run: &'r Run<'a>,
    pipeline: &'r Pipeline,
    bindings: Bindings,
    compiled: Compiled,
    folder: PathBuf,
    /// Whether a model of it embeds texts.
    embeds: bool,
    steps: &'r mut Vec<Step>,
    /// The models that are files beside the output's, by name.
    also: IndexMap<String, Intermediate>,
    /// The models that are computed, by name.
    tables: IndexMap<String, Arc<dyn TableProvider>>,
}

impl PipelineRun<'_, '_> {
    /// Makes the models that are needed, then the output's ordered rows.
    async fn output(&mut self) -> Result<Intermediate> {
        let pipeline = self.pipeline;
        let mut output = None;
        let models = std::mem::take(&mut self.compiled.models);
        for (name, model) in &models {
            let embeds = functions::embeds(&model.plan);
            self.embeds |= embeds.map_err(|error| Error::run(&self.what(name), error))?;
            if name == &pipeline.output {
                output = Some(self.deliver(model).await?);
            } else if model.deferred.is_some() {
                self.compute_once(name, model).await?;
            }
        }
        output.ok_or_else(|| Error::NoOutput {
            pipeline: pipeline.name.clone(),
            model: pipeline.output.clone(),
        })
    }

    /// Returns the name of the model that texts were embedded with, if any were.
    async fn embedding(&self) -> Result<Option<String>> {
        if !self.embeds {
            return Ok(None);
        }
        let model = self.run.embedding.model().await;
        let model = model.map_err(|error| Error::run("the embedding's model", error))?;
        Ok(Some(model.name().to_owned()))
    }

    /// Writes a model that more than one reads, so that it is computed once.
    async fn compute_once(&mut self, name: &str, model: &Model) -> Result<()> {
        if !self.pipeline.reads.also.iter().any(|also| also == name) {
            self.write(name, model, &model.plan, &[]).await?;
            return Ok(());
        }
        let what = self.what(name);
        let ordered = by_all_columns(model.plan.clone());
        let ordered = ordered.map_err(|error| Error::run(&what, error))?;
        let written = self.write(name, model, &ordered, &[]).await?;
        self.also.insert(name.to_owned(), written);
        Ok(())
    }

    /// Writes the files beside the output's.
    async fn write_also(&self) -> Result<Vec<Also>> {
        let mut all = Vec::new();
        for (file, model) in &self.pipeline.also {
            let what = format!("{} of {}", file.name, self.pipeline.name);
            let rows = self.also.get(model).ok_or_else(|| Error::NoOutput {
                pipeline: self.pipeline.name.clone(),
                model: model.clone(),
            })?;
            let written = write::write(rows, file, &self.folder, &what).await?;
            all.push(Also {
                name: file.name.clone(),
                sha256: written.sha256,
                bytes: written.bytes,
            });
        }
        Ok(all)
    }

    /// Writes the output in the contract's types and the manifest's order.
    async fn deliver(&mut self, model: &Model) -> Result<Intermediate> {
        let pipeline = self.pipeline;
        let what = self.what(&pipeline.output);
        let ordered = ordered(pipeline, model.plan.clone());
        let ordered = ordered.map_err(|error| Error::run(&what, error))?;
        self.write(&pipeline.output, model, &ordered, &pipeline.order)
            .await
    }

    /// Computes a model and gives its rows to those that read it.
    async fn write(
        &mut self,
        name: &str,
        model: &Model,
        plan: &LogicalPlan,
        order: &[String],
    ) -> Result<Intermediate> {
        let what = self.what(name);
        let failed = |error| Error::run(&what, error);
        let pipeline = self.pipeline;
        let schema = delivered(pipeline, name, &model.plan);
        let running = match self.compiled.planner.start(plan).await.map_err(failed) {
            Ok(running) => running,
            Err(error) => {
                let part = Part::model(pipeline, name, plan);
                return Err(Box::pin(part.located(&self.compiled, error)).await);
            }
        };
        let path = self.folder.join(format!("{name}.model.parquet"));
        let task = &self.pipeline.name;
        let progress = |rows| self.run.job.events.at(task, rows, None);
        let written = intermediate::write(running.stream, schema, path, &what, progress).await;
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                let part = Part::model(pipeline, name, plan);
                return Err(Box::pin(part.located(&self.compiled, error)).await);
            }
        };
        let reads = &self.pipeline.reads;
        let inlined = reads.inlined(name, &self.pipeline.output).into_iter();
        let inlined = inlined.map(str::to_owned).collect();
        let step = Step {
            model: name.to_owned(),
            inlined,
            rows: written.rows,
            cost: running.meter.read(),
        };
        self.run.job.events.emit(Event::ModelComputed {
            pipeline: self.pipeline.name.clone(),
            model: step.clone().into(),
        });
        self.steps.push(step);
        let table = tables::parquet(&written.path, written.schema.clone(), order);
        let table = table.map_err(failed)?;
        if let Some(deferred) = &model.deferred {
            deferred.fill(Arc::clone(&table));
        }
        self.tables.insert(name.to_owned(), table);
        Ok(written)
    }

    async fn checks(&self, output: &Intermediate) -> Result<Vec<CheckResult>> {
        let pipeline = self.pipeline;
        let job = &self.run.job;
        let against = Against {
            previous_rows: job.previous_rows.get(&pipeline.name).copied(),
            empty_inputs: self.empty_inputs(),
            snapshot_at: job.snapshot.manifest.fetched_at,
            now: job.now,
        };
        let planner = &self.compiled.planner;
        let table = &self.tables[&pipeline.output];
        let mut results = verify::contract(planner, pipeline, output, table).await?;
        results.extend(one_text(&pipeline.file, output));
        for (file, model) in &pipeline.also {
            let rows = self.also.get(model);
            results.extend(rows.and_then(|rows| one_text(file, rows)));
        }
        results.extend(verify::numbers(pipeline, output.rows, &against));
        results.iter().for_each(|result| self.emit_checked(result));
        for (name, plan) in &self.compiled.checks {
            let result = match verify::rule(planner, pipeline, name, plan).await {
                Ok(result) => result,
                Err(error) => {
                    let part = Part::check(pipeline, name, plan);
                    return Err(Box::pin(part.located(&self.compiled, error)).await);
                }
            };
            self.emit_checked(&result);
            results.push(result);
        }
        Ok(results)
    }

    /// Returns the datasets that the pipeline reads, itself or through others, that must
    /// be there, and that have no rows.
    fn empty_inputs(&self) -> Vec<String> {
        let job = &self.run.job;
        let read = job.project.datasets_of(&[self.pipeline]);
        let names = read.into_iter().map(|dataset| dataset.name.as_str());
        let needed = names.filter(|name| !job.project.is_optional(&[self.pipeline], name));
        let parts = &job.snapshot.manifest.datasets;
        let empty = needed.filter(|name| parts.get(*name).is_none_or(|part| part.rows == 0));
        empty.map(str::to_owned).collect()
    }

    fn emit_checked(&self, result: &CheckResult) {
        self.run.job.events.emit(Event::Checked {
            pipeline: self.pipeline.name.clone(),
            result: result.into(),
        });
    }

    fn what(&self, model: &str) -> String {
        let path = self
            .pipeline
            .models
            .get(model)
            .map(|file| file.path.display().to_string());
        format!(
            "{} (model `{model}` of {})",
            path.unwrap_or_default(),
            self.pipeline.name
        )
    }
}

/// A page or a picture is one row of one text.
fn one_text(file: &OutputFile, rows: &Intermediate) -> Option<CheckResult> {
    let is_one_text = file.format.is_one_text();
    is_one_text.then(|| verify::one_text(&file.name, &rows.schema, rows.rows))
}

/// Returns the plan with its rows in the order of all columns that have one.
fn by_all_columns(plan: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
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
fn ordered(pipeline: &Pipeline, plan: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
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

impl Outcome {
    /// Returns one line about the outcome.
    pub fn summary(&self) -> String {
        match self {
            Outcome::Done(output) => format!("{} rows, {} bytes", output.rows, output.bytes),
            Outcome::Refused(checks) => {
                let failed: Vec<_> = checks.iter().filter(|check| check.refuses()).collect();
                let names: Vec<_> = failed.iter().map(|check| check.name.as_str()).collect();
                format!("refused by {}", names.join(", "))
            }
            Outcome::Failed(error) => error.to_string(),
            Outcome::Skipped { because } => format!("skipped: {because} has no output"),
        }
    }
}
