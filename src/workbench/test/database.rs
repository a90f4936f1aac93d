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
    catalog::TableProvider,
    common::TableReference,
    logical_expr::LogicalPlan,
    physical_plan::common::collect,
    prelude::SessionContext,
    sql::{parser::Statement, sqlparser::ast},
};
use indexmap::IndexMap;
use sqllogictest::DBOutput;

use super::{
    column::{Column, shown},
    grain,
    place::RECORD,
};
use crate::{
    catalog::{Edition, Empty, Named, Relations, seed_table, tables},
    compile::{
        self, ARTIFACT, Compiler, DB, EXPORT, Failed, HISTORY, PREVIOUS, Planner, Scope, Tables,
    },
    config::EngineConfig,
    database::{self, Table},
    dataset::{self, ColumnType, Contract, Dataset},
    diagnostics::{Code, Finding},
    engine::{Error, Result, session},
    pipeline::{
        self, Bindings, ParsedText, Pipeline, Project, Relation, SourceFile, SqlFile, parse_any,
        resolve,
    },
};

/// The relations that a test's SQL reads and that it has not made.
#[derive(Debug, Clone, Default)]
pub(super) struct Unmade(Arc<Mutex<BTreeSet<String>>>);

impl Unmade {
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

/// The schema of the pipeline's checks: `checks.<file>`.
const CHECKS: &str = "checks";

/// The schema of its update's steps: `updates.<table>`.
const UPDATES: &str = "updates";

/// One test file's session.
pub(super) struct Database<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    context: SessionContext,
    bindings: Bindings,
    /// What the test has made, by the name it gave: `prices`, `export.prices`.
    made: BTreeMap<String, RecordBatch>,
    /// The rows of the models, checks and steps that were read since, by name.
    computed: BTreeMap<String, RecordBatch>,
    empty: Unmade,
}

