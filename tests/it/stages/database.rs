//! The database's own rules, on real SQLite files.

use std::{path::Path, sync::Arc};

use datafusion::arrow::{record_batch::RecordBatch, util::pretty::pretty_format_batches};
use futures::{StreamExt, TryStreamExt};
use pricemill::{
    archive,
    config::EngineConfig,
    database::{self, Database, Error},
    dataset::{Column, Contract, Dataset},
    events::Events,
    load::{Options, load},
    storage::Location,
};

struct World {
    folder: tempfile::TempDir,
    database: Arc<dyn Database>,
}

impl World {
    /// Two stores and `products` products, each priced in both.
    async fn new(products: usize) -> World {
        let folder = tempfile::tempdir().unwrap();
        let database = database::open("sqlite:data/prices.db", folder.path()).unwrap();
        let world = World { folder, database };
        world.write(
            "stores.csv",
            "id,company,division,name,latitude,longitude\n1,Lidl,Big,A,45.5,15.5\n2,Konzum,,B,,\n",
        );
        let mut rows = "id,name,brand,size,category\n".to_owned();
        let mut prices = "product_id,store_id,price,scraped_date\n".to_owned();
        for id in 1..=products {
            rows.push_str(&format!("{id},Product {id},Brand,1l,Food\n"));
            prices.push_str(&format!("{id},1,{id}.05,2026-01-23\n{id},2,{id},\n"));
        }
        world.write("products.csv", &rows);
        world.write("prices.csv", &prices);
        load(
            &*world.database,
            &world.folder.path().join("in"),
            &Options::default(),
            &EngineConfig::default(),
            &Events::silent(),
        )
        .await
        .unwrap();
        world
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[must_use]
    async fn export(&self, dataset: &Dataset) -> Vec<RecordBatch> {
        let export = self.database.export(dataset).await.unwrap().unwrap();
        let rows: Vec<RecordBatch> = export.rows.try_collect().await.unwrap();
        let counted = rows.iter().map(|batch| batch.num_rows() as u64);
        assert_eq!(counted.sum::<u64>(), export.count);
        rows
    }

    #[must_use]
    async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in self.database.tables().await.unwrap() {
            let rows = self.database.read(&table.name).await.unwrap();
            let rows: Vec<_> = rows.try_collect().await.unwrap();
            all.push(format!("{}\n{}", table.name, shown(&rows)));
        }
        all
    }
}

fn shown(rows: &[RecordBatch]) -> String {
    pretty_format_batches(rows).unwrap().to_string()
}

fn dataset(name: &str, key: &[&str], columns: &[(&str, &str)]) -> Dataset {
    let column = |(name, declared): &(&str, &str)| Column::parse(name, declared).unwrap();
    Dataset {
        docs: Default::default(),
        name: name.to_owned(),
        endpoint: name.to_owned(),
        contract: Contract {
            columns: columns.iter().map(column).collect(),
        },
        key: key.iter().map(|&name| name.to_owned()).collect(),
        prefer: Vec::new(),
    }
}

fn prices() -> Dataset {
    let columns = [
        ("product_id", "bigint not null"),
        ("store_id", "bigint not null"),
        ("price", "decimal(10,2) not null"),
        ("price_record_id", "bigint"),
        ("scraped_date", "date"),
        ("sku", "text"),
    ];
    dataset("prices", &["product_id", "store_id"], &columns)
}

