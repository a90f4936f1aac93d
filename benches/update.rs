//! An artifact that waits in the inbox, into a table that it replaces.
#![expect(clippy::disallowed_methods, reason = "a bench makes its own files")]
#![expect(
    clippy::unwrap_used,
    reason = "a bench says why it failed by panicking"
)]

mod made_up;

use std::{path::Path, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pricemill::{
    artifact::{digest::Digest, id::Seq},
    config::EngineConfig,
    database::{self, Accept, Database},
    events::Events,
    inbox::{Arrival, Inbox},
    pipeline::Project,
    storage::Location,
    update::{Update, update},
};
use tokio::runtime::Runtime;

const AT: &str = "2026-11-24T06:00:00Z";

/// A pipeline of a table without references: the rows need no shop around them.
const MANIFEST: &str = r#"
description = "Each product's highest price."
output = "dearest"
file = "dearest.jsonl"
grain = ["product_id"]
[contract]
product_id = "bigint not null"
price = "decimal(10,2)"
[[update]]
table = "dearest"
mode = "replace"
"#;

const MODEL: &str = "-- dearest: one row per product_id: its highest price.
select product_id, max(price) as price from prices group by product_id
";

struct World {
    project: Project,
    database: Arc<dyn Database>,
    inbox: Inbox,
    rejects: Location,
    folder: tempfile::TempDir,
    runtime: Runtime,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/sources.toml");
        std::fs::create_dir_all(root.join("pipelines")).unwrap();
        std::fs::create_dir_all(root.join("sql/dearest")).unwrap();
        std::fs::copy(sources, root.join("pipelines/sources.toml")).unwrap();
        std::fs::write(root.join("pipelines/dearest.toml"), MANIFEST).unwrap();
        std::fs::write(root.join("sql/dearest/dearest.sql"), MODEL).unwrap();
        let data = Location::folder(&root.join("data")).unwrap();
        World {
            project: Project::load(root).unwrap(),
            database: database::open("sqlite:prices.db", root).unwrap(),
            inbox: Inbox::new(data.child("inbox"), data.child("archive/inbox")),
            rejects: data.child("rejects"),
            folder,
            runtime: Runtime::new().unwrap(),
        }
    }

    /// Puts an artifact of so many rows into the inbox; no two have the same prices.
    fn receive(&self, seq: u64, rows: u64) {
        let row = |id| {
            let cents = (id * 7 + seq) % 10_000;
            format!(
                "{{\"product_id\":{id},\"price\":\"{}.{:02}\"}}\n",
                cents / 100,
                cents % 100
            )
        };
        let content: String = (1..=rows).map(row).collect();
        let file = self.folder.path().join("sent");
        std::fs::write(&file, &content).unwrap();
        let arrival = Arrival {
            pipeline: "dearest".into(),
            seq: Some(Seq(seq)),
            extension: "jsonl".to_owned(),
            digest: Digest::of_bytes(content.as_bytes()),
            rows,
            at: AT.parse().unwrap(),
            manifest: None,
        };
        let received = self.inbox.receive(arrival, &file, None);
        self.runtime.block_on(received).unwrap();
    }

    fn update(&self) {
        let pipelines = [&self.project.pipelines["dearest"]];
        let config = EngineConfig::default();
        let request = Update {
            pipelines: &pipelines,
            inbox: &self.inbox,
            database: &self.database,
            artifact: None,
            accept: Accept::default(),
            dry_run: false,
            fail_fast: false,
            engine: &config,
            rejects: &self.rejects,
            at: AT.parse().unwrap(),
        };
        let progress = Events::silent();
        let done = self.runtime.block_on(update(request, &progress)).unwrap();
        assert!(!done[0].outcome.is_failure(), "{:?}", done[0].outcome);
    }
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update");
    group.sample_size(10);
    for size in made_up::sizes() {
        let world = World::new();
        let rows = made_up::export(*size).prices();
        let mut seq = 0;
        group.throughput(Throughput::Elements(rows));
        group.bench_function(format!("replace/{}", size.label), |bencher| {
            bencher.iter_batched(
                || {
                    seq += 1;
                    world.receive(seq, rows);
                },
                |()| world.update(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, updates);
criterion_main!(benches);
