//! The same rows with any number of threads and any size of batches, or a finding: forms
//! that choose among rows, over data with many ties.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{ArrayRef, Int64Array, StringArray},
        record_batch::RecordBatch,
        util::pretty::pretty_format_batches,
    },
    catalog::TableProvider,
    datasource::MemTable,
    prelude::SessionContext,
};
use futures::TryStreamExt;
use indexmap::IndexMap;

use super::{
    lint,
    planner::{Planner, Relation},
    rows::Keys,
};
use crate::{
    config::EngineConfig,
    engine::session,
    pipeline::{Bindings, SourceFile, SqlFile},
};

const PRODUCTS: i64 = 30;
const STORES: i64 = 20;

/// Forms that choose among rows; those that leave ties, and those that do not.
const FORMS: &[&str] = &[
    "select product_id, store_id, row_number() over (order by price) as n from prices",
    "select product_id, store_id, row_number() over (order by price, store_id) as n from prices",
    "select product_id, store_id, row_number() over (order by price, store_id, product_id) as n from prices",
    "select product_id, store_id, row_number() over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, rank() over (order by price) as n, dense_rank() over (order by sku) as m from prices",
    "select product_id, store_id, percent_rank() over (partition by sku order by price) as n from prices",
    "select product_id, store_id, ntile(7) over (order by price) as n from prices",
    "select product_id, store_id, lag(sku) over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, lead(price) over (partition by product_id order by store_id) as n from prices",
    "select product_id, store_id, first_value(store_id) over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, last_value(price) over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, nth_value(store_id, 3) over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, sum(store_id) over (partition by product_id order by price) as n from prices",
    "select product_id, store_id, sum(store_id) over (partition by product_id order by price rows between 1 preceding and current row) as n from prices",
    "select product_id, store_id, count(*) over (order by price groups between 1 preceding and current row) as n from prices",
    "select product_id, store_id, array_agg(store_id) over (partition by product_id order by price) as n from prices",
    "select product_id, first_value(store_id) as n from prices group by product_id",
    "select product_id, first_value(store_id order by price) as n from prices group by product_id",
    "select product_id, first_value(store_id order by price, store_id) as n from prices group by product_id",
    "select product_id, last_value(sku order by price) as n from prices group by product_id",
    "select product_id, nth_value(store_id, 2 order by price) as n from prices group by product_id",
    "select product_id, array_agg(store_id) as n from prices group by product_id",
    "select product_id, array_agg(store_id order by price) as n from prices group by product_id",
    "select product_id, array_agg(store_id order by price, store_id) as n from prices group by product_id",
    "select product_id, array_agg(distinct sku order by sku) as n from prices group by product_id",
    "select product_id, string_agg(sku, ',' order by price) as n from prices group by product_id",
    "select product_id, string_agg(sku, ',' order by sku) as n from prices group by product_id",
    "select product_id, arg_min(store_id, price) as n, arg_max(sku, price) as m from prices group by product_id",
    "select product_id, store_id from prices limit 9",
    "select product_id, store_id from prices order by price limit 9",
    "select product_id, store_id from prices order by price, product_id, store_id limit 9",
    "select product_id, store_id from prices order by price offset 590",
    "select sku, count(*) as n from prices group by sku order by n limit 3",
    "select distinct price from prices order by price limit 3",
    "select distinct on (product_id) product_id, store_id from prices order by product_id, price",
    "select distinct on (product_id) product_id, price from prices order by product_id, price",
    "select distinct on (product_id) product_id, store_id from prices order by product_id, price, store_id",
    "select p.product_id, p.store_id, row_number() over (order by s.company) as n from prices as p join stores as s on s.id = p.store_id",
    "select p.product_id, p.store_id, row_number() over (order by s.id, p.product_id) as n from prices as p join stores as s on s.id = p.store_id",
    "select s.company, array_agg(p.sku order by p.price) as n from prices as p join stores as s on s.id = p.store_id group by s.company",
    "with c as (select product_id, store_id, price from prices where price > 1) select product_id, store_id, row_number() over (order by price) as n from c",
    "select product_id, n from (select product_id, count(*) as n from prices group by product_id) as t order by n limit 5",
    "select x from (select price as x from prices union all select store_id from prices) as t order by x limit 40",
    "select median(price) as n, percentile_cont(0.3) within group (order by store_id) as m from prices",
    "select product_id, store_id from prices qualify row_number() over (partition by product_id order by price) = 1",
];

