//! `generate`: a snapshot → SQL → checks → the outbox.

use std::time::Duration;

use chrono::SecondsFormat;
use indexmap::IndexMap;
use serde_json::Value;

use super::{
    archive,
    args::GenerateArgs,
    context::{Context, Ending},
    cost, fetch,
    screen::{grouped, sized, spoken},
};
use crate::{
    compile,
    embedding::Embedded,
    error::{Error, Result},
    generate::{self, CheckResult, Generate, Generated, Outcome, Output, Step},
    kind::Kind,
    outbox::{Also, Commit, Draft},
    pipeline::{Pipeline, Project, Severity},
    snapshot::Snapshot,
    storage,
};

/// What artifacts are made from.
struct Inputs<'a> {
    /// The project as the parameters leave it.
    project: &'a Project,
    snapshot: Snapshot,
    previous: Option<Snapshot>,
    history: Vec<Snapshot>,
}

/// Generates the pipelines' artifacts and commits those that changed.
pub(crate) async fn generate(context: &Context, args: &GenerateArgs) -> Result<Ending> {
    if args.archive {
        return archive::archive(context).await;
    }
    let project = context.project()?;
    let pipelines = context.select(&args.selection)?;
    let bindings = project.bind(&pipelines, &args.selection.params)?;
    let project =
        &compile::narrowed(project, &pipelines, &bindings, &context.config.engine).await?;
    let pipelines = project.these(&pipelines);
    let snapshot = fetch::snapshot(context, project, &pipelines, args.snapshot.as_deref()).await?;
    let previous = fetch::previous(context, project, &pipelines, &snapshot).await?;
    let history = fetch::history(context, project, &pipelines, &snapshot).await?;
    let work = work_folder(context)?;
    let generated = generate::generate(Generate {
        project,
        pipelines: &pipelines,
        bindings: &bindings,
        snapshot: &snapshot,
        previous: previous.as_ref(),
        history: &history,
        previous_rows: previous_rows(context, &pipelines).await?,
        config: &context.config.engine,
        work: work.path(),
        now: context.now,
        progress: &context.screen.progress_of_steps(),
    })
    .await?;
    let inputs = Inputs {
        project,
        snapshot,
        previous,
        history,
    };
    let mut ending = Ending::default();
    for generated in generated.into_iter().filter(|generated| generated.selected) {
        match args.fail_fast && ending.fail > 0 {
            true => {
                ending.skip += 1;
                ending.held.push(generated.pipeline);
            }
            false => settle(context, args, &inputs, generated, &mut ending).await?,
        }
    }
    Ok(ending)
}

/// Returns a folder for what is only needed while the run lasts.
fn work_folder(context: &Context) -> Result<tempfile::TempDir> {
    let failed = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |source| storage::Error::Io {
            action: "make a folder in",
            path,
            source,
        }
    };
    let made = match &context.config.engine.temp {
        Some(temp) => {
            std::fs::create_dir_all(temp).map_err(failed(temp))?;
            tempfile::tempdir_in(temp).map_err(failed(temp))
        }
        None => tempfile::tempdir().map_err(failed(&std::env::temp_dir())),
    };
    Ok(made?)
}

async fn previous_rows(
    context: &Context,
    pipelines: &[&Pipeline],
) -> Result<IndexMap<String, u64>> {
    let mut rows = IndexMap::new();
    for pipeline in pipelines {
        if let Some(latest) = context.outbox().latest(&pipeline.name).await? {
            rows.insert(pipeline.name.clone(), latest.manifest.rows);
        }
    }
    Ok(rows)
}

