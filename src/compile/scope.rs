//! What a name means where it is written.
//!
//! In a pipeline's SQL a bare name is its model, its seed, a shared model, another
//! pipeline's output or a dataset, the first that there is. In a query it is an output, a
//! dataset, a shared model, or the one model or seed of that name; `<pipeline>.<model>` is
//! always exact. An update reads its artifact and the database's tables.

use std::collections::BTreeSet;

use datafusion::common::TableReference;

use crate::{
    catalog::{Edition, Named},
    database::Table,
    diagnostics::Finding,
    pipeline::{Broken, Pipeline, Project, Relation, resolve},
};

/// The schema of the datasets.
pub(crate) const EXPORT: &str = "export";

/// The schema of the datasets as the snapshot before has them.
pub(crate) const PREVIOUS: &str = "previous";

/// The schema of the datasets as earlier days have them.
pub(crate) const HISTORY: &str = "history";

/// The schema of the database's tables, for updates.
pub(crate) const DB: &str = "db";

/// The name of what an update applies.
pub(crate) const ARTIFACT: &str = "artifact";

/// Where SQL is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// A model or a check of a pipeline.
    Pipeline(&'a Project, &'a Pipeline),
    /// A query of the moment.
    Project(&'a Project),
    /// A step of a pipeline's update, over these tables of the database.
    Update(&'a Pipeline, &'a [Table]),
    /// A test of a pipeline's SQL, which has made relations of these names.
    Test(&'a Project, &'a Pipeline, &'a [String]),
}

/// What a name means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning<'a> {
    /// This.
    One(Named<'a>),
    /// A relation of this pipeline, and one of that, by their names.
    Ambiguous(&'a str, &'a str),
    /// A relation of a pipeline that cannot run.
    Broken(&'a Broken),
    /// Nothing.
    Unknown,
}

impl<'a> Scope<'a> {
    /// Returns what a name means here.
    pub(crate) fn meaning(self, name: &TableReference) -> Meaning<'a> {
        let named = match self {
            Scope::Pipeline(project, pipeline) => return in_pipeline(project, pipeline, name),
            Scope::Project(project) => return in_project(project, name),
            Scope::Update(pipeline, tables) => in_update(pipeline, tables, name),
            Scope::Test(project, pipeline, made) => {
                return in_test(project, pipeline, made, name);
            }
        };
        named.map_or(Meaning::Unknown, Meaning::One)
    }

    /// Returns the scope of a pipeline's models that are read from here.
    pub(crate) fn of_models(self, pipeline: &'a Pipeline) -> Scope<'a> {
        match self {
            Scope::Pipeline(project, _) | Scope::Project(project) | Scope::Test(project, ..) => {
                Scope::Pipeline(project, pipeline)
            }
            // An update reads no model.
            Scope::Update(..) => self,
        }
    }

    /// Returns what keeps a pipeline from running.
    pub(crate) fn faults(self, broken: &Broken) -> Vec<Finding> {
        match self {
            Scope::Pipeline(project, _) | Scope::Project(project) | Scope::Test(project, ..) => {
                project.faults_of(&[broken]).0
            }
            Scope::Update(..) => Vec::new(),
        }
    }

    /// Returns every name that may be written here, nearest meaning first.
    pub(crate) fn known(self) -> Vec<String> {
        match self {
            Scope::Pipeline(project, pipeline) => of_pipeline(project, pipeline),
            Scope::Project(project) => of_project(project),
            Scope::Update(_, tables) => {
                let tables = tables.iter().map(|table| format!("{DB}.{}", table.name));
                std::iter::once(ARTIFACT.to_owned()).chain(tables).collect()
            }
            Scope::Test(project, pipeline, made) => {
                let made = made.iter().cloned();
                made.chain(of_pipeline(project, pipeline)).collect()
            }
        }
    }
}

fn in_pipeline<'a>(
    project: &'a Project,
    pipeline: &'a Pipeline,
    name: &TableReference,
) -> Meaning<'a> {
    let Some(relation) = resolve(project, pipeline, name) else {
        return Meaning::Unknown;
    };
    let is_read = |broken: &&Broken| relation == Relation::Output(broken.name.clone());
    match named(project, pipeline, &relation) {
        Some(named) => Meaning::One(named),
        None => match project.broken.iter().find(is_read) {
            Some(broken) => Meaning::Broken(broken),
            None => Meaning::Unknown,
        },
    }
}

/// Returns a relation of a pipeline's SQL with its definition.
pub(crate) fn named<'a>(
    project: &'a Project,
    pipeline: &'a Pipeline,
    relation: &Relation,
) -> Option<Named<'a>> {
    let dataset = |name: &str, edition| {
        let dataset = project.datasets.get(name)?;
        Some(Named::Dataset(dataset, edition))
    };
    match relation {
        Relation::Model(name) => {
            let (name, _) = pipeline.models.get_key_value(name)?;
            Some(Named::Model(pipeline, name))
        }
        Relation::Seed(name) => {
            let (name, _) = pipeline.seeds.get_key_value(name)?;
            Some(Named::Seed(pipeline, name))
        }
        Relation::Output(name) => project.pipelines.get(name).map(Named::Output),
        Relation::Dataset(name) => dataset(name, Edition::Current),
        Relation::Previous(name) => dataset(name, Edition::Previous),
        Relation::History(name) => dataset(name, Edition::History),
    }
}

