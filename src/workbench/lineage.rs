//! `lineage`: what reads what, as the SQL says.

use super::Result;
use crate::{
    env::Env,
    pipeline::{Pipeline, Relation, SqlFile},
    report::{self, Edge, LeftOut, PipelineOutput},
};

/// Returns the pipelines' models and what each reads; all pipelines when none is named.
/// Those with SQL that cannot be parsed are left out: what it reads is not known.
///
/// # Errors
///
/// The project is wrong, or a pipeline is unknown.
pub fn lineage(env: &Env, names: &[String]) -> Result<report::Lineage> {
    let (mut pipelines, _) = env.sound(names)?;
    env.is_without_pipelines()?;
    let mut left_out = env.left_out(names)?;
    pipelines.retain(|pipeline| {
        let found = unparsed(pipeline);
        left_out.extend(found.clone());
        found.is_none()
    });
    let outputs = pipelines.iter().map(|pipeline| PipelineOutput {
        pipeline: pipeline.name.clone(),
        model: pipeline.output.clone(),
        file: pipeline.file.name.clone(),
    });
    Ok(report::Lineage {
        outputs: outputs.collect(),
        edges: pipelines.into_iter().flat_map(edges).collect(),
        left_out,
    })
}

/// Returns a pipeline with what keeps its SQL from being parsed, if anything does.
fn unparsed(pipeline: &Pipeline) -> Option<LeftOut> {
    let files = pipeline.models.values().chain(pipeline.rules.values());
    let findings: Vec<_> = files.flat_map(SqlFile::findings).cloned().collect();
    (!findings.is_empty()).then(|| LeftOut {
        pipeline: pipeline.name.clone(),
        because: None,
        findings,
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
