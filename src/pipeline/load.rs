//! Reads `pipelines/*.toml` and `sql/` into a [`Project`], and finds what is wrong.

use std::{collections::BTreeSet, path::Path};

use indexmap::IndexMap;

use super::{
    Pipeline, Project, SourceFile, broken,
    files::{DELETE, Files, OwnFiles},
    graph, manifest, names, seed_types,
    seeds::{self, check_seed},
    sources,
    staging::{self, STAGING},
    template,
};
use crate::{
    diagnostics::{Code, Finding, Findings, Severity, did_you_mean, nearest},
    text::has_extension,
};

/// Reads a project's folder; one without `pipelines/` gets the embedded definitions.
pub(super) fn load(root: &Path) -> Result<Project, Findings> {
    let (project, findings) = read_any(root)?;
    finish(project, findings)
}

/// Does the same, but sets aside what cannot run.
pub(super) fn load_sound(root: &Path) -> Result<Project, Findings> {
    let (mut project, findings) = read_any(root)?;
    broken::set_aside(&mut project, sorted(findings))?;
    Ok(project)
}

/// A project as far as it could be read, and what was found.
type Read = (Project, Vec<Finding>);

fn read_any(root: &Path) -> Result<Read, Findings> {
    if root.join("pipelines").is_dir() {
        read(Some(root), &Files::read(root))
    } else {
        read(None, &Files::embedded())
    }
}

/// Reads what can be read of a project that has errors, to find what else is wrong in it.
/// Where a dataset cannot be read, or something reads itself, the rest would be echoes.
pub(super) fn readable(root: &Path) -> Option<Project> {
    let (project, findings) = read_any(root).ok()?;
    let hides_others = |finding: &Finding| {
        let of_sources = finding
            .place()
            .is_some_and(|place| place.file.with_extension("") == Path::new("pipelines/sources"));
        finding.code == Code::Cycle || of_sources
    };
    let mut errors = findings.iter().filter(|it| it.severity == Severity::Error);
    (!errors.any(hides_others)).then_some(project)
}

fn read(root: Option<&Path>, files: &Files) -> Result<Read, Findings> {
    let mut findings: Vec<Finding> = files.faults().collect();
    let mut project = Project {
        root: root.map(Path::to_owned),
        datasets: IndexMap::new(),
        pipelines: IndexMap::new(),
        staging: staging::pipeline(IndexMap::new()),
        warnings: Vec::new(),
        broken: Vec::new(),
    };
    let manifests = texts(files, "pipelines", "toml", &mut findings);
    let names = pipeline_names(files);
    let Some(file) = manifests.get("sources") else {
        if !files.has("pipelines/sources.toml") && !files.has("pipelines") {
            findings.push(no_sources(&names));
        }
        return Err(Findings(findings));
    };
    let (sources, found) = sources::read(file);
    findings.extend(found);
    // Without datasets, all that reads one would be wrong.
    let Some(sources) = sources else {
        return Err(Findings(findings));
    };
    project.datasets = sources.datasets.clone();
    for (name, file) in manifests.iter().filter(|(name, _)| *name != "sources") {
        let own = own_files(files, name, &mut findings);
        let seeds = own.seeds.clone();
        let (pipeline, found) = manifest::read(name, file, own, &sources);
        findings.extend(found);
        findings.extend(of_seeds(&seeds, pipeline.as_ref()));
        project
            .pipelines
            .extend(pipeline.map(|pipeline| (name.clone(), pipeline)));
    }
    // Their outputs are known by name, so that no dataset is taken for one.
    project.broken = broken::unread(&project, &names, files);
    let shared = texts(files, "sql/staging", "sql", &mut findings);
    project.staging = staging::pipeline(relations(shared, &mut findings));
    findings.extend(staging::share(&mut project));
    findings.extend(duplicate_names(&project));
    findings.extend(stray(files, &names));
    findings.extend(graph::connect(&mut project));
    Ok((project, findings))
}

/// Returns the names of the pipelines, also of those whose manifest cannot be read, sorted.
fn pipeline_names(files: &Files) -> BTreeSet<String> {
    let manifests = files.named("pipelines", "toml");
    let names = manifests.map(|(name, _)| name.to_owned());
    names.filter(|name| name != "sources").collect()
}

