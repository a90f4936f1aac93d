//! `generate` as a whole: a snapshot → SQL → checks → the outbox.
//!
//! In come the names of pipelines and their parameters; out comes what became of each.
//! An artifact that passed its checks is committed before the next one is settled.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::{CheckResult, Generate, Generated, Outcome, Output, SHOWN};
use crate::{
    artifact::id::PipelineName,
    compile, engine,
    env::{self, Env},
    fetch,
    kind::passes_on,
    outbox::{self, Commit, Draft},
    pipeline::{Broken, Pipeline, Project, Severity},
    report::{self, CheckOutcome, Embedded, Failure, GenerateOutcome, Model, Step},
    snapshot::Snapshot,
    storage,
};

/// Why nothing could be generated, or an artifact not be committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project, a parameter or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// There is no snapshot to generate from.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// The engine could not start.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The outbox refused.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
}

/// A result of this file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

passes_on!(Env, Fetch, Engine; Outbox);

/// What to generate.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pipelines, by name; all when none is named.
    pub pipelines: Vec<String>,
    /// Their parameters: `name=value` or `pipeline.name=value`.
    pub params: Vec<String>,
    /// The snapshot to use instead of a fresh one: its id, or `latest`.
    pub snapshot: Option<String>,
    /// Whether to do everything but commit.
    pub dry_run: bool,
    /// Whether the first failure skips all that is left.
    pub fail_fast: bool,
}

/// What artifacts are made from.
struct Inputs<'a> {
    /// The project as the parameters leave it.
    project: &'a Project,
    snapshot: Snapshot,
    previous: Option<Snapshot>,
    history: Vec<Snapshot>,
}

/// Generates the pipelines' artifacts and commits those that changed.
///
/// A second run over the same snapshot commits nothing.
///
/// # Errors
///
/// Returns an error when nothing could start, or the outbox refused; what became of a
/// pipeline is in the report.
pub async fn run(env: &Env, request: &Request) -> Result<report::Generate> {
    Box::pin(selected(env, request)).await
}

/// Generates the pipelines that were asked for, and those that they read.
async fn selected(env: &Env, request: &Request) -> Result<report::Generate> {
    let project = env.project()?;
    let (pipelines, broken) = env.sound(&request.pipelines)?;
    if env.is_without_pipelines()? {
        return Ok(report::Generate::default());
    }
    let bindings = project.bind(&pipelines, &request.params);
    let bindings = bindings.map_err(env::Error::from)?;
    let project = &compile::narrowed(project, &pipelines, &bindings, &env.config.engine).await?;
    let pipelines = project.these(&pipelines);
    let inputs = inputs(env, project, &pipelines, request.snapshot.as_deref()).await?;
    let work = work_folder(env)?;
    let job = Generate {
        project,
        pipelines: &pipelines,
        bindings: &bindings,
        snapshot: &inputs.snapshot,
        previous: inputs.previous.as_ref(),
        history: &inputs.history,
        previous_rows: previous_rows(env, &pipelines).await?,
        config: &env.config.engine,
        work: work.path(),
        now: env.now,
        events: &env.events.brief(),
    };
    each(env, request, &inputs, &broken, super::Run::new(job)?).await
}

/// Computes and settles one pipeline after another.
async fn each(
    env: &Env,
    request: &Request,
    inputs: &Inputs<'_>,
    broken: &[&Broken],
    mut run: super::Run<'_>,
) -> Result<report::Generate> {
    let mut report = report::Generate::default();
    for broken in broken {
        let settled = unable(env, inputs, broken)?;
        env.events.step(Step::Generate(settled.clone()));
        report.pipelines.push(settled);
    }
    let first = broken.first().filter(|_| request.fail_fast);
    let mut stopped = first.map(|broken| broken.name.clone());
    for pipeline in run.order() {
        if stopped.is_some() && !run.is_selected(pipeline) {
            continue;
        }
        let settled = match &stopped {
            Some(failed) => skipped(&pipeline.name, inputs, failed),
            None => {
                let generated = run.one(pipeline).await;
                if !generated.selected {
                    continue;
                }
                settle(env, request, inputs, generated).await?
            }
        };
        let failed = !settled.came_through() && settled.outcome != GenerateOutcome::Skipped;
        if request.fail_fast && failed {
            stopped = Some(settled.pipeline.clone());
        }
        env.events.step(Step::Generate(settled.clone()));
        report.pipelines.push(settled);
    }
    Ok(report)
}

