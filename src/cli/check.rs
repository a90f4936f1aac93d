//! `check`: everything that can be known without data.

use super::{
    args::CheckArgs,
    context::{Context, Ending},
};
use crate::{
    database,
    diagnostics::Severity,
    engine,
    error::{Kind, Result},
};

/// Checks the pipelines' definitions and SQL.
pub(crate) async fn check(context: &Context, args: &CheckArgs) -> Result<Ending> {
    let project = context.project()?;
    let pipelines = context.select(&args.selection)?;
    let bindings = project.bind(&pipelines, &[])?;
    let tables = database::schema()?;
    let checked = engine::check(project, &pipelines, &bindings, &tables).await?;
    let findings = project
        .warnings
        .iter()
        .chain(&checked.findings)
        .cloned()
        .collect::<Vec<_>>();
    context.screen.findings(&findings);
    if context.screen.verbose() {
        for promise in &checked.promises {
            let how = if promise.proved {
                "proved"
            } else {
                "checked on the rows, before the commit"
            };
            context
                .screen
                .say(format!("{}: {}: {how}", promise.pipeline, promise.what));
        }
    }
    let of = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let proved = checked
        .promises
        .iter()
        .filter(|promise| promise.proved)
        .count();
    context.screen.say(format!(
        "{} pipelines, {} SQL files planned; of {} promises {proved} are proved, the rest are \
         checked on the rows",
        pipelines.len(),
        checked.planned,
        checked.promises.len(),
    ));
    let mut ending = Ending {
        warn: warnings,
        ..Ending::default()
    };
    match errors {
        0 => ending.pass = pipelines.len(),
        errors => {
            ending.fail = errors;
            ending.kinds.push(Kind::Usage);
        }
    }
    Ok(ending)
}
