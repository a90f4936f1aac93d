//! How the shipped pipelines run over a snapshot in ranges, and that it changes nothing.

use std::{fs, num::NonZeroUsize, path::Path, sync::Arc};

use chrono::DateTime;
use datafusion::{
    arrow::{
        array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray},
        datatypes::Schema,
    },
    parquet::arrow::ArrowWriter,
};
use indexmap::IndexMap;
use pricemill::{
    artifact::{digest::Digest, id::Sha256},
    config::EngineConfig,
    engine::Operator,
    events::Events,
    generate::{Generate, Generated, Outcome, generate},
    pipeline::Project,
    snapshot::{Bounds, File, Manifest, Part, Snapshot, SnapshotId},
    source::FetchStats,
    storage::Location,
};
use proptest::prelude::*;

/// product, store, cents, record
type Price = (i64, i64, i128, Option<i64>);

/// A snapshot of these prices, each piece a file; the pieces are in key order.
fn snapshot(project: &Project, folder: &Path, pieces: &[Vec<Price>], bounded: bool) -> Snapshot {
    let rows: Vec<&Price> = pieces.iter().flatten().collect();
    let files = pieces.iter().enumerate().map(|(at, piece)| {
        let bounds = |of: fn(&Price) -> i64| Bounds {
            min: piece.iter().map(of).min().unwrap(),
            max: piece.iter().map(of).max().unwrap(),
        };
        let known = vec![bounds(|price| price.0), bounds(|price| price.1)];
        let name = format!("prices/part-{at:03}.parquet");
        write(
            project,
            folder,
            "prices",
            &name,
            &prices(piece),
            if bounded { known } else { vec![] },
        )
    });
    let prices = part(project, "prices", rows.len(), files.collect());
    let mut stores: Vec<i64> = rows.iter().map(|price| price.1).collect();
    stores.sort();
    stores.dedup();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(stores.clone()))),
        (
            "company",
            Arc::new(StringArray::from(vec!["Alder"; stores.len()])),
        ),
        (
            "latitude",
            Arc::new(Float64Array::from(vec![45.0; stores.len()])),
        ),
        (
            "longitude",
            Arc::new(Float64Array::from(vec![16.0; stores.len()])),
        ),
    ];
    let file = write(
        project,
        folder,
        "stores",
        "stores/part-000.parquet",
        &columns,
        vec![],
    );
    let stores = part(project, "stores", stores.len(), vec![file]);
    Snapshot {
        manifest: Manifest {
            id: SnapshotId("20261122T060000Z-0123456789abcdef".into()),
            source: "hand".into(),
            fetched_at: DateTime::UNIX_EPOCH,
            datasets: IndexMap::from([
                ("prices".to_owned(), prices),
                ("stores".to_owned(), stores),
            ]),
            engine_version: "0".into(),
        },
        location: Location::folder(folder).unwrap(),
    }
}

fn prices(rows: &[Price]) -> Vec<(&'static str, ArrayRef)> {
    let cents = Decimal128Array::from_iter_values(rows.iter().map(|row| row.2));
    let ids = |of: fn(&Price) -> i64| Int64Array::from_iter_values(rows.iter().map(of));
    let records: Int64Array = rows.iter().map(|row| row.3).collect();
    vec![
        ("product_id", Arc::new(ids(|row| row.0)) as ArrayRef),
        ("store_id", Arc::new(ids(|row| row.1))),
        (
            "price",
            Arc::new(cents.with_precision_and_scale(10, 2).unwrap()),
        ),
        ("price_record_id", Arc::new(records)),
    ]
}

