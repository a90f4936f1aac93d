//! `pipelines/<name>.toml`: what a pipeline's SQL cannot say.

mod output;
mod params;
mod update;
mod values;

use std::ops::Range;

use indexmap::IndexMap;

use self::{
    output::{also, is_page, output, output_file},
    params::params,
    update::updates,
    values::{required, texts},
};
use super::{
    Param, Pipeline, Places, SourceFile, SqlFile, Template, checks,
    files::OwnFiles,
    graph::Reads,
    keys, names,
    reader::{Reader, Section, entries},
    seed_types,
    sources::{self, Sources},
};
use crate::{
    dataset::{Contract, Dataset, Docs},
    diagnostics::{Code, Finding},
};

/// Reads a manifest. One whose contract or output cannot be read is left out.
pub(super) fn read(
    name: &str,
    file: &SourceFile,
    own: OwnFiles,
    sources: &Sources,
) -> (Option<Pipeline>, Vec<Finding>) {
    let mut reader = Reader::new(file);
    let Some(table) = reader.parse() else {
        return (None, reader.findings);
    };
    let top = Section {
        name: "a pipeline",
        table: &table,
    };
    pipeline_name(&mut reader, name);
    reader.only(top, &keys::MANIFEST.names());
    let pipeline = pipeline(&mut reader, name, top, own, sources);
    (pipeline, reader.findings)
}

fn pipeline_name(reader: &mut Reader<'_>, name: &str) {
    if !names::is_pipeline(name) {
        let what = format!("`{name}` is not a valid name for a pipeline");
        let finding = reader.finding(Code::BadName, what, 0..0, "this file");
        let help = "rename the file: use lower-case letters, digits and `-`, and avoid names that SQL uses";
        reader.findings.push(finding.help(help));
    }
}

fn pipeline(
    reader: &mut Reader<'_>,
    name: &str,
    top: Section<'_>,
    own: OwnFiles,
    sources: &Sources,
) -> Option<Pipeline> {
    let (contract, docs) = contract(reader, top);
    let file = output_file(reader, top, &contract);
    let output = output(reader, top, &own);
    let also = also(reader, top, &own);
    let grain = columns(reader, top, "grain", &contract);
    let order = columns(reader, top, "order", &contract);
    if grain.is_none() && !top.table.contains_key("grain") && !is_page(file.as_ref()) {
        reader.missing(top, "grain", "grain = [\"product_id\"]");
    }
    let grain = grain.unwrap_or_default();
    let endpoint = reader.text(top, "endpoint").map(|text| text.value);
    let params = params(reader, top);
    let checks = checks(reader, top, &own, sources);
    let update = updates(reader, top, &contract, &own);
    let seed_types = types_of_seeds(reader, top, &own);
    Some(Pipeline {
        name: name.to_owned(),
        description: required(
            reader,
            top,
            "description",
            "description = \"What it makes.\"",
        ),
        aliases: texts(reader, top, "aliases"),
        manifest: reader.file.clone(),
        upload: reader.flag(top, "upload").unwrap_or(true),
        endpoint: endpoint.unwrap_or(name).to_owned(),
        optional: optional(reader, top, &sources.datasets),
        places: places(top, &reader.file.text),
        checks,
        models: with_templates(parsed(own.models, &params), own.templates),
        rules: parsed(own.rules, &params),
        update,
        updates: parsed(own.updates, &params),
        params,
        order: order.unwrap_or_else(|| grain.clone()),
        output: output?,
        file: file?,
        grain,
        also,
        contract,
        docs,
        seeds: own.seeds,
        seed_types,
        reads: Reads::default(),
    })
}

/// Parses a pipeline's SQL, which may use these parameters.
fn parsed(
    files: IndexMap<String, SourceFile>,
    params: &IndexMap<String, Param>,
) -> IndexMap<String, SqlFile> {
    let files = files.into_iter();
    files
        .map(|(name, file)| (name, SqlFile::parse(file, params)))
        .collect()
}

/// Gives models the templates that they fill.
fn with_templates(
    mut models: IndexMap<String, SqlFile>,
    templates: IndexMap<String, Template>,
) -> IndexMap<String, SqlFile> {
    for (name, template) in templates {
        if let Some(file) = models.get_mut(&name) {
            file.fill(template);
        }
    }
    models
}

