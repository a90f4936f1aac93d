//! `pipelines/<name>.toml`: what a pipeline's SQL cannot say.

use std::ops::Range;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::{
    Format, OutputFile, Param, Pipeline, Places, Reference, SourceFile, SqlFile, Template,
    UpdateMode, UpdateStep, checks,
    files::{DELETE, OwnFiles},
    graph::Reads,
    names,
    reader::{Placed, Reader, Section, entries},
    seed_types,
    sources::{self, Sources},
};
use crate::{
    dataset::{ColumnType, Contract, Dataset, Docs},
    diagnostics::{Code, Finding},
};

const KEYS: &[&str] = &[
    "description",
    "output",
    "file",
    "also",
    "grain",
    "aliases",
    "order",
    "upload",
    "endpoint",
    "optional",
    "params",
    "contract",
    "seeds",
    "checks",
    "update",
];

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
    reader.only(top, KEYS);
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

fn is_page(file: Option<&OutputFile>) -> bool {
    file.is_none_or(|file| file.format.is_one_text())
}

fn required(reader: &mut Reader<'_>, top: Section<'_>, key: &str, example: &str) -> String {
    if !top.table.contains_key(key) {
        reader.missing(top, key, example);
    }
    reader
        .text(top, key)
        .map(|text| text.value.to_owned())
        .unwrap_or_default()
}