fn in_project<'a>(project: &'a Project, name: &TableReference) -> Meaning<'a> {
    let one = |named: Option<Named<'a>>| named.map_or(Meaning::Unknown, Meaning::One);
    let dataset = |name: &str, edition| {
        let dataset = project.datasets.get(name);
        dataset.map(|dataset| Named::Dataset(dataset, edition))
    };
    match name {
        TableReference::Bare { table } => bare_in_project(project, table),
        TableReference::Partial { schema, table } => match schema.as_ref() {
            EXPORT => one(dataset(table, Edition::Current)),
            PREVIOUS => one(dataset(table, Edition::Previous)),
            HISTORY => one(dataset(table, Edition::History)),
            schema => {
                let mut pipelines = pipelines(project);
                let owner = pipelines.find(|pipeline| pipeline.relation() == schema);
                match (owner, broken(project, schema)) {
                    (None, Some(broken)) => Meaning::Broken(broken),
                    (owner, _) => one(owner.and_then(|owner| own(owner, table))),
                }
            }
        },
        TableReference::Full { .. } => Meaning::Unknown,
    }
}

fn bare_in_project<'a>(project: &'a Project, name: &str) -> Meaning<'a> {
    let pipelines = || project.pipelines.values();
    if let Some(pipeline) = pipelines().find(|pipeline| pipeline.relation() == name) {
        return Meaning::One(Named::Output(pipeline));
    }
    // Its output comes before a dataset of the name, whether it can run or not.
    if let Some(broken) = broken(project, name) {
        return Meaning::Broken(broken);
    }
    if let Some(dataset) = project.datasets.get(name) {
        return Meaning::One(Named::Dataset(dataset, Edition::Current));
    }
    if let Some((shared, _)) = project.staging.models.get_key_value(name) {
        return Meaning::One(Named::Model(&project.staging, shared));
    }
    let sound = pipelines().filter_map(|owner| {
        let named = own(owner, name)?;
        Some((owner.name.as_str(), Meaning::One(named)))
    });
    let broken = project.broken.iter().filter(|broken| broken.has(name));
    let broken = broken.map(|broken| (broken.name.as_str(), Meaning::Broken(broken)));
    let mut owners = sound.chain(broken);
    match (owners.next(), owners.next()) {
        (Some((one, _)), Some((other, _))) => Meaning::Ambiguous(one, other),
        (Some((_, meaning)), None) => meaning,
        (None, _) => Meaning::Unknown,
    }
}

/// Returns the pipeline of that name that cannot run.
fn broken<'a>(project: &'a Project, name: &str) -> Option<&'a Broken> {
    let mut broken = project.broken.iter();
    broken.find(|broken| broken.relation() == name)
}

/// Returns the pipelines, and the one of the shared models.
fn pipelines(project: &Project) -> impl Iterator<Item = &Pipeline> {
    project.pipelines.values().chain([&project.staging])
}

/// Returns a pipeline's own model or seed; its output answers to the pipeline's name.
fn own<'a>(pipeline: &'a Pipeline, name: &str) -> Option<Named<'a>> {
    if name == pipeline.relation() && pipeline.models.contains_key(&pipeline.output) {
        return Some(Named::Output(pipeline));
    }
    let model = pipeline.models.get_key_value(name);
    let seed = pipeline.seeds.get_key_value(name);
    let model = model.map(|(name, _)| Named::Model(pipeline, name));
    model.or_else(|| seed.map(|(name, _)| Named::Seed(pipeline, name)))
}

fn in_update<'a>(
    pipeline: &'a Pipeline,
    tables: &'a [Table],
    name: &TableReference,
) -> Option<Named<'a>> {
    match name {
        TableReference::Bare { table } if table.as_ref() == ARTIFACT => {
            Some(Named::Artifact(pipeline))
        }
        TableReference::Partial { schema, table } if schema.as_ref() == DB => {
            let found = tables.iter().find(|known| known.name == table.as_ref());
            found.map(Named::Stored)
        }
        _ => None,
    }
}

fn in_test<'a>(
    project: &'a Project,
    pipeline: &'a Pipeline,
    made: &'a [String],
    name: &TableReference,
) -> Meaning<'a> {
    let written = name.to_string();
    if let Some(made) = made.iter().find(|made| **made == written) {
        return Meaning::One(Named::Made(made));
    }
    let has_output = pipeline.models.contains_key(&pipeline.output);
    let is_own_name = || has_output && *name == TableReference::bare(pipeline.relation());
    match in_pipeline(project, pipeline, name) {
        Meaning::Unknown if is_own_name() => Meaning::One(Named::Model(pipeline, &pipeline.output)),
        meaning => meaning,
    }
}

fn of_pipeline(project: &Project, pipeline: &Pipeline) -> Vec<String> {
    let own = pipeline.models.keys().chain(pipeline.seeds.keys());
    let own = own.chain(project.staging.models.keys()).cloned();
    let others = project.pipelines.values();
    let others = others.filter(|other| other.name != pipeline.name);
    let outputs = others.map(Pipeline::relation);
    let datasets = project.datasets.keys().cloned();
    let in_schema = |schema: &'static str| {
        let datasets = project.datasets.keys();
        datasets.map(move |name| format!("{schema}.{name}"))
    };
    let schemas = [EXPORT, PREVIOUS, HISTORY].into_iter().flat_map(in_schema);
    let mut names: Vec<String> = own.chain(outputs).chain(datasets).chain(schemas).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn of_project(project: &Project) -> Vec<String> {
    let outputs = project.pipelines.values().map(Pipeline::relation);
    let datasets = project.datasets.keys().cloned();
    let models = pipelines(project).flat_map(|pipeline| {
        let own = pipeline.models.keys().chain(pipeline.seeds.keys());
        let relation = pipeline.relation();
        own.map(move |name| format!("{relation}.{name}"))
    });
    outputs.chain(datasets).chain(models).collect()
}
