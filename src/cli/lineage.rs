//! `lineage`: what reads what, as the SQL says.

use super::{
    args::{CheckArgs, Output},
    context::{Context, Ending},
    table,
};
use crate::{
    error::Result,
    pipeline::{Pipeline, Relation},
};

/// Prints each pipeline's models and what they read, from the output down.
pub(crate) fn lineage(context: &Context, args: &CheckArgs) -> Result<Ending> {
    let pipelines = context.select(&args.selection)?;
    match context.screen.output {
        Output::Table => {
            for pipeline in pipelines {
                table::print_text(&tree(pipeline));
            }
        }
        output => {
            let edges = pipelines
                .iter()
                .flat_map(|pipeline| edges(pipeline))
                .collect();
            table::print_records(&["pipeline", "reader", "reads", "kind"], edges, output)?;
        }
    }
    Ok(Ending::silent())
}

fn edges(pipeline: &Pipeline) -> Vec<Vec<String>> {
    let reads = &pipeline.reads;
    let readers = reads
        .models
        .iter()
        .flat_map(|(reader, relations)| relations.iter().map(move |relation| (reader, relation)));
    readers
        .map(|(reader, relation)| {
            let (kind, name) = spelled(relation);
            vec![
                pipeline.name.clone(),
                reader.clone(),
                name.to_owned(),
                kind.to_owned(),
            ]
        })
        .collect()
}

fn spelled(relation: &Relation) -> (&'static str, &str) {
    match relation {
        Relation::Model(name) => ("model", name),
        Relation::Seed(name) => ("seed", name),
        Relation::Output(name) => ("pipeline", name),
        Relation::Dataset(name) => ("dataset", name),
        Relation::Previous(name) => ("dataset of the snapshot before", name),
        Relation::History(name) => ("dataset of earlier days", name),
    }
}

fn tree(pipeline: &Pipeline) -> String {
    let reads = &pipeline.reads;
    let mut text = format!("{} → {}\n", pipeline.name, pipeline.file.name);
    let mut waiting = vec![(1, Relation::Model(pipeline.output.clone()))];
    while let Some((depth, relation)) = waiting.pop() {
        let (kind, name) = spelled(&relation);
        let kind = if kind == "model" {
            String::new()
        } else {
            format!("  ({kind})")
        };
        text += &format!("{}{name}{kind}\n", "  ".repeat(depth));
        if let Relation::Model(name) = &relation
            && let Some(below) = reads.models.get(name)
        {
            waiting.extend(
                below
                    .iter()
                    .rev()
                    .map(|relation| (depth + 1, relation.clone())),
            );
        }
    }
    text
}
