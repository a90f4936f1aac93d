//! What a fault in one pipeline's files stops: the pipeline, those that read it, and no
//! other.
//!
//! In come a project as far as it could be read and what was found; out comes the project
//! without the pipelines that cannot run. A fault in what all share, such as
//! `sources.toml` or a shared model, keeps the whole project back.

use std::{collections::BTreeSet, path::Path};

use indexmap::IndexMap;

use super::{
    Pipeline, Project, Relation, Result, SqlFile, files::Files, names, resolve, seeds,
    staging::STAGING,
};
use crate::diagnostics::{Finding, Findings, Severity};

/// A pipeline that cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The pipeline's name, not an alias.
    pub name: String,
    /// The aliases, as far as its manifest could be read.
    pub aliases: Vec<String>,
    /// Its models and seeds, by their files' names.
    relations: BTreeSet<String>,
    /// What is wrong with its own files, warnings too.
    pub findings: Vec<Finding>,
    /// The pipeline that it reads and that cannot run; then its own files may be sound.
    pub because: Option<String>,
}

impl Broken {
    /// Returns the errors in its own files.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.severity == Severity::Error)
    }

    /// Says whether a name on the command line means it.
    pub(super) fn is(&self, name: &str) -> bool {
        let wanted = names::relation(name);
        let mut names = std::iter::once(&self.name).chain(&self.aliases);
        names.any(|name| names::relation(name) == wanted)
    }

    /// Returns the name of its output as a relation.
    pub fn relation(&self) -> String {
        names::relation(&self.name)
    }

    /// Says whether it has a model or a seed of that name.
    pub fn has(&self, relation: &str) -> bool {
        self.relations.contains(relation)
    }
}

impl Project {
    /// Returns the pipelines meant that cannot run; all of them when no name is given. A
    /// name that one that can run has is not an alias of another.
    pub fn broken(&self, names: &[String]) -> Vec<&Broken> {
        let is_no_other = |name: &&String| names::find(self, name).is_err();
        let meant: Vec<&String> = names.iter().filter(is_no_other).collect();
        let is_meant = |one: &&Broken| names.is_empty() || meant.iter().any(|name| one.is(name));
        self.broken.iter().filter(is_meant).collect()
    }

    /// Returns what keeps a broken pipeline from running: the errors of its own files, or
    /// those of the pipeline that it reads.
    fn faults(&self, broken: &Broken) -> Vec<Finding> {
        let mut one = broken;
        // Each reads one that was set aside before it.
        while let Some(next) = &one.because {
            match self.broken.iter().find(|other| other.name == *next) {
                Some(other) => one = other,
                None => break,
            }
        }
        one.errors().cloned().collect()
    }

    /// Returns what keeps pipelines from running, each fault once.
    pub fn faults_of(&self, broken: &[&Broken]) -> Findings {
        let mut all = Vec::new();
        for finding in broken.iter().flat_map(|one| self.faults(one)) {
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
        Findings(all)
    }

    /// Returns the pipelines meant by names or aliases, as [`Project::select`] does, without
    /// those that cannot run, and these.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Unknown`](super::Error::Unknown) with the nearest name there is.
    pub fn sound(&self, names: &[String]) -> Result<(Vec<&Pipeline>, Vec<&Broken>)> {
        let broken = self.broken(names);
        let is_broken = |name: &String| broken.iter().any(|one| one.is(name));
        let is_other = |name: &&String| names::find(self, name).is_ok() || !is_broken(name);
        let sound: Vec<String> = names.iter().filter(is_other).cloned().collect();
        let pipelines = match sound.is_empty() && !names.is_empty() {
            true => Vec::new(),
            false => self.select(&sound)?,
        };
        Ok((pipelines, broken))
    }
}

/// Returns the pipelines whose manifests gave none.
pub(super) fn unread(project: &Project, names: &BTreeSet<String>, files: &Files) -> Vec<Broken> {
    let unread = names
        .iter()
        .filter(|name| !project.pipelines.contains_key(*name));
    let of_folder = |name: &str| {
        let folder = format!("sql/{name}");
        let extensions = seeds::EXTENSIONS.iter().copied().chain(["sql"]);
        let named = |extension| {
            let found = files.named(&folder, extension);
            found
                .map(|(name, _)| names::relation(name))
                .collect::<Vec<_>>()
        };
        extensions.flat_map(named).collect()
    };
    let broken = unread.map(|name| Broken {
        name: name.clone(),
        aliases: Vec::new(),
        relations: of_folder(name),
        findings: Vec::new(),
        because: None,
    });
    broken.collect()
}

/// Takes the pipelines with errors out of the project, and those that read them.
///
/// # Errors
///
/// Returns all findings if an error is in no pipeline's own files.
pub(super) fn set_aside(project: &mut Project, findings: Vec<Finding>) -> Result<(), Findings> {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    // They stay with the project while it is asked who reads them.
    let unread = project.broken.iter().cloned();
    let mut broken: IndexMap<String, Broken> = unread.map(|one| (one.name.clone(), one)).collect();
    for error in findings.iter().filter(is_error) {
        let Some(owner) = owner(error) else {
            return Err(Findings(findings));
        };
        // A folder of no pipeline stops none.
        if !project.pipelines.contains_key(owner) && !broken.contains_key(owner) {
            continue;
        }
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
    let own = pipeline.into_iter().flat_map(|pipeline| {
        let models = pipeline.models.keys();
        let models = models.filter(|model| !project.is_shared(pipeline, model));
        models.chain(pipeline.seeds.keys())
    });
    Broken {
        name: name.to_owned(),
        aliases: pipeline.map(|one| one.aliases.clone()).unwrap_or_default(),
        relations: own.cloned().collect(),
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
    let below = file.strip_prefix("sql/")?;
    let name = below.split('/').next()?;
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

/// Says whether a pipeline's SQL reads another's output.
fn reads(project: &Project, pipeline: &Pipeline, other: &str) -> bool {
    let files = [&pipeline.models, &pipeline.rules, &pipeline.updates];
    let mut names = files
        .into_iter()
        .flat_map(|files| files.values())
        .flat_map(SqlFile::names);
    names.any(|name| {
        let read = resolve(project, pipeline, &name.reference);
        read == Some(Relation::Output(other.to_owned()))
    })
}