/// Commits what is done, tells what is not.
async fn settle(
    context: &Context,
    args: &GenerateArgs,
    inputs: &Inputs<'_>,
    generated: Generated,
    ending: &mut Ending,
) -> Result<()> {
    let name = generated.pipeline;
    let (steps, embedded) = (generated.steps, generated.embedded);
    tell_steps(context, &name, &steps);
    tell_embedded(context, &name, embedded);
    if !matches!(generated.outcome, Outcome::Done(_)) {
        ending.held.push(name.clone());
    }
    match generated.outcome {
        Outcome::Done(output) => {
            tell_checks(context, &name, &output.checks);
            tell_times(context, &name, &output);
            let warnings = output.checks.iter().filter(|check| !check.passed).count();
            let steps = (steps.as_slice(), embedded);
            commit(context, args, inputs, &name, &output, steps).await?;
            ending.passed(warnings);
        }
        Outcome::Refused(checks) => {
            tell_checks(context, &name, &checks);
            context.screen.say(format!(
                "{name}: refused by its checks; nothing was committed"
            ));
            context.step(
                "generate",
                [
                    ("pipeline", name.into()),
                    ("outcome", "refused".into()),
                    ("models", models(&steps)),
                    ("checks", timed(&checks)),
                ],
            );
            ending.failed(Kind::Data);
        }
        Outcome::Failed(error) => {
            let error = Error::from(error);
            context.screen.error(&error);
            context.step(
                "generate",
                [
                    ("pipeline", name.into()),
                    ("outcome", "failed".into()),
                    ("models", models(&steps)),
                ],
            );
            ending.failed(error.kind());
        }
        Outcome::Skipped { because } => {
            context
                .screen
                .say(format!("{name}: skipped, as it reads {because}"));
            ending.skip += 1;
        }
    }
    Ok(())
}

fn tell_checks(context: &Context, name: &str, checks: &[CheckResult]) {
    for check in checks.iter().filter(|check| !check.passed) {
        let told = format!("{name}: the check `{}`: {}", check.name, check.message);
        match check.severity {
            Severity::Error => context.screen.fail(told),
            Severity::Warn => context.screen.warn(told),
        }
        if let Some(rows) = &check.shown {
            context.screen.say(rows);
        }
        let more = check.bad_rows.saturating_sub(generate::SHOWN as u64);
        if more > 0 {
            context.screen.say(format!("and {} more", grouped(more)));
        }
    }
}

async fn commit(
    context: &Context,
    args: &GenerateArgs,
    inputs: &Inputs<'_>,
    name: &str,
    output: &Output,
    (steps, embedded): (&[Step], Embedded),
) -> Result<()> {
    let rows = grouped(output.rows);
    let time = spoken(time(output, steps));
    let outcome = if args.dry_run {
        context.screen.say(format!(
            "{name}: {rows} rows in {time}; a dry run, not committed"
        ));
        "dry run"
    } else {
        let pipeline = &inputs.project.pipelines[name];
        let draft = draft(context, inputs, pipeline, output)?;
        match context.outbox().commit(draft, &output.file).await? {
            Commit::New(new) => {
                let id = new.manifest.id();
                context
                    .screen
                    .say(format!("{name}: {rows} rows in {time}, committed as {id}"));
                "committed"
            }
            Commit::Unchanged(old) => {
                let id = old.manifest.id();
                context.screen.say(format!(
                    "{name}: {rows} rows in {time}, unchanged since {id}"
                ));
                "unchanged"
            }
        }
    };
    context.step(
        "generate",
        [
            ("pipeline", name.into()),
            ("outcome", outcome.into()),
            ("snapshot", inputs.snapshot.manifest.id.0.as_str().into()),
            ("rows", output.rows.into()),
            ("bytes", output.bytes.into()),
            ("sha256", output.sha256.as_str().into()),
            ("models", models(steps)),
            ("embedding", output.embedding.as_deref().into()),
            ("embedded", serde_json::json!(embedded)),
            ("checks", timed(&output.checks)),
            ("written_seconds", output.written_in.as_secs_f64().into()),
        ],
    );
    Ok(())
}

/// Returns the time of all that was done for an output.
fn time(output: &Output, steps: &[Step]) -> Duration {
    let computed: Duration = steps.iter().map(|step| step.cost.elapsed).sum();
    let checked: Duration = output.checks.iter().map(|check| check.elapsed).sum();
    computed + checked + output.written_in
}

