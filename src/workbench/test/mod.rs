//! `tests/sql/<pipeline>/*.slt`: an analyst's tests of the SQL.
//!
//! Each file has a fresh session. `create table <name> as select …` replaces a
//! dataset, a seed, a model or another pipeline's output; every other model is a
//! relation by its name, planned when a query reads it, with the default parameters
//! unless `set param.<name> = '<value>'` says otherwise. The pipeline's own name is its
//! output. A dataset made by a test has the declared types, and its columns that the test
//! leaves out are null; one that the test does not make is empty.
//!
//! The tests of shared models are in `tests/sql/staging/`, and run with those of the
//! pipelines that read them.
//!
//! `checks.<check>` is what a file of `checks/` returns, and `updates.<table>` what a step
//! of the update gives its table: of `artifact` and `db.<table>`, which the test makes.
//!
//! Each model that a query reads is computed once, and must keep to the grain that its
//! first line states.

mod column;
mod database;
mod grain;
mod place;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use sqllogictest::{
    QueryExpect, Record, RecordOutput, Runner, StatementExpect, TestErrorKind, default_normalizer,
    default_validator, parse_with_name, update_record_with_output,
};

use self::{
    column::{Column, matching},
    database::{Database, Unmade},
};
use crate::{
    chain::chain,
    diagnostics::{Code, Finding, Findings},
    engine::{Error, Result},
    pipeline::{Pipeline, Project, SourceFile, embedded},
    text::{has_extension, without_mark},
};

/// What became of one test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The pipeline whose SQL is tested.
    pub pipeline: String,
    /// The file, relative to the project's folder.
    pub file: PathBuf,
    /// How many statements and queries the file holds.
    pub records: usize,
    /// The first that failed; after a rewriting, the first that fails still.
    pub failure: Option<TestFailure>,
    /// Whether the file was rewritten with what the SQL gives now.
    pub rewritten: bool,
    /// The datasets and other pipelines' outputs that were read and not made: empty.
    pub empty: Vec<String>,
}

/// A statement or a query that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// Its first line in the file, from 1.
    pub line: u32,
    /// What failed, with the difference of expected (`-`) and actual (`+`) rows.
    pub message: String,
    /// What is wrong with the SQL, in the test's file or in that of a model.
    pub findings: Vec<Finding>,
}

/// Runs the pipelines' tests, file by file, by name. With `accept`, expectations
/// that fail are rewritten with what the SQL gives.
///
/// # Errors
///
/// Returns an error when a file cannot be read or written; a test that fails is in
/// its [`TestResult`].
pub async fn test(
    project: &Project,
    pipelines: &[&Pipeline],
    accept: bool,
) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    let reads_shared = |pipeline: &&Pipeline| {
        let mut models = pipeline.models.keys();
        models.any(|model| project.is_shared(pipeline, model))
    };
    let shared = pipelines.iter().any(reads_shared);
    let shared = shared.then_some(&project.staging);
    for pipeline in pipelines.iter().copied().chain(shared) {
        for (path, text) in files(project, pipeline) {
            let text = match text {
                Ok(text) => text.into(),
                Err(error) => {
                    results.push(unreadable(pipeline, path, &error));
                    continue;
                }
            };
            let tested = TestFile {
                project,
                pipeline,
                file: SourceFile { path, text },
            };
            results.push(Box::pin(tested.run(accept)).await?);
        }
    }
    Ok(results)
}

/// Says that a test file cannot be read, or is not text.
fn unreadable(pipeline: &Pipeline, file: PathBuf, error: &io::Error) -> TestResult {
    let message = format!("{} cannot be read: {error}", file.display());
    TestResult {
        pipeline: pipeline.name.clone(),
        file,
        records: 0,
        failure: Some(TestFailure {
            line: 1,
            message,
            findings: Vec::new(),
        }),
        rewritten: false,
        empty: Vec::new(),
    }
}

/// Returns the pipeline's test files with their texts, by path.
fn files(project: &Project, pipeline: &Pipeline) -> BTreeMap<PathBuf, io::Result<String>> {
    let folder = Path::new("tests/sql").join(&pipeline.name);
    let is_test = |path: &Path| has_extension(path, "slt");
    let Some(root) = &project.root else {
        let own = embedded()
            .into_iter()
            .filter(|file| file.path().parent() == Some(folder.as_path()) && is_test(&file.path()));
        let texts = own.map(|file| {
            (
                file.path(),
                Ok(String::from_utf8_lossy(file.bytes()).into_owned()),
            )
        });
        return texts.collect();
    };
    let mut texts = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(root.join(&folder)) else {
        return texts;
    };
    for entry in entries.flatten().filter(|entry| is_test(&entry.path())) {
        let text = std::fs::read_to_string(entry.path());
        texts.insert(
            folder.join(entry.file_name()),
            text.map(|text| plain(&text)),
        );
    }
    texts
}

/// Returns a file's text without a byte-order mark, each line with one character at its end:
/// so the SQL of a record is as it is in the file.
fn plain(text: &str) -> String {
    without_mark(text).replace("\r\n", "\n")
}

struct TestFile<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    file: SourceFile,
}

