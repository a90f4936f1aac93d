//! What a fault in one pipeline's files stops: the pipeline, those that read it, and no
//! other.
//!
//! In come a project as far as it could be read and what was found; out comes the project
//! without the pipelines that cannot run. A fault in what all share, such as
//! `sources.toml` or a shared model, keeps the whole project back.

use std::path::Path;

use datafusion::common::TableReference;
use indexmap::IndexMap;

use super::{Pipeline, Project, Relation, SqlFile, names, resolve, staging::STAGING};
use crate::diagnostics::{Finding, Findings, Severity};

/// A pipeline that cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The pipeline's name, not an alias.
    pub name: String,
    /// The aliases, as far as its manifest could be read.
    aliases: Vec<String>,
    /// What is wrong with its own files, warnings too.
    pub findings: Vec<Finding>,
    /// The pipeline that it reads and that cannot run; then its own files may be sound.
    pub because: Option<String>,
}

impl Broken {
    /// Says whether a name on the command line means it.
    pub(super) fn is(&self, name: &str) -> bool {
        let wanted = names::relation(name);
        let mut names = std::iter::once(&self.name).chain(&self.aliases);
        names.any(|name| names::relation(name) == wanted)
    }
}

/// Takes the pipelines with errors out of the project, and those that read them.
///
/// # Errors
///
/// Returns all findings if an error is in no pipeline's own files.
pub(super) fn set_aside(project: &mut Project, findings: Vec<Finding>) -> Result<(), Findings> {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let mut broken: IndexMap<String, Broken> = IndexMap::new();
    for error in findings.iter().filter(is_error) {
        let Some(owner) = owner(error) else {
            return Err(Findings(findings));
        };
        broken
            .entry(owner.to_owned())
            .or_insert_with(|| begun(project, owner, None));
    }
    while let Some(reader) = reader(project, &broken) {
        broken.insert(reader.name.clone(), reader);
    }
    for name in broken.keys() {
        project.pipelines.shift_remove(name);
    }
    for finding in findings {
        match owner(&finding).and_then(|name| broken.get_mut(name)) {
            Some(one) => one.findings.push(finding),
            None => project.warnings.push(finding),
        }
    }
    broken.sort_keys();
    project.broken = broken.into_values().collect();
    Ok(())
}

fn begun(project: &Project, name: &str, because: Option<String>) -> Broken {
    let pipeline = project.pipelines.get(name);
    Broken {
        name: name.to_owned(),
        aliases: pipeline.map(|one| one.aliases.clone()).unwrap_or_default(),
        findings: Vec::new(),
        because,
    }
}

/// Returns the pipeline in whose files a finding is.
fn owner(finding: &Finding) -> Option<&str> {
    let file: &Path = finding.place()?.file.as_ref();
    let file = file.to_str()?;
    if let Some((name, _)) = file
        .strip_prefix("pipelines/")
        .and_then(|it| it.rsplit_once('.'))
    {
        return (name != "sources").then_some(name);
    }
    let (name, _) = file.strip_prefix("sql/")?.split_once('/')?;
    (name != STAGING).then_some(name)
}

/// Returns a pipeline that is not yet among the broken ones and reads one of them.
fn reader(project: &Project, broken: &IndexMap<String, Broken>) -> Option<Broken> {
    let sound = project.pipelines.values();
    let mut sound = sound.filter(|pipeline| !broken.contains_key(&pipeline.name));
    sound.find_map(|pipeline| {
        let mut all = broken.keys();
        let read = all.find(|name| reads(project, pipeline, name))?;
        Some(begun(project, &pipeline.name, Some(read.clone())))
    })
}

/// Says whether a pipeline's SQL reads another's output, whose manifest may not be known.
fn reads(project: &Project, pipeline: &Pipeline, other: &str) -> bool {
    let files = [&pipeline.models, &pipeline.rules, &pipeline.updates];
    let mut names = files
        .into_iter()
        .flat_map(|files| files.values())
        .flat_map(SqlFile::names);
    names.any(|name| match resolve(project, pipeline, &name.reference) {
        Some(relation) => relation == Relation::Output(other.to_owned()),
        None => match &name.reference {
            TableReference::Bare { table } => **table == names::relation(other),
            _ => false,
        },
    })
}