fn relations() -> Vec<Relation> {
    let of = |numbers: Vec<Vec<i64>>, names: &[&str], text: (&str, fn(i64) -> String)| {
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (name, values) in names.iter().zip(&numbers) {
            columns.push((name, Arc::new(Int64Array::from(values.clone()))));
        }
        let texts: Vec<String> = numbers[0].iter().map(|it| text.1(*it)).collect();
        columns.push((text.0, Arc::new(StringArray::from(texts))));
        RecordBatch::try_from_iter(columns).unwrap()
    };
    // In no order at all: the product of two numbers without a common factor.
    let rows: Vec<i64> = (0..PRODUCTS * STORES)
        .map(|row| row * 1009 % (PRODUCTS * STORES))
        .collect();
    let each = |value: fn(i64) -> i64| rows.iter().map(|row| value(*row)).collect::<Vec<_>>();
    let numbers = vec![
        each(|row| row / STORES),
        each(|row| row % STORES),
        each(|row| row * 7 % 5),
    ];
    let prices = of(
        numbers,
        &["product_id", "store_id", "price"],
        ("sku", |product| format!("s{}", product % 6)),
    );
    let stores = of(
        vec![(0..STORES).collect()],
        &["id"],
        ("company", |store| format!("c{}", store % 3)),
    );
    let table = |batch: RecordBatch| {
        let parts = (0..batch.num_rows())
            .step_by(37)
            .map(|start| batch.slice(start, 37.min(batch.num_rows() - start)));
        let mut partitions = vec![Vec::new(); 3];
        for (at, part) in parts.enumerate() {
            partitions[at % 3].push(part);
        }
        let table = MemTable::try_new(batch.schema(), partitions).unwrap();
        Arc::new(table) as Arc<dyn TableProvider>
    };
    vec![
        ("prices".into(), table(prices)),
        ("stores".into(), table(stores)),
    ]
}

fn keys() -> Keys {
    let of = |columns: &[&str]| columns.iter().map(|it| (*it).to_owned()).collect();
    Keys::from([
        ("prices".to_owned(), of(&["product_id", "store_id"])),
        ("stores".to_owned(), of(&["id"])),
    ])
}

fn set_batch_rows(context: &SessionContext, rows: usize) {
    let state = context.state_ref();
    let mut state = state.write();
    let options = state.config_mut().options_mut();
    let rows = rows.to_string();
    options
        .set("datafusion.execution.batch_size", &rows)
        .unwrap();
}

/// Returns the rows as a set, and how many findings there are.
async fn rows(sql: &str, threads: usize, batch_rows: usize) -> (Vec<String>, usize) {
    let source = SourceFile {
        path: "query".into(),
        text: sql.into(),
    };
    let file = SqlFile::parse(source, &IndexMap::new());
    let context = session(&EngineConfig {
        threads: NonZeroUsize::new(threads).unwrap(),
        ..EngineConfig::default()
    })
    .unwrap();
    set_batch_rows(&context, batch_rows);
    let mut planner = Planner::new(&context, DateTime::UNIX_EPOCH);
    let statement = file.bound(&Bindings::default()).unwrap();
    let plan = planner.plan(statement, relations()).await.unwrap();
    let found = lint::lint(&plan, &file, &keys()).len();
    let stream = planner.run(&plan).await.unwrap();
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    rows.sort_unstable();
    (rows, found)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_the_same_with_any_threads_and_batches_or_there_is_a_finding() {
    let mut wrong = Vec::new();
    let mut differing = 0;
    for sql in FORMS {
        let (first, found) = rows(sql, 1, 8192).await;
        let mut is_same = true;
        for (threads, batch_rows) in [(2, 8192), (8, 64), (1, 16), (8, 16)] {
            is_same &= rows(sql, threads, batch_rows).await.0 == first;
        }
        differing += usize::from(!is_same);
        if !is_same && found == 0 {
            wrong.push(*sql);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differing > 5, "only {differing} forms depend on threads");
}
