//! Pipelines over a snapshot made by hand: outputs, checks, and what a failure leaves alone.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::{
    arrow::{
        array::{AsArray, Decimal128Array, Int64Array},
        datatypes::Int64Type,
        record_batch::RecordBatch,
    },
    parquet::arrow::ArrowWriter,
};
use indexmap::IndexMap;
use pricemill::{
    artifact::digest::Digest,
    config::EngineConfig,
    events::{Event, Events, Sink},
    generate::{Generate, Generated, Outcome, Output, generate},
    pipeline::Project,
    snapshot::{Bounds, File, Manifest, Part, Snapshot, SnapshotId},
    source::FetchStats,
    storage::Location,
};

const SOURCES: &str = r#"
[prices]
key = ["product_id", "store_id"]
[prices.columns]
product_id = "bigint not null"
store_id = "bigint not null"
price = "decimal(10,2) not null"

[stores]
key = ["id"]
[stores.columns]
id = "bigint not null"
"#;

const CHEAPEST: &str = r#"
description = "The cheapest price of each product."
output = "cheapest"
file = "cheapest.json"
grain = ["product_id"]
order = ["price"]
optional = ["stores"]
[params.least]
type = "decimal(6,2)"
default = "0.50"
[contract]
product_id = "bigint not null"
price = "decimal(10,2) not null"
share = "double"
shop = "text"
"#;

const CHEAPEST_SQL: &str = "
select
    lows.product_id,
    lows.price,
    cast(lows.price as double) / 3 as share,
    shops.name as shop
from lows
left join shops on lows.store_id = shops.store_id
left join stores on lows.store_id = stores.id";

const LOWS_SQL: &str = "
select product_id, min(price) as price, arg_min(store_id, price) as store_id
from prices
where price >= $least
group by product_id";

const DOUBLED: &str = r#"
description = "Twice the cheapest price."
output = "doubled"
file = "doubled.csv"
grain = ["product_id"]
[contract]
product_id = "bigint not null"
price = "decimal(12,2)"
"#;

const DOUBLED_SQL: &str = "select product_id, price * 2 as price from cheapest";

/// A project and a snapshot in a folder of their own.
pub(crate) struct World {
    folder: tempfile::TempDir,
    threads: usize,
    events: Events,
}

impl World {
    pub(crate) fn new() -> World {
        let world = World {
            folder: tempfile::tempdir().unwrap(),
            threads: 2,
            events: Events::silent(),
        };
        world.file("pipelines/sources.toml", SOURCES);
        world.file("pipelines/cheapest.toml", CHEAPEST);
        world.file("pipelines/doubled.toml", DOUBLED);
        world.file("sql/cheapest/cheapest.sql", CHEAPEST_SQL);
        world.file("sql/cheapest/lows.sql", LOWS_SQL);
        world.file(
            "sql/cheapest/shops.csv",
            "store_id,name\n11,\"Corner \"\"A\"\"\"\n12,\n",
        );
        world.file("sql/doubled/doubled.sql", DOUBLED_SQL);
        world
    }

    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    pub(crate) fn project(&self) -> Project {
        Project::load(self.folder.path()).unwrap()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        snapshot(&self.folder.path().join("snap shot%20"))
    }

    /// Generates what is asked for, with every parameter as it is given.
    pub(crate) async fn generate(&self, names: &[&str], given: &[&str]) -> Vec<Generated> {
        let project = self.project();
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let pipelines = project.select(&owned(names)).unwrap();
        let bindings = project.bind(&pipelines, &owned(given)).unwrap();
        let snapshot = self.snapshot();
        let work = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let job = Generate {
            project: &project,
            pipelines: &pipelines,
            bindings: &bindings,
            snapshot: &snapshot,
            previous: None,
            history: &[],
            previous_rows: [("cheapest".to_owned(), 10)].into_iter().collect(),
            config: &EngineConfig {
                threads: NonZeroUsize::new(self.threads).unwrap(),
                ..EngineConfig::default()
            },
            work: &work,
            now: fetched_at() + TimeDelta::hours(40),
            events: &self.events,
        };
        generate(job).await.unwrap()
    }
}

fn fetched_at() -> DateTime<Utc> {
    "2026-11-22T06:00:00Z".parse().unwrap()
}