/// Warns of folders and files that belong to no pipeline, and of files that nothing reads.
fn stray(files: &Files, names: &BTreeSet<String>) -> Vec<Finding> {
    let above = ["sql", "tests/sql"].into_iter();
    let folders = above.flat_map(|above| stray_folders(above, files.folders(above), names));
    folders.chain(stray_files(files, names)).collect()
}

/// Sorts findings by their places.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| {
        let place = finding.place();
        place.map(|place| (place.file.clone(), place.span.start))
    });
    findings
}

/// Keeps warnings with the project; any error keeps the project back.
fn finish(mut project: Project, findings: Vec<Finding>) -> Result<Project, Findings> {
    let findings = sorted(findings);
    let mut all = findings.iter();
    if all.any(|finding| finding.severity == Severity::Error) {
        return Err(Findings(findings));
    }
    project.warnings = findings;
    Ok(project)
}

fn no_sources(names: &BTreeSet<String>) -> Finding {
    let finding = Finding::new(Code::MissingFile, "there is no pipelines/sources.toml");
    match nearest("sources", names.iter().map(String::as_str)) {
        Some(near) => finding.help(did_you_mean(format!("pipelines/{near}.toml"))),
        None => finding.help("it declares the datasets; `pricemill new DIR` writes one"),
    }
}

fn own_files(files: &Files, pipeline: &str, findings: &mut Vec<Finding>) -> OwnFiles {
    let folder = format!("sql/{pipeline}");
    let models = relations(texts(files, &folder, "sql", findings), findings);
    let mut seeds = seeds_of(files, &folder, findings);
    let own = OwnFiles {
        templates: template::of_models(&models, &mut seeds, findings),
        models,
        seeds,
        rules: texts(files, &format!("{folder}/checks"), "sql", findings),
        updates: texts(files, &format!("{folder}/update"), "sql", findings),
    };
    for (name, file) in &own.seeds {
        if own.models.contains_key(name) {
            let what = format!("`{name}` is both a model and a seed");
            let finding = Finding::new(Code::DuplicateName, what).at(file.place(0..0), "the seed");
            findings.push(finding.help("rename one of the two files"));
        }
    }
    own
}

/// Finds what is wrong with the seeds of a pipeline. Where its manifest cannot be read, the
/// types that it declares are not known.
fn of_seeds(seeds: &IndexMap<String, SourceFile>, pipeline: Option<&Pipeline>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, file) in seeds {
        let declared = pipeline.and_then(|pipeline| pipeline.seed_types.get(name));
        let found = check_seed(file);
        let is_read = !found.iter().any(|it| it.severity == Severity::Error);
        findings.extend(found);
        if is_read && pipeline.is_some() {
            findings.extend(seed_types::findings(file, declared));
        }
    }
    findings
}

/// Reads a folder's seeds, by name, sorted.
fn seeds_of(
    files: &Files,
    folder: &str,
    findings: &mut Vec<Finding>,
) -> IndexMap<String, SourceFile> {
    let mut all: IndexMap<String, SourceFile> = IndexMap::new();
    for extension in seeds::EXTENSIONS {
        for (name, file) in relations(texts(files, folder, extension, findings), findings) {
            if let Some(other) = all.get(&name) {
                let what = format!("`{name}` is also {}", other.path.display());
                let at = file.place(0..0);
                let finding = Finding::new(Code::DuplicateName, what).at(at, "this seed");
                findings.push(finding.help("rename one of the two files"));
                continue;
            }
            all.insert(name, file);
        }
    }
    all.sort_keys();
    all
}

/// Reads a folder's files of one extension, by name, sorted. What cannot be read is among
/// the faults of the files.
fn texts(
    files: &Files,
    folder: &str,
    extension: &str,
    findings: &mut Vec<Finding>,
) -> IndexMap<String, SourceFile> {
    let mut texts = IndexMap::new();
    for (name, path, bytes) in files.readable(folder, extension) {
        match Files::text(path, bytes) {
            Ok(file) => insert(&mut texts, name, file, findings),
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
            let what = format!("the file name `{name}` is not a valid name for a relation");
            let finding = Finding::new(Code::BadName, what).at(file.place(0..0), "this file");
            findings.push(finding.help("use lower-case letters, digits and `_`"));
        }
        insert(&mut relations, &relation, file, findings);
    }
    relations
}

