//! Rows that are in key order, into a new snapshot: encoding, hashing, the manifest.
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

mod made_up;

#[path = "made_up/shop.rs"]
mod shop;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

use shop::Shop;

fn snapshot(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let project = shop::project();
    let mut group = criterion.benchmark_group("snapshot");
    group.sample_size(10);
    for size in made_up::sizes() {
        let export = made_up::export(*size);
        group.throughput(Throughput::Elements(export.prices()));
        group.bench_function(format!("write/{}", size.label), |bencher| {
            bencher.iter_batched(
                || tempfile::tempdir().unwrap(),
                |folder| {
                    runtime.block_on(shop::write(&project, &export, folder.path()));
                    folder
                },
                BatchSize::PerIteration,
            );
        });
        let shop = Shop::new(&export);
        group.throughput(Throughput::Elements(shop.prices()));
        group.bench_function(format!("read/{}", size.label), |bencher| {
            bencher.iter(|| shop.show("prices"));
        });
    }
    group.finish();
}

criterion_group!(benches, snapshot);
criterion_main!(benches);
