//! What `test` found.

use serde::Serialize;

use super::{LeftOut, Report, Summary, state, words};
use crate::{diagnostics::Finding, kind::Kind};

/// The pipelines' test files, by pipeline and path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Test {
    /// The test files, in the order in which they ran.
    pub files: Vec<TestFile>,
    /// The pipelines that were left out, as their files have errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// One test file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestFile {
    /// The pipeline whose SQL is tested.
    pub pipeline: String,
    /// The file, relative to the project's folder.
    pub file: String,
    /// What became of it.
    pub outcome: TestOutcome,
    /// How many statements and queries it holds.
    pub records: usize,
    /// Whether its expectations were rewritten to what the SQL gives.
    pub rewritten: bool,
    /// The relations that were read and not made by the test: they were empty.
    pub empty: Vec<String>,
    /// The line of the first record that failed.
    pub line: Option<u32>,
    /// What failed there.
    pub message: Option<String>,
    /// What is wrong with the SQL there, in the test's file or in that of a model.
    pub findings: Vec<Finding>,
}

/// What became of a test file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestOutcome {
    /// Every record holds.
    Pass,
    /// One does not.
    Fail,
}

words!(TestOutcome {
    Pass => state::PASS,
    Fail => state::FAIL,
});

impl Report for Test {
    const COMMAND: &'static str = "test";
    const COLUMNS: &'static [&'static str] = &[
        "pipeline",
        "file",
        "outcome",
        "records",
        "rewritten",
        "line",
        "message",
    ];
    type Item = TestFile;

    fn items(&self) -> Vec<&TestFile> {
        self.files.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::of("passed");
        for file in &self.files {
            match file.outcome {
                TestOutcome::Pass => {
                    summary.did("passed");
                    summary.passed(0);
                }
                TestOutcome::Fail => summary.failed(Kind::Failed),
            }
        }
        summary.left_out(&self.left_out);
        summary
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
