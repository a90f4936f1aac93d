//! Plans SELECTs over relations that are given to them, and runs the plans.
//!
//! Each statement sees the relations that it names and no others, under the names that
//! it writes. Nothing here knows what a name means.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use datafusion::{
    catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, TableProvider},
    common::TableReference,
    error::Result,
    execution::{SendableRecordBatchStream, SessionState},
    logical_expr::LogicalPlan,
    physical_plan::{ExecutionPlan, execute_stream},
    prelude::{SQLOptions, SessionContext},
    sql::parser::Statement,
};

use crate::engine::cost::Meter;

/// A relation and the name that SQL gives it.
pub(crate) type Relation = (TableReference, Arc<dyn TableProvider>);

/// A plan that runs.
pub(crate) struct Running {
    /// Its rows; dropping the stream stops it.
    pub(crate) stream: SendableRecordBatchStream,
    /// What it takes.
    pub(crate) meter: Meter,
}

/// How many planners there have been: each has a catalog of its own name, since threads
/// that plan side by side share the session's list of catalogs.
static PLANNERS: AtomicU64 = AtomicU64::new(0);

/// A session's state with a catalog of its own.
pub(crate) struct Planner {
    context: SessionContext,
    state: SessionState,
    catalog: Arc<MemoryCatalogProvider>,
}

impl Planner {
    /// `now()` is `at` in all that is planned here.
    pub(crate) fn new(context: &SessionContext, at: DateTime<Utc>) -> Planner {
        let mut state = context.state();
        let catalog = Arc::new(MemoryCatalogProvider::new());
        let list = state.catalog_list();
        let name = format!("planner {}", PLANNERS.fetch_add(1, Ordering::Relaxed));
        list.register_catalog(name.clone(), Arc::clone(&catalog) as _);
        state.config_mut().options_mut().catalog.default_catalog = name;
        state.execution_props_mut().query_execution_start_time = Some(at);
        Planner {
            context: context.clone(),
            state,
            catalog,
        }
    }

    /// Returns the session's state, with its functions.
    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Plans a statement over these relations, and no others.
    pub(crate) async fn plan(
        &mut self,
        statement: Statement,
        relations: Vec<Relation>,
    ) -> Result<LogicalPlan> {
        self.register(relations)?;
        let plan = self.state.statement_to_plan(statement).await?;
        read_only().verify_plan(&plan)?;
        Ok(plan)
    }

    fn register(&self, relations: Vec<Relation>) -> Result<()> {
        for schema in self.catalog.schema_names() {
            self.catalog.deregister_schema(&schema, true)?;
        }
        let bare = &self.state.config_options().catalog.default_schema;
        for (name, table) in relations {
            let schema = name.schema().unwrap_or(bare);
            let known = self.catalog.schema(schema);
            let schema = match known {
                Some(known) => known,
                None => {
                    let new = Arc::new(MemorySchemaProvider::new());
                    self.catalog
                        .register_schema(schema, Arc::clone(&new) as _)?;
                    new
                }
            };
            schema.register_table(name.table().to_owned(), table)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::EngineConfig, engine::session};

    #[test]
    fn planners_of_one_session_have_catalogs_of_their_own() {
        let context = session(&EngineConfig::default()).unwrap();
        let name = || {
            let planner = Planner::new(&context, DateTime::UNIX_EPOCH);
            let options = planner.state.config_options();
            options.catalog.default_catalog.clone()
        };
        let names = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(name)).collect();
            let names = all.into_iter().map(|one| one.join().unwrap());
            names.collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(names.len(), 16);
    }
}