/// Returns where the manifest says what findings point at.
fn places(top: Section<'_>, text: &str) -> Places {
    let key = |name: &str| top.table.get_key_value(name);
    let contract = key("contract");
    let table = contract.and_then(|(_, value)| value.get_ref().as_table());
    let columns = table.into_iter().flat_map(|table| table.iter());
    let aliases = key("aliases").and_then(|(_, value)| value.get_ref().as_array());
    let aliases = aliases.into_iter().flat_map(|aliases| aliases.iter());
    let aliases = aliases.filter_map(|alias| {
        let name = alias.get_ref().as_str()?;
        Some((name.to_owned(), alias.span()))
    });
    Places {
        contract: contract.map_or(0..0, |(key, _)| with_brackets(text, key.span())),
        columns: columns
            .map(|(name, _)| (name.get_ref().to_string(), name.span()))
            .collect(),
        grain: key("grain").map_or(0..0, |(_, value)| value.span()),
        aliases: aliases.collect(),
    }
}

/// Returns the place of a table's header with its brackets: `[contract]`.
fn with_brackets(text: &str, key: Range<usize>) -> Range<usize> {
    match text[..key.start].ends_with('[') && text[key.end..].starts_with(']') {
        true => key.start - 1..key.end + 1,
        false => key,
    }
}

fn contract(reader: &mut Reader<'_>, top: Section<'_>) -> (Contract, Docs) {
    let Some(table) = reader.table(top, "contract") else {
        if !top.table.contains_key("contract") {
            reader.missing(top, "contract", "[contract]");
        }
        return (Contract::default(), Docs::new());
    };
    let contract = sources::contract(reader, table, "[contract]");
    if table.is_empty() {
        let section = Section {
            name: "[contract]",
            table,
        };
        reader.missing(section, "a column", "product_id = \"bigint not null\"");
    }
    contract
}

fn columns(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    key: &str,
    contract: &Contract,
) -> Option<Vec<String>> {
    let mut names = reader.texts(top, key)?;
    // A contract that could not be read would make every column unknown, and so would
    // one column's type that column.
    if contract.columns.is_empty() {
        return Some(Vec::new());
    }
    let declared = top.table.get("contract");
    let declared = declared.and_then(|contract| contract.get_ref().as_table());
    names.retain(|name| {
        contract.column(name.value).is_some()
            || declared.is_none_or(|contract| !contract.contains_key(name.value))
    });
    Some(sources::columns_of(reader, contract, names))
}

/// Reads `[seeds.<name>]`: the types of a seed's columns.
fn types_of_seeds(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    own: &OwnFiles,
) -> IndexMap<String, Contract> {
    let mut types = IndexMap::new();
    let Some(table) = reader.table(top, "seeds") else {
        return types;
    };
    let all = Section {
        name: "[seeds]",
        table,
    };
    let known: Vec<&str> = own.seeds.keys().map(String::as_str).collect();
    reader.only(all, &known);
    for (name, _) in entries(table) {
        let (Some(file), Some(columns)) =
            (own.seeds.get(name.value), reader.table(all, name.value))
        else {
            continue;
        };
        let section = format!("[seeds.{}]", name.value);
        let header = seed_types::header(file);
        if !header.is_empty() {
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            let section = Section {
                name: &section,
                table: columns,
            };
            reader.only(section, &header);
        }
        let (contract, _) = sources::contract(reader, columns, &section);
        types.insert(name.value.to_owned(), contract);
    }
    types
}

fn optional(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    datasets: &IndexMap<String, Dataset>,
) -> Vec<String> {
    let mut optional = Vec::new();
    for name in reader.texts(top, "optional").unwrap_or_default() {
        if datasets.contains_key(name.value) {
            optional.push(name.value.to_owned());
            continue;
        }
        let what = format!("there is no dataset `{}`", name.value);
        let otherwise = "datasets are declared in pipelines/sources.toml";
        let finding = reader.finding(Code::UnknownDataset, what, name.span, "not declared");
        let finding = finding.suggest(name.value, datasets.keys(), otherwise);
        reader.findings.push(finding);
    }
    optional
}

fn checks(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    own: &OwnFiles,
    sources: &Sources,
) -> checks::Checks {
    if !top.table.contains_key("checks") {
        return sources.checks.checks();
    }
    let Some(table) = reader.table(top, "checks") else {
        return checks::Checks::default();
    };
    checks::read(
        reader,
        Section {
            name: "[checks]",
            table,
        },
        &own.rules,
        &sources.checks,
    )
}
