//! What a manifest says of its files: `output`, `file` and `[also]`.

use super::super::{
    Format, OutputFile,
    files::OwnFiles,
    names,
    reader::{Placed, Reader, Section, entries},
};
use crate::{
    dataset::{ColumnType, Contract},
    diagnostics::Code,
};

pub(super) fn is_page(file: Option<&OutputFile>) -> bool {
    file.is_none_or(|file| file.format.is_one_text())
}

pub(super) fn output(reader: &mut Reader<'_>, top: Section<'_>, own: &OwnFiles) -> Option<String> {
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

pub(super) fn output_file(
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
pub(super) fn also(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    own: &OwnFiles,
) -> Vec<(OutputFile, String)> {
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
