//! A page's JSON rows into a batch of prices.
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

mod made_up;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pricemill::{
    dataset::{Contract, Dataset},
    json::{self, Decoder},
    pipeline::Project,
    synth::Export,
};

fn decode(criterion: &mut Criterion) {
    let project = Project::load(env!("CARGO_MANIFEST_DIR").as_ref()).unwrap();
    let prices = &project.datasets["prices"];
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(10);
    for size in made_up::sizes() {
        let (text, rows) = page(&made_up::export(*size), prices);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(format!("prices/{}", size.label), |bencher| {
            bencher.iter(|| decoded(&text, &prices.contract));
        });
    }
    group.finish();
}

fn decoded(text: &str, contract: &Contract) -> usize {
    let mut decoder = Decoder::for_export(contract);
    decoder.array(text).unwrap();
    decoder.take().unwrap().num_rows()
}

/// Returns all rows as a page's `results`, and how many they are.
fn page(export: &Export, dataset: &Dataset) -> (String, usize) {
    let (mut text, mut rows) = (b"[".to_vec(), 0);
    for batch in export.dataset(dataset).unwrap().unwrap() {
        let batch = batch.unwrap();
        if rows > 0 {
            text.push(b',');
        }
        json::encode_rows(&batch, ",", &mut text).unwrap();
        rows += batch.num_rows();
    }
    text.push(b']');
    (String::from_utf8(text).unwrap(), rows)
}

criterion_group!(benches, decode);
criterion_main!(benches);
