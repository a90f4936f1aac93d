//! `[[update]]`, held against the tables: the database's, and those that pipelines make.

use std::ops::Range;

use datafusion::arrow::datatypes::Schema;

use crate::{
    database::{self, Table},
    diagnostics::{Code, Finding, did_you_mean, nearest},
    pipeline::{Pipeline, Project, Reference, UpdateStep},
    update::rows::suited,
};

/// The tables that there are, and those that will be.
pub(crate) struct Tables {
    /// The database's, then those that are made column for column from a contract.
    pub(crate) known: Vec<Table>,
    /// How many of them are the database's.
    present: usize,
    /// Those whose columns only their SQL tells.
    made_by_sql: Vec<String>,
}

impl Tables {
    /// Returns the database's tables, and those that the project's pipelines make.
    pub(crate) fn of(project: &Project, database: &[Table]) -> Tables {
        let mut tables = Tables {
            known: database.to_vec(),
            present: database.len(),
            made_by_sql: Vec::new(),
        };
        for pipeline in project.pipelines.values() {
            for step in &pipeline.update {
                tables.add(pipeline, step);
            }
        }
        tables
    }

    fn add(&mut self, pipeline: &Pipeline, step: &UpdateStep) {
        if self.find(&step.table).is_some() {
            return;
        }
        if pipeline.updates.contains_key(&step.table) {
            return self.made_by_sql.push(step.table.clone());
        }
        self.known.push(Table {
            name: step.table.clone(),
            contract: pipeline.contract.clone(),
            key: pipeline.grain.clone(),
            defaults: Vec::new(),
            references: step.references.clone(),
        });
    }

    fn find(&self, name: &str) -> Option<&Table> {
        self.known.iter().find(|table| table.name == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let known = self.known.iter().map(|table| table.name.as_str());
        known.chain(self.made_by_sql.iter().map(String::as_str))
    }
}

/// Finds what is wrong with a step that gives its table the columns of `made`.
pub(crate) fn findings(
    tables: &Tables,
    pipeline: &Pipeline,
    step: &UpdateStep,
    made: &Schema,
) -> Vec<Finding> {
    if database::is_own(&step.table) {
        let what = format!("`{}` is the database's own", step.table);
        let finding = error(pipeline, step.table_at.clone(), Code::ReservedTable, what);
        return vec![finding.help("name another table")];
    }
    let mut findings: Vec<Finding> = meant_another(tables, pipeline, step).into_iter().collect();
    if let Err(found) = suited(pipeline, step, &tables.known, made) {
        findings.extend(found);
    }
    for (column, reference) in &step.references {
        let at = step.references_at.get(column).cloned().unwrap_or_default();
        findings.extend(unmade(pipeline, step, column, &at, made));
        findings.extend(dangling(tables, pipeline, reference, at));
    }
    findings
}

/// Warns of a table that would be made, and has nearly the name of one that there is.
fn meant_another(tables: &Tables, pipeline: &Pipeline, step: &UpdateStep) -> Option<Finding> {
    let mut present = tables.known[..tables.present].iter();
    if present.clone().any(|table| table.name == step.table) {
        return None;
    }
    let near = nearest(&step.table, present.by_ref().map(|t| t.name.as_str()))?;
    let what = format!("the table `{}` would be made anew", step.table);
    let place = pipeline.manifest.place(step.table_at.clone());
    let finding = Finding::new(Code::NewTable, what).at(place, "no table of the database");
    Some(finding.help(did_you_mean(near)))
}

/// Finds a referring column that nothing makes.
fn unmade(
    pipeline: &Pipeline,
    step: &UpdateStep,
    column: &str,
    at: &Range<usize>,
    made: &Schema,
) -> Option<Finding> {
    if made.column_with_name(column).is_some() {
        return None;
    }
    let what = format!("nothing makes the column `{column}` of `{}`", step.table);
    let names: Vec<_> = made.fields().iter().map(|field| field.name()).collect();
    let otherwise = format!("its columns are {}", listed(&names));
    let finding = error(pipeline, at.clone(), Code::UnknownColumn, what);
    Some(finding.suggest(column, names, otherwise))
}

/// Finds a reference to a table or a column that will not be there.
fn dangling(
    tables: &Tables,
    pipeline: &Pipeline,
    reference: &Reference,
    at: Range<usize>,
) -> Option<Finding> {
    let Reference { table, column } = reference;
    let Some(known) = tables.find(table) else {
        if tables.made_by_sql.contains(table) {
            return None;
        }
        let what = format!("there is no table `{table}`");
        let otherwise = format!("there are {}", listed(tables.names()));
        let finding = error(pipeline, at, Code::UnknownTable, what);
        return Some(finding.suggest(table, tables.names(), otherwise));
    };
    if known.contract.column(column).is_some() {
        return None;
    }
    let what = format!("the table `{table}` has no column `{column}`");
    let otherwise = format!("its columns are {}", listed(known.contract.names()));
    let finding = error(pipeline, at, Code::UnknownColumn, what);
    Some(finding.suggest(column, known.contract.names(), otherwise))
}

fn error(pipeline: &Pipeline, at: Range<usize>, code: Code, what: String) -> Finding {
    Finding::new(code, what).at(pipeline.manifest.place(at), "here")
}

fn listed(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| name.as_ref().to_owned())
        .collect();
    names.join(", ")
}
