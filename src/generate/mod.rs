//! Runs pipelines over one snapshot: models → output → checks → the artifact's file.
//!
//! Pipelines run one after another, each after those it reads; an output is
//! computed once and read by the others as it was written. One failure leaves the
//! pipelines that do not read it alone. Each model, check and file is an event as soon as
//! it is known. Nothing is committed here.

mod intermediate;
mod job;
mod located;
mod one;
mod order;
mod outcome;
mod picture;
pub mod run;
mod verify;
mod write;

pub use job::Generate;
pub use outcome::{Also, Generated, Outcome, Output, Step};
pub use run::{Request, run};
pub use verify::{CheckResult, SHOWN};

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{catalog::TableProvider, prelude::SessionContext};
use indexmap::IndexMap;

use self::{intermediate::Intermediate, one::PipelineRun};
use crate::{
    catalog::{Layers, Named, Relations, Snapshots, tables},
    clock::Stopwatch,
    compile::{Compiled, Compiler},
    embedding::{Embedded, Embedding},
    engine::{Error, Result, session},
    events::Event,
    pipeline::{Bindings, Pipeline},
};

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
            job: &self.job,
            embedding: &self.embedding,
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
        self.job.events.emit(Event::OutputWritten {
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