/// Writes the columns that are given as they are declared.
fn write(
    project: &Project,
    folder: &Path,
    dataset: &str,
    name: &str,
    columns: &[(&str, ArrayRef)],
    bounds: Vec<Bounds>,
) -> File {
    let declared = project.datasets[dataset].contract.arrow();
    let fields = columns
        .iter()
        .map(|(name, _)| declared.field_with_name(name).unwrap().clone());
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    let batch = RecordBatch::try_new(schema, arrays).unwrap();
    fs::create_dir_all(folder.join(dataset)).unwrap();
    let file = fs::File::create(folder.join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    File {
        name: name.to_owned(),
        rows: batch.num_rows() as u64,
        bytes: fs::metadata(folder.join(name)).unwrap().len(),
        sha256: Digest::of_bytes(b"").sha256,
        bounds,
    }
}

fn part(project: &Project, dataset: &str, rows: usize, files: Vec<File>) -> Part {
    let declared = &project.datasets[dataset];
    Part {
        contract: declared.contract.clone(),
        key: declared.key.clone(),
        rows: rows as u64,
        files,
        duplicates: 0,
        conflicts: 0,
        dangling: Default::default(),
        fetch: FetchStats::default(),
    }
}

/// Generates one shipped pipeline over pieces of prices.
async fn generated(
    pipeline: &str,
    pieces: &[Vec<Price>],
    bounded: bool,
    threads: usize,
) -> Generated {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let snapshot = snapshot(&project, &folder.path().join("snapshot"), pieces, bounded);
    let pipelines = project.select(&[pipeline.to_owned()]).unwrap();
    let bindings = project
        .bind(
            &pipelines,
            &match pipeline {
                "store-groups" => vec!["min_products=0".to_owned()],
                _ => vec![],
            },
        )
        .unwrap();
    let work = folder.path().join("work");
    fs::create_dir_all(&work).unwrap();
    let mut all = generate(Generate {
        project: &project,
        pipelines: &pipelines,
        bindings: &bindings,
        snapshot: &snapshot,
        previous: None,
        history: &[],
        previous_rows: IndexMap::new(),
        config: &EngineConfig {
            threads: NonZeroUsize::new(threads).unwrap(),
            ..EngineConfig::default()
        },
        work: &work,
        now: DateTime::UNIX_EPOCH,
        events: &Events::silent(),
    })
    .await
    .unwrap();
    // The file goes with the folder: its hash tells the bytes.
    all.pop().unwrap()
}

fn sha256(generated: &Generated) -> Option<Sha256> {
    match &generated.outcome {
        Outcome::Done(output) => Some(output.sha256.clone()),
        Outcome::Refused(_) => None,
        other => panic!("{other:?}"),
    }
}

fn operators(generated: &Generated) -> Vec<&str> {
    let steps = generated.steps.iter();
    let operators = steps.flat_map(|step| &step.cost.operators);
    operators
        .map(|Operator { operator, .. }| operator.as_str())
        .collect()
}

/// Pieces of prices that split no product.
fn pieces() -> impl Strategy<Value = Vec<Vec<Price>>> {
    let price = (0i64..6, 100i128..104, prop::option::weighted(0.9, 0i64..3));
    let product = prop::collection::vec(price, 1..9);
    let piece = prop::collection::vec(product, 1..4);
    prop::collection::vec(piece, 1..6).prop_map(|pieces| {
        let mut id = 0;
        let mut of_piece =
            |products: Vec<Vec<(i64, i128, Option<i64>)>>| {
                let mut rows = Vec::new();
                for mut product in products {
                    id += 1;
                    product.sort_by_key(|price| price.0);
                    product.dedup_by_key(|price| price.0);
                    // Some are half as dear again and more.
                    let dearer = |store: i64| if (store + id) % 3 == 0 { 2 } else { 1 };
                    rows.extend(product.iter().map(|(store, cents, record)| {
                        (id, *store, *cents * dearer(*store), *record)
                    }));
                }
                rows
            };
        pieces.into_iter().map(&mut of_piece).collect()
    })
}

fn three_pieces() -> Vec<Vec<Price>> {
    let of = |products: std::ops::Range<i64>| {
        let rows = products.flat_map(|product| {
            (0..200).map(move |store| (product, store, 100 + i128::from(store % 90), Some(store)))
        });
        rows.collect()
    };
    vec![of(0..40), of(40..90), of(90..120)]
}

#[tokio::test]
async fn bargains_group_sorted_ranges_without_hashing_sorting_or_shuffling() {
    let generated = generated("bargains", &three_pieces(), true, 2).await;
    let operators = operators(&generated);
    assert!(operators.contains(&"SortedAggregateExec"), "{operators:?}");
    for slow in [
        "AggregateExec",
        "RepartitionExec",
        "SortExec",
        "HashJoinExec",
    ] {
        assert!(!operators.contains(&slow), "{operators:?}");
    }
}

#[tokio::test]
async fn store_groups_never_join_prices_with_prices() {
    let generated = generated("store-groups", &three_pieces(), true, 2).await;
    let scans = operators(&generated);
    for slow in ["CrossJoinExec", "NestedLoopJoinExec", "SortMergeJoinExec"] {
        assert!(!scans.contains(&slow), "{scans:?}");
    }
    let most = generated.steps.iter().flat_map(|step| &step.cost.operators);
    let most = most.filter_map(|operator| operator.rows).max().unwrap();
    // 120 products in 200 stores: no operator gives more rows than there are prices.
    assert!(most <= 24_000, "{most}");
}

#[tokio::test]
async fn filters_that_pipelines_share_are_part_of_their_readers_plans() {
    for (pipeline, models) in [
        ("price-summaries", &["price_summaries"][..]),
        ("store-groups", &["price_ties", "store_groups"]),
    ] {
        let generated = generated(pipeline, &three_pieces(), true, 2).await;
        let steps = generated.steps.iter();
        let written: Vec<_> = steps.map(|step| step.model.as_str()).collect();
        assert_eq!(written, models, "{pipeline}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ranges_and_threads_change_nothing(pieces in pieces(), threads in 1usize..4) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for pipeline in ["bargains", "store-groups"] {
            let whole = vec![pieces.concat()];
            let plain = runtime.block_on(generated(pipeline, &whole, false, 1));
            let ranged = runtime.block_on(generated(pipeline, &pieces, true, threads));
            prop_assert_eq!(sha256(&plain), sha256(&ranged), "{}", pipeline);
        }
    }
}
