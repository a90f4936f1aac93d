//! Reads `pipelines/*.toml` and `sql/` into a [`Project`], and finds what is wrong.

use std::path::Path;

use indexmap::IndexMap;

use super::{
    Pipeline, Project, SourceFile,
    files::Files,
    graph, manifest, names,
    seeds::{near, read_seed},
    sources,
};
use crate::diagnostics::{Finding, Findings, Severity};

/// Reads a project's folder; one without `pipelines/` gets the embedded definitions.
pub(super) fn load(root: &Path) -> Result<Project, Findings> {
    if root.join("pipelines").is_dir() {
        let files = Files::read(root).map_err(|finding| Findings(vec![*finding]))?;
        read(Some(root), &files)
    } else {
        read(None, &Files::embedded())
    }
}

fn read(root: Option<&Path>, files: &Files) -> Result<Project, Findings> {
    let mut findings = Vec::new();
    let mut project = Project {
        root: root.map(Path::to_owned),
        datasets: IndexMap::new(),
        pipelines: IndexMap::new(),
        warnings: Vec::new(),
    };
    let manifests = texts(files, "pipelines", "toml", &mut findings);
    match manifests.get("sources") {
        Some(file) => {
            let (datasets, found) = sources::read(file);
            project.datasets = datasets;
            findings.extend(found);
        }
        None => findings.push(no_sources()),
    }
    for (name, file) in manifests.iter().filter(|(name, _)| *name != "sources") {
        let own = own_files(files, name, &mut findings);
        let (pipeline, found) = manifest::read(name, file, own, &project.datasets);
        findings.extend(found);
        project
            .pipelines
            .extend(pipeline.map(|pipeline| (name.clone(), pipeline)));
    }
    findings.extend(duplicate_names(&project));
    findings.extend(stray_folders(files, &manifests));
    findings.extend(graph::connect(&mut project));
    finish(project, findings)
}

/// Keeps warnings with the project; any error keeps the project back.
fn finish(mut project: Project, mut findings: Vec<Finding>) -> Result<Project, Findings> {
    let place = |finding: &Finding| {
        let place = finding.place.as_ref();
        place.map(|place| (place.file.clone(), place.span.start))
    };
    findings.sort_by_key(place);
    if findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        return Err(Findings(findings));
    }
    project.warnings = findings;
    Ok(project)
}

fn no_sources() -> Finding {
    Finding::error("missing-file", "there is no pipelines/sources.toml")
        .help("it declares the datasets; `pricemill new DIR` writes one")
}

/// The files of `sql/<pipeline>/`.
pub(super) struct OwnFiles {
    pub(super) models: IndexMap<String, SourceFile>,
    pub(super) seeds: IndexMap<String, SourceFile>,
    pub(super) rules: IndexMap<String, SourceFile>,
    pub(super) updates: IndexMap<String, SourceFile>,
}

fn own_files(files: &Files, pipeline: &str, findings: &mut Vec<Finding>) -> OwnFiles {
    let folder = format!("sql/{pipeline}");
    let own = OwnFiles {
        models: relations(texts(files, &folder, "sql", findings), findings),
        seeds: relations(texts(files, &folder, "csv", findings), findings),
        rules: texts(files, &format!("{folder}/checks"), "sql", findings),
        updates: texts(files, &format!("{folder}/update"), "sql", findings),
    };
    for (name, file) in &own.seeds {
        if own.models.contains_key(name) {
            let what = format!("`{name}` is both a model and a seed");
            let finding = Finding::error("duplicate-name", what).at(file.place(0..0), "the seed");
            findings.push(finding.help("rename one of the two files"));
        }
        findings.extend(read_seed(file).err().map(|finding| *finding));
    }
    own
}

/// Reads a folder's files of one extension, by name, sorted.
fn texts(
    files: &Files,
    folder: &str,
    extension: &str,
    findings: &mut Vec<Finding>,
) -> IndexMap<String, SourceFile> {
    let mut texts = IndexMap::new();
    for (name, path, bytes) in files.with_extension(folder, extension) {
        match Files::text(path, bytes) {
            Ok(file) => drop(texts.insert(name.to_owned(), file)),
            Err(finding) => findings.push(*finding),
        }
    }
    texts
}

/// Names files as SQL names relations.
fn relations(
    files: IndexMap<String, SourceFile>,
    findings: &mut Vec<Finding>,
) -> IndexMap<String, SourceFile> {
    let mut relations = IndexMap::new();
    for (name, file) in files {
        let relation = names::relation(&name);
        if !names::is_identifier(&relation) {
            let what = format!("the file's name `{name}` cannot name a relation");
            let finding = Finding::error("bad-name", what).at(file.place(0..0), "this file");
            findings.push(finding.help("use lower-case letters, digits and `_`"));
        }
        relations.insert(relation, file);
    }
    relations
}

/// Finds names and aliases that two pipelines answer to.
fn duplicate_names(project: &Project) -> Vec<Finding> {
    let mut taken: IndexMap<String, &str> = IndexMap::new();
    let mut findings = Vec::new();
    for pipeline in project.pipelines.values() {
        taken.insert(pipeline.relation(), &pipeline.name);
    }
    for pipeline in project.pipelines.values() {
        for alias in &pipeline.aliases {
            let Some(owner) = taken.insert(names::relation(alias), &pipeline.name) else {
                continue;
            };
            let what = format!("`{alias}` already names the pipeline `{owner}`");
            let place = alias_place(pipeline, alias);
            let finding = Finding::error("duplicate-name", what).at(place, "taken");
            findings.push(finding.help("choose another alias"));
        }
    }
    findings
}

fn alias_place(pipeline: &Pipeline, alias: &str) -> crate::diagnostics::Place {
    let text = &pipeline.manifest.text;
    let start = text.find("aliases").unwrap_or(0);
    let quoted = format!("\"{alias}\"");
    let at = text[start..].find(&quoted).map_or(0..0, |at| {
        let from = start + at;
        from..from + quoted.len()
    });
    pipeline.manifest.place(at)
}

/// Warns of folders below `sql/` that no pipeline has.
fn stray_folders(files: &Files, manifests: &IndexMap<String, SourceFile>) -> Vec<Finding> {
    let stray = files
        .folders("sql")
        .into_iter()
        .filter(|folder| !manifests.contains_key(*folder));
    stray
        .map(|folder| {
            let what =
                format!("sql/{folder} belongs to no pipeline: there is no pipelines/{folder}.toml");
            let known = manifests
                .keys()
                .map(String::as_str)
                .filter(|name| *name != "sources");
            Finding::warning("unread", what).help(near(folder, known))
        })
        .collect()
}