impl<'a> Database<'a> {
    pub(super) fn new(
        project: &'a Project,
        pipeline: &'a Pipeline,
        empty: Unmade,
    ) -> Result<Database<'a>> {
        Ok(Database {
            project,
            pipeline,
            context: session(&EngineConfig::default())?,
            bindings: Bindings::defaults(pipeline),
            made: BTreeMap::new(),
            computed: BTreeMap::new(),
            empty,
        })
    }

    async fn execute(&mut self, sql: &str) -> Result<DBOutput<Column>> {
        if let Some(rest) = sql.trim().strip_prefix("set param.") {
            return self.set(rest);
        }
        let file = SourceFile {
            path: RECORD.into(),
            text: sql.into(),
        };
        let parsed = parse_any(&file, &self.pipeline.params).map_err(Error::invalid)?;
        let (mut statements, text) = parsed;
        match (statements.pop(), statements.is_empty()) {
            (Some(Statement::Statement(statement)), true) => match *statement {
                ast::Statement::CreateTable(table) => self.create(table, file, text).await,
                ast::Statement::Drop { names, .. } => self.drop_tables(&names),
                _ => self.query(file).await,
            },
            _ => self.query(file).await,
        }
    }

    fn set(&mut self, assignment: &str) -> Result<DBOutput<Column>> {
        let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        let value = value.trim().trim_end_matches(';').trim().trim_matches('\'');
        self.computed.clear();
        let set = self.bindings.set(self.pipeline, name.trim(), value);
        set.map_err(|error| Error::invalid(vec![unset(&error)]))?;
        Ok(DBOutput::StatementComplete(0))
    }

    fn drop_tables(&mut self, names: &[ast::ObjectName]) -> Result<DBOutput<Column>> {
        self.computed.clear();
        for name in names {
            let name = spelled(name);
            if self.made.remove(&name).is_none() {
                return Err(refused(format!("this test created no table `{name}`")));
            }
        }
        Ok(DBOutput::StatementComplete(0))
    }

    async fn create(
        &mut self,
        table: ast::CreateTable,
        file: SourceFile,
        text: ParsedText,
    ) -> Result<DBOutput<Column>> {
        let name = spelled(&table.name);
        let Some(query) = table.query else {
            return Err(refused(format!("write `create table {name} as select …`")));
        };
        if self.made.contains_key(&name) {
            return Err(refused(format!(
                "`{name}` already exists; `drop table {name}` first"
            )));
        }
        let (batch, _) = self.select(&SqlFile::within(file, text, query)).await?;
        let batch = match self.contract_of(&name)? {
            Some(contract) => declared(&name, &batch, &contract)?,
            None => batch,
        };
        let rows = batch.num_rows() as u64;
        self.made.insert(name, batch);
        self.computed.clear();
        Ok(DBOutput::StatementComplete(rows))
    }

    /// Returns the columns that are declared of what the name stands for.
    fn contract_of(&self, name: &str) -> Result<Option<Contract>> {
        if name == ARTIFACT {
            return Ok(Some(self.pipeline.contract.clone()));
        }
        if let Some(table) = within(DB, name) {
            let tables = self.tables()?;
            let known = tables.into_iter().find(|known| known.name == table);
            return Ok(known.map(|table| table.contract));
        }
        Ok(self.dataset_contract(name))
    }

    /// Returns the tables that an update may read: the database's, those that pipelines
    /// make, and those that the test made.
    fn tables(&self) -> Result<Vec<Table>> {
        let schema = database::schema().map_err(|error| refused(error.to_string()))?;
        let mut tables = Tables::of(self.project, &schema).known;
        for (name, rows) in &self.made {
            let Some(table) = within(DB, name) else {
                continue;
            };
            if !tables.iter().any(|known| known.name == table) {
                tables.push(as_table(table, rows));
            }
        }
        Ok(tables)
    }

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

    async fn query(&mut self, file: SourceFile) -> Result<DBOutput<Column>> {
        let file = SqlFile::parse(file, &self.pipeline.params);
        let (batch, types) = self.select(&file).await?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| shown(column, row));
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
        Ok(DBOutput::Rows { types, rows })
    }

    /// Runs a query, after the models that it reads: each is computed once, and its rows
    /// must keep to its grain.
    async fn select(&mut self, file: &SqlFile) -> Result<(RecordBatch, Vec<Column>)> {
        for name in file.names() {
            let name = name.reference.to_string();
            if self.made.contains_key(&name) || self.computed.contains_key(&name) {
                continue;
            }
            if let Some(rows) = self.check_or_step(&name).await? {
                self.computed.insert(name, rows);
            }
        }
        let names = self.names();
        let scope = Scope::Test(self.project, self.pipeline, &names);
        self.compute_models(scope, file).await?;
        self.rows(scope, file).await
    }

    /// Returns the rows of `checks.<file>` or `updates.<table>`.
    async fn check_or_step(&mut self, name: &str) -> Result<Option<RecordBatch>> {
        let pipeline = self.pipeline;
        if let Some(file) = within(CHECKS, name).and_then(|name| pipeline.rules.get(name)) {
            let scope = Scope::Pipeline(self.project, pipeline);
            self.compute_models(scope, file).await?;
            return self.rows(scope, file).await.map(|(rows, _)| Some(rows));
        }
        let mut steps = pipeline.update.iter();
        let step = within(UPDATES, name).and_then(|name| steps.find(|step| step.table == name));
        let Some(step) = step else {
            return Ok(None);
        };
        let tables = self.tables()?;
        let compiler = Compiler::new(self, &self.context, DateTime::UNIX_EPOCH);
        let (planner, plan) = Box::pin(compiler.step(pipeline, step, &tables)).await?;
        run(&planner, &plan).await.map(|(rows, _)| Some(rows))
    }

    /// Returns the names that mean more in a test than in the pipeline.
    fn names(&self) -> Vec<String> {
        let made = self.made.keys().cloned();
        let checks = self.pipeline.rules.keys();
        let checks = checks.map(|name| format!("{CHECKS}.{name}"));
        let steps = self.pipeline.update.iter();
        let steps = steps.map(|step| format!("{UPDATES}.{}", step.table));
        made.chain(checks).chain(steps).collect()
    }

    async fn compute_models(&mut self, scope: Scope<'_>, file: &SqlFile) -> Result<()> {
        for model in self.models_of(scope, file)? {
            if !self.computed.contains_key(model) {
                let file = &self.pipeline.models[model];
                let scope = Scope::Pipeline(self.project, self.pipeline);
                let (rows, _) = self.rows(scope, file).await?;
                grain::check(model, file, &rows)?;
                self.computed.insert(model.to_owned(), rows);
            }
        }
        Ok(())
    }

    /// Returns the models that a query reads and the test has not made, each after those
    /// it reads.
    fn models_of(&self, scope: Scope<'_>, file: &SqlFile) -> Result<Vec<&'a str>> {
        let compiler = Compiler::new(self, &self.context, DateTime::UNIX_EPOCH);
        let named = compiler.named(scope, file)?;
        let read = named.into_iter().filter_map(|(_, named)| match named {
            Named::Model(_, name) => self.pipeline.models.get_key_value(name),
            _ => None,
        });
        let read: Vec<&str> = read.map(|(name, _)| name.as_str()).collect();
        Ok(self
            .pipeline
            .reads
            .models_without(&read, |name| self.made.contains_key(name)))
    }

    async fn rows(&self, scope: Scope<'_>, file: &SqlFile) -> Result<(RecordBatch, Vec<Column>)> {
        let compiler = Compiler::new(self, &self.context, DateTime::UNIX_EPOCH);
        let bindings = (self.pipeline.name.clone(), self.bindings.clone());
        let bindings = [bindings].into_iter().collect();
        let planned = Box::pin(compiler.select(scope, file, &bindings));
        let (planner, plan) = planned.await?;
        let keys = compile::keys_of(&compiler.named(scope, file)?);
        let failed = Failed {
            planner: &planner,
            plan: &plan,
            files: vec![file],
            keys: &keys,
        };
        match collected(&planner, &plan).await {
            Ok(rows) => Ok(rows),
            Err(error) => Err(Box::pin(failed.run_error("the query", error)).await),
        }
    }

    /// Returns what the test made for a relation.
    fn made_for(&self, named: Named<'_>) -> Option<&RecordBatch> {
        let made = |name: &str| self.made.get(name);
        match named {
            Named::Dataset(dataset, Edition::Current) => {
                let bare = TableReference::bare(dataset.name.as_str());
                let bare = resolve(self.project, self.pipeline, &bare);
                let is_bare = bare == Some(Relation::Dataset(dataset.name.clone()));
                let exact = made(&format!("{EXPORT}.{}", dataset.name));
                exact.or_else(|| made(&dataset.name).filter(|_| is_bare))
            }
            Named::Dataset(..) => made(&shown_name(named)),
            Named::Output(pipeline) => made(&pipeline.relation()),
            Named::Model(_, name) => made(name).or_else(|| self.computed.get(name)),
            Named::Made(name) => made(name).or_else(|| self.computed.get(name)),
            Named::Seed(_, name) => made(name),
            Named::Artifact(_) | Named::Stored(_) => made(&shown_name(named)),
        }
    }
}

