//! What reads what: what `lineage` shows.

use serde::Serialize;

use super::{LeftOut, Report, Summary};

/// The pipelines' models and what they read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// What each pipeline delivers.
    pub outputs: Vec<PipelineOutput>,
    /// One edge a reader and what it reads.
    pub edges: Vec<Edge>,
    /// The pipelines that were left out, as their files have errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What a pipeline delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipelineOutput {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The model that is delivered.
    pub model: String,
    /// The artifact's file.
    pub file: String,
}

/// A model that reads a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The model that reads.
    pub reader: String,
    /// What it reads.
    pub reads: String,
    /// What that is: `model`, `seed`, `pipeline`, `dataset`, or a dataset of earlier
    /// snapshots.
    pub kind: &'static str,
}

impl Report for Lineage {
    const COMMAND: &'static str = "lineage";
    const COLUMNS: &'static [&'static str] = &["pipeline", "reader", "reads", "kind"];
    type Item = Edge;

    fn items(&self) -> Vec<&Edge> {
        self.edges.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        summary.left_out(&self.left_out);
        summary
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
