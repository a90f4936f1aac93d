//! `test` as a whole: the .slt tests of the SQL.
//!
//! In come the names of pipelines; out comes what became of each of their test files.

use super::{Result, TestResult, test};
use crate::{
    env::Env,
    events::Event,
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
    let (pipelines, _) = env.sound(names)?;
    for finding in &project.warnings {
        env.events.emit(Event::Found {
            finding: Box::new(finding.clone()),
        });
    }
    let mut report = report::Test {
        left_out: env.left_out(names)?,
        ..report::Test::default()
    };
    for result in test(project, &pipelines, accept).await? {
        let file = TestFile::from(result);
        env.events.emit(Event::Tested(file.clone()));
        report.files.push(file);
    }
    if report.files.is_empty() {
        env.events
            .warn("these pipelines have no tests: tests/sql/<pipeline>/*.slt");
    }
    Ok(report)
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
