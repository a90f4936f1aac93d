//! What `update` did.

use serde::Serialize;

use super::{Failure, Report, Summary, state, words};
use crate::kind::Kind;

/// What became of the pipelines' artifacts in the inbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Update {
    /// Whether this was a dry run: nothing was changed or moved.
    pub dry_run: bool,
    /// The pipelines, in the order in which they were applied.
    pub pipelines: Vec<Updated>,
}

/// One pipeline and its artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Updated {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// What became of it.
    pub outcome: UpdateOutcome,
    /// The artifact, if there was one.
    pub artifact: Option<String>,
    /// Whether this was a dry run.
    #[serde(skip)]
    pub dry_run: bool,
    /// What became of the tables' rows, in order.
    pub tables: Vec<TableRows>,
    /// Artifacts that a later one superseded.
    pub superseded: Vec<String>,
    /// The files of rejected rows.
    pub rejects: Vec<String>,
    /// What is wrong with the manifests that were set aside.
    pub unreadable: Vec<Failure>,
    /// Why it was skipped; where nothing is pending, what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An artifact that was refused by an earlier run, and why.
    pub refused_before: Option<(String, String)>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// What became of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// It is in the tables (or, in a dry run, would be).
    Applied,
    /// It was in the tables already; the file was only moved.
    AlreadyApplied,
    /// It is in the tables, and still in the inbox; the next run moves it.
    AppliedNotArchived,
    /// Nothing is pending.
    Nothing,
    /// The artifact itself is at fault, or a guard refused it. The tables are unchanged.
    Refused,
    /// It could not be applied. The tables are unchanged.
    Failed,
    /// A pipeline that it depends on failed, or it fills no table.
    Skipped,
}

words!(UpdateOutcome {
    Applied => state::APPLIED,
    AlreadyApplied => state::ALREADY_APPLIED,
    AppliedNotArchived => state::APPLIED_NOT_ARCHIVED,
    Nothing => state::NOTHING_PENDING,
    Refused => state::REFUSED,
    Failed => state::FAILED,
    Skipped => state::SKIPPED,
});

/// What became of a table's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableRows {
    /// The table's name.
    pub table: String,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows whose values changed.
    pub changed: u64,
    /// Rows that are as they were.
    pub unchanged: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Rows that were turned away.
    pub rejected: u64,
}

impl Updated {
    /// Starts the report of a pipeline.
    pub fn new(pipeline: &str, outcome: UpdateOutcome) -> Updated {
        Updated {
            pipeline: pipeline.to_owned(),
            outcome,
            artifact: None,
            dry_run: false,
            tables: Vec::new(),
            superseded: Vec::new(),
            rejects: Vec::new(),
            unreadable: Vec::new(),
            reason: None,
            refused_before: None,
            error: None,
        }
    }

    /// Says what was done.
    fn say(&self, summary: &mut Summary) {
        match self.outcome {
            UpdateOutcome::Applied if self.dry_run => summary.note("to be applied"),
            UpdateOutcome::Applied => summary.did("applied"),
            UpdateOutcome::AlreadyApplied => summary.note(state::ALREADY_APPLIED),
            UpdateOutcome::AppliedNotArchived => summary.note("applied but not archived"),
            UpdateOutcome::Refused => summary.note(state::REFUSED),
            UpdateOutcome::Nothing | UpdateOutcome::Failed | UpdateOutcome::Skipped => {}
        }
    }

    /// Counts it.
    pub(super) fn count(&self, summary: &mut Summary) {
        for failure in &self.unreadable {
            summary.failed(failure.kind);
        }
        self.say(summary);
        match self.outcome {
            UpdateOutcome::Applied | UpdateOutcome::AlreadyApplied => {
                let rejected = self.tables.iter().filter(|table| table.rejected > 0);
                summary.passed(rejected.count());
            }
            UpdateOutcome::AppliedNotArchived | UpdateOutcome::Refused | UpdateOutcome::Failed => {
                let kind = self.error.as_ref().map(|error| error.kind);
                summary.failed(kind.unwrap_or(Kind::Failed));
            }
            UpdateOutcome::Nothing | UpdateOutcome::Skipped => summary.skip += 1,
        }
    }
}

impl Report for Update {
    const COMMAND: &'static str = "update";
    const COLUMNS: &'static [&'static str] = &["pipeline", "outcome", "artifact", "tables"];
    type Item = Updated;

    fn items(&self) -> Vec<&Updated> {
        self.pipelines.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::of("applied");
        self.pipelines
            .iter()
            .for_each(|one| one.count(&mut summary));
        summary
    }
}