/// Prices in two files of disjoint keys; stores were not fetched.
fn snapshot(folder: &Path) -> Snapshot {
    let parts = [
        prices(&[(1, 11, 250), (1, 12, 250), (2, 11, 10), (2, 12, 99)]),
        prices(&[(3, 12, 51), (4, 13, 50)]),
    ];
    let mut files = Vec::new();
    for (i, batch) in parts.iter().enumerate() {
        let name = format!("prices/part-{i:03}.parquet");
        fs::create_dir_all(folder.join("prices")).unwrap();
        let file = fs::File::create(folder.join(&name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        let products = batch.column(0).as_primitive::<Int64Type>();
        files.push(File {
            bytes: fs::metadata(folder.join(&name)).unwrap().len(),
            name,
            rows: batch.num_rows() as u64,
            sha256: Digest::of_bytes(b"").sha256,
            bounds: vec![Bounds {
                min: products.value(0),
                max: products.value(products.len() - 1),
            }],
        });
    }
    let contract = project_contract();
    let part = Part {
        contract,
        key: vec!["product_id".into(), "store_id".into()],
        rows: 6,
        files,
        duplicates: 0,
        conflicts: 0,
        dangling: BTreeMap::new(),
        fetch: FetchStats::default(),
    };
    Snapshot {
        manifest: Manifest {
            id: SnapshotId("20261122T060000Z-0123456789abcdef".into()),
            source: "hand".into(),
            fetched_at: fetched_at(),
            datasets: IndexMap::from([("prices".to_owned(), part)]),
            engine_version: "0".into(),
        },
        location: Location::folder(folder).unwrap(),
    }
}

fn project_contract() -> pricemill::dataset::Contract {
    let columns = [
        ("product_id", "bigint not null"),
        ("store_id", "bigint not null"),
        ("price", "decimal(10,2) not null"),
    ];
    let columns = columns.map(|(name, t)| pricemill::dataset::Column::parse(name, t).unwrap());
    pricemill::dataset::Contract {
        columns: columns.to_vec(),
    }
}

fn prices(rows: &[(i64, i64, i128)]) -> RecordBatch {
    let cents = Decimal128Array::from_iter_values(rows.iter().map(|row| row.2));
    RecordBatch::try_new(
        project_contract().arrow(),
        vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
            Arc::new(cents.with_precision_and_scale(10, 2).unwrap()),
        ],
    )
    .unwrap()
}

fn done(generated: &[Generated], pipeline: &str) -> Output {
    match outcome(generated, pipeline) {
        Outcome::Done(output) => (**output).clone(),
        other => panic!("{other:?}"),
    }
}

fn outcome<'a>(generated: &'a [Generated], pipeline: &str) -> &'a Outcome {
    let found = generated.iter().find(|one| one.pipeline == pipeline);
    &found.unwrap().outcome
}

fn text(output: &Output) -> String {
    fs::read_to_string(&output.file).unwrap()
}

#[tokio::test]
async fn the_artifact_is_typed_and_ordered_to_the_byte() {
    let world = World::new();
    let generated = world.generate(&[], &[]).await;
    let cheapest = done(&generated, "cheapest");
    assert_eq!(
        text(&cheapest),
        "[\n\
         {\"product_id\":4,\"price\":\"0.50\",\"share\":0.16666666666666666,\"shop\":null},\n\
         {\"product_id\":3,\"price\":\"0.51\",\"share\":0.17,\"shop\":null},\n\
         {\"product_id\":2,\"price\":\"0.99\",\"share\":0.33,\"shop\":null},\n\
         {\"product_id\":1,\"price\":\"2.50\",\"share\":0.8333333333333334,\"shop\":\"Corner \\\"A\\\"\"}\n\
         ]\n"
    );
    assert_eq!(
        (cheapest.rows, cheapest.bytes),
        (4, text(&cheapest).len() as u64)
    );
    assert_eq!(cheapest.sha256.len(), 64);
    assert_eq!(cheapest.params["least"], "0.50");
    let doubled = done(&generated, "doubled");
    assert_eq!(
        text(&doubled),
        "product_id,price\n1,5.00\n2,1.98\n3,1.02\n4,1.00\n"
    );
}

