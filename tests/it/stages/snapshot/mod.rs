//! Snapshots: what stands of what came, and what an interruption leaves.

mod datasets;
mod interrupted;
mod memory;

use std::{
    path::Path, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::{
    arrow::{
        array::AsArray, compute::concat_batches, datatypes::Int64Type, record_batch::RecordBatch,
    },
    parquet::{
        arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
        file::reader::{FileReader, SerializedFileReader},
    },
};
use pricemill::{
    Kind,
    artifact::digest::Digest,
    config::{EngineConfig, FetchConfig},
    dataset::{Column, Contract, Dataset},
    events::Events,
    json::{Decoder, encode_rows},
    snapshot::{self, Error, Fetch, Snapshot, Wanted},
    source::{DatasetPage, Fetched, Http, Mark, Notes, Piece, Source},
    storage::Location,
};
use secrecy::SecretString;

use crate::support::service::{Service, answer, ok, page, price, prices, some};

struct Disk {
    folder: tempfile::TempDir,
    location: Location,
}

impl Disk {
    fn new() -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(&folder.path().join("snapshots")).unwrap();
        Disk { folder, location }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("snapshots")
    }
}

fn wanted(dataset: Dataset) -> Wanted {
    Wanted {
        dataset,
        optional: false,
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

async fn fetch(
    service: &Service,
    place: &Disk,
    wanted: Vec<Wanted>,
    at: DateTime<Utc>,
) -> Result<Snapshot, Error> {
    let config = FetchConfig {
        patience: Duration::from_millis(500),
        idle_timeout: Duration::from_secs(1),
        ..FetchConfig::default()
    };
    let source = Http::new(
        &service.url,
        SecretString::from("key"),
        &config,
        service.clock.clone(),
    )
    .unwrap();
    snapshot::fetch(Fetch {
        source: &source,
        wanted,
        location: &place.location,
        engine: &EngineConfig::default(),
        at,
        progress: &Events::silent(),
    })
    .await
}

/// The rows of a dataset, by a Parquet reader that knows nothing of us.
fn rows(place: &Disk, snapshot: &Snapshot, dataset: &str) -> Vec<String> {
    let folder = place.path().join(&snapshot.manifest.id.0);
    let part = &snapshot.manifest.datasets[dataset];
    let batches: Vec<RecordBatch> = part
        .files
        .iter()
        .flat_map(|file| read(&folder.join(&file.name)))
        .collect();
    let whole = concat_batches(&part.contract.arrow(), &batches).unwrap();
    assert_eq!(whole.num_rows() as u64, part.rows);
    let mut text = Vec::new();
    encode_rows(&whole, "\n", &mut text).unwrap();
    String::from_utf8(text)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    reader.map(Result::unwrap).collect()
}

fn shown(product: i64, store: i64, price: &str, record: &str) -> String {
    format!(
        "{{\"product_id\":{product},\"store_id\":{store},\"price\":\"{price}\",\"price_record_id\":{record},\"sku\":null}}"
    )
}

fn with_record(product: i64, price: &str, record: i64) -> String {
    format!(
        "{{\"product_id\":{product},\"store_id\":1,\"price\":\"{price}\",\"price_record_id\":{record}}}"
    )
}

fn borrowed(rows: &[String]) -> Vec<&str> {
    rows.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_lie_in_key_order_each_key_once() {
    let sent = [
        price(2, 1, "3.00"),
        price(2, 1, "3.00"),
        with_record(1, "9.00", 7),
        with_record(1, "5.00", 8),
        with_record(3, "2.00", 4),
        with_record(3, "1.50", 4),
        price(1, 2, "1.00"),
        price(1, 3, "1.00"),
    ];
    let place = Disk::new();
    let mut orders = Vec::new();
    for turn in 0..3 {
        let mut sent = sent.to_vec();
        sent.rotate_left(turn * 2);
        let service = Service::paged(&borrowed(&sent), 2).await;
        let snapshot = fetch(&service, &place, vec![wanted(prices())], at(turn as i64))
            .await
            .unwrap();
        let part = &snapshot.manifest.datasets["prices"];
        assert_eq!((part.rows, part.duplicates, part.conflicts), (5, 1, 2));
        orders.push(rows(&place, &snapshot, "prices"));
    }
    assert_eq!(
        orders[0],
        [
            shown(1, 1, "5.00", "8"),
            shown(1, 2, "1.00", "null"),
            shown(1, 3, "1.00", "null"),
            shown(2, 1, "3.00", "null"),
            shown(3, 1, "1.50", "4")
        ]
    );
    assert!(orders.iter().all(|order| *order == orders[0]));
}

/// Pages of these ids, each with the count given.
fn pages_of(pages: &'static [&'static [i64]], count: usize) -> impl Fn(usize) -> Vec<u8> {
    move |number| {
        let rows = pages.get(number - 1).copied().unwrap_or_default();
        let rows: Vec<_> = rows.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
        let next = match number < pages.len() {
            true => format!("\"http://inner.invalid/?page={}\"", number + 1),
            false => "null".to_owned(),
        };
        let rows = rows.join(",");
        ok(&format!(
            "{{\"count\":{count},\"next\":{next},\"results\":[{rows}]}}"
        ))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_overlap_are_fetched_again_and_then_given_up() {
    // In key order, in none, one page within another, and one row a page.
    let cases: [(&'static [&'static [i64]], u64); 4] = [
        (&[&[1, 2], &[2, 3]], 1),
        (&[&[4, 2], &[3, 4]], 1),
        (&[&[1, 2, 3], &[4, 3, 2], &[5, 6, 7]], 2),
        (&[&[7], &[7], &[8]], 1),
    ];
    for (pages, repeated) in cases {
        let count = pages.iter().map(|page| page.len()).sum();
        let answers = pages_of(pages, count);
        let service = Service::new(move |_, asked| answers(asked.page())).await;
        let place = Disk::new();
        let stores = || wanted(dataset("stores", &[("id", "bigint not null")]));
        let error = fetch(&service, &place, vec![stores()], at(0)).await;
        let error = pricemill::Error::from(error.unwrap_err());
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        let says = format!("the pages overlap: {repeated} row");
        assert!(error.to_string().contains(&says), "{error}");
        let begun = service
            .asked()
            .iter()
            .filter(|asked| asked.page() == 1)
            .count();
        assert_eq!(begun, 3, "{pages:?}");
        let list = snapshot::list(&place.location).await.unwrap();
        assert!(list.is_empty(), "{list:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_overlapped_once_are_whole_when_they_come_again() {
    let (bad, good) = (
        pages_of(&[&[2, 1], &[3, 2]], 4),
        pages_of(&[&[2, 1], &[4, 3]], 4),
    );
    let mut begun = 0;
    let service = Service::new(move |_, asked| {
        if asked.target.contains("companies") {
            return pages_of(&[&[1]], 1)(1);
        }
        begun += usize::from(asked.page() == 1);
        match begun {
            1 => bad(asked.page()),
            _ => good(asked.page()),
        }
    })
    .await;
    let place = Disk::new();
    let both =
        ["companies", "stores"].map(|name| wanted(dataset(name, &[("id", "bigint not null")])));
    let snapshot = fetch(&service, &place, both.into(), at(0)).await.unwrap();
    let part = &snapshot.manifest.datasets["stores"];
    assert_eq!((part.rows, part.duplicates, part.fetch.restarts), (4, 0, 1));
    assert_eq!(rows(&place, &snapshot, "stores").len(), 4);
    // What came whole is not asked for again.
    let companies = service.asked();
    let companies = companies
        .iter()
        .filter(|asked| asked.target.contains("companies"));
    assert_eq!(companies.count(), 1);
}

fn dataset(name: &str, columns: &[(&str, &str)]) -> Dataset {
    let columns = columns
        .iter()
        .map(|(name, declared)| Column::parse(name, declared).unwrap());
    Dataset {
        docs: Default::default(),
        name: name.to_owned(),
        endpoint: name.to_owned(),
        contract: Contract {
            columns: columns.collect(),
        },
        key: vec!["id".to_owned()],
        prefer: Vec::new(),
    }
}

#[tokio::test]
async fn rows_that_repeat_within_a_page_repeat_in_the_data() {
    let answers = pages_of(&[&[1, 1, 2], &[3]], 4);
    let service = Service::new(move |_, asked| answers(asked.page())).await;
    let place = Disk::new();
    let stores = vec![wanted(dataset("stores", &[("id", "bigint not null")]))];
    let snapshot = fetch(&service, &place, stores, at(0)).await.unwrap();
    let part = &snapshot.manifest.datasets["stores"];
    assert_eq!((part.rows, part.duplicates), (3, 1));
}

#[tokio::test]
async fn a_row_without_its_key_is_refused() {
    let service = Service::paged(&["{\"id\":1}", "{\"id\":null}", "{}"], 5).await;
    let stores = vec![wanted(dataset("stores", &[("id", "bigint")]))];
    let error = fetch(&service, &Disk::new(), stores, at(0)).await;
    let error = pricemill::Error::from(error.unwrap_err());
    assert_eq!(error.kind(), Kind::Data);
    assert_eq!(
        error.to_string(),
        "dataset stores, page 1, row 2, field `id`: must not be null or missing: it is part of the dataset's key"
    );
}

#[tokio::test]
async fn the_manifest_tells_the_files_as_they_are() {
    let service = Service::paged(&borrowed(&some(5)), 2).await;
    let place = Disk::new();
    let snapshot = fetch(&service, &place, vec![wanted(prices())], at(0))
        .await
        .unwrap();
    let id = snapshot.manifest.id.clone();
    assert!(id.0.starts_with("2027-01-15T080000Z-"), "{}", id.0);
    let file = &snapshot.manifest.datasets["prices"].files[0];
    let path = place.path().join(&id.0).join(&file.name);
    let bytes = std::fs::read(&path).unwrap();
    let hash = Digest::of_bytes(&bytes).sha256;
    assert_eq!(
        (file.bytes, &file.sha256, file.rows),
        (bytes.len() as u64, &hash, 5)
    );
    let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    let group = reader.metadata().row_group(0);
    let sorted: Vec<_> = group
        .sorting_columns()
        .unwrap()
        .iter()
        .map(|by| by.column_idx)
        .collect();
    assert_eq!(sorted, [0, 1]);
    assert!(group.column(0).statistics().is_some());
    let opened = snapshot::open(&place.location, &id.0, &["prices"])
        .await
        .unwrap();
    assert_eq!(opened.manifest, snapshot.manifest);
    assert!(!place.path().join(".partial").join("prices").exists());
}

#[tokio::test]
async fn what_a_killed_run_wrote_is_no_snapshot_and_goes_after_a_while() {
    let place = Disk::new();
    let old = place.path().join("2026-11-22T170102Z-00000000/prices");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("part-000.parquet"), b"half").unwrap();
    assert!(snapshot::list(&place.location).await.unwrap().is_empty());
    let service = Service::paged(&borrowed(&some(1)), 5).await;
    fetch(&service, &place, vec![wanted(prices())], at(0))
        .await
        .unwrap();
    assert!(!old.join("part-000.parquet").exists());
}
