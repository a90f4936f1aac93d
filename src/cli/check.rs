//! `check`: everything that can be known without data.

use super::{context::Context, ending::Ending, screen::Line, selection::Selection};
use crate::{error::Result, report::Check, workbench};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
}

/// Checks the pipelines' definitions and SQL.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let check = workbench::check(&context.env, &args.selection.names).await?;
    for line in lines(&check, context.screen.verbose()) {
        context.screen.show(&line);
    }
    context.finish(&check)
}

/// Returns the findings, else what the contracts promise and when it is known to hold.
fn lines(check: &Check, verbose: u8) -> Vec<Line> {
    let findings = check.findings.iter().cloned();
    let mut lines: Vec<Line> = findings.map(|it| Line::Finding(Box::new(it))).collect();
    if !check.is_sound() {
        return lines;
    }
    if verbose > 0 {
        lines.extend(check.promises.iter().map(|promise| {
            let how = match promise.proved {
                true => "proved",
                false => "checked on the rows before each commit",
            };
            Line::Say(format!("{}: {}: {how}", promise.pipeline, promise.what))
        }));
    }
    let proved = check.promises.iter().filter(|promise| promise.proved);
    lines.push(Line::Say(format!(
        "{}, {}: names, types and contracts are valid; {} of {} (not null, one row per …) \
         proved, the others are checked before each commit",
        counted(check.pipelines, "pipeline"),
        counted(check.sql_files, "SQL file"),
        proved.count(),
        counted(check.promises.len(), "promise"),
    )));
    lines
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