#[tokio::test]
async fn a_price_is_exported_as_a_decimal_and_what_has_no_source_is_null() {
    let world = World::new(1).await;
    insta::assert_snapshot!(shown(&world.export(&prices()).await), @r"
    +------------+----------+-------+-----------------+--------------+-----+
    | product_id | store_id | price | price_record_id | scraped_date | sku |
    +------------+----------+-------+-----------------+--------------+-----+
    | 1          | 1        | 1.05  | 1               | 2026-01-23   |     |
    | 1          | 2        | 1.00  | 2               |              |     |
    +------------+----------+-------+-----------------+--------------+-----+
    ");
    let wider = dataset(
        "prices",
        &["product_id"],
        &[("price", "decimal(12,4)"), ("margin", "double")],
    );
    insta::assert_snapshot!(shown(&world.export(&wider).await), @r"
    +--------+--------+
    | price  | margin |
    +--------+--------+
    | 1.0500 |        |
    | 1.0000 |        |
    +--------+--------+
    ");
}

#[tokio::test]
async fn products_have_their_categories_and_stores_their_names() {
    let world = World::new(2).await;
    let products = dataset(
        "products",
        &["id"],
        &[
            ("id", "bigint not null"),
            ("brand_id", "bigint"),
            ("category", "bigint[] not null"),
        ],
    );
    insta::assert_snapshot!(shown(&world.export(&products).await), @r"
    +----+----------+----------+
    | id | brand_id | category |
    +----+----------+----------+
    | 1  | 1        | [1, 2]   |
    | 2  | 1        | [1, 2]   |
    +----+----------+----------+
    ");
    let stores = dataset(
        "stores",
        &["id"],
        &[
            ("id", "bigint not null"),
            ("company", "text not null"),
            ("division", "text"),
            ("latitude", "double"),
        ],
    );
    insta::assert_snapshot!(shown(&world.export(&stores).await), @r"
    +----+---------+----------+----------+
    | id | company | division | latitude |
    +----+---------+----------+----------+
    | 1  | Lidl    | Big      | 45.5     |
    | 2  | Konzum  |          |          |
    +----+---------+----------+----------+
    ");
    let with = dataset(
        "categories_with_products",
        &["id"],
        &[
            ("id", "bigint not null"),
            ("company", "bigint not null"),
            ("product_ids", "bigint[] not null"),
        ],
    );
    insta::assert_snapshot!(shown(&world.export(&with).await), @r"
    +----+---------+-------------+
    | id | company | product_ids |
    +----+---------+-------------+
    | 1  | 1       | [1, 2]      |
    | 2  | 2       | [1, 2]      |
    +----+---------+-------------+
    ");
}

#[tokio::test]
async fn a_required_column_without_a_source_is_an_error_and_an_unknown_dataset_is_none() {
    let world = World::new(1).await;
    let wrong = dataset("prices", &["product_id"], &[("prise", "bigint not null")]);
    let error = world.database.export(&wrong).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "table `prices`, column `prise`: the database has no such column; it has `price`"
    );
    let unknown = dataset("weather", &["id"], &[("id", "bigint")]);
    assert!(world.database.export(&unknown).await.unwrap().is_none());
    let table = dataset("brands", &["id"], &[("name", "text not null")]);
    assert_eq!(world.export(&table).await[0].num_rows(), 1);
}

#[tokio::test]
async fn pages_are_the_export_cut_in_pieces() {
    let world = World::new(260).await;
    let whole = world.export(&prices()).await;
    let schema = whole[0].schema();
    let mut pages = Vec::new();
    for number in 1..=6 {
        let page = world
            .database
            .page(&prices(), number, 100)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(page.count, 520);
        assert_eq!(page.rows.num_rows(), if number == 6 { 20 } else { 100 });
        pages.push(page.rows);
    }
    let concat = datafusion::arrow::compute::concat_batches;
    assert_eq!(
        concat(&schema, &pages).unwrap(),
        concat(&schema, &whole).unwrap()
    );
    assert!(
        world
            .database
            .page(&prices(), 7, 100)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        world
            .database
            .page(&prices(), 0, 100)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn the_first_page_of_nothing_is_empty_and_a_change_is_seen() {
    let world = World::new(0).await;
    let page = world
        .database
        .page(&prices(), 1, 500)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((page.count, page.rows.num_rows()), (0, 0));
    world.write("products.csv", "id,name\n7,Milk\n");
    world.write("prices.csv", "product_id,store_id,price\n7,1,2.00\n");
    load(
        &*world.database,
        &world.folder.path().join("in"),
        &Options::default(),
        &EngineConfig::default(),
        &Events::silent(),
    )
    .await
    .unwrap();
    let page = world
        .database
        .page(&prices(), 1, 500)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((page.count, page.rows.num_rows()), (1, 1));
}

#[tokio::test]
async fn a_reader_half_way_neither_waits_nor_sees_what_is_written_meanwhile() {
    let world = World::new(20_000).await;
    let reading = world.database.export(&prices()).await.unwrap().unwrap();
    assert_eq!(reading.count, 40_000);
    let mut reading = reading.rows;
    let mut rows = reading.next().await.unwrap().unwrap().num_rows();
    world.write("prices.csv", "product_id,store_id,price\n20000,2,0.01\n");
    load(
        &*world.database,
        &world.folder.path().join("in/prices.csv"),
        &Options::default(),
        &EngineConfig::default(),
        &Events::silent(),
    )
    .await
    .unwrap();
    let mut last = None;
    while let Some(batch) = reading.next().await {
        let batch = batch.unwrap();
        rows += batch.num_rows();
        last = Some(batch);
    }
    assert_eq!(rows, 40_000);
    assert!(shown(&[last.unwrap()]).contains("| 20000      | 2        | 20000.00 |"));
    let now = world.export(&prices()).await;
    assert!(shown(&now[now.len() - 1..]).contains("| 20000      | 2        | 0.01 "));
}

#[tokio::test]
async fn a_stream_that_is_dropped_lets_go_of_the_database() {
    let world = World::new(20_000).await;
    for _ in 0..50 {
        let mut reading = world.database.export(&prices()).await.unwrap().unwrap();
        assert!(reading.rows.next().await.is_some());
    }
    world.database.ping().await.unwrap();
    assert_eq!(
        world
            .export(&prices())
            .await
            .iter()
            .map(RecordBatch::num_rows)
            .sum::<usize>(),
        40_000
    );
}

#[tokio::test]
async fn a_second_opening_finds_the_same_database() {
    let world = World::new(3).await;
    let again = database::open("sqlite:data/prices.db", world.folder.path()).unwrap();
    assert_eq!(again.schema_version().await.unwrap(), 2);
    assert_eq!(again.tables().await.unwrap(), database::schema().unwrap());
    let rows: Vec<_> = again
        .read("stores")
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rows[0].num_rows(), 2);
}

/// The tables of a database that an earlier pricemill made: version 1 of the schema.
const VERSION_1: &str = include_str!("../../../src/database/migrations/sqlite/001_tables.sql");

fn database_of_version_1(path: &Path) {
    let connection = sqlite(path);
    connection.execute_batch(VERSION_1).unwrap();
    connection
        .execute_batch(
            "insert into schema_version values (1, '2026-11-22T10:00:00.000Z');
             insert into companies values (1, 'Lidl');
             insert into stores (id, name, company_id) values (1, 'A', 1);
             insert into products (id, name) values (1, 'Milk');
             insert into prices values (1, 1, 199, 5, '2026-11-22', null);
             insert into applied_artifacts values
                 (7, 'bargains', 3, 'ab', '[]', '2026-11-22T10:00:00.000000Z');",
        )
        .unwrap();
}

#[tokio::test]
async fn a_database_of_version_1_migrates_by_itself_and_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    database_of_version_1(&folder.path().join("old.db"));
    for _ in 0..2 {
        let database = database::open("sqlite:old.db", folder.path()).unwrap();
        assert_eq!(database.schema_version().await.unwrap(), 2);
        assert_eq!(
            database.tables().await.unwrap(),
            database::schema().unwrap()
        );
        let applied = database.applied("bargains").await.unwrap().unwrap();
        assert_eq!((applied.seq, applied.sha256.as_str()), (3, "ab"));
        let page = database.page(&prices(), 1, 10).await.unwrap().unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&[page.rows]), @r"
            +------------+----------+-------+-----------------+--------------+-----+
            | product_id | store_id | price | price_record_id | scraped_date | sku |
            +------------+----------+-------+-----------------+--------------+-----+
            | 1          | 1        | 1.99  | 5               | 2026-11-22   |     |
            +------------+----------+-------+-----------------+--------------+-----+
            ");
        }
    }
}

#[tokio::test]
async fn an_archive_of_version_1_fits_as_its_tables_are_the_same_and_a_later_one_does_not() {
    let world = World::new(2).await;
    let place = Location::in_memory();
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let archived = archive::archive(&*world.database, &place, at)
        .await
        .unwrap();
    let before = world.everything().await;
    let name = format!("{}/manifest.json", archived.id);
    let manifest = place.read(&name).await.unwrap().unwrap();
    let manifest = String::from_utf8(manifest.to_vec()).unwrap();
    let of_version = |version: u64| {
        let changed = manifest.replace(
            "\"schema_version\": 2",
            &format!("\"schema_version\": {version}"),
        );
        assert_ne!(changed, manifest);
        changed.into_bytes()
    };
    place.put(&name, of_version(1).into()).await.unwrap();
    archive::restore(&*world.database, &place, &archived.id)
        .await
        .unwrap();
    assert_eq!(world.everything().await, before);
    place.put(&name, of_version(3).into()).await.unwrap();
    let refused = archive::restore(&*world.database, &place, &archived.id).await;
    assert!(matches!(refused, Err(archive::Error::Schema { .. })));
}

fn sqlite(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

#[tokio::test]
async fn a_database_of_a_later_version_or_another_program_is_refused() {
    let world = World::new(0).await;
    let path = world.folder.path().join("data/prices.db");
    sqlite(&path)
        .execute("insert into schema_version values (99, '')", [])
        .unwrap();
    let refused = database::open("sqlite:data/prices.db", world.folder.path());
    assert!(matches!(
        refused,
        Err(Error::Newer {
            found: 99,
            known: 2,
            ..
        })
    ));
    let other = world.folder.path().join("other.db");
    sqlite(&other)
        .execute("create table songs (id integer)", [])
        .unwrap();
    let refused = database::open("sqlite:other.db", world.folder.path());
    assert!(matches!(refused, Err(Error::Foreign { .. })));
    std::fs::write(
        world.folder.path().join("text.db"),
        "no database ".repeat(500),
    )
    .unwrap();
    let refused = database::open("sqlite:text.db", world.folder.path());
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
}

#[test]
fn only_sqlite_is_known_and_a_password_is_not_repeated() {
    let refused = database::open("postgres://me:secret@host/db", Path::new("/"));
    let error = pricemill::Error::from(refused.unwrap_err());
    assert_eq!(error.to_string(), "`postgres` is not a supported database");
    assert_eq!(error.kind(), pricemill::Kind::Usage);
}

#[tokio::test]
async fn an_archive_gives_the_same_tables_back() {
    let world = World::new(300).await;
    let database = sqlite(&world.folder.path().join("data/prices.db"));
    database.execute_batch(
        "insert into bargains values (1, 2, 2, 1, 5.0);
         insert into store_groups (id, company, anchor) values (1, 1, 1);
         insert into store_group_members values (1, 1), (2, 1);
         insert into super_categories values ('Drinks');
         insert into super_category_bargains values ('Drinks', 1, 2);
         insert into applied_artifacts values (7, 'bargains', 3, 'ab', '[]', '2026-11-22T10:00:00.000000Z');",
    ).unwrap();
    let before = world.everything().await;
    let place = Location::in_memory();
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let archived = archive::archive(&*world.database, &place, at)
        .await
        .unwrap();
    database.execute_batch(
        "delete from prices where product_id > 10; delete from super_categories;
         update bargains set store_id = 1; delete from applied_artifacts; insert into brands values (99, 'New');",
    ).unwrap();
    assert_ne!(world.everything().await, before);
    archive::restore(&*world.database, &place, &archived.id)
        .await
        .unwrap();
    assert_eq!(world.everything().await, before);
    archive::restore(&*world.database, &place, &archived.id)
        .await
        .unwrap();
    assert_eq!(world.everything().await, before);
    let empty = database::open("sqlite:new.db", world.folder.path()).unwrap();
    archive::restore(&*empty, &place, &archived.id)
        .await
        .unwrap();
    let new = World {
        folder: tempfile::tempdir().unwrap(),
        database: empty,
    };
    assert_eq!(new.everything().await, before);
}

#[tokio::test]
async fn an_archive_that_a_kill_left_unfinished_is_removed_by_a_later_one() {
    let world = World::new(1).await;
    let place = Location::in_memory();
    for id in ["2026-11-22T030000Z", "2026-11-22T090000Z"] {
        let name = format!("{id}/prices.parquet");
        place.put(&name, "half".into()).await.unwrap();
    }
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    archive::archive(&*world.database, &place, at)
        .await
        .unwrap();
    // One that began within six hours may be a run elsewhere.
    let left = place.folders().await.unwrap();
    assert_eq!(left, ["2026-11-22T090000Z", "2026-11-22T100000Z"]);
    assert_eq!(archive::latest(&place).await.unwrap(), "2026-11-22T100000Z");
}

#[tokio::test]
async fn an_archive_that_was_tampered_with_is_refused_before_anything_changes() {
    let world = World::new(3).await;
    let place = Location::in_memory();
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let archived = archive::archive(&*world.database, &place, at)
        .await
        .unwrap();
    let before = world.everything().await;
    let name = format!("{}/stores.parquet", archived.id);
    let mut bytes = place.read(&name).await.unwrap().unwrap().to_vec();
    bytes[100] ^= 1;
    place.put(&name, bytes.into()).await.unwrap();
    let refused = archive::restore(&*world.database, &place, &archived.id).await;
    assert!(matches!(refused, Err(archive::Error::Changed { .. })));
    assert_eq!(world.everything().await, before);
}