#[tokio::test]
async fn the_same_snapshot_gives_the_same_bytes_whatever_the_threads() {
    let mut hashes = Vec::new();
    for threads in [1, 2, 7] {
        let mut world = World::new();
        world.threads = threads;
        let generated = world.generate(&[], &[]).await;
        hashes.push(["cheapest", "doubled"].map(|name| {
            let output = done(&generated, name);
            (output.sha256.clone(), fs::read(&output.parquet).unwrap())
        }));
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

#[tokio::test]
async fn another_pipelines_output_is_computed_but_not_selected() {
    let world = World::new();
    let generated = world.generate(&["doubled"], &["cheapest.least=0.99"]).await;
    let order: Vec<_> = generated
        .iter()
        .map(|g| (g.pipeline.as_str(), g.selected))
        .collect();
    assert_eq!(order, [("cheapest", false), ("doubled", true)]);
    assert_eq!(
        text(&done(&generated, "doubled")),
        "product_id,price\n1,5.00\n2,1.98\n"
    );
}

#[tokio::test]
async fn a_rule_that_returns_rows_refuses_and_what_reads_the_output_is_skipped() {
    let world = World::new();
    let rule = "select product_id from cheapest where price < 1 and product_id > $least";
    world.file("sql/cheapest/checks/too_cheap.sql", rule);
    world.file("pipelines/alone.toml", &DOUBLED.replace("doubled", "alone"));
    world.file(
        "sql/alone/alone.sql",
        "select product_id, max(price) as price from prices group by product_id",
    );
    let generated = world.generate(&[], &[]).await;
    let Outcome::Refused(checks) = outcome(&generated, "cheapest") else {
        panic!("{generated:?}");
    };
    let rule = checks
        .iter()
        .find(|check| check.name == "too_cheap")
        .unwrap();
    assert_eq!(rule.bad_rows, 3);
    assert_eq!(
        rule.shown.as_ref().unwrap().lines().count(),
        7,
        "{:?}",
        rule.shown
    );
    assert!(matches!(
        outcome(&generated, "doubled"),
        Outcome::Skipped { because } if because == "cheapest"
    ));
    assert_eq!(done(&generated, "alone").rows, 4);
}

#[tokio::test]
async fn each_check_says_what_it_found() {
    let world = World::new();
    let checks = "\n[checks]\nrows = { min = 5, severity = \"warn\" }\n\
                  change = { max = \"50%\", severity = \"warn\" }\nage = { max = \"36h\", severity = \"warn\" }\n";
    world.file("pipelines/cheapest.toml", &format!("{CHEAPEST}{checks}"));
    let generated = world.generate(&["cheapest"], &[]).await;
    let found = done(&generated, "cheapest").checks;
    let told: Vec<_> = found
        .iter()
        .map(|c| format!("{} {}: {}", c.passed, c.name, c.message))
        .collect();
    assert_eq!(
        told,
        [
            "true not null: no nulls in columns declared `not null`",
            "true grain: one row per product_id",
            "false rows: 4 rows; expected at least 5",
            "false change: 4 rows, previously 10: a change of 60.0%, at most 50% allowed",
            "false age: the snapshot is 40.0 h old, at most 36.0 h allowed",
        ]
    );
}

#[tokio::test]
async fn nulls_and_a_grain_that_is_none_are_refused_with_the_rows() {
    let world = World::new();
    world.file(
        "sql/cheapest/lows.sql",
        "select 7 as product_id, cast(null as decimal(10,2)) as price, store_id from prices where price >= $least",
    );
    let generated = world.generate(&["cheapest"], &[]).await;
    let Outcome::Refused(checks) = outcome(&generated, "cheapest") else {
        panic!("{generated:?}");
    };
    let failed: Vec<_> = checks
        .iter()
        .filter(|c| c.refuses())
        .map(|c| (c.name.as_str(), c.bad_rows))
        .collect();
    assert_eq!(failed, [("not null", 5), ("grain", 1)]);
}

#[tokio::test]
async fn a_dataset_that_was_not_fetched_is_empty_only_where_it_is_optional() {
    let world = World::new();
    world.file(
        "pipelines/cheapest.toml",
        &CHEAPEST.replace("optional = [\"stores\"]", ""),
    );
    let generated = world.generate(&["cheapest"], &[]).await;
    let Outcome::Failed(error) = outcome(&generated, "cheapest") else {
        panic!("{generated:?}");
    };
    assert_eq!(
        error.to_string(),
        "the snapshot has no dataset `stores`, which cheapest reads"
    );
}

#[tokio::test]
async fn an_error_at_run_time_names_file_and_model() {
    let world = World::new();
    let sql = "select product_id, price / cast(product_id - product_id as decimal(10,2)) as price from cheapest";
    world.file(
        "sql/doubled/doubled.sql",
        &sql.replace("as price from", "as quotient from"),
    );
    world.file(
        "pipelines/doubled.toml",
        &DOUBLED.replace("price = \"decimal(12,2)\"", "quotient = \"decimal(38,30)\""),
    );
    let generated = world.generate(&["doubled"], &[]).await;
    let Outcome::Failed(error) = outcome(&generated, "doubled") else {
        panic!("{generated:?}");
    };
    assert_eq!(
        error.to_string(),
        "sql/doubled/doubled.sql:1:20 (model `doubled` of doubled), in the row product_id = 4, price = 0.50"
    );
}

#[tokio::test]
async fn now_is_the_snapshots_time() {
    let world = World::new();
    world.file("sql/doubled/doubled.sql", "select product_id, cast(extract(hour from now()) as decimal(12,2)) as price from cheapest where current_date = date '2026-11-22'");
    let generated = world.generate(&["doubled"], &[]).await;
    assert!(text(&done(&generated, "doubled")).starts_with("product_id,price\n1,6.00\n"));
}

#[tokio::test]
async fn a_model_that_two_read_is_computed_once() {
    let world = World::new();
    world.file(
        "sql/cheapest/checks/none_lower.sql",
        "select * from lows where price < $least",
    );
    let generated = world.generate(&["cheapest"], &[]).await;
    let steps: Vec<_> = generated[0]
        .steps
        .iter()
        .map(|s| (s.model.as_str(), s.rows))
        .collect();
    assert_eq!(steps, [("lows", 4), ("cheapest", 4)]);
}

#[tokio::test]
async fn a_list_can_be_the_grain_and_the_order() {
    let world = World::new();
    let manifest = DOUBLED
        .replace("doubled", "groups")
        .replace(".csv", ".jsonl")
        .replace("[\"product_id\"]", "[\"stores\"]")
        .replace(
            "product_id = \"bigint not null\"\nprice = \"decimal(12,2)\"",
            "stores = \"bigint[] not null\"",
        );
    world.file("pipelines/groups.toml", &manifest);
    let sql = "select array_agg(store_id order by store_id desc) as stores from prices group by product_id % 3";
    world.file("sql/groups/groups.sql", sql);
    let groups = done(&world.generate(&["groups"], &[]).await, "groups");
    assert_eq!(
        text(&groups),
        "{\"stores\":[12]}\n{\"stores\":[12,11]}\n{\"stores\":[13,12,11]}\n"
    );
    assert_eq!(groups.file.file_name().unwrap(), "groups.jsonl");
}

#[tokio::test]
async fn a_page_is_one_text_as_it_stands() {
    let world = World::new();
    world.file(
        "pipelines/page.toml",
        "description = \"A page.\"\noutput = \"page\"\nfile = \"page.html\"\n[contract]\nhtml = \"text not null\"\n",
    );
    world.file(
        "sql/page/page.sql",
        "select concat('<p>', count(*), '</p>') as html from prices",
    );
    let page = done(&world.generate(&["page"], &[]).await, "page");
    assert_eq!(text(&page), "<p>6</p>");
}

/// What happened, a line each.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Sink for Seen {
    fn receive(&self, event: &Event) {
        let line = match event {
            Event::TaskBegun { task, .. } => format!("{task}: begun"),
            Event::TaskEnded { task, .. } => format!("{task}: ended"),
            Event::ModelComputed { pipeline, model } => {
                format!("{pipeline}: model {}, {} rows", model.model, model.rows)
            }
            Event::Checked { pipeline, result } => {
                format!("{pipeline}: check {}: {}", result.check, result.outcome)
            }
            Event::OutputWritten { pipeline, file, .. } => format!("{pipeline}: wrote {file}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn models_checks_and_files_are_events_while_a_pipeline_is_at_work() {
    let seen = Arc::new(Seen::default());
    let world = World {
        events: Events::new(vec![seen.clone()]),
        ..World::new()
    };
    world.generate(&["doubled"], &[]).await;
    let seen = seen.0.lock().unwrap().join("\n");
    insta::assert_snapshot!(seen, @"
    cheapest: begun
    cheapest: model cheapest, 4 rows
    cheapest: check not null: pass
    cheapest: check grain: pass
    cheapest: wrote cheapest.json
    cheapest: ended
    doubled: begun
    doubled: model doubled, 4 rows
    doubled: check not null: pass
    doubled: check grain: pass
    doubled: wrote doubled.csv
    doubled: ended
    ");
}
