//! From an artifact to rows for tables: the SQL of `sql/<pipeline>/update/`, over
//! `artifact` and `db.<table>`, or the artifact itself, column for column.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::datatypes::{Schema, SchemaRef},
    catalog::{TableProvider, streaming::StreamingTable},
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
    physical_plan::{stream::RecordBatchStreamAdapter, streaming::PartitionStream},
};
use futures::{TryStreamExt, stream};

use crate::{
    catalog::tables,
    compile::{
        contract::{fits, in_manifest},
        diagnose::first_token,
        workspace::{self, Workspace},
    },
    config::EngineConfig,
    database::{Database, Staged, Table, is_own},
    dataset::{Column, ColumnType, Contract},
    diagnostics::{Code, Finding},
    engine::{Error, Result, session},
    pipeline::{Bindings, Pipeline, UpdateStep, graph::word},
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
    let workspace =
        open(artifact, database, present, config).map_err(|e| Error::run(&pipeline.name, e))?;
    let mut staged = Vec::new();
    for step in &pipeline.update {
        let plan = plan(&workspace, pipeline, step).await?;
        let table = suited(pipeline, step, present, plan.schema().as_arrow());
        let table = table.map_err(Error::invalid)?;
        let contract = contract(&table, plan.schema().as_arrow());
        let what = format!("{}: the rows for {}", pipeline.name, step.table);
        let rows = match typed(plan, &contract) {
            Ok(plan) => workspace.run(&plan).await,
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

fn open(
    artifact: Decoded<'_>,
    database: &Arc<dyn Database>,
    present: &[Table],
    config: &EngineConfig,
) -> Result<Workspace, DataFusionError> {
    let context = session(config).map_err(|error| DataFusionError::External(error.into()))?;
    let db = workspace::schema_of(&context, "db")?;
    let mut relations = vec!["artifact".to_owned()];
    for table in present {
        db.register_table(table.name.clone(), stored(database, table)?)?;
        relations.push(format!("db.{}", table.name));
    }
    let workspace = Workspace::new(&context, "update", artifact.at, relations)?;
    let schema = artifact.pipeline.contract.arrow();
    workspace.register("artifact", tables::parquet(artifact.rows, schema, &[])?)?;
    Ok(workspace)
}

async fn plan(
    workspace: &Workspace,
    pipeline: &Pipeline,
    step: &UpdateStep,
) -> Result<LogicalPlan> {
    match pipeline.updates.get(&step.table) {
        Some(file) => {
            let planned = workspace.plan(file, &Bindings::defaults(pipeline)).await;
            planned.map_err(Error::invalid)
        }
        None => {
            let planned = workspace.plan_text("select * from artifact").await;
            planned.map_err(|error| Error::run(&pipeline.name, error))
        }
    }
}

/// Returns the table that a step fills, if what is made for it suits it.
pub(crate) fn suited(
    pipeline: &Pipeline,
    step: &UpdateStep,
    present: &[Table],
    made: &Schema,
) -> Result<Table, Vec<Finding>> {
    let target = Target { pipeline, step };
    if is_own(&step.table) {
        let what = format!("`{}` is the database's own table", step.table);
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
                    "`{}` is {}, in the table `{}` it is {}",
                    column.name,
                    spelled(field.data_type()),
                    table.name,
                    column.data_type
                );
                findings.push(target.finding(Code::UpdateType, what, field.name()));
            }
            Some(_) => {}
        }
    }
    for column in &table.contract.columns {
        let filled = column.nullable || table.defaults.contains(&column.name);
        if !filled && made.column_with_name(&column.name).is_none() {
            let what = format!("nothing is made for `{}.{}`", table.name, column.name);
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
        let column = |field: &Arc<datafusion::arrow::datatypes::Field>| {
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
            (Some(file), "") => file.place(first_token(&file.text)),
            (Some(file), name) => file.place(word(&file.text, name)),
            (None, "") => manifest.place(self.step.table_at.clone()),
            (None, name) => in_manifest(self.pipeline, name),
        };
        Finding::new(code, what).at(place, "here")
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

fn spelled(data_type: &datafusion::arrow::datatypes::DataType) -> String {
    ColumnType::from_arrow(data_type).map_or_else(|| data_type.to_string(), |t| t.to_string())
}

/// Returns `db.<table>`: read anew by each plan that scans it, as it streams.
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
