//! `lineage`: what reads what, as the SQL says.

use super::Result;
use crate::{
    env::Env,
    pipeline::{Pipeline, Relation},
    report::{self, Edge, PipelineOutput},
};

/// Returns the pipelines' models and what each reads; all pipelines when none is named.
///
/// # Errors
///
/// The project is wrong, or a pipeline is unknown.
pub fn lineage(env: &Env, pipelines: &[String]) -> Result<report::Lineage> {
    let pipelines = env.select(pipelines)?;
    env.is_without_pipelines()?;
    let outputs = pipelines.iter().map(|pipeline| PipelineOutput {
        pipeline: pipeline.name.clone(),
        model: pipeline.output.clone(),
        file: pipeline.file.name.clone(),
    });
    Ok(report::Lineage {
        outputs: outputs.collect(),
        edges: pipelines.into_iter().flat_map(edges).collect(),
    })
}

fn edges(pipeline: &Pipeline) -> Vec<Edge> {
    let readers = pipeline.reads.models.iter();
    let readers = readers.flat_map(|(reader, read)| read.iter().map(move |one| (reader, one)));
    let edge = |(reader, relation): (&String, &Relation)| {
        let (kind, name) = spelled(relation);
        Edge {
            pipeline: pipeline.name.clone(),
            reader: reader.clone(),
            reads: name.to_owned(),
            kind,
        }
    };
    readers.map(edge).collect()
}

fn spelled(relation: &Relation) -> (&'static str, &str) {
    match relation {
        Relation::Model(name) => ("model", name),
        Relation::Seed(name) => ("seed", name),
        Relation::Output(name) => ("pipeline", name),
        Relation::Dataset(name) => ("dataset", name),
        Relation::Previous(name) => ("dataset of the previous snapshot", name),
        Relation::History(name) => ("dataset of earlier days", name),
    }
}