fn texts(reader: &mut Reader<'_>, section: Section<'_>, key: &str) -> Vec<String> {
    let texts = reader.texts(section, key).unwrap_or_default();
    texts
        .into_iter()
        .map(|text| text.value.to_owned())
        .collect()
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

fn output(reader: &mut Reader<'_>, top: Section<'_>, own: &OwnFiles) -> Option<String> {
    let Some(text) = reader.text(top, "output") else {
        if !top.table.contains_key("output") {
            reader.missing(top, "output", "output = \"<the model that is delivered>\"");
        }
        return None;
    };
    // A missing model does not keep the rest of the manifest from being read.
    let name = names::relation(text.value);
    known_model(reader, own, text);
    Some(name)
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

/// Returns the model of that name, or finds that there is none.
fn known_model(reader: &mut Reader<'_>, own: &OwnFiles, text: Placed<&str>) -> Option<String> {
    let name = names::relation(text.value);
    if !own.models.contains_key(&name) {
        let what = format!("there is no model `{name}`");
        let otherwise = format!(
            "write it as {}/{name}.sql",
            names::folder(&reader.file.path)
        );
        let finding = reader.finding(Code::UnknownModel, what, text.span, "no such model");
        let finding = finding.suggest(&name, own.models.keys(), otherwise);
        reader.findings.push(finding);
        return None;
    }
    Some(name)
}

fn output_file(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    contract: &Contract,
) -> Option<OutputFile> {
    let Some(text) = reader.text(top, "file") else {
        if !top.table.contains_key("file") {
            reader.missing(top, "file", "file = \"<name>.json\"");
        }
        return None;
    };
    let file = plain_file(reader, &text)?;
    flat_enough(reader, contract, file.format, &text);
    Some(file)
}

fn plain_file(reader: &mut Reader<'_>, text: &Placed<&str>) -> Option<OutputFile> {
    let Some(format) = format(text.value) else {
        let what = format!("`{}` is not a valid output file", text.value);
        let span = text.span.clone();
        let finding = reader.finding(Code::BadFileName, what, span, "unknown kind of file");
        let help =
            "use a plain name that ends in .json, .jsonl, .csv, .parquet, .html, .svg or .png";
        reader.findings.push(finding.help(help));
        return None;
    };
    Some(OutputFile {
        name: text.value.to_owned(),
        format,
    })
}

/// Reads `[also]`: a file's name and the model that it is.
fn also(reader: &mut Reader<'_>, top: Section<'_>, own: &OwnFiles) -> Vec<(OutputFile, String)> {
    let mut also = Vec::new();
    let Some(table) = reader.table(top, "also") else {
        return also;
    };
    let section = Section {
        name: "[also]",
        table,
    };
    for (name, _) in entries(table) {
        let file = plain_file(reader, &name);
        let model = reader.text(section, name.value);
        let model = model.and_then(|model| known_model(reader, own, model));
        also.extend(file.zip(model));
    }
    also
}

/// Returns the format of a plain file name.
fn format(name: &str) -> Option<Format> {
    let (stem, extension) = name.rsplit_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if stem.is_empty() || stem.starts_with('.') || !name.chars().all(plain) {
        return None;
    }
    match extension {
        "json" => Some(Format::Json),
        "jsonl" => Some(Format::JsonLines),
        "csv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "html" => Some(Format::Html),
        "svg" => Some(Format::Svg),
        "png" => Some(Format::Png),
        _ => None,
    }
}

fn flat_enough(reader: &mut Reader<'_>, contract: &Contract, format: Format, file: &Placed<&str>) {
    let nested =
        |data_type: &ColumnType| matches!(data_type, ColumnType::List(_) | ColumnType::Struct(_));
    let nested = contract
        .columns
        .iter()
        .find(|column| nested(&column.data_type));
    if let (Format::Csv, Some(column)) = (format, nested) {
        let what = format!(
            "CSV cannot represent `{}`, a {}",
            column.name, column.data_type
        );
        let span = file.span.clone();
        let finding = reader.finding(Code::BadFileName, what, span, "a flat format");
        let help = "write .json, .jsonl or .parquet";
        reader.findings.push(finding.help(help));
    }
    let page = contract.columns.len() == 1 && contract.columns[0].data_type == ColumnType::Text;
    if format.is_one_text() && !page && !contract.columns.is_empty() {
        let what = format!("`{}` must be one column of text", file.value);
        let finding = reader.finding(Code::BadFileName, what, file.span.clone(), "a page");
        let help = "declare `html = \"text not null\"` as the contract";
        reader.findings.push(finding.help(help));
    }
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

fn params(reader: &mut Reader<'_>, top: Section<'_>) -> IndexMap<String, Param> {
    let mut params = IndexMap::new();
    let Some(table) = reader.table(top, "params") else {
        return params;
    };
    for (name, value) in entries(table) {
        names::identifier(reader, &name, "parameter");
        let title = format!("[params.{}]", name.value);
        let Some(table) = value.get_ref().as_table() else {
            reader.wrong_type::<()>(top, name.value, value, "a table");
            continue;
        };
        let section = Section {
            name: &title,
            table,
        };
        params.extend(param(reader, section).map(|param| (name.value.to_owned(), param)));
    }
    params
}

fn param(reader: &mut Reader<'_>, section: Section<'_>) -> Option<Param> {
    reader.only(section, &["type", "default", "min", "max", "one_of", "doc"]);
    for (key, example) in [
        ("type", "type = \"bigint\""),
        ("default", "default = \"1\""),
    ] {
        if !section.table.contains_key(key) {
            reader.missing(section, key, example);
        }
    }
    let data_type = param_type(reader, section)?;
    let default = reader.scalar(section, "default")?;
    let param = Param {
        data_type,
        default: default.value.to_owned(),
        min: reader
            .scalar(section, "min")
            .map(|text| text.value.to_owned()),
        max: reader
            .scalar(section, "max")
            .map(|text| text.value.to_owned()),
        one_of: texts(reader, section, "one_of"),
        doc: reader
            .text(section, "doc")
            .map(|text| text.value.to_owned())
            .unwrap_or_default(),
    };
    bounds(reader, section, &param);
    if let Err(reason) = param.check(&param.default) {
        let what = format!("the default of {}: {reason}", section.name);
        reader.error(Code::BadParameter, what, default.span, "not allowed");
    }
    Some(param)
}

fn param_type(reader: &mut Reader<'_>, section: Section<'_>) -> Option<ColumnType> {
    let text = reader.text(section, "type")?;
    match text.value.parse::<ColumnType>() {
        Ok(data_type) if Param::is_type(&data_type) => Some(data_type),
        Ok(data_type) => {
            let what = format!("a parameter cannot be a {data_type}");
            reader.error(Code::BadType, what, text.span, "not one value");
            None
        }
        Err(error) => {
            sources::bad_type(reader, error.to_string(), text.value, text.span);
            None
        }
    }
}

/// Finds bounds that are not values of the parameter's type.
fn bounds(reader: &mut Reader<'_>, section: Section<'_>, param: &Param) {
    let free = Param {
        min: None,
        max: None,
        one_of: Vec::new(),
        ..param.clone()
    };
    for key in ["min", "max"] {
        let Some(text) = reader.scalar(section, key) else {
            continue;
        };
        if let Err(reason) = free.check(text.value) {
            let what = format!("`{key}` of {}: {reason}", section.name);
            reader.error(Code::BadParameter, what, text.span, "not of that type");
        }
    }
}

fn updates(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    contract: &Contract,
    own: &OwnFiles,
) -> Vec<UpdateStep> {
    let mut steps: Vec<UpdateStep> = Vec::new();
    if let Some(value) = top.table.get("update") {
        match value.get_ref() {
            DeValue::Array(items) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(table) => steps.extend(step(reader, table, contract, own)),
                        _ => drop(reader.wrong_type::<()>(top, "update", item, "a table")),
                    }
                }
            }
            _ => drop(reader.wrong_type::<()>(top, "update", value, "[[update]] tables")),
        }
    }
    for (name, file) in &own.updates {
        if !steps.iter().any(|step| &step.table == name) {
            let what = format!("no [[update]] fills a table `{name}`");
            let finding = Finding::new(Code::UnusedFile, what).at(file.place(0..0), "is never run");
            let tables = steps.iter().map(|step| &step.table);
            let finding = finding.suggest(name, tables, DELETE);
            reader.findings.push(finding);
        }
    }
    steps
}

