//! What reads what, read from the SQL itself.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    Pipeline, Project, SourceFile,
    sql::{Relation, references, resolve},
};
use crate::{
    dataset::Dataset,
    diagnostics::{Code, Finding},
};

/// What each of a pipeline's files reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// By model.
    pub models: IndexMap<String, Vec<Relation>>,
    /// By rule: the files of `checks/`.
    pub rules: IndexMap<String, Vec<Relation>>,
    /// The models that are files beside the output's.
    pub also: Vec<String>,
    /// What the SQL names and a run's parameters leave out: it counts as not read.
    pub left_out: BTreeSet<Relation>,
}

impl Reads {
    fn of(project: &Project, pipeline: &Pipeline) -> Reads {
        let read = |files: &IndexMap<String, SourceFile>| {
            let read = files.iter().map(|(name, file)| {
                let names = references(&file.text);
                let known = names
                    .iter()
                    .filter_map(|name| resolve(project, pipeline, name));
                (name.clone(), known.collect())
            });
            read.collect()
        };
        Reads {
            models: read(&pipeline.models),
            rules: read(&pipeline.rules),
            also: pipeline
                .also
                .iter()
                .map(|(_, model)| model.clone())
                .collect(),
            left_out: BTreeSet::new(),
        }
    }

    /// Returns the models that the output, what lies beside it, and the rules need, each after those it
    /// reads.
    pub fn needed_models(&self, output: &str) -> Vec<&str> {
        let mut order = Vec::new();
        self.visit(output, &mut order, &mut BTreeSet::new());
        for model in &self.also {
            self.visit(model, &mut order, &mut BTreeSet::new());
        }
        for relations in self.rules.values() {
            for name in models(relations) {
                self.visit(name, &mut order, &mut BTreeSet::new());
            }
        }
        order
    }

    /// Returns the model and those it reads, each after those it reads.
    pub fn models_below(&self, model: &str) -> Vec<&str> {
        let mut order = Vec::new();
        self.visit(model, &mut order, &mut BTreeSet::new());
        order
    }

    fn visit<'a>(&'a self, name: &str, order: &mut Vec<&'a str>, open: &mut BTreeSet<String>) {
        let Some((name, relations)) = self.models.get_key_value(name) else {
            return;
        };
        if order.contains(&name.as_str()) || !open.insert(name.clone()) {
            return;
        }
        for below in models(relations) {
            self.visit(below, order, open);
        }
        order.push(name);
    }

    /// Returns every model, each after those it reads.
    pub fn all_models(&self) -> Vec<&str> {
        let mut order = Vec::new();
        for name in self.models.keys() {
            self.visit(name, &mut order, &mut BTreeSet::new());
        }
        order
    }

    /// Says whether a model is computed once and written: more than one reads it, or it
    /// is a file beside the output's.
    pub fn is_written(&self, model: &str, output: &str) -> bool {
        self.readers(model, output) > 1 || self.also.iter().any(|also| also == model)
    }

    /// Returns how many of the needed models and the rules read a model.
    pub fn readers(&self, model: &str, output: &str) -> usize {
        let wanted = Relation::Model(model.to_owned());
        let needed = self.needed_models(output);
        let models = needed.iter().filter_map(|name| self.models.get(*name));
        models
            .chain(self.rules.values())
            .filter(|relations| relations.contains(&wanted))
            .count()
    }

    /// Returns what the output and the rules read outside of the models.
    pub fn inputs(&self, output: &str) -> BTreeSet<&Relation> {
        let needed = self.needed_models(output);
        let models = needed.iter().filter_map(|name| self.models.get(*name));
        let relations = models.chain(self.rules.values()).flatten();
        relations
            .filter(|relation| !matches!(relation, Relation::Model(_)))
            .filter(|relation| !self.left_out.contains(relation))
            .collect()
    }
}

