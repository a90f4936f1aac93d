//! `generate`: a snapshot → SQL → checks → the outbox.

use std::time::Duration;

use super::{
    archive,
    context::Context,
    ending::Ending,
    screen::{Line, Table, cost_line, grouped, operator_lines, sized, spoken},
    selection::Selection,
};
use crate::{
    error::Result,
    generate::{self, Request},
    report::{CheckOutcome, CheckResult, Embedded, GenerateOutcome, Generated, Model},
};

/// The arguments of `generate` and `run`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
    /// Use this snapshot instead of fetching: its id, or `latest`
    #[arg(long, value_name = "ID|latest")]
    pub(super) snapshot: Option<String>,
    /// Back up the whole database to a dated folder of Parquet files
    #[arg(long)]
    pub(super) archive: bool,
    /// Do everything except commit
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Stop at the first pipeline that fails
    #[arg(long)]
    pub(super) fail_fast: bool,
}

impl Args {
    /// Returns what is to be generated.
    pub(super) fn request(self) -> Request {
        Request {
            pipelines: self.selection.names,
            params: self.selection.params,
            snapshot: self.snapshot,
            dry_run: self.dry_run,
            fail_fast: self.fail_fast,
        }
    }
}

/// Generates the pipelines' artifacts and commits those that changed.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    if args.archive {
        return archive::back_up(context).await;
    }
    context.finish(&generate::run(&context.env, &args.request()).await?)
}

/// Returns what a model took, with -v; with -vv, what each operator of its plan did.
pub(super) fn model(pipeline: &str, model: &Model, verbose: u8) -> Vec<Line> {
    if verbose == 0 {
        return Vec::new();
    }
    let name = &model.model;
    let within = |inlined: &String| {
        let line = format!("{pipeline}: {inlined}: computed within {name}");
        Line::Say(line)
    };
    let mut lines: Vec<Line> = model.inlined.iter().map(within).collect();
    let cost = cost_line(model.rows, &model.cost);
    lines.push(Line::Say(format!("{pipeline}: {name}: {cost}")));
    if verbose > 1 {
        lines.extend(operator_lines(&model.cost));
    }
    lines
}

/// Returns how many texts were embedded and how fast, with -v.
pub(super) fn embedded(pipeline: &str, embedded: Embedded, verbose: u8) -> Vec<Line> {
    if verbose == 0 {
        return Vec::new();
    }
    let (texts, found) = (grouped(embedded.texts), grouped(embedded.found));
    let new = (embedded.texts - embedded.found) as f64;
    let rate = grouped((new / embedded.elapsed.as_secs_f64().max(1e-6)) as u64);
    let time = spoken(embedded.elapsed);
    vec![Line::Say(format!(
        "{pipeline}: {texts} texts embedded in {time}, {found} of them from the cache; \
         {rate} new ones per second"
    ))]
}

/// Returns what a check found, if it does not hold; with -v, how long it took.
pub(super) fn check(pipeline: &str, result: &CheckResult, verbose: u8) -> Vec<Line> {
    let name = &result.check;
    let failed = format!("{pipeline}: check `{name}`: {}", result.message);
    let mut lines = Vec::new();
    match result.outcome {
        CheckOutcome::Pass => {}
        CheckOutcome::Fail => lines.push(Line::Fail(failed)),
        CheckOutcome::Warn => lines.push(Line::Warn(failed)),
    }
    if result.outcome != CheckOutcome::Pass {
        let rows = result.sample.clone();
        let table = rows.map(|rows| Box::new(Table::grid(rows).whole_in("json")));
        lines.extend(table.map(Line::Table));
        if result.not_shown > 0 {
            let more = grouped(result.not_shown);
            lines.push(Line::Say(format!("and {more} more")));
        }
    }
    if verbose > 0 && !result.elapsed.is_zero() {
        let time = spoken(result.elapsed);
        lines.push(Line::Say(format!("{pipeline}: check `{name}` took {time}")));
    }
    lines
}

/// Returns how long the file's writing took, with -v.
pub(super) fn written(
    (pipeline, file): (&str, &str),
    bytes: u64,
    seconds: f64,
    verbose: u8,
) -> Vec<Line> {
    if verbose == 0 {
        return Vec::new();
    }
    let (size, time) = (sized(bytes), spoken(Duration::from_secs_f64(seconds)));
    vec![Line::Say(format!(
        "{pipeline}: {file}: {size} written in {time}"
    ))]
}

/// Returns what became of a pipeline.
pub(super) fn generated(generated: &Generated) -> Vec<Line> {
    let name = &generated.pipeline;
    let id = generated.artifact.as_deref().unwrap_or_default();
    let rows = grouped(generated.rows.unwrap_or_default());
    let rows = format!("{rows} rows in {}", spoken(generated.elapsed()));
    let mut lines = Vec::new();
    let what = match generated.outcome {
        GenerateOutcome::Committed => format!("{rows}, committed as {id}"),
        GenerateOutcome::Unchanged => format!("{rows}, unchanged since {id}"),
        GenerateOutcome::DryRun => format!("{rows}; dry run, not committed"),
        GenerateOutcome::Refused => "refused by its checks; nothing was committed".to_owned(),
        GenerateOutcome::Skipped => match &generated.after {
            Some(after) => format!("skipped, because {after} has no output"),
            None => "skipped".to_owned(),
        },
        GenerateOutcome::Failed => {
            let error = generated.error.iter();
            lines.extend(error.flat_map(Line::of_failure));
            "failed; nothing was committed".to_owned()
        }
    };
    lines.push(Line::Say(format!("{name}: {what}")));
    lines
}
