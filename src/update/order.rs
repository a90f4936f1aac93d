//! Which pipelines must be applied before which: a table's parents before it.

use std::collections::BTreeSet;

use crate::{database::Table, pipeline::Pipeline};

/// Returns the pipelines that fill tables, each after those it depends on; equals by
/// name. In a circle, names decide.
pub(super) fn in_order<'a>(pipelines: &[&'a Pipeline], tables: &[Table]) -> Vec<&'a Pipeline> {
    let mut waiting: Vec<&Pipeline> = pipelines.to_vec();
    waiting.retain(|pipeline| !pipeline.update.is_empty());
    waiting.sort_by(|a, b| a.name.cmp(&b.name));
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let is_free = |pipeline: &&Pipeline| {
            let mut others = waiting.iter();
            !others.any(|other| depends(pipeline, other, tables))
        };
        let next = waiting.iter().position(is_free).unwrap_or(0);
        order.push(waiting.remove(next));
    }
    order
}

/// Returns whether a pipeline refers to, or reads, a table that another one fills.
pub(super) fn depends(pipeline: &Pipeline, other: &Pipeline, tables: &[Table]) -> bool {
    if pipeline.name == other.name {
        return false;
    }
    let needed = needed(pipeline, tables);
    let mut steps = other.update.iter();
    steps.any(|step| needed.contains(&step.table))
}

fn needed(pipeline: &Pipeline, tables: &[Table]) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for step in &pipeline.update {
        needed.extend(step.references.values().map(|parent| parent.table.clone()));
        let table = tables.iter().filter(|table| table.name == step.table);
        let parents = table.flat_map(|table| table.references.values());
        needed.extend(parents.map(|parent| parent.table.clone()));
    }
    for file in pipeline.updates.values() {
        let read = file.names().iter().map(|name| &name.reference);
        let of_database = read.filter(|name| name.schema() == Some("db"));
        needed.extend(of_database.map(|name| name.table().to_owned()));
    }
    for step in &pipeline.update {
        needed.remove(&step.table);
    }
    needed
}
