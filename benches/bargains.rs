//! Bargains of a snapshot, from its files to rows.
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

mod made_up;

#[path = "made_up/shop.rs"]
mod shop;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use shop::Shop;

fn bargains(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bargains");
    group.sample_size(10);
    for size in made_up::sizes() {
        let shop = Shop::new(&made_up::export(*size));
        group.throughput(Throughput::Elements(shop.prices()));
        let id = format!("snapshot/{}", size.label);
        group.bench_function(id, |bencher| bencher.iter(|| shop.show("bargains")));
    }
    group.finish();
}

criterion_group!(benches, bargains);
criterion_main!(benches);
