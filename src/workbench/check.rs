//! `check` as a whole: everything that can be known without data.
//!
//! In come the names of pipelines; out come findings, also those that keep the project
//! from being read at all.

use std::path::Path;

use super::{Error, Result, tests::warnings};
use crate::{
    compile, database,
    diagnostics::{Code, Finding, Severity},
    env::{self, Env},
    pipeline::{Pipeline, Project},
    report::{self, Promise},
};

/// Checks the pipelines' definitions and SQL; all when none is named.
///
/// # Errors
///
/// Returns an error when a pipeline is unknown or no session can be made: what is wrong
/// with the project is in the report.
pub async fn check(env: &Env, names: &[String]) -> Result<report::Check> {
    let project = match env.project() {
        Ok(project) => project,
        Err(env::Error::Invalid(findings)) => {
            let mut findings = findings.0;
            let more = besides(env, &findings).await?;
            findings.extend(more);
            return Ok(report::Check {
                findings: errors_first(findings),
                ..report::Check::default()
            });
        }
        Err(error) => return Err(error.into()),
    };
    let (pipelines, broken) = project.sound(names).map_err(env::Error::from)?;
    env.is_without_pipelines()?;
    env.say_if_built_in()?;
    let checked = compiled(project, &pipelines).await?;
    let stops_some = !broken.is_empty();
    let broken = broken.into_iter().flat_map(|one| &one.findings);
    let mut findings: Vec<_> = broken.chain(warnings(project)).cloned().collect();
    findings.sort_by_key(|finding| {
        let place = finding.place();
        place.map(|place| (place.file.clone(), place.span.start))
    });
    // What is probably not meant in built-in definitions is nothing that the user wrote.
    let is_own = |finding: &Finding| project.root.is_some() || is_error(finding);
    findings.extend(checked.findings.into_iter().filter(is_own));
    if stops_some {
        let more = besides(env, &findings).await?;
        findings.extend(more);
    }
    let promises = checked.promises.into_iter().map(|promise| Promise {
        pipeline: promise.pipeline,
        what: promise.what,
        proved: promise.proved,
    });
    Ok(report::Check {
        pipelines: pipelines.len(),
        sql_files: checked.planned,
        findings: errors_first(findings),
        promises: promises.collect(),
        left_out: env.left_out(names)?,
    })
}

async fn compiled(project: &Project, pipelines: &[&Pipeline]) -> Result<compile::Checked> {
    let bindings = project.bind(pipelines, &[]).map_err(env::Error::from)?;
    let tables = database::schema().map_err(env::Error::from)?;
    let checked = compile::check(project, pipelines, &bindings, &tables).await;
    checked.map_err(Error::Engine)
}

/// Finds what is wrong with the SQL of a project whose other files have errors, and does
/// not follow from these.
async fn besides(env: &Env, known: &[Finding]) -> Result<Vec<Finding>> {
    let Some(project) = Project::readable(&env.config.root) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<Finding> = Vec::new();
    for pipeline in project.pipelines.values() {
        // A default that cannot be read is one of the known errors.
        let Ok(checked) = compiled(&project, &[pipeline]).await else {
            continue;
        };
        let is_broken = known
            .iter()
            .any(|it| is_error(it) && is_in(it, &pipeline.manifest.path));
        for finding in checked.findings {
            let is_known = known.contains(&finding) || found.contains(&finding);
            if is_error(&finding) && !is_known && !(is_broken && is_echo(&finding)) {
                found.push(finding);
            }
        }
    }
    found.retain(|finding| {
        finding.code != Code::UnknownRelation || !names_broken(known, &project, finding)
    });
    Ok(found)
}

/// Says whether a finding compares SQL with its manifest, which has errors itself.
fn is_echo(finding: &Finding) -> bool {
    matches!(
        finding.code,
        Code::MissingColumn
            | Code::UndeclaredColumn
            | Code::ColumnOrder
            | Code::ColumnType
            | Code::GrainMismatch
            | Code::UnknownParameter
            | Code::UpdateColumn
            | Code::UpdateType
    )
}

/// Says whether an unknown relation is a pipeline whose manifest cannot be read.
fn names_broken(known: &[Finding], project: &Project, finding: &Finding) -> bool {
    let Some(place) = finding.place() else {
        return false;
    };
    let name = place.text[place.span.clone()].replace('_', "-");
    let manifest = Path::new("pipelines").join(format!("{name}.toml"));
    let is_broken = known.iter().any(|it| is_error(it) && is_in(it, &manifest));
    is_broken && !project.pipelines.contains_key(&name)
}

/// Puts errors before warnings. That nothing reads a file may follow from an error in what
/// would read it, and is said once there is none.
fn errors_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    if findings.iter().any(is_error) {
        findings.retain(|finding| finding.code != Code::UnusedFile || finding.place().is_none());
    }
    findings.sort_by_key(|finding| !is_error(finding));
    findings
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

fn is_in(finding: &Finding, path: &Path) -> bool {
    finding.place().is_some_and(|place| place.file == path)
}
