//! `generate`: a snapshot → SQL → checks → the outbox.

use chrono::SecondsFormat;
use indexmap::IndexMap;

use super::{
    archive,
    args::GenerateArgs,
    context::{Context, Ending},
    fetch,
    screen::{grouped, spoken},
};
use crate::{
    engine::{self, CheckResult, Generate, Generated, Outcome, Output},
    error::{Error, Result},
    kind::Kind,
    outbox::{Commit, Draft},
    pipeline::{Pipeline, Severity},
    snapshot::Snapshot,
    storage,
};

/// Generates the pipelines' artifacts and commits those that changed.
pub(crate) async fn generate(context: &Context, args: &GenerateArgs) -> Result<Ending> {
    if args.archive {
        return archive::archive(context).await;
    }
    let project = context.project()?;
    let pipelines = context.select(&args.selection)?;
    let bindings = project.bind(&pipelines, &args.selection.params)?;
    let snapshot = fetch::snapshot(context, &pipelines, args.snapshot.as_deref()).await?;
    let work = work_folder(context)?;
    let generated = engine::generate(Generate {
        project,
        pipelines: &pipelines,
        bindings: &bindings,
        snapshot: &snapshot,
        previous_rows: previous_rows(context, &pipelines).await?,
        config: &context.config.engine,
        work: work.path(),
        now: context.now,
        progress: &context.screen.progress_of_steps(),
    })
    .await?;
    let mut ending = Ending::default();
    for generated in generated.into_iter().filter(|generated| generated.selected) {
        match args.fail_fast && ending.fail > 0 {
            true => {
                ending.skip += 1;
                ending.held.push(generated.pipeline);
            }
            false => settle(context, args, &snapshot, generated, &mut ending).await?,
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
    snapshot: &Snapshot,
    generated: Generated,
    ending: &mut Ending,
) -> Result<()> {
    let name = generated.pipeline;
    if !matches!(generated.outcome, Outcome::Done(_)) {
        ending.held.push(name.clone());
    }
    match generated.outcome {
        Outcome::Done(output) => {
            tell_checks(context, &name, &output.checks);
            let warnings = output.checks.iter().filter(|check| !check.passed).count();
            commit(context, args, snapshot, &name, &output).await?;
            ending.passed(warnings);
        }
        Outcome::Refused(checks) => {
            tell_checks(context, &name, &checks);
            context.screen.say(format!(
                "{name}: refused by its checks; nothing was committed"
            ));
            context.step(
                "generate",
                [("pipeline", name.into()), ("outcome", "refused".into())],
            );
            ending.failed(Kind::Data);
        }
        Outcome::Failed(error) => {
            let error = Error::from(error);
            context.screen.error(&error);
            context.step(
                "generate",
                [("pipeline", name.into()), ("outcome", "failed".into())],
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
        let more = check.bad_rows.saturating_sub(engine::SHOWN as u64);
        if more > 0 {
            context.screen.say(format!("and {} more", grouped(more)));
        }
    }
}

async fn commit(
    context: &Context,
    args: &GenerateArgs,
    snapshot: &Snapshot,
    name: &str,
    output: &Output,
) -> Result<()> {
    let rows = grouped(output.rows);
    let time = spoken(output.steps.iter().map(|step| step.elapsed).sum());
    if context.screen.verbose() {
        for step in &output.steps {
            let (rows, time) = (grouped(step.rows), spoken(step.elapsed));
            context
                .screen
                .say(format!("{name}: {}: {rows} rows in {time}", step.model));
        }
    }
    let outcome = if args.dry_run {
        context.screen.say(format!(
            "{name}: {rows} rows in {time}; a dry run, not committed"
        ));
        "dry run"
    } else {
        let pipeline = &context.project()?.pipelines[name];
        let draft = draft(context, snapshot, pipeline, output);
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
    let models = output.steps.iter().map(|step| {
        serde_json::json!({
            "model": step.model, "rows": step.rows, "seconds": step.elapsed.as_secs_f64(),
        })
    });
    context.step(
        "generate",
        [
            ("pipeline", name.into()),
            ("outcome", outcome.into()),
            ("snapshot", snapshot.manifest.id.0.as_str().into()),
            ("rows", output.rows.into()),
            ("bytes", output.bytes.into()),
            ("sha256", output.sha256.as_str().into()),
            ("models", models.collect::<Vec<_>>().into()),
        ],
    );
    Ok(())
}

fn draft(context: &Context, snapshot: &Snapshot, pipeline: &Pipeline, output: &Output) -> Draft {
    Draft {
        pipeline: pipeline.name.clone(),
        file: output.name.clone(),
        sha256: output.sha256.clone(),
        rows: output.rows,
        bytes: output.bytes,
        contract: pipeline.contract.clone(),
        snapshot: snapshot.manifest.id.clone(),
        snapshot_at: snapshot.manifest.fetched_at,
        params: output.params.clone(),
        sql_sha256: output.sql_sha256.clone(),
        engine_version: crate::VERSION.to_owned(),
        committed_at: context.now,
        run: context.run.0.clone(),
    }
}

/// Returns an instant as people compare it: to the second, in UTC.
pub(crate) fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
