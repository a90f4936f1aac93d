//! `check`: everything that can be known without data.

use super::{
    args::CheckArgs,
    context::{Context, Ending},
};
use crate::{
    compile::{self, Checked, Promise},
    database,
    diagnostics::{Finding, Severity},
    error::Result,
    kind::Kind,
};

/// Checks the pipelines' definitions and SQL.
pub(crate) async fn check(context: &Context, args: &CheckArgs) -> Result<Ending> {
    let project = match context.project() {
        Ok(project) => project,
        Err(error) => {
            context.screen.error(&error);
            return Ok(ending(error.findings(), 0));
        }
    };
    let pipelines = context.select(&args.selection)?;
    let bindings = project.bind(&pipelines, &[])?;
    let tables = database::schema()?;
    let checked = compile::check(project, &pipelines, &bindings, &tables).await?;
    let findings = project.warnings.iter().chain(&checked.findings);
    let findings = findings.cloned().collect::<Vec<_>>();
    context.screen.findings(&findings);
    if checked.is_sound() {
        tell(context, pipelines.len(), &checked);
    }
    Ok(ending(&findings, pipelines.len()))
}

/// Tells what the contracts promise, and when it is known to hold.
fn tell(context: &Context, pipelines: usize, checked: &Checked) {
    if context.screen.verbose() {
        for promise in &checked.promises {
            let how = match promise.proved {
                true => "proved",
                false => "checked on the rows, before the commit",
            };
            let Promise { pipeline, what, .. } = promise;
            context.screen.say(format!("{pipeline}: {what}: {how}"));
        }
    }
    let proved = checked.promises.iter().filter(|promise| promise.proved);
    context.screen.say(format!(
        "{}, {}: names, types and contracts hold; of {} (not null, one row per …) {} proved, \
         the others are checked before each commit",
        counted(pipelines, "pipeline"),
        counted(checked.planned, "SQL file"),
        counted(checked.promises.len(), "promise"),
        proved.count(),
    ));
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// Counts findings; where none is an error, the pipelines pass.
fn ending(findings: &[Finding], pipelines: usize) -> Ending {
    let of = |severity| {
        let same = findings.iter().filter(|f| f.severity == severity);
        same.count()
    };
    let mut ending = Ending {
        warn: of(Severity::Warning),
        fail: of(Severity::Error),
        ..Ending::default()
    };
    match ending.fail {
        0 => ending.pass = pipelines,
        _ => ending.kinds.push(Kind::Usage),
    }
    ending
}
