//! `tests/sql/<pipeline>/*.slt`: an analyst's tests of the SQL.
//!
//! Each file has a fresh session. `create table <name> as select …` stands for a
//! dataset, a seed, a model or another pipeline's output; every other model is a
//! relation by its name, planned when a query reads it, with the default parameters
//! unless `set param.<name> = '<value>'` says otherwise. A dataset made by a test has
//! the declared types, and its columns that the test leaves out are null; one that
//! the test does not make is empty.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, new_null_array},
        compute::{CastOptions, cast_with_options, concat_batches},
        datatypes::{DataType, Field, Float64Type, Schema},
        record_batch::RecordBatch,
        util::display::{ArrayFormatter, FormatOptions},
    },
    common::TableReference,
    error::DataFusionError,
    physical_plan::common::collect,
    prelude::SessionContext,
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast,
    },
};
use sqllogictest::{
    DBOutput, Record, Runner, TestErrorKind, default_normalizer, default_validator,
    parse_with_name, update_record_with_output,
};

use super::{
    Error, Result, session, tables,
    workspace::{self, EXPORT, Workspace},
};
use crate::{
    config::EngineConfig,
    dataset::Contract,
    diagnostics::Finding,
    pipeline::{
        Bindings, Pipeline, Project, Relation, SourceFile, embedded, read_seed,
        sql::{references, resolve},
    },
};

/// What became of one test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The pipeline whose SQL is tested.
    pub pipeline: String,
    /// The file, relative to the project's folder.
    pub file: PathBuf,
    /// How many statements and queries the file holds.
    pub records: usize,
    /// The first that failed.
    pub failure: Option<TestFailure>,
    /// Whether the file was rewritten with what the SQL gives now.
    pub rewritten: bool,
}

/// A statement or a query that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// Its line.
    pub line: u32,
    /// What failed, with the difference of expected (`-`) and actual (`+`) rows.
    pub message: String,
}

/// Runs the pipelines' tests, file by file, by name. With `accept`, expectations
/// that fail are rewritten with what the SQL gives.
///
/// # Errors
///
/// Returns an error when a file cannot be read or written; a test that fails is in
/// its [`TestResult`].
pub async fn test(
    project: &Project,
    pipelines: &[&Pipeline],
    accept: bool,
) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    for pipeline in pipelines {
        for (file, text) in files(project, pipeline)? {
            let tested = TestFile {
                project,
                pipeline,
                file,
                text,
            };
            results.push(Box::pin(tested.run(accept)).await?);
        }
    }
    Ok(results)
}

/// Returns the pipeline's test files with their texts, by path.
fn files(project: &Project, pipeline: &Pipeline) -> Result<BTreeMap<PathBuf, String>> {
    let folder = Path::new("tests/sql").join(&pipeline.name);
    let is_test = |path: &Path| path.extension().is_some_and(|extension| extension == "slt");
    let Some(root) = &project.root else {
        let own = embedded()
            .into_iter()
            .filter(|file| file.path().parent() == Some(folder.as_path()) && is_test(&file.path()));
        let texts = own.map(|file| {
            (
                file.path(),
                String::from_utf8_lossy(file.bytes()).into_owned(),
            )
        });
        return Ok(texts.collect());
    };
    let mut texts = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(root.join(&folder)) else {
        return Ok(texts);
    };
    for entry in entries.flatten().filter(|entry| is_test(&entry.path())) {
        let text = std::fs::read_to_string(entry.path()).map_err(|source| Error::Read {
            path: entry.path(),
            source,
        })?;
        texts.insert(folder.join(entry.file_name()), text);
    }
    Ok(texts)
}

struct TestFile<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    file: PathBuf,
    text: String,
}