fn step(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    contract: &Contract,
    own: &OwnFiles,
) -> Option<UpdateStep> {
    let section = Section {
        name: "[[update]]",
        table,
    };
    reader.only(section, &["table", "mode", "references", "max_rejects"]);
    let Some(name) = reader.text(section, "table") else {
        if !table.contains_key("table") {
            reader.missing(section, "table", "table = \"<the table to fill>\"");
        }
        return None;
    };
    names::identifier(reader, &name, "table");
    let columns = (!own.updates.contains_key(name.value)).then_some(contract);
    let references = references(reader, section, columns);
    let placed = references.iter().map(|(column, placed)| {
        let at = placed.span.clone();
        (column.clone(), at)
    });
    Some(UpdateStep {
        table: name.value.to_owned(),
        table_at: name.span.clone(),
        mode: mode(reader, section),
        references_at: placed.collect(),
        references: references
            .into_iter()
            .map(|(column, placed)| (column, placed.value))
            .collect(),
        max_rejects_percent: reader.percent(section, "max_rejects").unwrap_or(0.0),
    })
}

fn mode(reader: &mut Reader<'_>, section: Section<'_>) -> UpdateMode {
    match reader
        .text(section, "mode")
        .map(|text| (text.value, text.span))
    {
        None | Some(("replace", _)) => UpdateMode::Replace,
        Some(("upsert", _)) => UpdateMode::Upsert,
        Some((other, span)) => {
            let what = format!("unknown mode `{other}`");
            let finding = reader.finding(Code::WrongType, what, span, "here");
            let help = "modes are \"replace\" and \"upsert\"";
            reader.findings.push(finding.help(help));
            UpdateMode::Replace
        }
    }
}

/// Reads `references`; columns are those of the contract where no SQL of its own
/// fills the table.
fn references(
    reader: &mut Reader<'_>,
    section: Section<'_>,
    contract: Option<&Contract>,
) -> IndexMap<String, Placed<Reference>> {
    let mut references = IndexMap::new();
    let Some(table) = reader.table(section, "references") else {
        return references;
    };
    for (column, value) in entries(table) {
        let unknown = |contract: &&Contract| {
            !contract.columns.is_empty() && contract.column(column.value).is_none()
        };
        if let Some(contract) = contract.filter(unknown) {
            sources::no_column(reader, contract, &column);
        }
        let target = value
            .get_ref()
            .as_str()
            .and_then(|text| text.split_once('.'));
        match target {
            Some((table, key)) => {
                let reference = Reference {
                    table: table.to_owned(),
                    column: key.to_owned(),
                };
                let placed = Placed {
                    value: reference,
                    span: value.span(),
                };
                references.insert(column.value.to_owned(), placed);
            }
            None => {
                let what = format!("`{}` must reference `table.column`", column.value);
                let finding = reader.finding(Code::WrongType, what, value.span(), "here");
                reader
                    .findings
                    .push(finding.help("write it as \"products.id\""));
            }
        }
    }
    references
}
