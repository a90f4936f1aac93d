//! A test file's session, as the runner talks to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{ArrayRef, new_null_array},
        compute::{CastOptions, cast_with_options, concat_batches},
        datatypes::{Field, Schema},
        record_batch::RecordBatch,
    },
    common::TableReference,
    error::DataFusionError,
    logical_expr::LogicalPlan,
    physical_plan::common::collect,
    prelude::SessionContext,
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast,
    },
};
use sqllogictest::DBOutput;

use super::column::{Column, shown};
use crate::{
    catalog::tables,
    compile::{
        diagnose,
        workspace::{self, EXPORT, HISTORY, PREVIOUS, Workspace},
    },
    config::EngineConfig,
    dataset::{Contract, Dataset},
    diagnostics::{Code, Finding},
    engine::{Error, Result, session},
    pipeline::{
        Bindings, Pipeline, Project, Relation, SourceFile, read_seed,
        sql::{references, resolve},
    },
};

/// The relations that a test's SQL reads and that it has not made.
#[derive(Debug, Clone, Default)]
pub(super) struct Empty(Arc<Mutex<BTreeSet<String>>>);

impl Empty {
    fn add(&self, names: impl Iterator<Item = String>) {
        if let Ok(mut known) = self.0.lock() {
            known.extend(names);
        }
    }

    /// Returns them, by name.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.0.lock().map(|names| names.iter().cloned().collect());
        names.unwrap_or_default()
    }
}

/// One test file's session.
pub(super) struct Database<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    context: SessionContext,
    bindings: Bindings,
    /// The pipeline's seeds, read once.
    seeds: Vec<(&'a str, RecordBatch)>,
    /// What the test has made, by the name it gave: `prices`, `export.prices`.
    made: BTreeMap<String, RecordBatch>,
    empty: Empty,
    /// How many schemas the session has: each statement plans in one of its own.
    schemas: usize,
}