impl TestFile<'_> {
    async fn run(&self, accept: bool) -> Result<TestResult> {
        let mut result = TestResult {
            pipeline: self.pipeline.name.clone(),
            file: self.file.clone(),
            records: 0,
            failure: None,
            rewritten: false,
        };
        let name = self.file.to_string_lossy().into_owned();
        let records: Vec<Record<Column>> = match parse_with_name(&self.text, name.as_str()) {
            Ok(records) => records,
            Err(error) => {
                result.failure = Some(TestFailure {
                    line: error.location().line(),
                    message: error.kind().to_string(),
                });
                return Ok(result);
            }
        };
        let counted = |record: &&Record<Column>| {
            matches!(record, Record::Statement { .. } | Record::Query { .. })
        };
        result.records = records.iter().filter(counted).count();
        result.failure = self.first_failure(&records).await?;
        if accept && result.failure.is_some() {
            self.rewrite(records).await?;
            result.rewritten = true;
        }
        Ok(result)
    }

    async fn first_failure(&self, records: &[Record<Column>]) -> Result<Option<TestFailure>> {
        let database = Database::new(self.project, self.pipeline)?;
        let mut runner = runner(database);
        for record in records {
            if let Record::System { loc, .. } = record {
                return Ok(Some(TestFailure {
                    line: loc.line(),
                    message: "a test runs no commands of the system".to_owned(),
                }));
            }
            if let Err(error) = runner.run_async(record.clone()).await {
                return Ok(Some(TestFailure {
                    line: error.location().line(),
                    message: told(&error.kind()),
                }));
            }
        }
        Ok(None)
    }

    /// Writes the file anew with what each record gives.
    async fn rewrite(&self, records: Vec<Record<Column>>) -> Result<()> {
        let Some(root) = &self.project.root else {
            return Ok(());
        };
        let database = Database::new(self.project, self.pipeline)?;
        let mut runner = runner(database);
        let mut text = String::new();
        for record in records {
            let output = match record {
                Record::System { .. } => None,
                _ => Some(runner.apply_record(record.clone()).await),
            };
            let updated = output.and_then(|output| {
                let normalizer = default_normalizer;
                update_record_with_output(
                    &record,
                    &output,
                    " ",
                    default_validator,
                    normalizer,
                    matching,
                )
            });
            text.push_str(&updated.unwrap_or(record).to_string());
            text.push('\n');
        }
        let path = root.join(&self.file);
        let text = format!("{}\n", text.trim_end());
        replace_file(&path, text.as_bytes()).map_err(|source| Error::Io { path, source })
    }
}

/// Replaces a file in one step, so that a stop leaves the old one.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn runner(
    database: Database<'_>,
) -> Runner<Database<'_>, impl sqllogictest::MakeConnection<Conn = Database<'_>>> {
    let mut database = Some(database);
    let mut runner = Runner::new(move || {
        let one = database.take().ok_or(Error::OneConnection);
        async move { one }
    });
    runner.with_column_validator(matching);
    runner
}

/// Returns what a failure says, without the SQL, which stands in the file.
fn told(kind: &TestErrorKind) -> String {
    let text = match kind {
        TestErrorKind::Fail { err, .. } => return rendered(err.as_ref()),
        other => other.to_string(),
    };
    match text.split_once("\n[SQL] ") {
        Some((what, rest)) => match rest.split_once("\n[Diff] ") {
            Some((_, difference)) => format!("{what}\n{difference}"),
            None => what.to_owned(),
        },
        None => text,
    }
}

fn rendered(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(Error::Invalid(findings)) = error.downcast_ref::<Error>() {
        let rendered: Vec<_> = findings
            .0
            .iter()
            .map(|finding| finding.render(false))
            .collect();
        return rendered.join("\n");
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        text.push_str(&format!(": {below}"));
        source = below.source();
    }
    text
}

/// One test file's session.
struct Database<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    context: SessionContext,
    bindings: Bindings,
    /// What the test has made, by the name it gave: `prices`, `export.prices`.
    made: BTreeMap<String, RecordBatch>,
    /// How many schemas the session has: each statement plans in one of its own.
    schemas: usize,
}

impl<'a> Database<'a> {
    fn new(project: &'a Project, pipeline: &'a Pipeline) -> Result<Database<'a>> {
        Ok(Database {
            project,
            pipeline,
            context: session(&EngineConfig::default())?,
            bindings: Bindings::defaults(pipeline),
            made: BTreeMap::new(),
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
            .map_err(|error| Error::invalid(vec![super::diagnose::finding(&error, &file, &[])]))?;
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
            Some(contract) => declared(&name, &batch, contract)?,
            None => batch,
        };
        let rows = batch.num_rows() as u64;
        self.made.insert(name, batch);
        Ok(DBOutput::StatementComplete(rows))
    }