fn models(relations: &[Relation]) -> impl Iterator<Item = &str> {
    relations.iter().filter_map(|relation| match relation {
        Relation::Model(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Reads every pipeline's SQL, and finds what depends on itself.
pub(super) fn connect(project: &mut Project) -> Vec<Finding> {
    let read: Vec<Reads> = project
        .pipelines
        .values()
        .map(|p| Reads::of(project, p))
        .collect();
    for (pipeline, reads) in project.pipelines.values_mut().zip(read) {
        pipeline.reads = reads;
    }
    let mut findings = Vec::new();
    for pipeline in project.pipelines.values() {
        findings.extend(model_cycle(pipeline));
        findings.extend(unread(pipeline));
    }
    findings.extend(pipeline_cycle(project));
    findings
}

fn model_cycle(pipeline: &Pipeline) -> Option<Finding> {
    let names: Vec<&str> = pipeline.models.keys().map(String::as_str).collect();
    let below = |name: &str| -> Vec<&str> {
        let relations = pipeline.reads.models.get(name);
        relations
            .map(|relations| models(relations).collect())
            .unwrap_or_default()
    };
    let cycle = cycle(&names, below)?;
    let file = &pipeline.models[cycle[0]];
    let next = cycle.get(1).copied().unwrap_or(cycle[0]);
    let mut help = "let one of them read something else".to_owned();
    if cycle.len() == 2 {
        help = format!("a dataset of that name is `export.{}`", cycle[0]);
    }
    let finding = Finding::new(
        Code::Cycle,
        format!("models read each other: {}", cycle.join(" → ")),
    )
    .at(
        file.place(word(&file.text, next)),
        "reads itself in the end",
    );
    Some(finding.help(help))
}

fn pipeline_cycle(project: &Project) -> Option<Finding> {
    let names: Vec<&str> = project.pipelines.keys().map(String::as_str).collect();
    let cycle = cycle(&names, |name| outputs(&project.pipelines[name]))?;
    let pipeline = &project.pipelines[cycle[0]];
    let next = super::names::relation(cycle[1]);
    let file = pipeline
        .models
        .values()
        .chain(pipeline.rules.values())
        .find(|file| {
            let relation = Relation::Output(cycle[1].to_owned());
            let names = references(&file.text);
            names
                .iter()
                .any(|name| resolve(project, pipeline, name).as_ref() == Some(&relation))
        })?;
    let what = format!("pipelines read each other: {}", cycle.join(" → "));
    let place = file.place(word(&file.text, &next));
    Some(
        Finding::new(Code::Cycle, what)
            .at(place, "reads itself in the end")
            .help("move what both need into a model of its own"),
    )
}

/// Returns the first way from a name back to itself.
fn cycle<'a>(names: &[&'a str], below: impl Fn(&str) -> Vec<&'a str>) -> Option<Vec<&'a str>> {
    let mut done = BTreeSet::new();
    names
        .iter()
        .find_map(|name| walk(name, &below, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    name: &'a str,
    below: &impl Fn(&str) -> Vec<&'a str>,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = path.iter().position(|seen| *seen == name) {
        let mut cycle = path[start..].to_vec();
        cycle.push(name);
        return Some(cycle);
    }
    if done.contains(name) {
        return None;
    }
    path.push(name);
    let found = below(name)
        .into_iter()
        .find_map(|next| walk(next, below, path, done));
    path.pop();
    done.insert(name);
    found
}

/// Warns of models and seeds that nothing reads.
fn unread(pipeline: &Pipeline) -> Vec<Finding> {
    let needed = pipeline.reads.needed_models(&pipeline.output);
    let mut findings = Vec::new();
    for (name, file) in &pipeline.models {
        if !needed.contains(&name.as_str()) && pipeline.models.contains_key(&pipeline.output) {
            findings.push(never_read("model", name, file));
        }
    }
    for (name, file) in &pipeline.seeds {
        let seed = Relation::Seed(name.clone());
        let reads = &pipeline.reads;
        let mut all = reads.models.values().chain(reads.rules.values());
        if !all.any(|relations| relations.contains(&seed)) {
            findings.push(never_read("seed", name, file));
        }
    }
    findings
}

fn never_read(what: &str, name: &str, file: &SourceFile) -> Finding {
    let end = file.text.find('\n').unwrap_or(file.text.len());
    Finding::new(
        Code::UnusedFile,
        format!("nothing reads the {what} `{name}`"),
    )
    .at(file.place(0..end), "is never computed")
    .help("read it in another model, or delete the file")
}

/// Returns where `word` first stands as a whole word, or the start of the text.
pub(crate) fn word(text: &str, word: &str) -> std::ops::Range<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let found = text.match_indices(word).find(|(at, _)| {
        let line_start = text[..*at].rfind('\n').map_or(0, |end| end + 1);
        !text[..*at].ends_with(part)
            && !text[at + word.len()..].starts_with(part)
            && !text[line_start..*at].contains("--")
    });
    found.map_or(0..0, |(at, _)| at..at + word.len())
}

/// Returns the pipelines whose outputs a pipeline reads directly, by name.
fn outputs(pipeline: &Pipeline) -> Vec<&str> {
    let inputs = pipeline.reads.inputs(&pipeline.output);
    let outputs = inputs.into_iter().filter_map(|relation| match relation {
        Relation::Output(name) => Some(name.as_str()),
        _ => None,
    });
    outputs.collect()
}

pub(super) fn upstream<'a>(project: &'a Project, pipeline: &Pipeline) -> Vec<&'a Pipeline> {
    let mut order = Vec::new();
    for name in outputs(pipeline) {
        visit(project, name, &mut order, &mut BTreeSet::new());
    }
    order.retain(|found| found.name != pipeline.name);
    order
}

/// Returns the pipelines and those they read, each after what it reads.
pub(crate) fn in_order<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> Vec<&'a Pipeline> {
    let mut order = Vec::new();
    for pipeline in pipelines {
        visit(project, &pipeline.name, &mut order, &mut BTreeSet::new());
    }
    order
}

