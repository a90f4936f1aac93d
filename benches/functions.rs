//! The engine's own functions on rows in memory, a session each.
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::{
    arrow::{
        array::{ArrayRef, Float64Array, Int64Array},
        record_batch::RecordBatch,
    },
    datasource::MemTable,
    prelude::SessionContext,
};
use pricemill::{config::EngineConfig, engine};
use tokio::runtime::Runtime;

/// Rows, and how their number is written in an id.
fn sizes() -> &'static [(i64, &'static str)] {
    #[expect(clippy::disallowed_methods, reason = "so criterion says how it is run")]
    let mut arguments = std::env::args();
    match arguments.any(|argument| argument == "--bench") {
        true => &[(10_000, "10k_rows"), (100_000, "100k_rows")],
        false => &[(1_000, "1k_rows")],
    }
}

fn functions(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("functions");
    group.sample_size(10);
    for &(rows, label) in sizes() {
        let context = context(rows);
        group.throughput(Throughput::Elements(rows.unsigned_abs()));
        for (name, sql) in QUERIES {
            group.bench_function(format!("{name}/{label}"), |bencher| {
                bencher.iter(|| {
                    let frame = runtime.block_on(context.sql(sql)).unwrap();
                    runtime.block_on(frame.collect()).unwrap()
                });
            });
        }
    }
    group.finish();
}

const QUERIES: [(&str, &str); 4] = [
    (
        "arg_min",
        "select a % 1000 as k, arg_min(id, b, a), arg_max(id, b, -a) from numbers group by k",
    ),
    (
        "price_agreement",
        "select price_agreement(matrix, 0, 99.5)
         from (select price_matrix(id % 100, id / 100, cast(b % 7 as decimal(10,2))) as matrix
               from numbers)",
    ),
    (
        "connected_components",
        "select connected_components(a, b) from numbers",
    ),
    (
        "dbscan",
        "select dbscan(latitude, longitude, 1.0, 3) over (order by id) from numbers",
    ),
];

/// Returns a session with a table of scattered numbers, always the same.
fn context(rows: i64) -> SessionContext {
    let scattered = |seed: i64| {
        (0..rows).map(move |id| {
            let mixed = (id ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed());
            (mixed ^ (mixed >> 29)).rem_euclid(rows)
        })
    };
    let degrees = |seed: i64, from: f64| {
        let place = scattered(seed).map(|at| from + 5.0 * at as f64 / rows as f64);
        Arc::new(Float64Array::from_iter_values(place)) as ArrayRef
    };
    let bigints = |seed| Arc::new(Int64Array::from_iter_values(scattered(seed))) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef,
        ),
        ("a", bigints(1)),
        ("b", bigints(2)),
        ("latitude", degrees(3, 42.0)),
        ("longitude", degrees(4, 13.0)),
    ])
    .unwrap();
    let context = engine::session(&EngineConfig::default()).unwrap();
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    context.register_table("numbers", Arc::new(table)).unwrap();
    context
}

criterion_group!(benches, functions);
criterion_main!(benches);
