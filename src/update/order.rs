//! Which pipelines must be applied before which: a table's parents before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    database::Table,
    pipeline::{Pipeline, dag::Dag},
};

/// Returns the pipelines that fill tables, each after those it depends on; equals by
/// name. In a circle, names decide.
pub(super) fn in_order<'a>(pipelines: &[&'a Pipeline], tables: &[Table]) -> Vec<&'a Pipeline> {
    let filling = pipelines.iter().copied();
    let by_name: BTreeMap<&str, &Pipeline> = filling
        .filter(|pipeline| !pipeline.update.is_empty())
        .map(|pipeline| (pipeline.name.as_str(), pipeline))
        .collect();
    let needs = by_name.iter().map(|(name, pipeline)| {
        let others = by_name.iter();
        let needed = others.filter(|(_, other)| depends(pipeline, other, tables));
        (*name, needed.map(|(other, _)| *other).collect::<Vec<_>>())
    });
    let order = Dag::of(needs).in_order(by_name.keys().copied());
    order.into_iter().map(|name| by_name[name]).collect()
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