fn visit<'a>(
    project: &'a Project,
    name: &str,
    order: &mut Vec<&'a Pipeline>,
    open: &mut BTreeSet<String>,
) {
    let Some(pipeline) = project.pipelines.get(name) else {
        return;
    };
    if order.iter().any(|done| done.name == name) || !open.insert(name.to_owned()) {
        return;
    }
    for below in outputs(pipeline) {
        visit(project, below, order, open);
    }
    order.push(pipeline);
}

/// Returns the datasets that a pipeline's own SQL reads, by name.
pub(super) fn own_datasets(pipeline: &Pipeline) -> BTreeSet<&str> {
    let inputs = pipeline.reads.inputs(&pipeline.output);
    let datasets = inputs.into_iter().filter_map(|relation| match relation {
        Relation::Dataset(name) => Some(name.as_str()),
        _ => None,
    });
    datasets.collect()
}

/// Returns the datasets that the pipelines read of the snapshot before, themselves or
/// through other pipelines, by name.
pub(super) fn previous_of<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> BTreeSet<&'a str> {
    let read = inputs_of(project, pipelines);
    let previous = read.filter_map(|relation| match relation {
        Relation::Previous(name) => Some(name.as_str()),
        _ => None,
    });
    previous.collect()
}

/// Returns the datasets that the pipelines read of earlier days, likewise.
pub(super) fn history_of<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> BTreeSet<&'a str> {
    let read = inputs_of(project, pipelines);
    let history = read.filter_map(|relation| match relation {
        Relation::History(name) => Some(name.as_str()),
        _ => None,
    });
    history.collect()
}

/// Returns what the pipelines read outside of their models, with those they read.
fn inputs_of<'a>(
    project: &'a Project,
    pipelines: &[&Pipeline],
) -> impl Iterator<Item = &'a Relation> + use<'a> {
    let all = in_order(project, pipelines).into_iter();
    all.flat_map(|pipeline| pipeline.reads.inputs(&pipeline.output))
}

pub(super) fn datasets_of<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> Vec<&'a Dataset> {
    let all = in_order(project, pipelines);
    let names: BTreeSet<&str> = all.iter().flat_map(|p| own_datasets(p)).collect();
    let datasets = names
        .into_iter()
        .filter_map(|name| project.datasets.get(name));
    datasets.collect()
}

/// Says whether every pipeline that reads the dataset can do without.
pub(super) fn is_optional(project: &Project, pipelines: &[&Pipeline], dataset: &str) -> bool {
    let all = in_order(project, pipelines);
    let mut readers = all.iter().filter(|p| own_datasets(p).contains(dataset));
    readers.all(|pipeline| pipeline.optional.iter().any(|name| name == dataset))
}
