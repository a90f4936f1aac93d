//! Rows that no file has: companies, divisions and brands by their names, and the
//! categories of products.
//!
//! They are known once all files are read, and so come last.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::{
    arrow::record_batch::RecordBatch, error::DataFusionError,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::stream;

use super::{Error, Result, batch::Batch, state::State, values::Value};
use crate::{
    database::{Fill, Replace, Table},
    dataset::{Column, ColumnType, Contract},
};

/// The most rows of a batch.
const BATCH_ROWS: usize = 8192;

type Rows = Vec<Vec<Option<Value<'static>>>>;

/// Returns what comes after the files. The first of it stops the load if any row of
/// the files was bad.
pub(super) fn after(state: &Arc<Mutex<State>>, tables: &[Table]) -> Result<Vec<Fill>> {
    let derives_links = lock(state).derives_links();
    let mut fills = vec![
        fill(state, tables, "companies", &["id", "name"], companies)?,
        fill(
            state,
            tables,
            "divisions",
            &["id", "company_id", "name"],
            divisions,
        )?,
        fill(state, tables, "brands", &["id", "name"], brands)?,
    ];
    if derives_links {
        let columns = ["product_id", "category_id"];
        let mut links = fill(state, tables, "product_categories", &columns, links)?;
        links.replace = Replace::All;
        fills.push(links);
        fills.push(fill(
            state,
            tables,
            "categories",
            &["id", "company_id", "name"],
            categories,
        )?);
    }
    Ok(fills)
}

fn companies(state: &mut State) -> Rows {
    let new = std::mem::take(&mut state.companies.new);
    new.into_iter()
        .map(|(id, _, name)| named(id, name))
        .collect()
}

fn brands(state: &mut State) -> Rows {
    let new = std::mem::take(&mut state.brands.new);
    new.into_iter()
        .map(|(id, _, name)| named(id, name))
        .collect()
}

fn divisions(state: &mut State) -> Rows {
    let new = std::mem::take(&mut state.divisions.new);
    let row = |(id, (company, _), name)| named_of(id, company, name);
    new.into_iter().map(row).collect()
}

fn categories(state: &mut State) -> Rows {
    let new = std::mem::take(&mut state.categories.new);
    let row = |(id, (company, _), name)| named_of(id, company, name);
    new.into_iter().map(row).collect()
}

fn links(state: &mut State) -> Rows {
    let row =
        |(product, category)| vec![Some(Value::Bigint(product)), Some(Value::Bigint(category))];
    state.derive_links().into_iter().map(row).collect()
}

fn named(id: i64, name: String) -> Vec<Option<Value<'static>>> {
    vec![Some(Value::Bigint(id)), Some(Value::Text(name.into()))]
}

fn named_of(id: i64, parent: i64, name: String) -> Vec<Option<Value<'static>>> {
    vec![
        Some(Value::Bigint(id)),
        Some(Value::Bigint(parent)),
        Some(Value::Text(name.into())),
    ]
}

fn fill(
    state: &Arc<Mutex<State>>,
    tables: &[Table],
    name: &str,
    columns: &[&str],
    rows: fn(&mut State) -> Rows,
) -> Result<Fill> {
    let table = tables.iter().find(|table| table.name == name);
    let table = table.cloned().ok_or_else(|| Error::UnknownTable {
        path: name.into(),
        nearest: None,
    })?;
    let contract = Contract {
        columns: columns.iter().map(|name| column(name)).collect(),
    };
    let schema = contract.arrow();
    let state = Arc::clone(state);
    let batches = Lazy {
        make: Some(Box::new(move || made(&mut lock(&state), &contract, rows))),
        made: Vec::new().into_iter(),
    };
    let rows = stream::iter(batches);
    Ok(Fill {
        table,
        replace: Replace::Nothing,
        rows: Box::pin(RecordBatchStreamAdapter::new(schema, rows)),
    })
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: match name {
            "name" => ColumnType::Text,
            _ => ColumnType::Bigint,
        },
        nullable: false,
    }
}

type RowResult = Result<RecordBatch, DataFusionError>;

/// Batches that are made when the first is asked for.
struct Lazy {
    make: Option<Box<dyn FnOnce() -> Vec<RowResult> + Send>>,
    made: std::vec::IntoIter<RowResult>,
}

impl Iterator for Lazy {
    type Item = RowResult;

    fn next(&mut self) -> Option<RowResult> {
        if let Some(make) = self.make.take() {
            self.made = make().into_iter();
        }
        self.made.next()
    }
}

fn made(state: &mut State, contract: &Contract, rows: fn(&mut State) -> Rows) -> Vec<RowResult> {
    if let Err(error) = state
        .stop_if_bad()
        .and_then(|()| state.stop_if_no_company())
    {
        return vec![Err(error)];
    }
    let rows = rows(state);
    rows.chunks(BATCH_ROWS)
        .map(|chunk| {
            let mut batch = Batch::new(contract);
            for row in chunk {
                batch.push(row.iter().cloned());
            }
            batch.take()
        })
        .collect()
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
