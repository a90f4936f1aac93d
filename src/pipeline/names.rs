//! Names: what a relation may be called, and what the user meant.

use std::path::Path;

use super::{
    Error, Pipeline, Project, Result,
    reader::{Placed, Reader},
};
use crate::diagnostics::{Code, nearest};

/// Names that SQL already uses for something else.
const RESERVED: &[&str] = &[
    "export",
    "previous",
    "history",
    "db",
    "artifact",
    "archive",
    "staging",
    "public",
    "information_schema",
];

/// Returns a name as a relation is called in SQL: `store-groups` is `store_groups`.
pub(super) fn relation(name: &str) -> String {
    name.replace('-', "_")
}

/// Returns the folder of a manifest's SQL: `sql/bargains`.
pub(super) fn folder(manifest: &Path) -> String {
    let name = manifest.file_stem().unwrap_or_default();
    format!("sql/{}", name.to_string_lossy())
}

/// Says whether SQL can name `name` without quotes.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Says whether a pipeline can have a name.
pub(super) fn is_pipeline(name: &str) -> bool {
    let relation = relation(name);
    is_identifier(&relation) && !RESERVED.contains(&relation.as_str())
}

/// Finds a name that SQL could use in quotes only.
pub(super) fn identifier(reader: &mut Reader<'_>, name: &Placed<&str>, what: &str) {
    if !is_identifier(name.value) {
        let message = format!("`{}` is not a valid name for a {what}", name.value);
        let finding = reader.finding(Code::BadName, message, name.span.clone(), "here");
        let help = "use lower-case letters, digits and `_`";
        reader.findings.push(finding.help(help));
    }
}

/// Returns the pipeline of that name or alias; `-` and `_` are the same.
pub(super) fn find<'a>(project: &'a Project, name: &str) -> Result<&'a Pipeline> {
    let wanted = relation(name);
    let found = project.pipelines.values().find(|pipeline| {
        pipeline.relation() == wanted
            || pipeline
                .aliases
                .iter()
                .any(|alias| relation(alias) == wanted)
    });
    found.ok_or_else(|| unknown(project, name))
}

/// Says why no new pipeline can have a name; nothing if one can.
pub(super) fn refused(project: &Project, name: &str) -> Option<String> {
    let wanted = relation(name);
    let is_broken = project.broken.iter().any(|one| one.is(name));
    let is_taken = find(project, name).is_ok() || is_broken;
    let what = match wanted.as_str() {
        wanted if !is_identifier(wanted) => {
            return Some("it must begin with a lower-case letter, and have only lower-case letters, digits and `-`".to_owned());
        }
        "sources" => "sources.toml declares the datasets",
        _ if !is_pipeline(name) => "SQL uses it for something else",
        _ if is_taken => "there is one already",
        wanted if project.datasets.contains_key(wanted) => "a dataset has it",
        wanted if project.staging.models.contains_key(wanted) => "a shared model has it",
        _ => return None,
    };
    Some(what.to_owned())
}

fn unknown(project: &Project, name: &str) -> Error {
    let known: Vec<String> = project.pipelines.keys().cloned().collect();
    let aliases = project.pipelines.values().flat_map(|p| &p.aliases);
    let names = known.iter().chain(aliases).map(String::as_str);
    Error::Unknown {
        nearest: nearest(name, names).map(str::to_owned),
        name: name.to_owned(),
        known,
    }
}