async fn inputs<'a>(
    env: &Env,
    project: &'a Project,
    pipelines: &[&Pipeline],
    named: Option<&str>,
) -> Result<Inputs<'a>> {
    let snapshot = fetch::snapshot(env, project, pipelines, named).await?;
    let previous = fetch::previous(env, project, pipelines, &snapshot).await?;
    let history = fetch::history(env, project, pipelines, &snapshot).await?;
    Ok(Inputs {
        project,
        snapshot,
        previous,
        history,
    })
}

/// Returns a folder for what is only needed while the run lasts.
fn work_folder(env: &Env) -> env::Result<tempfile::TempDir> {
    let failed = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |source| storage::Error::Io {
            action: "make a folder in",
            path,
            source,
        }
    };
    let made = match &env.config.engine.temp {
        Some(temp) => {
            std::fs::create_dir_all(temp).map_err(failed(temp))?;
            tempfile::tempdir_in(temp).map_err(failed(temp))
        }
        None => tempfile::tempdir().map_err(failed(&std::env::temp_dir())),
    };
    Ok(made?)
}

async fn previous_rows(env: &Env, pipelines: &[&Pipeline]) -> Result<IndexMap<String, u64>> {
    let mut rows = IndexMap::new();
    for pipeline in pipelines {
        if let Some(latest) = env.outbox().latest(&pipeline.name).await? {
            rows.insert(pipeline.name.clone(), latest.manifest.rows);
        }
    }
    Ok(rows)
}

/// Reports a pipeline that cannot run: its own files are wrong, or those of one it reads.
fn unable(env: &Env, inputs: &Inputs<'_>, broken: &Broken) -> Result<report::Generated> {
    if let Some(because) = &broken.because {
        return Ok(skipped(&broken.name, inputs, because));
    }
    let snapshot = &inputs.snapshot.manifest.id.0;
    Ok(report::Generated {
        error: Some(env.fault(broken)?),
        ..report::Generated::new(&broken.name, GenerateOutcome::Failed, snapshot)
    })
}

fn skipped(pipeline: &str, inputs: &Inputs<'_>, after: &str) -> report::Generated {
    let snapshot = &inputs.snapshot.manifest.id.0;
    report::Generated {
        after: Some(after.to_owned()),
        ..report::Generated::new(pipeline, GenerateOutcome::Skipped, snapshot)
    }
}

/// Commits what is done; reports what is not.
async fn settle(
    env: &Env,
    request: &Request,
    inputs: &Inputs<'_>,
    generated: Generated,
) -> Result<report::Generated> {
    let name = generated.pipeline;
    let snapshot = &inputs.snapshot.manifest.id.0;
    let mut settled = report::Generated::new(&name, GenerateOutcome::Skipped, snapshot);
    settled.models = generated.steps.into_iter().map(Model::from).collect();
    settled.embedded = generated.embedded.into();
    match generated.outcome {
        Outcome::Done(output) => {
            settled.checks = output.checks.iter().map(Into::into).collect();
            commit(env, request, inputs, &output, &mut settled).await?;
        }
        Outcome::Refused(checks) => {
            settled.checks = checks.iter().map(Into::into).collect();
            settled.outcome = GenerateOutcome::Refused;
        }
        Outcome::Failed(error) => {
            settled.outcome = GenerateOutcome::Failed;
            let findings = error.findings();
            settled.error = Some(Failure::new(&error, error.kind(), error.hint(), findings));
        }
        Outcome::Skipped { because } => settled.after = Some(because),
    }
    Ok(settled)
}

