//! `test` as a whole: the .slt tests of the SQL.
//!
//! In come the names of pipelines; out comes what became of each of their test files.

use super::{Result, TestResult, test};
use crate::{
    diagnostics::Finding,
    env::Env,
    events::Event,
    pipeline::Project,
    report::{self, TestFile, TestOutcome},
};

/// Runs the pipelines' tests; all when none is named. With `accept`, expectations that
/// fail are rewritten to what the SQL gives.
///
/// # Errors
///
/// Returns an error when none of the pipelines can be used or a file cannot be written; a
/// test that fails, and a pipeline that is left out, is in the report.
pub async fn run_tests(env: &Env, names: &[String], accept: bool) -> Result<report::Test> {
    let project = env.project()?;
    let (selected, _) = env.sound(names)?;
    if env.is_without_pipelines()? {
        return Ok(report::Test::default());
    }
    env.say_if_built_in()?;
    for finding in warnings(project) {
        env.events.emit(Event::Found {
            finding: Box::new(finding.clone()),
        });
    }
    let mut report = report::Test {
        left_out: env.left_out(names)?,
        ..report::Test::default()
    };
    for result in test(project, &selected, accept).await? {
        let file = TestFile::from(result);
        env.events.emit(Event::Tested(file.clone()));
        report.files.push(file);
    }
    if report.files.is_empty() {
        let names: Vec<&str> = selected.iter().map(|one| one.name.as_str()).collect();
        let name = names.first().copied().unwrap_or("NAME");
        env.events.nothing(
            format!("there are no tests of {}", names.join(", ")),
            format!("write tests/sql/{name}/{name}.slt; `pricemill docs how-to` shows how"),
        );
    }
    Ok(report)
}

/// Returns what is probably not meant in the user's own files: built-in definitions are
/// not theirs.
pub(super) fn warnings(project: &Project) -> &[Finding] {
    match project.root {
        Some(_) => &project.warnings,
        None => &[],
    }
}

impl From<TestResult> for TestFile {
    fn from(result: TestResult) -> TestFile {
        let outcome = match &result.failure {
            None => TestOutcome::Pass,
            Some(_) => TestOutcome::Fail,
        };
        let failure = result.failure;
        let findings = failure.as_ref().map(|failure| failure.findings.clone());
        let (line, message) = failure.map(|it| (it.line, it.message)).unzip();
        TestFile {
            pipeline: result.pipeline,
            file: result.file.display().to_string(),
            outcome,
            records: result.records,
            rewritten: result.rewritten,
            empty: result.empty,
            line,
            message,
            findings: findings.unwrap_or_default(),
        }
    }
}
