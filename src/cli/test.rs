//! `test`: the .slt tests of the SQL.

use super::{
    args::TestArgs,
    context::{Context, Ending},
};
use crate::{error::Result, kind::Kind, workbench};

/// Runs the pipelines' tests.
pub(crate) async fn test(context: &Context, args: &TestArgs) -> Result<Ending> {
    let project = context.project()?;
    let pipelines = context.select(&args.selection)?;
    context.screen.findings(&project.warnings);
    let mut ending = Ending::default();
    for result in workbench::test(project, &pipelines, args.accept).await? {
        let file = result.file.display();
        match &result.failure {
            Some(failure) => {
                context
                    .screen
                    .say(format!("FAIL {file}:{}\n{}", failure.line, failure.message));
                ending.failed(Kind::Failed);
            }
            None => {
                let rewritten = if result.rewritten { ", rewritten" } else { "" };
                let empty = empty(&result.empty);
                context.screen.say(format!(
                    "pass {file} ({} records{rewritten}{empty})",
                    result.records
                ));
                ending.passed(0);
            }
        }
    }
    if ending.pass + ending.fail == 0 {
        context
            .screen
            .warn("there are no tests of these pipelines: tests/sql/<pipeline>/*.slt");
    }
    Ok(ending)
}

/// Says what was read and is empty, as the test did not make it.
fn empty(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("; `{name}` was not made, and is empty"),
        names => format!("; `{}` were not made, and are empty", names.join("`, `")),
    }
}