impl TestFile<'_> {
    async fn run(&self, accept: bool) -> Result<TestResult> {
        let mut result = TestResult {
            pipeline: self.pipeline.name.clone(),
            file: self.file.path.clone(),
            records: 0,
            failure: None,
            rewritten: false,
            empty: Vec::new(),
        };
        let name = self.file.path.to_string_lossy().into_owned();
        let parsed = parse_with_name(&self.file.text, name.as_str());
        let records: Vec<Record<Column>> = match parsed {
            Ok(records) => records,
            Err(error) => {
                let (line, what) = (error.location().line(), error.kind().to_string());
                result.failure = Some(self.bad_record(line, what));
                return Ok(result);
            }
        };
        let counted = |record: &&Record<Column>| {
            matches!(record, Record::Statement { .. } | Record::Query { .. })
        };
        result.records = records.iter().filter(counted).count();
        let empty = Unmade::default();
        result.failure = self.first_failure(&records, &empty).await?;
        result.empty = empty.names();
        let may_write = accept && self.project.root.is_some();
        if may_write && result.failure.is_some() {
            let Some(text) = self.rewrite(records).await? else {
                return Ok(result);
            };
            let file = SourceFile {
                path: self.file.path.clone(),
                text: text.into(),
            };
            let accepted = TestFile { file, ..*self };
            result = Box::pin(accepted.run(false)).await?;
            result.rewritten = true;
        }
        Ok(result)
    }

    async fn first_failure(
        &self,
        records: &[Record<Column>],
        empty: &Unmade,
    ) -> Result<Option<TestFailure>> {
        let database = Database::new(self.project, self.pipeline, empty.clone())?;
        let mut runner = runner(database);
        for record in records {
            if let Record::System { loc, .. } = record {
                let what = "a test cannot run system commands";
                return Ok(Some(self.bad_record(loc.line(), what)));
            }
            if let Err(error) = runner.run_async(record.clone()).await {
                return Ok(Some(self.failed(error.location().line(), &error.kind())));
            }
        }
        Ok(None)
    }

    /// Describes a record that no test can hold.
    fn bad_record(&self, line: u32, what: impl Into<String>) -> TestFailure {
        let place = self.file.place(place::line(&self.file.text, line));
        TestFailure::of_findings(
            line,
            vec![Finding::new(Code::BadTest, what).at(place, "here")],
        )
    }

    /// Describes a record that does not hold.
    fn failed(&self, line: u32, kind: &TestErrorKind) -> TestFailure {
        if let TestErrorKind::Fail { err, .. } = kind
            && let Some(Error::Invalid(findings)) = err.downcast_ref::<Error>()
        {
            return TestFailure::of_findings(line, place::in_file(&self.file, line, &findings.0));
        }
        TestFailure {
            line,
            message: place::said_in_file(&self.file, line, &said(kind)),
            findings: Vec::new(),
        }
    }

    /// Rewrites the file with what each record gives, and returns its text; not when
    /// one does not run: what comes after it would be empty.
    async fn rewrite(&self, records: Vec<Record<Column>>) -> Result<Option<String>> {
        let database = Database::new(self.project, self.pipeline, Unmade::default())?;
        let mut runner = runner(database);
        let mut text = String::new();
        for record in records {
            let output = match record {
                Record::System { .. } => None,
                _ => Some(runner.apply_record(record.clone()).await),
            };
            if output
                .as_ref()
                .is_some_and(|output| breaks(&record, output))
            {
                return Ok(None);
            }
            let updated = output.and_then(|output| {
                let normalizer = default_normalizer;
                update_record_with_output(
                    &record,
                    &output,
                    " ",
                    default_validator,
                    normalizer,
                    matching,
                )
            });
            text.push_str(&updated.unwrap_or(record).to_string());
            text.push('\n');
        }
        let text = format!("{}\n", text.trim_end());
        if let Some(root) = &self.project.root {
            let path = root.join(&self.file.path);
            let written = replace_file(&path, as_before(&path, &text).as_bytes());
            written.map_err(|source| Error::Io { path, source })?;
        }
        Ok(Some(text))
    }
}

/// Says whether a record that is meant to work does not: an error is expected only where
/// the author wrote so.
fn breaks(record: &Record<Column>, output: &RecordOutput<Column>) -> bool {
    match (record, output) {
        (Record::Query { expected, .. }, RecordOutput::Query { error, .. }) => {
            error.is_some() && !matches!(expected, QueryExpect::Error(_))
        }
        (Record::Statement { expected, .. }, RecordOutput::Statement { error, .. }) => {
            error.is_some() && !matches!(expected, StatementExpect::Error(_))
        }
        _ => false,
    }
}

/// Returns a text with the ends of lines that the file has.
fn as_before(path: &Path, text: &str) -> String {
    match std::fs::read_to_string(path) {
        Ok(before) if before.contains("\r\n") => text.replace('\n', "\r\n"),
        _ => text.to_owned(),
    }
}

/// Replaces a file in one step, so that a stop leaves the old one.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn runner(
    database: Database<'_>,
) -> Runner<Database<'_>, impl sqllogictest::MakeConnection<Conn = Database<'_>>> {
    let mut database = Some(database);
    let mut runner = Runner::new(move || {
        let one = database.take().ok_or(Error::OneConnection);
        async move { one }
    });
    runner.with_column_validator(matching);
    runner
}

impl TestFailure {
    /// Returns the failure that these findings are.
    fn of_findings(line: u32, findings: Vec<Finding>) -> TestFailure {
        TestFailure {
            line,
            message: Findings(findings.clone()).to_string(),
            findings,
        }
    }
}

/// Returns what a failure says, without the SQL, which is in the file.
fn said(kind: &TestErrorKind) -> String {
    let text = match kind {
        TestErrorKind::Fail { err, .. } => return chain(err.as_ref()),
        TestErrorKind::QueryResultColumnsMismatch {
            expected, actual, ..
        } => {
            return format!(
                "the column types are `{actual}`, not `{expected}`: write `query {actual}`"
            );
        }
        other => other.to_string(),
    };
    match text.split_once("\n[SQL] ") {
        Some((what, rest)) => match rest.split_once("\n[Diff] ") {
            Some((_, difference)) => format!("{what}\n{difference}"),
            None => what.to_owned(),
        },
        None => text,
    }
}
