//! `test`: the .slt tests of the SQL.

use super::{context::Context, ending::Ending, left_out, screen::Line, selection::Selection};
use crate::{
    error::Result,
    report::{TestFile, TestOutcome},
    workbench,
};

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
    /// Rewrite the expected rows to the actual ones
    #[arg(long)]
    pub(super) accept: bool,
}

/// Runs the pipelines' tests.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let names = &args.selection.names;
    let report = workbench::run_tests(&context.env, names, args.accept).await?;
    let errors = left_out::findings(&report.left_out);
    errors.iter().for_each(|error| context.screen.show(error));
    context.finish(&report)
}

/// Returns what became of a test file.
pub(super) fn file(tested: &TestFile) -> Vec<Line> {
    match tested.outcome {
        TestOutcome::Fail => failed(tested),
        TestOutcome::Pass => {
            let rewritten = if tested.rewritten { ", rewritten" } else { "" };
            let (file, records, empty) = (&tested.file, tested.records, empty(&tested.empty));
            vec![Line::Say(format!(
                "pass {file} ({records} records{rewritten}{empty})"
            ))]
        }
    }
}

/// Returns the failure of a test file: the findings in its SQL, else the message.
fn failed(tested: &TestFile) -> Vec<Line> {
    let head = format!("FAIL {}:{}", tested.file, tested.line.unwrap_or_default());
    if tested.findings.is_empty() {
        let message = tested.message.as_deref().unwrap_or_default();
        return vec![Line::Say(format!("{head}\n{message}"))];
    }
    let findings = tested.findings.iter().cloned().map(Box::new);
    let head = std::iter::once(Line::Say(head));
    head.chain(findings.map(Line::Finding)).collect()
}

/// Says what was read and is empty, as the test did not make it.
fn empty(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("; `{name}` was not created, and is empty"),
        names => format!("; `{}` were not created, and are empty", names.join("`, `")),
    }
}