    /// Returns the columns of the dataset that the name stands for.
    fn dataset_contract(&self, name: &str) -> Option<&'a Contract> {
        let reference = TableReference::from(name);
        match resolve(self.project, self.pipeline, &reference)? {
            Relation::Dataset(name) => self.project.datasets.get(&name).map(|d| &d.contract),
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
            workspace.register_view(&name, plan).map_err(failed)?;
        }
        Ok(workspace)
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
        for other in self.project.pipelines.values() {
            if other.name != self.pipeline.name {
                workspace.register(&other.relation(), tables::empty(other.contract.arrow()))?;
            }
        }
        for (name, file) in &self.pipeline.seeds {
            if let Ok(batch) = read_seed(file) {
                workspace.register(name, tables::rows(batch)?)?;
            }
        }
        for (name, batch) in self.made.iter().filter(|(name, _)| !name.contains('.')) {
            workspace.register(name, tables::rows(batch.clone())?)?;
        }
        Ok(())
    }

    /// Returns the models that the SQL needs and the test did not make, in order.
    fn models_of(&self, file: &SourceFile) -> Vec<String> {
        let mut order = Vec::new();
        for name in references(&file.text) {
            if let Some(Relation::Model(name)) = resolve(self.project, self.pipeline, &name) {
                self.visit(&name, &mut order);
            }
        }
        order
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
    Error::invalid(vec![Finding::error("test", message)])
}

fn spelled(name: &ast::ObjectName) -> String {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    parts
        .map(|ident| ident.value.as_str())
        .collect::<Vec<_>>()
        .join(".")
}

/// Returns a value as a test spells it: `NULL`, `(empty)`, decimals to the digit,
/// doubles in shortest form.
fn shown(column: &ArrayRef, row: usize) -> Result<String> {
    if column.is_null(row) {
        return Ok("NULL".to_owned());
    }
    if let Some(doubles) = column.as_primitive_opt::<Float64Type>() {
        return Ok(doubles.value(row).to_string());
    }
    let options = FormatOptions::default().with_null("NULL");
    let failed = |error: datafusion::arrow::error::ArrowError| Error::run("the rows", error.into());
    let formatter = ArrayFormatter::try_new(column, &options).map_err(failed)?;
    let text = formatter.value(row).try_to_string().map_err(failed)?;
    Ok(if text.is_empty() {
        "(empty)".to_owned()
    } else {
        text
    })
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

/// A result column's type, as one letter after `query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Integer,
    Number,
    Text,
    Boolean,
    Date,
    Instant,
    /// `?`: a list, a struct; in a test, anything.
    Any,
}

impl Column {
    const LETTERS: [(char, Column); 7] = [
        ('I', Column::Integer),
        ('R', Column::Number),
        ('T', Column::Text),
        ('B', Column::Boolean),
        ('D', Column::Date),
        ('P', Column::Instant),
        ('?', Column::Any),
    ];

    fn of(data_type: &DataType) -> Column {
        match data_type {
            DataType::Boolean => Column::Boolean,
            DataType::Date32 | DataType::Date64 => Column::Date,
            DataType::Timestamp(..) => Column::Instant,
            other if other.is_integer() => Column::Integer,
            other if other.is_numeric() => Column::Number,
            other if other.is_string() => Column::Text,
            _ => Column::Any,
        }
    }
}

impl sqllogictest::ColumnType for Column {
    fn from_char(letter: char) -> Option<Column> {
        Column::LETTERS
            .iter()
            .find(|known| known.0 == letter)
            .map(|known| known.1)
    }

    fn to_char(&self) -> char {
        Column::LETTERS
            .iter()
            .find(|known| known.1 == *self)
            .map_or('?', |known| known.0)
    }
}

/// Says whether the columns are of the types that a test expects.
#[expect(clippy::ptr_arg, reason = "the runner's own type of function")]
fn matching(actual: &Vec<Column>, expected: &Vec<Column>) -> bool {
    let same =
        |(actual, expected): (&Column, &Column)| actual == expected || expected == &Column::Any;
    actual.len() == expected.len() && actual.iter().zip(expected).all(same)
}
