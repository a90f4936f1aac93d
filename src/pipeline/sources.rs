//! `pipelines/sources.toml`: the datasets, one table each, and `[checks]`, what every
//! pipeline's output is checked for unless its manifest says otherwise.
//!
//! The checks are here and not in `pricemill.toml`: they belong to the definitions, and no
//! setting or environment variable of a machine may loosen them.

use indexmap::IndexMap;
use toml::de::DeValue;

use super::{
    SourceFile,
    checks::Defaults,
    keys,
    reader::{Placed, Reader, Section, entries},
};
use crate::{
    dataset::{Column, ColumnDoc, Contract, Dataset, Docs, Preference},
    diagnostics::{Code, Finding, did_you_mean, nearest},
};

/// The key whose value is not a table.
const CHECKS: &str = "checks";

/// What the file declares.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The datasets, by name, in the order of the file.
    pub(super) datasets: IndexMap<String, Dataset>,
    /// The checks of every pipeline.
    pub(super) checks: Defaults,
}

/// Reads the file; one that is not TOML gives nothing.
pub(super) fn read(file: &SourceFile) -> (Option<Sources>, Vec<Finding>) {
    let mut reader = Reader::new(file);
    let Some(table) = reader.parse() else {
        return (None, reader.findings);
    };
    let mut sources = Sources::default();
    for (name, value) in entries(&table) {
        let Some(table) = value.get_ref().as_table() else {
            let what = format!("`{}` must be a table that declares a dataset", name.value);
            reader.error(Code::WrongType, what, name.span, "not a table");
            continue;
        };
        let title = format!("[{}]", name.value);
        let section = Section {
            name: &title,
            table,
        };
        if name.value == CHECKS {
            sources.checks = Defaults::read(&mut reader, section);
        } else if let Some(dataset) = dataset(&mut reader, &name, section) {
            sources.datasets.insert(name.value.to_owned(), dataset);
        }
    }
    (Some(sources), reader.findings)
}

fn dataset(reader: &mut Reader<'_>, name: &Placed<&str>, section: Section<'_>) -> Option<Dataset> {
    reader.only(section, &keys::DATASET.names());
    super::names::identifier(reader, name, "dataset");
    let columns = reader.table(section, "columns");
    if columns.is_none() && !section.table.contains_key("columns") {
        let example = format!("[{}.columns]", name.value);
        reader.missing(section, "columns", &example);
    }
    let title = format!("[{}.columns]", name.value);
    let (contract, docs) = contract(reader, columns?, &title);
    let key = reader.texts(section, "key");
    if key.is_none() && !section.table.contains_key("key") {
        reader.missing(section, "key", "key = [\"id\"]");
    }
    // Without a key no row can be distinguished from another.
    if key.as_ref().is_some_and(Vec::is_empty) {
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
        docs,
    })
}

/// Reads columns, `price = "double"` or `price = { type = "double", doc = "…" }`; one that
/// cannot be read is left out.
pub(super) fn contract(
    reader: &mut Reader<'_>,
    table: &toml::de::DeTable<'_>,
    section: &str,
) -> (Contract, Docs) {
    let mut columns = Vec::new();
    let mut docs = Docs::new();
    for (name, value) in entries(table) {
        let (declared, doc) = match value.get_ref() {
            DeValue::String(declared) => {
                let declared = Placed {
                    value: declared.to_string(),
                    span: value.span(),
                };
                (Some(declared), ColumnDoc::default())
            }
            DeValue::Table(table) => {
                let name = format!("the column `{}`", name.value);
                let name = name.as_str();
                described(reader, Section { name, table })
            }
            _ => {
                let name_of = Section {
                    name: section,
                    table,
                };
                let wanted = "a type such as \"bigint not null\", or a table with one";
                reader.wrong_type::<()>(name_of, name.value, value, wanted);
                continue;
            }
        };
        let Some(declared) = declared else { continue };
        match Column::parse(name.value, &declared.value) {
            Ok(column) => columns.push(column),
            Err(error) => bad_type(reader, error.to_string(), &declared.value, declared.span),
        }
        if doc != ColumnDoc::default() {
            docs.insert(name.value.to_owned(), doc);
        }
    }
    (Contract { columns }, docs)
}

/// Reads a column that has more than a type.
fn described(reader: &mut Reader<'_>, section: Section<'_>) -> (Option<Placed<String>>, ColumnDoc) {
    reader.only(section, &keys::COLUMN.names());
    if !section.table.contains_key("type") {
        reader.missing(section, "type", "type = \"bigint not null\"");
    }
    let declared = reader.text(section, "type").map(|text| Placed {
        value: text.value.to_owned(),
        span: text.span,
    });
    let mut text = |key| reader.text(section, key).map(|text| text.value.to_owned());
    let doc = text("doc");
    let unit = text("unit");
    (declared, ColumnDoc { doc, unit })
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
                let what = format!("`{}` is not a valid order", step.value);
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