impl<'a> Database<'a> {
    pub(super) fn new(
        project: &'a Project,
        pipeline: &'a Pipeline,
        empty: Empty,
    ) -> Result<Database<'a>> {
        Ok(Database {
            project,
            pipeline,
            context: session(&EngineConfig::default())?,
            bindings: Bindings::defaults(pipeline),
            seeds: seeds(pipeline),
            made: BTreeMap::new(),
            empty,
            schemas: 0,
        })
    }

    async fn execute(&mut self, sql: &str) -> Result<DBOutput<Column>> {
        if let Some(rest) = sql.trim().strip_prefix("set param.") {
            return self.set(rest);
        }
        let file = SourceFile {
            path: "test".into(),
            text: sql.into(),
        };
        let mut statements = DFParser::parse_sql(sql)
            .map_err(|error| Error::invalid(vec![diagnose::finding(&error, &file, &[])]))?;
        match statements.pop_front() {
            Some(Statement::Statement(statement)) => match *statement {
                ast::Statement::CreateTable(table) => self.create(table).await,
                ast::Statement::Drop { names, .. } => self.drop_tables(&names),
                _ => self.query(&file).await,
            },
            _ => self.query(&file).await,
        }
    }

    fn set(&mut self, assignment: &str) -> Result<DBOutput<Column>> {
        let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        let value = value.trim().trim_end_matches(';').trim().trim_matches('\'');
        self.bindings.set(self.pipeline, name.trim(), value)?;
        Ok(DBOutput::StatementComplete(0))
    }

    fn drop_tables(&mut self, names: &[ast::ObjectName]) -> Result<DBOutput<Column>> {
        for name in names {
            let name = spelled(name);
            if self.made.remove(&name).is_none() {
                return Err(refused(format!("no table `{name}` was made here")));
            }
        }
        Ok(DBOutput::StatementComplete(0))
    }

    async fn create(&mut self, table: ast::CreateTable) -> Result<DBOutput<Column>> {
        let name = spelled(&table.name);
        let Some(query) = table.query else {
            return Err(refused(format!("write `create table {name} as select …`")));
        };
        if self.made.contains_key(&name) {
            return Err(refused(format!(
                "`{name}` was made already; `drop table {name}` first"
            )));
        }
        let file = SourceFile {
            path: "test".into(),
            text: query.to_string().into(),
        };
        let (batch, _) = self.select(&file).await?;
        let batch = match self.dataset_contract(&name) {
            Some(contract) => declared(&name, &batch, &contract)?,
            None => batch,
        };
        let rows = batch.num_rows() as u64;
        self.made.insert(name, batch);
        Ok(DBOutput::StatementComplete(rows))
    }

    /// Returns the columns of the dataset that the name stands for.
    fn dataset_contract(&self, name: &str) -> Option<Contract> {
        let reference = TableReference::from(name);
        let dataset = |name: &str| self.project.datasets.get(name);
        match resolve(self.project, self.pipeline, &reference)? {
            Relation::Dataset(name) | Relation::Previous(name) => {
                dataset(&name).map(|dataset| dataset.contract.clone())
            }
            Relation::History(name) => dataset(&name).map(Dataset::history),
            _ => None,
        }
    }

    async fn query(&mut self, file: &SourceFile) -> Result<DBOutput<Column>> {
        let (batch, types) = self.select(file).await?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| shown(column, row));
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn select(&mut self, file: &SourceFile) -> Result<(RecordBatch, Vec<Column>)> {
        let failed = |error| Error::run("the query", error);
        let workspace = self.workspace(file).await?;
        let plan = workspace
            .plan(file, &self.bindings)
            .await
            .map_err(Error::invalid)?;
        let stream = workspace.run(&plan).await.map_err(failed)?;
        let schema = stream.schema();
        let batches = collect(stream).await.map_err(failed)?;
        let batch = concat_batches(&schema, &batches).map_err(|error| failed(error.into()))?;
        let types = schema
            .fields()
            .iter()
            .map(|field| Column::of(field.data_type()));
        Ok((batch, types.collect()))
    }

    /// Opens a schema with what the test made, what it did not make empty, and the
    /// models that the SQL reads.
    async fn workspace(&mut self, file: &SourceFile) -> Result<Workspace> {
        let failed = |error| Error::run("the test's relations", error);
        self.schemas += 1;
        let schema = format!("test_{}", self.schemas);
        let mut relations: Vec<String> = self.made.keys().cloned().collect();
        relations.extend(workspace::relations(self.project, self.pipeline));
        let workspace = Workspace::new(&self.context, &schema, DateTime::UNIX_EPOCH, relations);
        let workspace = workspace.map_err(failed)?;
        self.inputs(&workspace).map_err(failed)?;
        for name in self.models_of(file) {
            let model = &self.pipeline.models[&name];
            let plan = workspace
                .plan(model, &self.bindings)
                .await
                .map_err(Error::invalid)?;
            if name == self.pipeline.output {
                self.own_name(&workspace, plan.clone()).map_err(failed)?;
            }
            workspace.register_view(&name, plan).map_err(failed)?;
        }
        Ok(workspace)
    }

    /// Gives the output the pipeline's name as well, where nothing else has it.
    fn own_name(&self, workspace: &Workspace, plan: LogicalPlan) -> Result<(), DataFusionError> {
        let name = self.pipeline.relation();
        let reference = TableReference::bare(name.as_str());
        match resolve(self.project, self.pipeline, &reference) {
            None if !self.made.contains_key(&name) => workspace.register_view(&name, plan),
            _ => Ok(()),
        }
    }

    fn inputs(&self, workspace: &Workspace) -> Result<(), DataFusionError> {
        let export = workspace::schema_of(&self.context, EXPORT)?;
        for dataset in self.project.datasets.values() {
            let made = self.made.get(&format!("{EXPORT}.{}", dataset.name));
            let bare = || {
                self.made
                    .get(&dataset.name)
                    .filter(|_| self.dataset_contract(&dataset.name).is_some())
            };
            let table = match made.or_else(bare) {
                Some(batch) => tables::rows(batch.clone())?,
                None => tables::empty(dataset.contract.arrow()),
            };
            export.deregister_table(&dataset.name)?;
            export.register_table(dataset.name.clone(), table.clone())?;
            workspace.register(&dataset.name, table)?;
        }
        let previous =
            |dataset: &Dataset| match self.made.get(&format!("{PREVIOUS}.{}", dataset.name)) {
                Some(batch) => tables::rows(batch.clone()),
                None => Ok(tables::empty(dataset.contract.arrow())),
            };
        workspace::register_datasets(&self.context, self.project, PREVIOUS, previous)?;
        let history =
            |dataset: &Dataset| match self.made.get(&format!("{HISTORY}.{}", dataset.name)) {
                Some(batch) => tables::rows(batch.clone()),
                None => Ok(tables::empty(dataset.history().arrow())),
            };
        workspace::register_datasets(&self.context, self.project, HISTORY, history)?;
        for other in self.project.pipelines.values() {
            if other.name != self.pipeline.name {
                workspace.register(&other.relation(), tables::empty(other.contract.arrow()))?;
            }
        }
        for (name, batch) in &self.seeds {
            workspace.register(name, tables::rows(batch.clone())?)?;
        }
        for (name, batch) in self.made.iter().filter(|(name, _)| !name.contains('.')) {
            workspace.register(name, tables::rows(batch.clone())?)?;
        }
        Ok(())
    }

    /// Returns the models that the SQL needs and the test did not make, in order.
    fn models_of(&self, file: &SourceFile) -> Vec<String> {
        let mut order = Vec::new();
        let mut read = Vec::new();
        for name in references(&file.text) {
            match resolve(self.project, self.pipeline, &name) {
                Some(Relation::Model(name)) => self.visit(&name, &mut order),
                Some(relation) => read.push(relation),
                None if name.table() == self.pipeline.relation() => {
                    self.visit(&self.pipeline.output, &mut order);
                }
                None => {}
            }
        }
        let by_models = order
            .iter()
            .filter_map(|model| self.pipeline.reads.models.get(model));
        let read = read.iter().chain(by_models.flatten());
        self.empty
            .add(read.filter_map(|relation| self.unmade(relation)));
        order
    }

    /// Returns the name of what comes from outside and the test has not made.
    fn unmade(&self, relation: &Relation) -> Option<String> {
        let name = match relation {
            Relation::Dataset(name) => name.clone(),
            Relation::Previous(name) => format!("{PREVIOUS}.{name}"),
            Relation::History(name) => format!("{HISTORY}.{name}"),
            Relation::Output(name) => self.project.pipelines.get(name)?.relation(),
            Relation::Model(_) | Relation::Seed(_) => return None,
        };
        let in_export = format!("{EXPORT}.{name}");
        let is_made = [&name, &in_export]
            .into_iter()
            .any(|name| self.made.contains_key(name));
        (!is_made).then_some(name)
    }

    fn visit(&self, model: &str, order: &mut Vec<String>) {
        if self.made.contains_key(model) || order.iter().any(|done| done == model) {
            return;
        }
        for relation in self.pipeline.reads.models.get(model).into_iter().flatten() {
            if let Relation::Model(name) = relation {
                self.visit(name, order);
            }
        }
        order.push(model.to_owned());
    }
}

