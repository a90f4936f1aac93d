//! Our own rows.

use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, RecordBatch},
        datatypes::DataType,
        util::display::array_value_to_string,
    },
    common::TableReference,
    prelude::SessionContext,
};
use futures::TryStreamExt;
use indexmap::IndexMap;
use tokio::runtime::Runtime;

use super::{
    Rows, spelled,
    tables::{Tables, provider},
};
use crate::{
    compile::{kinds, planner::Planner, retry},
    config::EngineConfig,
    engine::session,
    pipeline::{Bindings, SourceFile, SqlFile},
};

/// A session of our own engine.
pub(super) struct Ours {
    runtime: Runtime,
    context: SessionContext,
}

impl Ours {
    pub(super) fn new() -> Ours {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Ours {
            runtime: runtime.unwrap(),
            context: session(&EngineConfig::default()).unwrap(),
        }
    }

    /// Returns the rows, or why the query is refused.
    pub(super) fn rows(&self, tables: &Tables, sql: &str) -> Result<Vec<Rows>, String> {
        self.runtime.block_on(rows(&self.context, tables, sql))
    }
}

async fn rows(context: &SessionContext, tables: &Tables, sql: &str) -> Result<Vec<Rows>, String> {
    let source = SourceFile {
        path: "query".into(),
        text: sql.into(),
    };
    let file = SqlFile::parse(source, &IndexMap::new());
    let mut planner = Planner::new(context, DateTime::UNIX_EPOCH);
    let mut refused = file.findings().to_vec();
    refused.extend(kinds::findings(planner.state(), &file));
    if let Some(finding) = refused.first() {
        return Err(format!("refused: {}", finding.message));
    }
    let statement = file.bound(&Bindings::default()).unwrap();
    let relations = tables
        .iter()
        .map(|(name, rows)| (TableReference::bare(*name), provider(rows)));
    let plan = retry::plan(&mut planner, statement, relations.collect()).await;
    let plan = plan.map_err(|error| format!("not planned: {error}"))?;
    let stream = planner.run(&plan).await;
    let stream = stream.map_err(|error| format!("not run: {error}"))?;
    let batches: Vec<RecordBatch> = stream
        .try_collect()
        .await
        .map_err(|error| format!("failed: {error}"))?;
    let of_batch = |batch: &RecordBatch| {
        let columns = batch.columns();
        let row = |row| columns.iter().map(|column| shown(column, row)).collect();
        (0..batch.num_rows()).map(row).collect::<Vec<Rows>>()
    };
    Ok(batches.iter().flat_map(of_batch).collect())
}

fn shown(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    let text = || array_value_to_string(column, row).unwrap();
    Some(match column.data_type() {
        DataType::Boolean => spelled(f64::from(u8::from(column.as_boolean().value(row)))),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| shown(&items, item));
            let items: Vec<String> = items.map(|it| it.unwrap_or("null".to_owned())).collect();
            format!("[{}]", items.join(", "))
        }
        other if other.is_numeric() => spelled(text().parse().unwrap()),
        _ => format!("'{}'", text()),
    })
}
