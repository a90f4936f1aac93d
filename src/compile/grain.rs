//! Whether a model's first line states the grain, in columns that the model makes, and
//! the output's as its manifest does.
//!
//! Whether the rows keep to it is found where there are rows: by a test, and before an
//! output is committed.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::Schema;

use crate::{
    diagnostics::{Code, Finding},
    pipeline::{Grain, Pipeline, SqlFile},
};

/// Finds what is wrong with the first line of a model that makes these columns.
pub(crate) fn findings(pipeline: &Pipeline, model: &str, made: &Schema) -> Vec<Finding> {
    let file = &pipeline.models[model];
    let is_output = model == pipeline.output;
    let Some(grain) = file.grain() else {
        let manifest = is_output.then_some(pipeline.grain.as_slice());
        return vec![unstated(file, model, manifest)];
    };
    let mut findings = Vec::new();
    if grain.model.text != model {
        findings.push(other_name(file, model, &grain));
    }
    let unknown = unknown_columns(file, &grain, made);
    if is_output && unknown.is_empty() {
        findings.extend(mismatch(pipeline, file, &grain));
    }
    findings.extend(unknown);
    findings
}

/// Returns a grain in words.
pub(crate) fn in_words<N: AsRef<str>>(columns: &[N]) -> String {
    let names: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    match names.is_empty() {
        true => "one row".to_owned(),
        false => format!("one row per {}", names.join(", ")),
    }
}

fn unstated(file: &SqlFile, model: &str, manifest: Option<&[String]>) -> Finding {
    let line = file.text.lines().next().unwrap_or_default();
    let what = format!("the first line does not state the grain of `{model}`");
    let grain = manifest.map_or("one row per <columns>".to_owned(), in_words);
    Finding::new(Code::UnstatedGrain, what)
        .at(file.place(0..line.len()), "the first line")
        .help(format!("begin the file with `-- {model}: {grain}`"))
}

fn other_name(file: &SqlFile, model: &str, grain: &Grain) -> Finding {
    let named = &grain.model;
    let what = format!("the first line names `{}`, not `{model}`", named.text);
    Finding::new(Code::GrainName, what)
        .at(file.place(named.span.clone()), "not the file's name")
        .help(format!("write `{model}`, or rename the file"))
}

fn unknown_columns(file: &SqlFile, grain: &Grain, made: &Schema) -> Vec<Finding> {
    let names: Vec<&str> = made
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let unknown = grain.columns.iter();
    let unknown = unknown.filter(|column| !names.contains(&column.text.as_str()));
    unknown
        .map(|column| {
            let what = format!("the model has no column `{}`", column.text);
            let otherwise = format!(
                "its columns are {}; separate names with commas",
                names.join(", ")
            );
            Finding::new(Code::GrainColumn, what)
                .at(file.place(column.span.clone()), "no such column")
                .suggest(&column.text, &names, otherwise)
        })
        .collect()
}

fn mismatch(pipeline: &Pipeline, file: &SqlFile, grain: &Grain) -> Option<Finding> {
    let stated = grain.names();
    let declared = pipeline.grain.iter().map(String::as_str);
    if declared.collect::<BTreeSet<_>>() == stated.iter().copied().collect() {
        return None;
    }
    let (stated, declared) = (in_words(&stated), in_words(&pipeline.grain));
    let what = format!("the model states {stated}, but its manifest {declared}");
    let columns = grain.columns.first().zip(grain.columns.last());
    let span = columns.map_or(grain.model.span.clone(), |(first, last)| {
        first.span.start..last.span.end
    });
    let manifest = pipeline.manifest.place(pipeline.places.grain.clone());
    let finding = Finding::new(Code::GrainMismatch, what).at(file.place(span), stated);
    let finding = match pipeline.places.grain.is_empty() {
        true => finding,
        false => finding.see(manifest, declared),
    };
    Some(finding.help("correct the one that is wrong"))
}