/// Returns the name of what comes from outside, as a test writes it.
fn shown_name(named: Named<'_>) -> String {
    match named {
        Named::Dataset(dataset, Edition::Current) => dataset.name.clone(),
        Named::Dataset(dataset, Edition::Previous) => format!("{PREVIOUS}.{}", dataset.name),
        Named::Dataset(dataset, Edition::History) => format!("{HISTORY}.{}", dataset.name),
        Named::Output(pipeline) => pipeline.relation(),
        Named::Artifact(_) => ARTIFACT.to_owned(),
        Named::Model(_, name) | Named::Seed(_, name) | Named::Made(name) => name.to_owned(),
        Named::Stored(table) => format!("{DB}.{}", table.name),
    }
}

/// What the test made, the project's seeds, and no row of anything else.
#[async_trait]
impl Relations for Database<'_> {
    async fn table(
        &self,
        context: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(made) = self.made_for(named) {
            let rows = tables::rows(made.clone());
            return rows
                .map(Some)
                .map_err(|error| Error::run("the test's relations", error));
        }
        match named {
            Named::Seed(pipeline, name) => seed_table(pipeline, name).map(Some),
            Named::Dataset(..) | Named::Output(_) | Named::Artifact(_) | Named::Stored(_) => {
                self.empty.add(std::iter::once(shown_name(named)));
                Empty.table(context, named).await
            }
            Named::Model(..) | Named::Made(_) => Ok(None),
        }
    }
}

/// Returns what a plan gives, and the types of its columns.
async fn run(planner: &Planner, plan: &LogicalPlan) -> Result<(RecordBatch, Vec<Column>)> {
    let rows = collected(planner, plan).await;
    rows.map_err(|error| Error::run("the query", error))
}

async fn collected(
    planner: &Planner,
    plan: &LogicalPlan,
) -> datafusion::error::Result<(RecordBatch, Vec<Column>)> {
    let stream = planner.run(plan).await?;
    let schema = stream.schema();
    let batches = collect(stream).await?;
    let batch = concat_batches(&schema, &batches)?;
    let fields = schema.fields().iter();
    let types = fields.map(|field| Column::of(field.data_type()));
    Ok((batch, types.collect()))
}

/// Returns what follows `<schema>.`.
fn within<'n>(schema: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(schema)?.strip_prefix('.')
}

/// Describes rows as a table of the database.
fn as_table(name: &str, rows: &RecordBatch) -> Table {
    let schema = rows.schema();
    let columns = schema.fields().iter().filter_map(|field| {
        Some(dataset::Column {
            name: field.name().clone(),
            data_type: ColumnType::from_arrow(field.data_type())?,
            nullable: true,
        })
    });
    Table {
        name: name.to_owned(),
        contract: Contract {
            columns: columns.collect(),
        },
        key: Vec::new(),
        defaults: Vec::new(),
        references: IndexMap::new(),
    }
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

/// Describes a parameter that cannot be set.
fn unset(error: &pipeline::Error) -> Finding {
    let code = match error {
        pipeline::Error::UnknownParam { .. } => Code::UnknownParameter,
        _ => Code::BadParameter,
    };
    let finding = Finding::new(code, error.to_string());
    error.hint().into_iter().fold(finding, Finding::help)
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
