//! What `generate` did.

use std::time::Duration;

use serde::Serialize;

use super::{Failure, Report, Sample, Summary, seconds, state, words};
use crate::kind::Kind;

/// What became of the pipelines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Generate {
    /// The pipelines that were asked for, in the order in which they ran.
    pub pipelines: Vec<Generated>,
}

/// One pipeline and its artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Generated {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// What became of it.
    pub outcome: GenerateOutcome,
    /// The artifact that holds the output now: the new one, or the one it equals.
    pub artifact: Option<String>,
    /// The snapshot that was read.
    pub snapshot: String,
    /// The output's rows.
    pub rows: Option<u64>,
    /// The file's length.
    pub bytes: Option<u64>,
    /// The file's hash, in hex.
    pub sha256: Option<String>,
    /// The models that were computed, in order.
    pub models: Vec<Model>,
    /// The model that texts were embedded with, if the SQL embeds any.
    pub embedding: Option<String>,
    /// What was embedded.
    pub embedded: Embedded,
    /// Every check that was run.
    pub checks: Vec<CheckResult>,
    /// How long it took to write the output's file.
    pub written_seconds: Option<f64>,
    /// The pipeline because of which it was skipped.
    pub after: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// What became of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerateOutcome {
    /// A new artifact is in the outbox.
    Committed,
    /// The latest artifact has the same content; nothing was written.
    Unchanged,
    /// It would be committed, or is unchanged: a dry run does not look.
    DryRun,
    /// A check with severity `error` failed; nothing was committed.
    Refused,
    /// Its SQL, or a write, failed.
    Failed,
    /// A pipeline that it reads has no output, or an earlier one failed.
    Skipped,
}

words!(GenerateOutcome {
    Committed => state::COMMITTED,
    Unchanged => state::UNCHANGED,
    DryRun => state::DRY_RUN,
    Refused => state::REFUSED,
    Failed => state::FAILED,
    Skipped => state::SKIPPED,
});

/// A model that was computed and written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The model's name, without the pipeline's.
    pub model: String,
    /// The models that were computed within it, as only it reads them.
    pub inlined: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// What it took, its inlined models included.
    pub cost: Cost,
}

/// What was embedded for a pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Embedded {
    /// Texts, each once a batch.
    pub texts: u64,
    /// Those of them whose vectors were in the cache.
    pub found: u64,
    /// How long it took, in seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckResult {
    /// The check: `rows`, `empty`, `change`, `age`, `not null`, `grain`, or the name of a check's file.
    pub check: String,
    /// What became of it.
    pub outcome: CheckOutcome,
    /// What was found, in words.
    pub message: String,
    /// How many rows are bad.
    pub bad_rows: u64,
    /// The first of them, as a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// The same rows, for a screen of any width.
    #[serde(skip)]
    pub sample: Option<Sample>,
    /// How many are not among those shown.
    #[serde(skip)]
    pub not_shown: u64,
    /// How long it took, in seconds; 0 where it needs no query.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It holds.
    Pass,
    /// It does not hold, and its severity is `warn`.
    Warn,
    /// It does not hold, and its severity is `error`: nothing is committed.
    Fail,
}

words!(CheckOutcome {
    Pass => state::PASS,
    Warn => state::WARN,
    Fail => state::FAIL,
});

/// What running a plan took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// From the start to the last row, waits of the reader included.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Bytes read from Parquet files, footers and indexes among them.
    pub read_bytes: u64,
    /// The most that operators had reserved of the pool at once. Batches in flight
    /// are not accounted for, and the process needs more than this.
    pub peak_memory_bytes: u64,
    /// Bytes spilled to temporary files, compressed.
    pub spilled_bytes: u64,
    /// How often an operator spilled: its temporary files.
    pub spilled_files: u64,
    /// The plan's operators, each before those it reads.
    pub operators: Vec<Operator>,
}

/// What one operator of a plan did, in all its partitions together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Operator {
    /// DataFusion's name for it.
    pub operator: String,
    /// How many operators are above it.
    pub depth: usize,
    /// The rows that it gave; `None` where it does not count.
    pub rows: Option<u64>,
    /// The time it was at work, of all threads together.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub busy: Duration,
    /// Bytes read from Parquet files.
    pub read_bytes: u64,
    /// Bytes spilled.
    pub spilled_bytes: u64,
    /// Its temporary files.
    pub spilled_files: u64,
}

impl Generate {
    /// Returns the names of the pipelines that did not come through: what follows
    /// leaves them alone.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        let held = self.pipelines.iter().filter(|one| !one.came_through());
        held.map(|generated| generated.pipeline.as_str())
    }
}

impl Generated {
    /// Starts the report of a pipeline.
    pub fn new(pipeline: &str, outcome: GenerateOutcome, snapshot: &str) -> Generated {
        Generated {
            pipeline: pipeline.to_owned(),
            outcome,
            artifact: None,
            snapshot: snapshot.to_owned(),
            rows: None,
            bytes: None,
            sha256: None,
            models: Vec::new(),
            embedding: None,
            embedded: Embedded::default(),
            checks: Vec::new(),
            written_seconds: None,
            after: None,
            error: None,
        }
    }

    /// Says whether there is an output that may travel on.
    pub fn came_through(&self) -> bool {
        match self.outcome {
            GenerateOutcome::Committed | GenerateOutcome::Unchanged | GenerateOutcome::DryRun => {
                true
            }
            GenerateOutcome::Refused | GenerateOutcome::Failed | GenerateOutcome::Skipped => false,
        }
    }

    /// Returns the time of all that was done for the output.
    pub fn elapsed(&self) -> Duration {
        let computed: Duration = self.models.iter().map(|model| model.cost.elapsed).sum();
        let checked: Duration = self.checks.iter().map(|check| check.elapsed).sum();
        let written = Duration::try_from_secs_f64(self.written_seconds.unwrap_or_default());
        computed + checked + written.unwrap_or_default()
    }

    /// Says what was done.
    fn say(&self, summary: &mut Summary) {
        match self.outcome {
            GenerateOutcome::Committed => summary.did("generated"),
            GenerateOutcome::Unchanged => {
                summary.did("generated");
                summary.note(state::UNCHANGED);
            }
            GenerateOutcome::DryRun => {
                summary.did("generated");
                summary.note("not committed");
            }
            GenerateOutcome::Refused => summary.note(state::REFUSED),
            GenerateOutcome::Failed | GenerateOutcome::Skipped => {}
        }
    }

    /// Counts it.
    pub(super) fn count(&self, summary: &mut Summary) {
        self.say(summary);
        match self.outcome {
            GenerateOutcome::Committed | GenerateOutcome::Unchanged | GenerateOutcome::DryRun => {
                let warned = |check: &&CheckResult| check.outcome != CheckOutcome::Pass;
                summary.passed(self.checks.iter().filter(warned).count());
            }
            GenerateOutcome::Refused => summary.failed(Kind::Data),
            GenerateOutcome::Failed => {
                let kind = self.error.as_ref().map(|error| error.kind);
                summary.failed(kind.unwrap_or(Kind::Failed));
            }
            GenerateOutcome::Skipped => summary.skip += 1,
        }
    }
}

impl Report for Generate {
    const COMMAND: &'static str = "generate";
    const COLUMNS: &'static [&'static str] = &[
        "pipeline", "outcome", "artifact", "snapshot", "rows", "bytes", "sha256",
    ];
    type Item = Generated;

    fn items(&self) -> Vec<&Generated> {
        self.pipelines.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::of("generated");
        self.pipelines
            .iter()
            .for_each(|one| one.count(&mut summary));
        summary
    }
}
