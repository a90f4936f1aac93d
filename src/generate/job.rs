//! What to generate, from what, and where, as a plain value.

use std::path::Path;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use crate::{
    config::EngineConfig,
    events::Events,
    pipeline::{Bindings, Pipeline, Project},
    snapshot::Snapshot,
};

/// What to generate, from what, and where.
#[derive(Debug)]
pub struct Generate<'a> {
    /// The project's pipelines and datasets.
    pub project: &'a Project,
    /// The pipelines asked for; those they read are computed as well.
    pub pipelines: &'a [&'a Pipeline],
    /// The parameters, by pipeline, from [`Project::bind`]; one that lacks has its defaults.
    pub bindings: &'a IndexMap<String, Bindings>,
    /// Where the datasets are.
    pub snapshot: &'a Snapshot,
    /// Where those of `previous` are; without it they are empty.
    pub previous: Option<&'a Snapshot>,
    /// Where those of `history` are, the newest first.
    pub history: &'a [Snapshot],
    /// The rows of each pipeline's last committed artifact, for the check `change`.
    pub previous_rows: IndexMap<String, u64>,
    /// Memory, threads and temp space.
    pub config: &'a EngineConfig,
    /// An empty folder for intermediates and the artifacts' files.
    pub work: &'a Path,
    /// The clock, for the check `age`.
    pub now: DateTime<Utc>,
    /// Who watches: the tasks, models, checks and files, as they come.
    pub events: &'a Events,
}
