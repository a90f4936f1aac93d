//! A relation that is planned before its rows are there.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{Session, TableProvider},
    common::Statistics,
    error::{DataFusionError, Result},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::ExecutionPlan,
};

/// A model that will be computed and written before what reads it runs.
#[derive(Debug)]
pub(crate) struct Deferred {
    name: String,
    schema: SchemaRef,
    written: OnceLock<Arc<dyn TableProvider>>,
}

impl Deferred {
    /// Promises rows of these columns.
    pub(crate) fn new(name: &str, schema: SchemaRef) -> Deferred {
        Deferred {
            name: name.to_owned(),
            schema,
            written: OnceLock::new(),
        }
    }

    /// Gives the rows. Only the first gift counts.
    pub(crate) fn fill(&self, table: Arc<dyn TableProvider>) {
        // A second fill would bring the same rows.
        let _ = self.written.set(table);
    }
}

#[async_trait]
impl TableProvider for Deferred {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.written.get() {
            Some(table) => table.scan(state, projection, filters, limit).await,
            None => Err(DataFusionError::Internal(format!(
                "`{}` is read before it is computed",
                self.name
            ))),
        }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        match self.written.get() {
            Some(table) => table.supports_filters_pushdown(filters),
            None => Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()]),
        }
    }

    fn statistics(&self) -> Option<Statistics> {
        self.written.get()?.statistics()
    }
}
