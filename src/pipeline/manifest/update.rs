//! `[[update]]`: the tables that the artifact fills, and what its columns reference.

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::super::{
    Reference, UpdateMode, UpdateStep,
    files::{DELETE, OwnFiles},
    keys, names,
    reader::{Placed, Reader, Section, entries},
    sources,
};
use crate::{
    dataset::Contract,
    diagnostics::{Code, Finding},
};

pub(super) fn updates(
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
    reader.only(section, &keys::UPDATE.names());
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
