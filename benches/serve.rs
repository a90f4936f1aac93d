//! An export as our server answers it: one page of JSON, and one stream of Arrow.
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

mod made_up;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pricemill::{
    config::ServeConfig,
    database,
    events::Events,
    inbox::Inbox,
    pipeline::Project,
    serve::{Keys, Service, app},
    storage::Location,
    synth::{self, Export},
};
use tokio::runtime::Runtime;
use tower::ServiceExt;

const STREAM: &str = "application/vnd.apache.arrow.stream";

fn serve(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("serve");
    group.sample_size(10);
    for size in made_up::sizes() {
        let folder = tempfile::tempdir().unwrap();
        let export = made_up::export(*size);
        let router = runtime.block_on(router(&export, folder.path()));
        for (form, accept, rows) in [
            ("page", "application/json", PAGE_ROWS),
            ("stream", STREAM, export.prices()),
        ] {
            group.throughput(Throughput::Elements(rows.min(export.prices())));
            group.bench_function(format!("{form}/{}", size.label), |bencher| {
                bencher.iter(|| runtime.block_on(answered(&router, accept)));
            });
        }
    }
    group.finish();
}

const PAGE_ROWS: u64 = 10_000;

/// Returns a server over a new database of made-up prices.
async fn router(export: &Export, folder: &std::path::Path) -> Router {
    let project = Project::load(env!("CARGO_MANIFEST_DIR").as_ref()).unwrap();
    let database = database::open("sqlite:prices.db", folder).unwrap();
    let filled = synth::fill(export, &*database, false, &Events::silent()).await;
    filled.unwrap();
    let data = Location::folder(&folder.join("data")).unwrap();
    let config = ServeConfig {
        page_size: usize::try_from(PAGE_ROWS).unwrap().try_into().unwrap(),
        internal_per_day: u32::MAX,
        ..ServeConfig::default()
    };
    let inbox = Inbox::new(data.child("inbox"), data.child("archive"));
    let keys = Keys::new(&["key".into()]);
    let service = Service::new(
        Arc::new(project),
        database,
        inbox,
        config,
        keys,
        folder.join("uploads"),
    );
    app(service.unwrap())
}

/// Asks for the prices and reads the answer to its end; returns its bytes.
async fn answered(router: &Router, accept: &str) -> usize {
    let request = Request::get("/api/export/prices/")
        .header("x-internal-api-key", "key")
        .header(header::HOST, "shop.example")
        .header(header::ACCEPT, accept);
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap()
        .len()
}

criterion_group!(benches, serve);
criterion_main!(benches);