/// Returns the seeds that can be read; of the others `check` tells.
fn seeds(pipeline: &Pipeline) -> Vec<(&str, RecordBatch)> {
    let seeds = pipeline.seeds.iter();
    seeds
        .filter_map(|(name, file)| Some((name.as_str(), read_seed(file).ok()?)))
        .collect()
}

/// Returns a test's rows with a dataset's columns in their declared types; those that
/// the test leaves out are null.
fn declared(name: &str, batch: &RecordBatch, contract: &Contract) -> Result<RecordBatch> {
    for field in batch.schema().fields() {
        if contract.column(field.name()).is_none() {
            let names: Vec<_> = contract.names().collect();
            let column = field.name();
            return Err(refused(format!(
                "`{name}` has no column `{column}`; its columns are {}",
                names.join(", ")
            )));
        }
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for column in &contract.columns {
        let data_type = column.data_type.arrow();
        let array = match batch.column_by_name(&column.name) {
            Some(array) => cast_with_options(array, &data_type, &options),
            None => Ok(new_null_array(&data_type, batch.num_rows())),
        };
        columns.push(array.map_err(|error| Error::run(name, error.into()))?);
        fields.push(Field::new(&column.name, data_type, true));
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
    batch.map_err(|error| Error::run(name, error.into()))
}

fn refused(message: String) -> Error {
    Error::invalid(vec![Finding::new(Code::BadTest, message)])
}

fn spelled(name: &ast::ObjectName) -> String {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    parts
        .map(|ident| ident.value.as_str())
        .collect::<Vec<_>>()
        .join(".")
}

#[async_trait]
impl sqllogictest::AsyncDB for Database<'_> {
    type Error = Error;
    type ColumnType = Column;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Column>> {
        self.execute(sql).await
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "pricemill"
    }
}

impl fmt::Debug for Database<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("pipeline", &self.pipeline.name)
            .finish()
    }
}
