//! What `upload` did.

use serde::Serialize;

use super::{Failure, Report, Summary, state, words};
use crate::kind::Kind;

/// What became of the pipelines' latest artifacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Upload {
    /// The pipelines, in order.
    pub pipelines: Vec<Uploaded>,
}

/// One pipeline's latest artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Uploaded {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// What became of it.
    pub outcome: UploadOutcome,
    /// The artifact, if there is one.
    pub artifact: Option<String>,
    /// How many rows it has.
    pub rows: Option<u64>,
    /// The receiver: an origin or a location.
    pub target: String,
    /// Whether the receiver returned the hash.
    pub verified: bool,
    /// Whether it ought to be at the receiver and is not: what follows leaves it alone.
    #[serde(skip)]
    pub held: bool,
    /// Why it was skipped, or nothing is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// What became of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadOutcome {
    /// The receiver has it now.
    Uploaded,
    /// The receiver had it before; nothing was sent.
    AlreadyUploaded,
    /// It would be sent: this is a dry run.
    Pending,
    /// Nothing would be sent: this is a dry run.
    NothingPending,
    /// It could not be sent, and stays in the outbox.
    Failed,
    /// It was not tried.
    Skipped,
}

words!(UploadOutcome {
    Uploaded => state::UPLOADED,
    AlreadyUploaded => state::ALREADY_UPLOADED,
    Pending => state::PENDING,
    NothingPending => state::NOTHING_PENDING,
    Failed => state::FAILED,
    Skipped => state::SKIPPED,
});

impl Upload {
    /// Returns the names of the pipelines whose artifacts did not arrive.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        let held = self.pipelines.iter().filter(|one| one.held);
        held.map(|uploaded| uploaded.pipeline.as_str())
    }
}

impl Uploaded {
    /// Counts it.
    pub(super) fn count(&self, summary: &mut Summary) {
        match self.outcome {
            UploadOutcome::Uploaded => summary.did("uploaded"),
            UploadOutcome::AlreadyUploaded => summary.note(state::ALREADY_UPLOADED),
            UploadOutcome::Pending => summary.note(state::PENDING),
            UploadOutcome::NothingPending | UploadOutcome::Failed | UploadOutcome::Skipped => {}
        }
        match self.outcome {
            UploadOutcome::Uploaded
            | UploadOutcome::AlreadyUploaded
            | UploadOutcome::Pending
            | UploadOutcome::NothingPending => {
                summary.passed(0);
            }
            UploadOutcome::Failed => {
                let kind = self.error.as_ref().map(|error| error.kind);
                summary.failed(kind.unwrap_or(Kind::Failed));
            }
            UploadOutcome::Skipped => summary.skip += 1,
        }
    }
}

impl Report for Upload {
    const COMMAND: &'static str = "upload";
    const COLUMNS: &'static [&'static str] = &[
        "pipeline", "outcome", "artifact", "rows", "target", "verified",
    ];
    type Item = Uploaded;

    fn items(&self) -> Vec<&Uploaded> {
        self.pipelines.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::of("uploaded");
        self.pipelines
            .iter()
            .for_each(|one| one.count(&mut summary));
        summary
    }
}
