//! `status`: how far each pipeline has got, and the newest runs.

use std::time::Duration;

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, Output, Table, age, instant, print_report, print_text, spoken},
    selection::Selection,
};
use crate::{
    diagnostics::Finding,
    error::Result,
    report::{PastRun, PipelineStatus, Report, Status},
    status,
};

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
    /// Number of recent runs to show
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(super) runs: usize,
}

/// Shows where everything is.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let status = status::run(&context.env, &args.selection.names, args.runs).await?;
    match context.screen.output() {
        Output::Text | Output::Lines => print(context, &status),
        output => print_report(&status, output)?,
    }
    let mut shown: Vec<&Finding> = Vec::new();
    let failures = status.pipelines.iter().filter_map(|one| one.error.as_ref());
    for finding in failures.flat_map(|failure| &failure.findings) {
        if !shown.contains(&finding) {
            shown.push(finding);
            context
                .screen
                .show(&Line::Finding(Box::new(finding.clone())));
        }
    }
    Ok(Ending::uncounted(status.summary()))
}

const HOPS: [&str; 10] = [
    "pipeline",
    "generated",
    "rows",
    "age",
    "uploaded",
    "received",
    "received_rows",
    "state",
    "applied",
    "applied_rows",
];

const RUNS: [&str; 5] = ["run", "command", "took", "exit", "error"];

fn print(context: &Context, status: &Status) {
    let hops = Table::plain(&HOPS).with(status.pipelines.iter().map(hops));
    context.screen.print_table(&hops);
    if !status.runs.is_empty() {
        print_text("\n");
        let runs = Table::plain(&RUNS).with(status.runs.iter().map(past));
        context.screen.print_table(&runs);
    }
}

fn hops(pipeline: &PipelineStatus) -> Vec<Option<String>> {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    vec![
        Some(pipeline.pipeline.clone()),
        pipeline.generated.clone(),
        number(pipeline.rows),
        pipeline.age_seconds.map(age),
        pipeline.uploaded.map(str::to_owned),
        pipeline.received.clone(),
        number(pipeline.received_rows),
        pipeline.state.map(str::to_owned),
        pipeline.applied.clone(),
        number(pipeline.applied_rows),
    ]
}

fn past(run: &PastRun) -> Vec<Option<String>> {
    let error = run.error.as_deref().unwrap_or_default();
    vec![
        Some(instant(run.began_at)),
        Some(run.command.clone()),
        Some(spoken(Duration::from_secs_f64(run.seconds.max(0.0)))),
        Some(run.exit.to_string()),
        Some(error.to_owned()),
    ]
}
