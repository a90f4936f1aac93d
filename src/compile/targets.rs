//! `[[update]]`, held against the tables: the database's, and those that pipelines make.

use std::{ops::Range, sync::Arc};

use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::contract::{fits, in_manifest};
use crate::{
    database::{self, Table},
    dataset::{Column, ColumnType, Contract},
    diagnostics::{Code, Finding, did_you_mean, nearest},
    pipeline::{Pipeline, Project, Reference, UpdateStep},
};

/// The tables that there are, and those that will be.
pub(crate) struct Tables {
    /// The database's, then those that are made column for column from a contract.
    pub(crate) known: Vec<Table>,
    /// How many of them are the database's.
    present: usize,
    /// Those whose columns only their SQL determines.
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
        let what = format!("`{}` is one of pricemill's own tables", step.table);
        let finding = error(pipeline, step.table_at.clone(), Code::ReservedTable, what);
        let help = "name another table; names that begin with `export_` or `sqlite_` are reserved";
        return vec![finding.help(help)];
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
    let what = format!("the update would create a new table, `{}`", step.table);
    let place = pipeline.manifest.place(step.table_at.clone());
    let finding = Finding::new(Code::NewTable, what).at(place, "not a table of the database");
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
    let what = format!("the rows for `{}` have no column `{column}`", step.table);
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
        let otherwise = format!("the tables are {}", listed(tables.names()));
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

/// Returns the table that a step fills, if what is made for it suits it.
pub(crate) fn suited(
    pipeline: &Pipeline,
    step: &UpdateStep,
    present: &[Table],
    made: &Schema,
) -> Result<Table, Vec<Finding>> {
    let target = Target { pipeline, step };
    if database::is_own(&step.table) {
        let what = format!("`{}` is one of pricemill's own tables", step.table);
        return Err(vec![target.finding(Code::ReservedTable, what, "")]);
    }
    let Some(table) = present.iter().find(|table| table.name == step.table) else {
        return target.new_table(made);
    };
    let mut findings = Vec::new();
    for field in made.fields() {
        match table.contract.column(field.name()) {
            None => findings.push(target.no_column(table, field.name())),
            Some(column) if !fits(&column.data_type, field.data_type()) => {
                let what = format!(
                    "`{}` is {}, but {} in the table `{}`",
                    column.name,
                    spelled(field.data_type()),
                    column.data_type,
                    table.name
                );
                findings.push(target.finding(Code::UpdateType, what, field.name()));
            }
            Some(_) => {}
        }
    }
    for column in &table.contract.columns {
        let filled = column.nullable || table.defaults.contains(&column.name);
        if !filled && made.column_with_name(&column.name).is_none() {
            let what = format!(
                "the update has no value for `{}.{}`",
                table.name, column.name
            );
            findings.push(target.finding(Code::UpdateColumn, what, ""));
        }
    }
    match findings.is_empty() {
        true => Ok(table.clone()),
        false => Err(findings),
    }
}

/// Where a step's rows come from, for findings.
struct Target<'a> {
    pipeline: &'a Pipeline,
    step: &'a UpdateStep,
}

impl Target<'_> {
    /// Describes a table that is to be made.
    fn new_table(&self, made: &Schema) -> Result<Table, Vec<Finding>> {
        let contract = self.contract_of(made)?;
        let key = &self.pipeline.grain;
        if let Some(name) = key.iter().find(|name| contract.column(name).is_none()) {
            let what = format!("the new table `{}` needs its key `{name}`", self.step.table);
            return Err(vec![self.finding(Code::UpdateColumn, what, "")]);
        }
        Ok(Table {
            name: self.step.table.clone(),
            contract,
            key: key.clone(),
            defaults: Vec::new(),
            references: self.step.references.clone(),
        })
    }

    fn contract_of(&self, made: &Schema) -> Result<Contract, Vec<Finding>> {
        if !self.pipeline.updates.contains_key(&self.step.table) {
            return Ok(self.pipeline.contract.clone());
        }
        let column = |field: &Arc<Field>| {
            let data_type = ColumnType::from_arrow(field.data_type()).ok_or_else(|| {
                let what = format!("`{}` is {}", field.name(), spelled(field.data_type()));
                let finding = self.finding(Code::UpdateType, what, field.name());
                vec![finding.help("cast it to a type that tables have")]
            })?;
            Ok(Column {
                name: field.name().clone(),
                data_type,
                nullable: field.is_nullable() && !self.pipeline.grain.contains(field.name()),
            })
        };
        let columns = made
            .fields()
            .iter()
            .map(column)
            .collect::<Result<_, Vec<Finding>>>()?;
        Ok(Contract { columns })
    }

    fn no_column(&self, table: &Table, name: &str) -> Finding {
        let what = format!("the table `{}` has no column `{name}`", table.name);
        let names: Vec<&str> = table.contract.names().collect();
        let otherwise = format!("its columns are {}", names.join(", "));
        let finding = self.finding(Code::UnknownColumn, what, name);
        finding.suggest(name, names, otherwise)
    }

    fn finding(&self, code: Code, what: String, name: &str) -> Finding {
        let Pipeline {
            updates, manifest, ..
        } = self.pipeline;
        let place = match (updates.get(&self.step.table), name) {
            (Some(file), "") => file.place(file.first_token()),
            (Some(file), name) => {
                let selected = file.selected(name).into_iter().next_back();
                file.place(selected.unwrap_or_else(|| file.first_token()))
            }
            (None, "") => manifest.place(self.step.table_at.clone()),
            (None, name) => in_manifest(self.pipeline, name),
        };
        Finding::new(code, what).at(place, "here")
    }
}

fn spelled(data_type: &DataType) -> String {
    ColumnType::from_arrow(data_type).map_or_else(|| data_type.to_string(), |t| t.to_string())
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
