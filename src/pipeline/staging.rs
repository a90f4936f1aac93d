//! `sql/staging/*.sql`: models that every pipeline may read by name.
//!
//! In come the files; out comes a pipeline without an output, over which their tests and
//! queries run. A pipeline takes in those that its own models and checks name, and those
//! that these name in turn: from then on they are models of the pipeline, planned with it
//! and part of its hash. A model or a seed of its own comes first. What a name in a shared
//! model means never depends on who reads it. Nothing here runs SQL.

use indexmap::IndexMap;

use super::{
    Format, OutputFile, Pipeline, Places, Project, Relation, SourceFile, SqlFile, checks::Checks,
    graph, relation::resolve,
};
use crate::{
    dataset::{Contract, Docs},
    diagnostics::{Code, Finding, Place},
};

/// The folder, and the name under which its models are tested and queried.
pub(super) const STAGING: &str = "staging";

/// Returns the shared models as a pipeline.
pub(super) fn pipeline(files: IndexMap<String, SourceFile>) -> Pipeline {
    let no_params = IndexMap::new();
    let models = files.into_iter();
    let models = models.map(|(name, file)| (name, SqlFile::parse(file, &no_params)));
    Pipeline {
        name: STAGING.to_owned(),
        description: "Models that every pipeline may read.".to_owned(),
        aliases: Vec::new(),
        manifest: SourceFile {
            path: "sql/staging".into(),
            text: "".into(),
        },
        output: String::new(),
        file: OutputFile {
            name: String::new(),
            format: Format::Parquet,
        },
        also: Vec::new(),
        grain: Vec::new(),
        order: Vec::new(),
        upload: false,
        endpoint: String::new(),
        optional: Vec::new(),
        params: IndexMap::new(),
        contract: Contract::default(),
        docs: Docs::new(),
        checks: Checks::default(),
        update: Vec::new(),
        models: models.collect(),
        seeds: IndexMap::new(),
        seed_types: IndexMap::new(),
        rules: IndexMap::new(),
        updates: IndexMap::new(),
        reads: graph::Reads::default(),
        places: Places::default(),
    }
}

/// Gives each pipeline the shared models that it reads; finds those that hide something,
/// that mean something else to a reader, or that nothing reads.
pub(super) fn share(project: &mut Project) -> Vec<Finding> {
    for pipeline in project.pipelines.values_mut() {
        take_in(pipeline, &project.staging);
    }
    let mut findings = Vec::new();
    for (name, file) in &project.staging.models {
        let found = hiding(project, name, file).or_else(|| unread(project, name, file));
        findings.extend(found);
    }
    for pipeline in project.pipelines.values() {
        findings.extend(misread(project, pipeline));
    }
    findings
}

fn take_in(pipeline: &mut Pipeline, staging: &Pipeline) {
    let files = pipeline.models.values().chain(pipeline.rules.values());
    let mut open: Vec<SqlFile> = files.cloned().collect();
    while let Some(file) = open.pop() {
        for name in file.names() {
            let name = name.reference.to_string();
            if pipeline.models.contains_key(&name) || pipeline.seeds.contains_key(&name) {
                continue;
            }
            if let Some(shared) = staging.models.get(&name) {
                pipeline.models.insert(name, shared.clone());
                open.push(shared.clone());
            }
        }
    }
    pipeline.models.sort_keys();
}

/// Finds a shared model with the name of a dataset or of a pipeline: every pipeline would
/// read it instead. A pipeline has to give way, as a shared model is everybody's.
fn hiding(project: &Project, name: &str, file: &SqlFile) -> Option<Finding> {
    let model = file.place(0..0);
    if project.datasets.contains_key(name) {
        let what = format!("the shared model `{name}` has the name of a dataset");
        let finding = Finding::new(Code::DuplicateName, what).at(model, "this model");
        return Some(finding.help("rename the file"));
    }
    let mut pipelines = project.pipelines.values();
    let pipeline = pipelines.find(|pipeline| pipeline.relation() == name)?;
    let what = format!("the shared model `{name}` has the name of a pipeline");
    let finding = Finding::new(Code::DuplicateName, what);
    let finding = finding.at(pipeline.manifest.place(0..0), "this pipeline");
    let finding = finding.see(model, "the shared model");
    Some(finding.help("rename one of the two"))
}

fn unread(project: &Project, name: &str, file: &SqlFile) -> Option<Finding> {
    let mut pipelines = project.pipelines.values();
    let is_read = pipelines.any(|pipeline| project.is_shared(pipeline, name));
    (!is_read).then(|| graph::never_read("model", name, file))
}

/// Finds the names in shared models that mean something else in a pipeline that reads
/// them: the pipeline has a model or a seed of that name, or is what they read.
fn misread(project: &Project, pipeline: &Pipeline) -> Vec<Finding> {
    let shared = pipeline.models.iter();
    let shared = shared.filter(|(name, _)| project.is_shared(pipeline, name));
    let mut findings = Vec::new();
    for (model, file) in shared {
        for name in file.names() {
            let meant = resolve(project, &project.staging, &name.reference);
            let read = resolve(project, pipeline, &name.reference);
            let is_own = match &read {
                Some(Relation::Model(read)) => !project.is_shared(pipeline, read),
                read => *read != meant,
            };
            if is_own {
                let (table, reader) = (name.reference.table(), &pipeline.name);
                let what = format!("{reader} reads `{model}` and has its own `{table}`");
                let finding = Finding::new(Code::DuplicateName, what)
                    .at(own(pipeline, table), "hides the other")
                    .see(file.place(name.span.clone()), "would be another relation");
                findings.push(finding.help(format!(
                    "rename `{table}` of {reader}; a dataset is also `export.{table}`"
                )));
            }
        }
    }
    findings
}

/// Returns the place of a pipeline's own model or seed, else of the pipeline itself.
fn own(pipeline: &Pipeline, name: &str) -> Place {
    let model = pipeline.models.get(name).map(|file| file.place(0..0));
    let seed = pipeline.seeds.get(name).map(|file| file.place(0..0));
    let own = model.or(seed);
    own.unwrap_or_else(|| pipeline.manifest.place(0..0))
}

impl Project {
    /// Says whether a model of a pipeline is one that all may read.
    pub fn is_shared(&self, pipeline: &Pipeline, model: &str) -> bool {
        let shared = self.staging.models.get(model);
        let own = pipeline.models.get(model);
        shared.is_some_and(|shared| own.is_some_and(|own| own.path == shared.path))
    }
}
