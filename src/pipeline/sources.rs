//! `pipelines/sources.toml`: the datasets, one table each.

use indexmap::IndexMap;

use super::{
    SourceFile,
    reader::{Placed, Reader, Section, entries},
};
use crate::{
    dataset::{Column, Contract, Dataset, Preference},
    diagnostics::{Code, Finding, did_you_mean, nearest},
};

const KEYS: &[&str] = &["endpoint", "key", "prefer", "columns"];

/// Reads the datasets, by name, in the order of the file; none of a file that is no
/// TOML.
pub(super) fn read(file: &SourceFile) -> (Option<IndexMap<String, Dataset>>, Vec<Finding>) {
    let mut reader = Reader::new(file);
    let Some(table) = reader.parse() else {
        return (None, reader.findings);
    };
    let mut datasets = IndexMap::new();
    for (name, value) in entries(&table) {
        let Some(table) = value.get_ref().as_table() else {
            let what = format!("`{}` must be a table: a dataset", name.value);
            reader.error(Code::WrongType, what, name.span, "this is no table");
            continue;
        };
        let title = format!("[{}]", name.value);
        let section = Section {
            name: &title,
            table,
        };
        if let Some(dataset) = dataset(&mut reader, &name, section) {
            datasets.insert(name.value.to_owned(), dataset);
        }
    }
    (Some(datasets), reader.findings)
}

fn dataset(reader: &mut Reader<'_>, name: &Placed<&str>, section: Section<'_>) -> Option<Dataset> {
    reader.only(section, KEYS);
    super::names::identifier(reader, name, "dataset");
    let columns = reader.table(section, "columns");
    if columns.is_none() && !section.table.contains_key("columns") {
        let example = format!("[{}.columns]", name.value);
        reader.missing(section, "columns", &example);
    }
    let contract = contract(reader, columns?, &format!("[{}.columns]", name.value));
    let key = reader.texts(section, "key");
    if key.is_none() && !section.table.contains_key("key") {
        reader.missing(section, "key", "key = [\"id\"]");
    }
    let key = columns_of(reader, &contract, key.unwrap_or_default());
    let endpoint = reader.text(section, "endpoint");
    Some(Dataset {
        name: name.value.to_owned(),
        endpoint: endpoint.map_or_else(|| name.value.to_owned(), |text| text.value.to_owned()),
        prefer: preferences(reader, &contract, section),
        key,
        contract,
    })
}

/// Reads columns with their types; one that cannot be read is left out.
pub(super) fn contract(
    reader: &mut Reader<'_>,
    table: &toml::de::DeTable<'_>,
    section: &str,
) -> Contract {
    let mut columns = Vec::new();
    for (name, value) in entries(table) {
        let Some(declared) = value.get_ref().as_str() else {
            let what = format!("the type of `{}` in {section} must be a text", name.value);
            reader.error(
                Code::WrongType,
                what,
                value.span(),
                "such as \"bigint not null\"",
            );
            continue;
        };
        match Column::parse(name.value, declared) {
            Ok(column) => columns.push(column),
            Err(error) => bad_type(reader, error.to_string(), declared, value.span()),
        }
    }
    Contract { columns }
}

/// Records a type that cannot be read, with the nearest that can.
pub(super) fn bad_type(
    reader: &mut Reader<'_>,
    message: String,
    declared: &str,
    span: std::ops::Range<usize>,
) {
    let wanted = declared.trim().to_ascii_lowercase();
    let wanted = wanted.trim_end_matches("not null").trim();
    let meant = match wanted {
        "int" | "integer" | "smallint" | "int8" | "int64" => Some("bigint"),
        "float" | "real" | "float8" | "number" => Some("double"),
        "bool" => Some("boolean"),
        "money" => Some("decimal(10,2)"),
        "char" | "str" => Some("text"),
        "datetime" | "timestamptz" => Some("timestamp"),
        _ => nearest(
            wanted,
            [
                "bigint",
                "double",
                "boolean",
                "text",
                "date",
                "timestamp",
                "decimal(10,2)",
            ],
        ),
    };
    let finding = reader.finding(Code::BadType, message, span, "unknown type");
    reader.findings.push(match meant {
        Some(name) => finding.help(did_you_mean(name)),
        None => finding,
    });
}

/// Returns those of `names` that the contract has; the others are findings.
pub(super) fn columns_of(
    reader: &mut Reader<'_>,
    contract: &Contract,
    names: Vec<Placed<&str>>,
) -> Vec<String> {
    let mut known = Vec::new();
    for name in names {
        match contract.column(name.value) {
            Some(_) => known.push(name.value.to_owned()),
            None => no_column(reader, contract, &name),
        }
    }
    known
}

/// Records that the contract has no such column.
pub(super) fn no_column(reader: &mut Reader<'_>, contract: &Contract, name: &Placed<&str>) {
    let names: Vec<&str> = contract.names().collect();
    let otherwise = format!("the columns are {}", names.join(", "));
    let what = format!("there is no column `{}`", name.value);
    let finding = reader.finding(Code::UnknownColumn, what, name.span.clone(), "not declared");
    let finding = finding.suggest(name.value, names, otherwise);
    reader.findings.push(finding);
}

fn preferences(
    reader: &mut Reader<'_>,
    contract: &Contract,
    section: Section<'_>,
) -> Vec<Preference> {
    let mut preferences = Vec::new();
    for step in reader.texts(section, "prefer").unwrap_or_default() {
        let mut words = step.value.split_whitespace();
        let column = words.next().unwrap_or_default();
        let highest = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => {
                let what = format!("`{}` is not an order", step.value);
                let finding = reader.finding(Code::WrongType, what, step.span, "here");
                let help = "write `column` or `column desc`";
                reader.findings.push(finding.help(help));
                continue;
            }
        };
        let column = Placed {
            value: column,
            span: step.span.clone(),
        };
        let names = columns_of(reader, contract, vec![column]);
        preferences.extend(
            names
                .into_iter()
                .map(|column| Preference { column, highest }),
        );
    }
    preferences
}