/// Tells what each model took, with -v; with -vv, what each operator of its plan did.
fn tell_steps(context: &Context, name: &str, steps: &[Step]) {
    if !context.screen.verbose() {
        return;
    }
    for step in steps {
        for inlined in &step.inlined {
            let within = &step.model;
            context
                .screen
                .say(format!("{name}: {inlined}: computed within {within}"));
        }
        let line = cost::line(step.rows, &step.cost);
        context
            .screen
            .say(format!("{name}: {}: {line}", step.model));
        if context.screen.very_verbose() {
            cost::tell_operators(&context.screen, &step.cost);
        }
    }
}

/// Tells how many texts were embedded and how fast, with -v.
fn tell_embedded(context: &Context, name: &str, embedded: Embedded) {
    if !context.screen.verbose() || embedded.texts == 0 {
        return;
    }
    let (texts, found) = (grouped(embedded.texts), grouped(embedded.found));
    let elapsed = embedded.elapsed();
    let new = (embedded.texts - embedded.found) as f64;
    let rate = grouped((new / elapsed.as_secs_f64().max(1e-6)) as u64);
    let time = spoken(elapsed);
    context.screen.say(format!(
        "{name}: {texts} texts embedded in {time}, {found} of them kept from before; {rate} new ones a second"
    ));
}

/// Tells how long checks that read rows took, and the file's writing, with -v.
fn tell_times(context: &Context, name: &str, output: &Output) {
    if !context.screen.verbose() {
        return;
    }
    let queried = output
        .checks
        .iter()
        .filter(|check| !check.elapsed.is_zero());
    for check in queried {
        let time = spoken(check.elapsed);
        context
            .screen
            .say(format!("{name}: the check `{}` took {time}", check.name));
    }
    let (size, time) = (sized(output.bytes), spoken(output.written_in));
    let file = &output.name;
    context
        .screen
        .say(format!("{name}: {file}: {size} written in {time}"));
}

fn models(steps: &[Step]) -> Value {
    let model = |step: &Step| {
        serde_json::json!({
            "model": step.model,
            "inlined": step.inlined,
            "rows": step.rows,
            "cost": step.cost,
        })
    };
    steps.iter().map(model).collect::<Vec<_>>().into()
}

fn timed(checks: &[CheckResult]) -> Value {
    let check = |check: &CheckResult| {
        serde_json::json!({
            "check": check.name,
            "passed": check.passed,
            "bad_rows": check.bad_rows,
            "seconds": check.elapsed.as_secs_f64(),
        })
    };
    checks.iter().map(check).collect::<Vec<_>>().into()
}

fn draft(
    context: &Context,
    inputs: &Inputs<'_>,
    pipeline: &Pipeline,
    output: &Output,
) -> Result<Draft> {
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
    Ok(Draft {
        pipeline: pipeline.name.clone(),
        file: output.name.clone(),
        sha256: output.sha256.clone(),
        rows: output.rows,
        bytes: output.bytes,
        also: output.also.iter().map(beside).collect(),
        contract: pipeline.contract.clone(),
        snapshot: snapshot.manifest.id.clone(),
        previous: previous.map(|previous| previous.manifest.id.clone()),
        history: history.map(|older| older.manifest.id.clone()).collect(),
        snapshot_at: snapshot.manifest.fetched_at,
        params: output.params.clone(),
        embedding: output.embedding.clone(),
        sql_sha256: output.sql_sha256.clone(),
        engine_version: crate::VERSION.to_owned(),
        committed_at: context.now,
        run: context.run.0.clone(),
    })
}

fn beside(also: &generate::Also) -> Also {
    Also {
        file: also.name.clone(),
        sha256: also.sha256.clone(),
        bytes: also.bytes,
    }
}

/// Returns an instant as people compare it: to the second, in UTC.
pub(crate) fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
