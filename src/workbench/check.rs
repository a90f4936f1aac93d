//! `check` as a whole: everything that can be known without data.
//!
//! In come the names of pipelines; out come findings, also those that keep the project
//! from being read at all.

use super::{Error, Result};
use crate::{
    compile, database,
    env::{self, Env},
    report::{self, Promise},
};

/// Checks the pipelines' definitions and SQL; all when none is named.
///
/// # Errors
///
/// Returns an error when a pipeline is unknown or no session can be made: what is wrong
/// with the project is in the report.
pub async fn check(env: &Env, pipelines: &[String]) -> Result<report::Check> {
    let project = match env.sound_project() {
        Ok(project) => project,
        Err(env::Error::Invalid(findings)) => {
            return Ok(report::Check {
                findings: findings.0,
                ..report::Check::default()
            });
        }
        Err(error) => return Err(error.into()),
    };
    let (pipelines, broken) = project.sound(pipelines).map_err(env::Error::from)?;
    let bindings = project.bind(&pipelines, &[])?;
    let tables = database::schema().map_err(env::Error::from)?;
    let checked = compile::check(project, &pipelines, &bindings, &tables).await;
    let checked = checked.map_err(Error::Engine)?;
    let broken = broken.into_iter().flat_map(|one| &one.findings);
    let mut findings: Vec<_> = broken.chain(&project.warnings).cloned().collect();
    findings.sort_by_key(|finding| {
        let place = finding.place();
        place.map(|place| (place.file.clone(), place.span.start))
    });
    findings.extend(checked.findings);
    let promises = checked.promises.into_iter().map(|promise| Promise {
        pipeline: promise.pipeline,
        what: promise.what,
        proved: promise.proved,
    });
    Ok(report::Check {
        pipelines: pipelines.len(),
        sql_files: checked.planned,
        findings,
        promises: promises.collect(),
    })
}