async fn commit(
    env: &Env,
    request: &Request,
    inputs: &Inputs<'_>,
    output: &Output,
    settled: &mut report::Generated,
) -> Result<()> {
    settled.rows = Some(output.rows);
    settled.bytes = Some(output.bytes);
    settled.sha256 = Some(output.sha256.to_string());
    settled.embedding.clone_from(&output.embedding);
    settled.written_seconds = Some(output.written_in.as_secs_f64());
    if request.dry_run {
        settled.outcome = GenerateOutcome::DryRun;
        return Ok(());
    }
    let pipeline = &inputs.project.pipelines[&settled.pipeline];
    let draft = draft(env, inputs, pipeline, output);
    let (outcome, artifact) = match env.outbox().commit(draft, &output.file).await? {
        Commit::New(new) => (GenerateOutcome::Committed, new),
        Commit::Unchanged(old) => (GenerateOutcome::Unchanged, old),
    };
    settled.outcome = outcome;
    settled.artifact = Some(artifact.manifest.id().to_string());
    Ok(())
}

fn draft(env: &Env, inputs: &Inputs<'_>, pipeline: &Pipeline, output: &Output) -> Draft {
    let Inputs {
        project,
        snapshot,
        previous,
        history,
    } = inputs;
    let reads_history = !project.history_of(&[pipeline]).is_empty();
    let history = history.iter().filter(|_| reads_history);
    let reads_previous = !project.previous_of(&[pipeline]).is_empty();
    let previous = previous.as_ref().filter(|_| reads_previous);
    let committed_at: DateTime<Utc> = env.now;
    Draft {
        pipeline: PipelineName::new(&*pipeline.name),
        file: output.name.clone(),
        sha256: output.sha256.clone(),
        rows: output.rows,
        bytes: output.bytes,
        also: output.also.iter().map(outbox::Also::from).collect(),
        contract: pipeline.contract.clone(),
        snapshot: snapshot.manifest.id.clone(),
        previous: previous.map(|previous| previous.manifest.id.clone()),
        history: history.map(|older| older.manifest.id.clone()).collect(),
        snapshot_at: snapshot.manifest.fetched_at,
        params: output.params.clone(),
        embedding: output.embedding.clone(),
        sql_sha256: output.sql_sha256.clone(),
        engine_version: crate::VERSION.to_owned(),
        committed_at,
        run: env.run.0.clone(),
    }
}

impl From<&super::Also> for outbox::Also {
    fn from(also: &super::Also) -> outbox::Also {
        outbox::Also {
            file: also.name.clone(),
            sha256: also.sha256.clone(),
            bytes: also.bytes,
        }
    }
}

impl From<crate::embedding::Embedded> for Embedded {
    fn from(embedded: crate::embedding::Embedded) -> Embedded {
        Embedded {
            texts: embedded.texts,
            found: embedded.found,
            elapsed: embedded.elapsed(),
        }
    }
}

impl From<super::Step> for Model {
    fn from(step: super::Step) -> Model {
        Model {
            model: step.model,
            inlined: step.inlined,
            rows: step.rows,
            cost: step.cost,
        }
    }
}

impl From<&CheckResult> for report::CheckResult {
    fn from(check: &CheckResult) -> report::CheckResult {
        let outcome = match (check.passed, check.severity) {
            (true, _) => CheckOutcome::Pass,
            (false, Severity::Warn) => CheckOutcome::Warn,
            (false, Severity::Error) => CheckOutcome::Fail,
        };
        report::CheckResult {
            check: check.name.clone(),
            outcome,
            message: check.message.clone(),
            bad_rows: check.bad_rows,
            shown: check.shown.clone(),
            sample: check.sample.clone(),
            not_shown: check.bad_rows.saturating_sub(SHOWN as u64),
            elapsed: check.elapsed,
        }
    }
}
