//! One pipeline as it is being made: its models, its output's ordered rows, its checks and
//! the files beside it.
//!
//! In comes what was compiled; out come rows as they were written, and what the checks
//! found. It never looks at another pipeline, and commits nothing.

use std::{path::PathBuf, sync::Arc};

use datafusion::{catalog::TableProvider, logical_expr::LogicalPlan};
use indexmap::IndexMap;

use super::{
    Also, CheckResult, Generate, Step,
    intermediate::{self, Intermediate},
    located::Part,
    order::{by_all_columns, ordered},
    verify::{self, Against},
    write,
};
use crate::{
    catalog::tables,
    compile::{Compiled, Model, delivered},
    embedding::Embedding,
    engine::{Error, Result},
    events::Event,
    functions,
    pipeline::{Bindings, OutputFile, Pipeline},
};

/// A pipeline as it is being made.
pub(super) struct PipelineRun<'r, 'a> {
    pub(super) job: &'r Generate<'a>,
    pub(super) embedding: &'r Embedding,
    pub(super) pipeline: &'r Pipeline,
    pub(super) bindings: Bindings,
    pub(super) compiled: Compiled,
    pub(super) folder: PathBuf,
    /// Whether a model of it embeds texts.
    pub(super) embeds: bool,
    pub(super) steps: &'r mut Vec<Step>,
    /// The models that are files beside the output's, by name.
    pub(super) also: IndexMap<String, Intermediate>,
    /// The models that are computed, by name.
    pub(super) tables: IndexMap<String, Arc<dyn TableProvider>>,
}

impl PipelineRun<'_, '_> {
    /// Makes the models that are needed, then the output's ordered rows.
    pub(super) async fn output(&mut self) -> Result<Intermediate> {
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
    pub(super) async fn embedding(&self) -> Result<Option<String>> {
        if !self.embeds {
            return Ok(None);
        }
        let model = self.embedding.model().await;
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
    pub(super) async fn write_also(&self) -> Result<Vec<Also>> {
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
        let progress = |rows| self.job.events.at(task, rows, None);
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
        self.job.events.emit(Event::ModelComputed {
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

    pub(super) async fn checks(&self, output: &Intermediate) -> Result<Vec<CheckResult>> {
        let pipeline = self.pipeline;
        let job = self.job;
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
        let job = self.job;
        let read = job.project.datasets_of(&[self.pipeline]);
        let names = read.into_iter().map(|dataset| dataset.name.as_str());
        let needed = names.filter(|name| !job.project.is_optional(&[self.pipeline], name));
        let parts = &job.snapshot.manifest.datasets;
        let empty = needed.filter(|name| parts.get(*name).is_none_or(|part| part.rows == 0));
        empty.map(str::to_owned).collect()
    }

    fn emit_checked(&self, result: &CheckResult) {
        self.job.events.emit(Event::Checked {
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
