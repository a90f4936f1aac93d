//! From an artifact to rows for tables: the SQL of `sql/<pipeline>/update/`, over
//! `artifact` and `db.<table>`, or the artifact itself, column for column.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::{
    arrow::datatypes::{Schema, SchemaRef},
    catalog::{TableProvider, streaming::StreamingTable},
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
    physical_plan::{stream::RecordBatchStreamAdapter, streaming::PartitionStream},
    prelude::SessionContext,
};
use futures::{TryStreamExt, stream};

use crate::{
    catalog::{Named, Relations, tables},
    compile::{Compiler, suited},
    config::EngineConfig,
    database::{Database, Staged, Table},
    dataset::{Column, Contract},
    engine::{Error, Result, session},
    pipeline::Pipeline,
};

/// An artifact whose content is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoded<'a> {
    /// The pipeline that made it.
    pub(crate) pipeline: &'a Pipeline,
    /// Its rows as Parquet, of the pipeline's contract.
    pub(crate) rows: &'a Path,
    /// What `now()` is in the SQL.
    pub(crate) at: DateTime<Utc>,
}

/// Returns an artifact's rows for each of its tables, in the order of its steps.
///
/// Rows are made as they are asked for. A table that the database does not have is
/// described by its rows, with the pipeline's grain as its key.
///
/// # Errors
///
/// Returns [`Error::Invalid`] when the SQL, or what it makes, does not suit a table.
pub(crate) async fn stage(
    artifact: Decoded<'_>,
    database: &Arc<dyn Database>,
    present: &[Table],
    config: &EngineConfig,
) -> Result<Vec<Staged>> {
    let pipeline = artifact.pipeline;
    let context = session(config)?;
    let stored = Stored { artifact, database };
    let compiler = Compiler::new(&stored, &context, artifact.at);
    let mut staged = Vec::new();
    for step in &pipeline.update {
        let (planner, plan) = compiler.step(pipeline, step, present).await?;
        let table = suited(pipeline, step, present, plan.schema().as_arrow());
        let table = table.map_err(Error::invalid)?;
        let contract = contract(&table, plan.schema().as_arrow());
        let what = format!("{}: the rows for {}", pipeline.name, step.table);
        let rows = match typed(plan, &contract) {
            Ok(plan) => planner.run(&plan).await,
            Err(error) => Err(error),
        };
        staged.push(Staged {
            table,
            mode: step.mode,
            references: step.references.clone(),
            max_rejects_percent: step.max_rejects_percent,
            contract,
            rows: rows.map_err(|error| Error::run(&what, error))?,
        });
    }
    Ok(staged)
}

/// An artifact that is decoded, and the database that it is for.
#[derive(Debug)]
struct Stored<'a> {
    artifact: Decoded<'a>,
    database: &'a Arc<dyn Database>,
}

#[async_trait]
impl Relations for Stored<'_> {
    async fn table(
        &self,
        _: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = match named {
            Named::Artifact(pipeline) => {
                tables::parquet(self.artifact.rows, pipeline.contract.arrow(), &[])
            }
            Named::Stored(table) => stored(self.database, table),
            _ => return Ok(None),
        };
        let what = format!("the update of {}", self.artifact.pipeline.name);
        table.map(Some).map_err(|error| Error::run(&what, error))
    }
}

/// Returns the columns of what is made, with the table's types.
fn contract(table: &Table, made: &Schema) -> Contract {
    let names = made.fields().iter().map(|field| field.name());
    let columns = names.filter_map(|name| table.contract.column(name));
    Contract {
        // What must not be null is turned away row by row, not refused as a whole.
        columns: columns
            .map(|column| Column {
                nullable: true,
                ..column.clone()
            })
            .collect(),
    }
}

/// Casts a plan's columns to a contract's types, which they fit.
fn typed(plan: LogicalPlan, contract: &Contract) -> Result<LogicalPlan, DataFusionError> {
    let columns = plan.schema().columns().into_iter().zip(&contract.columns);
    let cast = |(made, wanted): (datafusion::common::Column, &Column)| {
        let value = Expr::Column(made);
        datafusion::logical_expr::cast(value, wanted.data_type.arrow()).alias(&wanted.name)
    };
    let columns: Vec<Expr> = columns.map(cast).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Returns `db.<table>`: read again by each plan that scans it, as it streams.
fn stored(
    database: &Arc<dyn Database>,
    table: &Table,
) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let schema = table.contract.arrow();
    let partition = StoredTable {
        database: Arc::clone(database),
        name: table.name.clone(),
        schema: Arc::clone(&schema),
    };
    let table = StreamingTable::try_new(schema, vec![Arc::new(partition)])?;
    Ok(Arc::new(table))
}

#[derive(Debug)]
struct StoredTable {
    database: Arc<dyn Database>,
    name: String,
    schema: SchemaRef,
}

impl PartitionStream for StoredTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (database, name) = (Arc::clone(&self.database), self.name.clone());
        let rows = async move {
            let rows = database.read(&name).await;
            rows.map_err(|error| DataFusionError::External(Box::new(error)))
        };
        let rows = stream::once(rows).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}
