//! The values that pages state of SQL are those that its expressions have, and the list of
//! functions is complete.
//!
//! In come the pages; each row of a table whose cells are an expression and its value is
//! computed. Nothing else is run.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{Array, RecordBatch},
        util::display::array_value_to_string,
    },
    execution::SessionState,
};
use futures::TryStreamExt;
use indexmap::IndexMap;

use super::page;
use crate::{
    compile::Planner,
    config::EngineConfig,
    engine::session,
    pipeline::{Bindings, SourceFile, SqlFile},
};

/// A row of a table of a page.
#[derive(Debug)]
struct Row {
    section: &'static str,
    cells: Vec<String>,
}

/// Returns the rows of a page's tables whose first cell is not a heading.
fn rows(name: &str) -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in page(name).unwrap().text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        let Some(line) = line
            .strip_prefix("| ")
            .filter(|line| !line.starts_with("---"))
        else {
            continue;
        };
        let line = line.trim_end_matches('|').replace("\\|", "\u{0}");
        let cells = line
            .split('|')
            .map(|cell| cell.trim().replace('\u{0}', "|"));
        let cells = cells.collect();
        rows.push(Row { section, cells });
    }
    rows
}

/// Returns the code of a cell that is nothing else.
fn code(cell: &str) -> Option<&str> {
    let code = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!code.contains('`')).then_some(code)
}

/// Returns the query that an example is, in its section.
fn query(section: &str, example: &str) -> String {
    let t = "(values (1, 'a'), (2, 'b'), (2, 'c'), (5, null)) as t (x, name)";
    match section {
        "Aggregates" => format!("select {example} as v from {t}"),
        "Window functions" => format!("select {example} as v from {t} order by x, name"),
        _ => format!("select {example} as v"),
    }
}

/// Returns the values of a query's one column, or why there are none.
async fn values(sql: &str) -> Result<String, String> {
    let source = SourceFile {
        path: "query".into(),
        text: sql.into(),
    };
    let file = SqlFile::parse(source, &IndexMap::new());
    let context = session(&EngineConfig::default()).unwrap();
    let mut planner = Planner::new(&context, DateTime::UNIX_EPOCH);
    let statement = file.bound(&Bindings::default());
    let statement = statement.map_err(|found| format!("{found:?}"))?;
    let failed = |error: datafusion::error::DataFusionError| error.to_string();
    let plan = planner.plan(statement, Vec::new()).await.map_err(failed)?;
    let stream = planner.run(&plan).await.map_err(failed)?;
    let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(failed)?;
    let of_batch = |batch: &RecordBatch| {
        let column = batch.column(0);
        let value = |row| match column.is_null(row) {
            true => "null".to_owned(),
            false => array_value_to_string(column, row).unwrap(),
        };
        (0..batch.num_rows()).map(value).collect::<Vec<_>>()
    };
    let values: Vec<String> = batches.iter().flat_map(of_batch).collect();
    Ok(values.join(", "))
}

/// Asserts that in each row with an expression in the cell `at`, the next is its value.
async fn assert_true(name: &str, at: usize, least: usize) {
    let (mut wrong, mut tested) = (Vec::new(), 0);
    for row in rows(name) {
        let (Some(example), Some(stated)) = (row.cells.get(at), row.cells.get(at + 1)) else {
            continue;
        };
        let Some(example) = code(example) else {
            continue;
        };
        let found = values(&query(row.section, example)).await;
        let found = found.unwrap_or_else(|error| format!("error: {error}"));
        tested += 1;
        if found != stated.trim_matches('`') {
            wrong.push(format!("{example} is {found}, not {stated}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tested >= least, "only {tested} values of {name}");
}

#[tokio::test]
async fn every_example_of_a_function_has_its_value() {
    assert_true("sql-functions", 2, 180).await;
}

#[tokio::test]
async fn every_example_of_our_own_functions_has_its_value() {
    assert_true("functions", 2, 8).await;
}

#[tokio::test]
async fn what_to_write_instead_has_its_value() {
    assert_true("coming-from", 1, 40).await;
}

/// Returns each name that SQL can call, with the function's own.
fn names(state: &SessionState) -> BTreeMap<String, String> {
    let scalar = state.scalar_functions().iter();
    let scalar = scalar.map(|(name, function)| (name.clone(), function.name().to_owned()));
    let aggregate = state.aggregate_functions().iter();
    let aggregate = aggregate.map(|(name, function)| (name.clone(), function.name().to_owned()));
    let window = state.window_functions().iter();
    let window = window.map(|(name, function)| (name.clone(), function.name().to_owned()));
    let higher = state.higher_order_functions().iter();
    let higher = higher.map(|(name, function)| (name.clone(), function.name().to_owned()));
    scalar
        .chain(aggregate)
        .chain(window)
        .chain(higher)
        .collect()
}

/// Returns the functions that begin the code of rows' first cells.
fn listed(name: &str) -> BTreeSet<String> {
    let rows = rows(name).into_iter();
    let first = rows.filter_map(|row| row.cells.into_iter().next());
    let codes = first.flat_map(|cell| cell.split('`').map(str::to_owned).collect::<Vec<_>>());
    let called = codes.filter_map(|code| Some(code.split_once(['(', ' '])?.0.to_owned()));
    called.collect()
}

#[tokio::test]
async fn every_function_is_listed_once_and_none_that_is_not_there() {
    let state = session(&EngineConfig::default()).unwrap().state();
    let names = names(&state);
    let text = page("sql-functions").unwrap().text;
    let (_, internal) = text.split_once("## Not for models").unwrap();
    let mut listed: BTreeSet<String> = listed("sql-functions");
    listed.extend(self::listed("functions"));
    let is_internal = |name: &str| internal.contains(&format!("`{name}`"));
    let own = names
        .values()
        .filter(|name| !listed.contains(*name) && !is_internal(name));
    let lacking: BTreeSet<&String> = own.collect();
    assert!(
        lacking.is_empty(),
        "add to docs/sql-functions.md: {lacking:?}"
    );
    let aliases = names
        .iter()
        .filter(|(name, own)| name != own && !is_internal(own));
    let table: String = aliases
        .map(|(name, own)| format!("| `{name}` | `{own}` |\n"))
        .collect();
    assert!(text.contains(&table), "should hold:\n{table}");
}
