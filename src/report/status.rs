//! Where everything is: what `status` shows.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Failure, Report, Summary};

/// Each pipeline at each hop, and the newest runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Status {
    /// The selected pipelines, each after those it reads.
    pub pipelines: Vec<PipelineStatus>,
    /// The newest runs, newest first.
    pub runs: Vec<PastRun>,
}

/// One pipeline at each hop. A field is null where there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PipelineStatus {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The latest artifact in the outbox.
    pub generated: Option<String>,
    /// How many rows it has.
    pub rows: Option<u64>,
    /// When its snapshot was fetched: the age of the data, not of the file.
    pub snapshot_at: Option<DateTime<Utc>>,
    /// The time since then, in seconds.
    pub age_seconds: Option<u64>,
    /// Whether a receiver has it: `no`, `yes`, or `verified` if it returned the hash.
    pub uploaded: Option<&'static str>,
    /// The latest artifact that the inbox received.
    pub received: Option<String>,
    /// How many rows it has.
    pub received_rows: Option<u64>,
    /// What became of it: `pending`, `applied`, `superseded` or `refused`.
    pub state: Option<&'static str>,
    /// The artifact that the database holds.
    pub applied: Option<String>,
    /// The rows of its first table.
    pub applied_rows: Option<u64>,
    /// Why it cannot run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PastRun {
    /// The run's name.
    pub run: String,
    /// When it began, in UTC.
    pub began_at: DateTime<Utc>,
    /// The command with its flags.
    pub command: String,
    /// How long it took.
    pub seconds: f64,
    /// The exit code.
    pub exit: u8,
    /// The error, if it failed.
    pub error: Option<String>,
}

impl Report for Status {
    const COMMAND: &'static str = "status";
    const COLUMNS: &'static [&'static str] = &[
        "pipeline",
        "generated",
        "rows",
        "snapshot_at",
        "age_seconds",
        "uploaded",
        "received",
        "received_rows",
        "state",
        "applied",
        "applied_rows",
    ];
    type Item = PipelineStatus;

    fn items(&self) -> Vec<&PipelineStatus> {
        self.pipelines.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for failure in self.pipelines.iter().filter_map(|one| one.error.as_ref()) {
            summary.failed(failure.kind);
        }
        summary
    }
}
