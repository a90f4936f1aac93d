//! The relations of one pipeline, under the names that its SQL uses.
//!
//! Each pipeline has a schema of its own in the session's catalog, where a bare
//! name is looked up; the snapshot's datasets also stand in `export`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::{
    catalog::{MemorySchemaProvider, SchemaProvider, TableProvider},
    common::TableReference,
    datasource::ViewTable,
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, SessionState},
    logical_expr::LogicalPlan,
    physical_plan::{ExecutionPlan, execute_stream},
    prelude::{SQLOptions, SessionContext},
};

use super::{diagnose, params};
use crate::{
    catalog::tables,
    dataset::Dataset,
    diagnostics::Finding,
    engine::cost::Meter,
    pipeline::{Bindings, Pipeline, Project, Relation, SourceFile, read_seed, sql::resolve},
};

/// The schema of the datasets.
pub(crate) const EXPORT: &str = "export";

/// The schema of the datasets as the snapshot before has them.
pub(crate) const PREVIOUS: &str = "previous";

/// The schema of the datasets as earlier days have them.
pub(crate) const HISTORY: &str = "history";

/// The schema of the database's tables, for updates.
pub(crate) const DB: &str = "db";

/// A plan that runs.
pub(crate) struct Running {
    /// Its rows; dropping the stream stops it.
    pub(crate) stream: SendableRecordBatchStream,
    /// What it takes.
    pub(crate) meter: Meter,
}

/// A session whose bare names are those of one schema.
pub(crate) struct Workspace {
    context: SessionContext,
    state: SessionState,
    schema: Arc<dyn SchemaProvider>,
    relations: Vec<String>,
}

impl Workspace {
    /// Opens the schema of that name. `now()` is `at` in all that is planned here.
    pub(crate) fn new(
        context: &SessionContext,
        schema: &str,
        at: DateTime<Utc>,
        relations: Vec<String>,
    ) -> Result<Workspace> {
        let provider = schema_of(context, schema)?;
        let mut state = context.state();
        schema.clone_into(&mut state.config_mut().options_mut().catalog.default_schema);
        state.execution_props_mut().query_execution_start_time = Some(at);
        Ok(Workspace {
            context: context.clone(),
            state,
            schema: provider,
            relations,
        })
    }

    /// Gives a relation a name here, in place of one that had it.
    pub(crate) fn register(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        if self.schema.table_exist(name) {
            self.schema.deregister_table(name)?;
        }
        self.schema.register_table(name.to_owned(), table)?;
        Ok(())
    }

    /// Says whether a dataset's bare name stands for it: a seed's and an output's come first.
    pub(crate) fn is_bare(project: &Project, pipeline: &Pipeline, dataset: &str) -> bool {
        let bare = resolve(project, pipeline, &TableReference::bare(dataset));
        bare.is_some_and(|bare| bare == Relation::Dataset(dataset.to_owned()))
    }

    /// Gives what the pipeline reads from outside its SQL its name here, without a row.
    pub(crate) fn register_empty(
        &self,
        project: &Project,
        pipeline: &Pipeline,
        relation: &Relation,
    ) -> Result<()> {
        let (name, schema) = match relation {
            Relation::Dataset(name) if Workspace::is_bare(project, pipeline, name) => {
                (name.clone(), project.datasets[name].contract.arrow())
            }
            Relation::Output(name) => {
                let above = &project.pipelines[name];
                (above.relation(), above.contract.arrow())
            }
            Relation::Seed(name) => {
                let rows = read_seed(&pipeline.seeds[name]);
                let rows = rows.map_err(|finding| DataFusionError::Plan(finding.message))?;
                (name.clone(), rows.schema())
            }
            // The others are named with their schema.
            Relation::Model(_)
            | Relation::Dataset(_)
            | Relation::Previous(_)
            | Relation::History(_) => return Ok(()),
        };
        self.register(&name, tables::empty(schema))
    }

    /// Gives a plan a name here.
    pub(crate) fn register_view(&self, name: &str, plan: LogicalPlan) -> Result<()> {
        self.register(name, Arc::new(ViewTable::new(plan, None)))
    }

    /// Plans a file's SELECT. It names what it reads as the project does: what a model
    /// of another pipeline, or a catalog, would have under a longer name is not read.
    pub(crate) async fn plan(
        &self,
        file: &SourceFile,
        bindings: &Bindings,
    ) -> Result<LogicalPlan, Vec<Finding>> {
        match diagnose::foreign(file, &self.relations) {
            Some(finding) => Err(vec![finding]),
            None => self.plan_any(file, bindings).await,
        }
    }