/// Keeps a file under its name, or finds that another has it.
fn insert(
    files: &mut IndexMap<String, SourceFile>,
    name: &str,
    file: SourceFile,
    findings: &mut Vec<Finding>,
) {
    if let Some(other) = files.get(name) {
        let what = format!("`{name}` is also {}", other.path.display());
        let finding = Finding::new(Code::DuplicateName, what).at(file.place(0..0), "this file");
        findings.push(finding.help("rename one of the two files"));
        return;
    }
    files.insert(name.to_owned(), file);
}

/// Finds names and aliases that two pipelines answer to. Of two files that differ in `-`
/// and `_` alone neither is meant more than the other; an alias gives way to a name.
fn duplicate_names(project: &Project) -> Vec<Finding> {
    let mut taken: IndexMap<String, &str> = IndexMap::new();
    let mut findings = Vec::new();
    for pipeline in project.pipelines.values() {
        let Some(other) = taken.insert(pipeline.relation(), &pipeline.name) else {
            continue;
        };
        let other = &project.pipelines[other];
        for (one, other) in [(pipeline, other), (other, pipeline)] {
            let place = one.manifest.place(0..0);
            let what = format!(
                "`{}` and `{}` are the same name in SQL",
                one.name, other.name
            );
            let finding = Finding::new(Code::DuplicateName, what).at(place, "this file");
            findings.push(finding.help("rename one of the two files, and its folder"));
        }
    }
    for pipeline in project.pipelines.values() {
        for alias in &pipeline.aliases {
            let relation = names::relation(alias);
            let Some(owner) = taken.get(&relation) else {
                taken.insert(relation, &pipeline.name);
                continue;
            };
            let what = format!("`{alias}` already names the pipeline `{owner}`");
            let at = pipeline.places.aliases.get(alias).cloned();
            let place = pipeline.manifest.place(at.unwrap_or(0..0));
            let finding = Finding::new(Code::DuplicateName, what).at(place, "taken");
            findings.push(finding.help("choose another alias"));
        }
    }
    findings
}

/// Warns of folders right below `above` that no pipeline has.
fn stray_folders(above: &str, folders: Vec<&str>, names: &BTreeSet<String>) -> Vec<Finding> {
    let stray = folders
        .into_iter()
        .filter(|folder| *folder != STAGING && !names.contains(*folder));
    stray
        .map(|folder| {
            let what = format!(
                "{above}/{folder} belongs to no pipeline: there is no pipelines/{folder}.toml"
            );
            Finding::new(Code::UnusedFile, what).suggest(folder, names, DELETE)
        })
        .collect()
}

/// Warns of files in a pipeline's folder that nothing reads: a check in `check/` would
/// never be run.
fn stray_files(files: &Files, names: &BTreeSet<String>) -> Vec<Finding> {
    let in_pipelines = files.below("sql").filter_map(|path| {
        let (pipeline, rest) = path.split_once('/')?;
        let is_known = names.contains(pipeline) || pipeline == STAGING;
        is_known.then_some((path, pipeline, rest))
    });
    in_pipelines
        .filter(|(_, pipeline, rest)| match *pipeline {
            STAGING => !is_shared(rest),
            _ => !is_read(rest),
        })
        .map(|(path, pipeline, rest)| {
            let finding = Finding::new(Code::UnusedFile, format!("nothing reads sql/{path}"));
            match rest.split_once('/') {
                _ if pipeline == STAGING => {
                    finding.help("sql/staging/ holds models, which end in .sql, and notes in .md")
                }
                Some((folder, _)) => {
                    let otherwise = "the folders are `checks` and `update`";
                    finding.suggest(folder, ["checks", "update"], otherwise)
                }
                None => finding.help(format!(
                    "models end in .sql, seeds in .{}, notes in .md",
                    seeds::EXTENSIONS.join(" .")
                )),
            }
        })
        .collect()
}

/// Says whether a file of `sql/staging/` is a model, or a note.
fn is_shared(path: &str) -> bool {
    let path = Path::new(path);
    let is_in_folder = path.components().count() == 1;
    is_in_folder && (has_extension(path, "sql") || has_extension(path, "md"))
}

/// Says whether a file of a pipeline's folder is read, or is a note.
fn is_read(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.to_ascii_lowercase();
    let ends = |extension: &str| name.ends_with(extension);
    match folder {
        "" => {
            let is_seed = seeds::EXTENSIONS.iter().any(|end| ends(&format!(".{end}")));
            is_seed || ends(".sql") || ends(".md")
        }
        "checks" | "update" => ends(".sql") || ends(".md"),
        _ => false,
    }
}
