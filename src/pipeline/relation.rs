//! What a name in SQL stands for.

use datafusion::common::TableReference;

use super::{Pipeline, Project, names};

/// What a name in a pipeline's SQL stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// A model of the pipeline, or a shared one.
    Model(String),
    /// A seed of the pipeline.
    Seed(String),
    /// The output of another pipeline, by the pipeline's name.
    Output(String),
    /// A dataset of the snapshot.
    Dataset(String),
    /// A dataset of the snapshot before it.
    Previous(String),
    /// A dataset of earlier days.
    History(String),
}

/// Returns what `reference` stands for in the pipeline's SQL: its model or a shared one,
/// its seed, another pipeline's output, a dataset, the first that there is. A pipeline
/// that cannot run still has its name.
pub(crate) fn resolve(
    project: &Project,
    pipeline: &Pipeline,
    reference: &TableReference,
) -> Option<Relation> {
    match reference {
        TableReference::Bare { table } => resolve_bare(project, pipeline, table),
        TableReference::Partial { schema, table } => match schema.as_ref() {
            "export" => dataset(project, table).map(Relation::Dataset),
            "previous" => dataset(project, table).map(Relation::Previous),
            "history" => dataset(project, table).map(Relation::History),
            _ => None,
        },
        TableReference::Full { .. } => None,
    }
}

fn resolve_bare(project: &Project, pipeline: &Pipeline, name: &str) -> Option<Relation> {
    if pipeline.models.contains_key(name) {
        return Some(Relation::Model(name.to_owned()));
    }
    if pipeline.seeds.contains_key(name) {
        return Some(Relation::Seed(name.to_owned()));
    }
    let outputs = project.pipelines.keys();
    let broken = project.broken.iter().map(|broken| &broken.name);
    let mut outputs = outputs.chain(broken);
    let is_meant = |output: &&String| **output != pipeline.name && names::relation(output) == name;
    match outputs.find(is_meant) {
        Some(other) => Some(Relation::Output(other.clone())),
        None => dataset(project, name).map(Relation::Dataset),
    }
}

fn dataset(project: &Project, name: &str) -> Option<String> {
    let known = project.datasets.contains_key(name);
    known.then(|| name.to_owned())
}