    /// Plans a SELECT that may name any relation there is.
    pub(crate) async fn plan_any(
        &self,
        file: &SourceFile,
        bindings: &Bindings,
    ) -> Result<LogicalPlan, Vec<Finding>> {
        let statement = params::parse(file, bindings)?;
        let wrong = |error: DataFusionError| vec![diagnose::finding(&error, file, &self.relations)];
        let plan = self
            .state
            .statement_to_plan(statement)
            .await
            .map_err(wrong)?;
        read_only().verify_plan(&plan).map_err(wrong)?;
        Ok(plan)
    }

    /// Plans SQL of our own.
    pub(crate) async fn plan_text(&self, sql: &str) -> Result<LogicalPlan> {
        self.state.create_logical_plan(sql).await
    }

    /// Returns the finding for an error about a file planned here.
    pub(crate) fn finding(&self, error: &DataFusionError, file: &SourceFile) -> Finding {
        diagnose::finding(error, file, &self.relations)
    }

    /// Optimises a plan, and leaves it a plan.
    pub(crate) fn optimised(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        self.state.optimize(plan)
    }

    /// Optimises a plan down to what would run.
    pub(crate) async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        self.state.create_physical_plan(plan).await
    }

    /// Runs a plan; dropping the stream stops it.
    pub(crate) async fn run(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        Ok(self.start(plan).await?.stream)
    }

    /// Runs a plan and measures it.
    pub(crate) async fn start(&self, plan: &LogicalPlan) -> Result<Running> {
        let physical = self.physical(plan).await?;
        let meter = Meter::start(Arc::clone(&physical), self.context.runtime_env());
        let stream = execute_stream(physical, self.context.task_ctx())?;
        Ok(Running { stream, meter })
    }
}

fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

/// Returns the schema of that name in the session's own catalog, made if need be.
pub(crate) fn schema_of(context: &SessionContext, name: &str) -> Result<Arc<dyn SchemaProvider>> {
    let default = context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    let catalog = context
        .catalog(&default)
        .ok_or_else(|| DataFusionError::Internal(format!("there is no catalog {default}")))?;
    if let Some(schema) = catalog.schema(name) {
        return Ok(schema);
    }
    let schema = Arc::new(MemorySchemaProvider::new());
    catalog.register_schema(name, schema.clone())?;
    Ok(schema)
}

/// Puts every dataset into the schema of that name, as `table` has it.
pub(crate) fn register_datasets(
    context: &SessionContext,
    project: &Project,
    schema: &str,
    table: impl Fn(&Dataset) -> Result<Arc<dyn TableProvider>>,
) -> Result<()> {
    let schema = schema_of(context, schema)?;
    for dataset in project.datasets.values() {
        let named = |error: DataFusionError| error.context(format!("the dataset {}", dataset.name));
        let table = table(dataset).map_err(named)?;
        schema.deregister_table(&dataset.name)?;
        schema.register_table(dataset.name.clone(), table)?;
    }
    Ok(())
}

/// Puts every dataset, without a row, into the schemas that SQL may name it in.
pub(crate) fn register_no_rows(context: &SessionContext, project: &Project) -> Result<()> {
    for schema in [EXPORT, PREVIOUS] {
        let empty = |dataset: &Dataset| Ok(tables::empty(dataset.contract.arrow()));
        register_datasets(context, project, schema, empty)?;
    }
    let empty = |dataset: &Dataset| Ok(tables::empty(dataset.history().arrow()));
    register_datasets(context, project, HISTORY, empty)
}

/// Returns every name that the pipeline's SQL may read, nearest meaning first.
pub(crate) fn relations(project: &Project, pipeline: &Pipeline) -> Vec<String> {
    let own = pipeline.models.keys().chain(pipeline.seeds.keys()).cloned();
    let others = project
        .pipelines
        .values()
        .filter(|other| other.name != pipeline.name);
    let outputs = others.map(Pipeline::relation);
    let datasets = project.datasets.keys().cloned();
    let in_schema = |schema: &'static str| {
        let datasets = project.datasets.keys();
        datasets.map(move |name| format!("{schema}.{name}"))
    };
    let schemas = in_schema(EXPORT)
        .chain(in_schema(PREVIOUS))
        .chain(in_schema(HISTORY));
    let mut names: Vec<String> = own.chain(outputs).chain(datasets).chain(schemas).collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
