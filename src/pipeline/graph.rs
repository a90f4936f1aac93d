//! What reads what, read from the SQL itself.

use std::{collections::BTreeSet, ops::Range};

use indexmap::IndexMap;

use super::{
    Pipeline, Project, SourceFile, SqlFile,
    dag::Dag,
    plain,
    relation::{Relation, resolve},
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
    /// The shared models that only filter: part of every plan that reads them, and never
    /// written.
    pub filters: BTreeSet<String>,
    /// What the SQL names and a run's parameters leave out: it counts as not read.
    pub left_out: BTreeSet<Relation>,
}

impl Reads {
    fn of(project: &Project, pipeline: &Pipeline) -> Reads {
        let read = |files: &IndexMap<String, SqlFile>| {
            let read = files.iter().map(|(name, file)| {
                let known = relations(project, pipeline, file);
                (name.clone(), known.map(|(relation, _)| relation).collect())
            });
            read.collect()
        };
        let filters = pipeline.models.iter().filter(|(name, file)| {
            project.is_shared(pipeline, name) && file.query().is_some_and(plain::is_filter)
        });
        Reads {
            filters: filters.map(|(name, _)| name.clone()).collect(),
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

    /// Returns what model reads what.
    fn dag(&self) -> Dag<&str> {
        let read = self.models.iter();
        Dag::of(read.map(|(name, relations)| (name.as_str(), models(relations))))
    }

    /// Returns the models that the output, the files beside it and the checks need, each
    /// after those it reads.
    pub fn needed_models<'a>(&'a self, output: &'a str) -> Vec<&'a str> {
        let files = std::iter::once(output).chain(self.also.iter().map(String::as_str));
        let checks = self.rules.values().flat_map(|relations| models(relations));
        self.dag().in_order(files.chain(checks))
    }

    /// Returns the model and those it reads, each after those it reads.
    pub fn models_below<'a>(&'a self, model: &'a str) -> Vec<&'a str> {
        self.dag().in_order([model])
    }

    /// Returns the models and those they read, each after those it reads; without those
    /// that are `given`, and what only they read.
    pub(crate) fn models_without<'a>(
        &'a self,
        names: &[&'a str],
        given: impl Fn(&str) -> bool,
    ) -> Vec<&'a str> {
        let read = self.models.iter().filter(|(name, _)| !given(name));
        let read = read.map(|(name, relations)| {
            let below = models(relations).filter(|name| !given(name));
            (name.as_str(), below.collect::<Vec<_>>())
        });
        Dag::of(read).in_order(names.iter().copied())
    }

    /// Returns every model, each after those it reads.
    pub fn all_models(&self) -> Vec<&str> {
        self.dag().in_order(self.models.keys().map(String::as_str))
    }

    /// Says whether a model is computed once and written: more than one reads it and it
    /// is no filter, or it is a file beside the output's.
    pub fn is_written(&self, model: &str, output: &str) -> bool {
        let is_shared = !self.filters.contains(model) && self.readers(model, output) > 1;
        is_shared || self.also.iter().any(|also| also == model)
    }

    /// Returns the models that are part of a model's plan, each after those it reads.
    pub fn inlined<'a>(&'a self, model: &'a str, output: &'a str) -> Vec<&'a str> {
        let parts = self.models.iter().map(|(name, relations)| {
            let parts = models(relations).filter(|read| !self.is_written(read, output));
            (name.as_str(), parts.collect::<Vec<_>>())
        });
        let mut order = Dag::of(parts).in_order([model]);
        order.retain(|name| *name != model);
        order
    }

    /// Returns how many of the needed models and the rules read a model; those that read a
    /// filter read what it filters.
    pub fn readers(&self, model: &str, output: &str) -> usize {
        let wanted = Relation::Model(model.to_owned());
        let needed = self.needed_models(output).into_iter();
        let models = needed.filter_map(|name| self.models.get_key_value(name));
        let models = models.filter(|(_, relations)| relations.contains(&wanted));
        let readers = models.map(|(name, _)| match self.filters.contains(name) {
            true => self.readers(name, output),
            false => 1,
        });
        let rules = self.rules.values();
        let rules = rules.filter(|relations| relations.contains(&wanted));
        readers.sum::<usize>() + rules.count()
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

/// Returns what a file of a pipeline reads, with the place where it is named.
fn relations<'a>(
    project: &'a Project,
    pipeline: &'a Pipeline,
    file: &'a SqlFile,
) -> impl Iterator<Item = (Relation, Range<usize>)> + 'a {
    file.names().iter().filter_map(|name| {
        let relation = resolve(project, pipeline, &name.reference)?;
        Some((relation, name.span.clone()))
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
    project.staging.reads = Reads::of(project, &project.staging);
    let mut findings = Vec::new();
    for pipeline in project.pipelines.values() {
        findings.extend(model_cycle(project, pipeline));
        findings.extend(unread(project, pipeline));
    }
    findings.extend(model_cycle(project, &project.staging));
    findings.extend(pipeline_cycle(project));
    findings
}

fn model_cycle(project: &Project, pipeline: &Pipeline) -> Option<Finding> {
    let cycle = pipeline.reads.dag().circle()?;
    let file = &pipeline.models[cycle[0]];
    let next = cycle.get(1).copied().unwrap_or(cycle[0]);
    let next = Relation::Model(next.to_owned());
    let mut read = relations(project, pipeline, file);
    let span = read.find_map(|(relation, span)| (relation == next).then_some(span))?;
    let mut help = "let one of them read something else".to_owned();
    if cycle.len() == 2 {
        help = format!("write `export.{}` for the dataset of that name", cycle[0]);
    }
    let finding = Finding::new(
        Code::Cycle,
        format!("models read each other: {}", cycle.join(" → ")),
    )
    .at(file.place(span), "depends on itself");
    Some(finding.help(help))
}

fn pipeline_cycle(project: &Project) -> Option<Finding> {
    let cycle = dag(project).circle()?;
    let pipeline = &project.pipelines[cycle[0]];
    let next = Relation::Output(cycle[1].to_owned());
    let files = pipeline.models.values().chain(pipeline.rules.values());
    let place = files.into_iter().find_map(|file| {
        let mut read = relations(project, pipeline, file);
        let span = read.find_map(|(relation, span)| (relation == next).then_some(span))?;
        Some(file.place(span))
    })?;
    let what = format!("pipelines read each other: {}", cycle.join(" → "));
    Some(
        Finding::new(Code::Cycle, what)
            .at(place, "depends on itself")
            .help("move what both need into a model of its own"),
    )
}

/// Warns of models and seeds that nothing reads.
fn unread(project: &Project, pipeline: &Pipeline) -> Vec<Finding> {
    let needed = pipeline.reads.needed_models(&pipeline.output);
    let mut findings = Vec::new();
    for (name, file) in &pipeline.models {
        if project.is_shared(pipeline, name) {
            continue;
        }
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

pub(super) fn never_read(what: &str, name: &str, file: &SourceFile) -> Finding {
    let end = file.text.find('\n').unwrap_or(file.text.len());
    Finding::new(
        Code::UnusedFile,
        format!("nothing reads the {what} `{name}`"),
    )
    .at(file.place(0..end), "is never computed")
    .help("read it in another model, or delete the file")
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

/// Returns which pipeline reads which.
fn dag(project: &Project) -> Dag<&str> {
    let all = project.pipelines.values();
    Dag::of(all.map(|pipeline| (pipeline.name.as_str(), outputs(pipeline))))
}

pub(super) fn upstream<'a>(project: &'a Project, pipeline: &Pipeline) -> Vec<&'a Pipeline> {
    let read = outputs(pipeline).into_iter();
    let read = read.filter_map(|name| project.pipelines.get_key_value(name));
    let order = dag(project).in_order(read.map(|(name, _)| name.as_str()));
    let order = order.into_iter();
    let others = order.filter(|name| *name != pipeline.name);
    others
        .filter_map(|name| project.pipelines.get(name))
        .collect()
}

/// Returns the pipelines and those they read, each after what it reads.
pub(crate) fn in_order<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> Vec<&'a Pipeline> {
    let known = pipelines.iter();
    let known = known.filter_map(|pipeline| project.pipelines.get_key_value(&pipeline.name));
    let names = known.map(|(name, _)| name.as_str());
    let order = dag(project).in_order(names).into_iter();
    order
        .filter_map(|name| project.pipelines.get(name))
        .collect()
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
