//! The values that `src/docs/sql.md` states are those that its expressions have.

use chrono::DateTime;
use datafusion::arrow::{array::RecordBatch, util::display::array_value_to_string};
use futures::TryStreamExt;
use indexmap::IndexMap;

use super::planner::Planner;
use crate::{
    config::EngineConfig,
    engine::session,
    pipeline::{Bindings, SourceFile, SqlFile},
};

/// Returns the expressions and values of the page's tables.
fn stated() -> Vec<(String, String)> {
    let lines = include_str!("../docs/sql.md").lines();
    let rows = lines.filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row = row.replace("\\|", "\u{0}");
        let mut cells = row.split('|').skip(1).map(str::trim);
        let mut cell = || {
            let cell = cells.next().unwrap().replace('\u{0}', "|");
            cell.trim_matches('`').to_owned()
        };
        (cell(), cell())
    })
    .collect()
}

/// Returns the value of an expression, `null` or `error`.
async fn value(expression: &str) -> String {
    let source = SourceFile {
        path: "query".into(),
        text: format!("select {expression} as x").into(),
    };
    let file = SqlFile::parse(source, &IndexMap::new());
    let context = session(&EngineConfig::default()).unwrap();
    let mut planner = Planner::new(&context, DateTime::UNIX_EPOCH);
    let statement = file.bound(&Bindings::default()).unwrap();
    let Ok(plan) = planner.plan(statement, Vec::new()).await else {
        return "error".to_owned();
    };
    let Ok(stream) = planner.run(&plan).await else {
        return "error".to_owned();
    };
    let Ok(batches) = stream.try_collect::<Vec<RecordBatch>>().await else {
        return "error".to_owned();
    };
    let column = batches[0].column(0);
    match column.is_null(0) {
        true => "null".to_owned(),
        false => array_value_to_string(column, 0).unwrap(),
    }
}

#[tokio::test]
async fn every_value_of_the_page_is_true() {
    let mut wrong = Vec::new();
    let stated = stated();
    assert!(stated.len() > 30, "{}", stated.len());
    for (expression, stated) in stated {
        let found = value(&expression).await;
        if found != stated {
            wrong.push(format!("{expression} is {found}, not {stated}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
