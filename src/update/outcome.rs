//! What became of a pipeline's artifact, as a plain value.

use super::Error;
use crate::{database::TableCounts, inbox, pipeline::Pipeline, report::state};

/// What became of one pipeline.
#[derive(Debug)]
pub struct Updated {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The artifact that was looked at: `000001-0123456789abcdef`.
    pub artifact: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Artifacts superseded by a later one, by id.
    pub superseded: Vec<String>,
    /// The files of rejected rows.
    pub rejects: Vec<String>,
    /// What is wrong with the manifests that were set aside.
    pub unreadable: Vec<inbox::Error>,
}

/// What became of an artifact.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is pending. An artifact newer than the applied one may have been refused.
    Nothing {
        /// The newest such, by id, and why.
        refused: Option<(String, String)>,
    },
    /// It is in the tables (or, in a dry run, would be).
    Applied(Vec<TableCounts>),
    /// It was in the tables already; the file was only moved.
    Already,
    /// It is in the tables, and still in the inbox; the next run moves it.
    Left {
        /// What became of the tables' rows.
        tables: Vec<TableCounts>,
        /// Why it could not be moved.
        error: Error,
    },
    /// The tables are as they were. An artifact at fault is in `refused/`.
    Failed(Error),
    /// A pipeline that it depends on failed.
    Skipped {
        /// That pipeline.
        after: String,
    },
}

impl Updated {
    pub(super) fn new(pipeline: &Pipeline, outcome: Outcome) -> Updated {
        Updated {
            pipeline: pipeline.name.clone(),
            artifact: None,
            outcome,
            superseded: Vec::new(),
            rejects: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

impl Outcome {
    /// Returns whether this keeps what depends on it from being applied.
    pub fn is_failure(&self) -> bool {
        matches!(self, Outcome::Failed(_) | Outcome::Skipped { .. })
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Outcome::Nothing { .. } => state::NOTHING_PENDING,
            Outcome::Applied(_) => state::APPLIED,
            Outcome::Already => state::ALREADY_APPLIED,
            Outcome::Left { .. } => state::APPLIED_NOT_ARCHIVED,
            Outcome::Failed(_) => state::FAILED,
            Outcome::Skipped { .. } => state::SKIPPED,
        }
    }
}
