//! Files become tables, all of them or none.

mod formats;
mod whole;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{ArrayRef, Decimal128Array, Int64Array},
        record_batch::RecordBatch,
        util::pretty::pretty_format_batches,
    },
    parquet::arrow::ArrowWriter,
};
use futures::TryStreamExt;
use pricemill::{
    config::EngineConfig,
    database::{self, Accept, Database},
    events::Events,
    load::{self, Error, Loaded, Options},
};

use crate::support::data;

struct World {
    folder: tempfile::TempDir,
    database: Arc<dyn Database>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let database = database::open("sqlite:prices.db", folder.path()).unwrap();
        World { folder, database }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn three_files(&self) -> PathBuf {
        self.write(
            "stores.csv",
            "id,company,division,name,latitude,longitude\n\
             1,Lidl,,Lidl A,45.5,15.5\n2,Lidl,Big,Lidl B,,\n3,Konzum,Big,K,0,0\n",
        );
        self.write(
            "products.csv",
            "id,name,brand,size,barcode,category\n\
             10,\"Mlijeko, svježe 1l\",Dukat,1l,385,Hrana\n\
             11,Kruh, dukat ,,,HRANA\n12,Vrećica,NO BRAND,,,\n",
        );
        self.write(
            "prices.csv",
            "product_id,store_id,price,scraped_date\n\
             10,1,1.15,2026-01-23\n10,3,0,2026-01-24\n11,2,2.5,2026-01-23\n12,1,0.05,\n",
        );
        self.folder.path().join("in")
    }

    async fn load(&self, path: &Path) -> Result<Loaded, Error> {
        let options = Options::default();
        self.load_as(path, &options).await
    }

    async fn load_as(&self, path: &Path, options: &Options) -> Result<Loaded, Error> {
        let engine = EngineConfig::default();
        load::load(&*self.database, path, options, &engine, &Events::silent()).await
    }

    #[must_use]
    async fn rows(&self, table: &str) -> String {
        let stream = self.database.read(table).await.unwrap();
        let batches: Vec<_> = stream.try_collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    #[must_use]
    async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in self.database.tables().await.unwrap() {
            all.push(self.rows(&table.name).await);
        }
        all
    }
}

fn bad_rows(result: Result<Loaded, Error>) -> Vec<(u64, Option<String>, String)> {
    match result.unwrap_err() {
        Error::BadRows { shown, count } => {
            assert_eq!(count, shown.len() as u64);
            let row = |row: load::BadRow| (row.line, row.column, row.reason);
            shown.into_iter().map(row).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn names_become_ids_and_prices_cents() {
    let world = World::new();
    let loaded = world.load(&world.three_files()).await.unwrap();
    assert_eq!(loaded.notes, Vec::<String>::new());
    insta::assert_snapshot!(world.rows("stores").await, @r"
    +----+--------+------------+-------------+----------+-----------+
    | id | name   | company_id | division_id | latitude | longitude |
    +----+--------+------------+-------------+----------+-----------+
    | 1  | Lidl A | 1          |             | 45.5     | 15.5      |
    | 2  | Lidl B | 1          | 1           |          |           |
    | 3  | K      | 2          | 2           | 0.0      | 0.0       |
    +----+--------+------------+-------------+----------+-----------+
    ");
    insta::assert_snapshot!(world.rows("products").await, @r"
    +----+--------------------+-----------------+----------+------+---------+----------+
    | id | name               | normalized_name | brand_id | size | barcode | category |
    +----+--------------------+-----------------+----------+------+---------+----------+
    | 10 | Mlijeko, svježe 1l | mlijeko svjeze  | 1        | 1l   | 385     | Hrana    |
    | 11 | Kruh               | kruh            | 1        |      |         | HRANA    |
    | 12 | Vrećica            | vrecica         |          |      |         |          |
    +----+--------------------+-----------------+----------+------+---------+----------+
    ");
    insta::assert_snapshot!(world.rows("prices").await, @r"
    +------------+----------+-------------+-----------------+--------------+-----+
    | product_id | store_id | price_cents | price_record_id | scraped_date | sku |
    +------------+----------+-------------+-----------------+--------------+-----+
    | 10         | 1        | 115         | 1               | 2026-01-23   |     |
    | 10         | 3        | 0           | 2               | 2026-01-24   |     |
    | 11         | 2        | 250         | 3               | 2026-01-23   |     |
    | 12         | 1        | 5           | 4               |              |     |
    +------------+----------+-------------+-----------------+--------------+-----+
    ");
}

#[tokio::test]
async fn a_category_is_one_of_each_company_that_prices_the_product() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    insta::assert_snapshot!(world.rows("categories").await, @r"
    +----+-------+------------+
    | id | name  | company_id |
    +----+-------+------------+
    | 1  | Hrana | 1          |
    | 2  | Hrana | 2          |
    +----+-------+------------+
    ");
    insta::assert_snapshot!(world.rows("product_categories").await, @r"
    +------------+-------------+
    | product_id | category_id |
    +------------+-------------+
    | 10         | 1           |
    | 10         | 2           |
    | 11         | 1           |
    +------------+-------------+
    ");
}

#[tokio::test]
async fn the_same_load_twice_gives_the_same_database() {
    let world = World::new();
    let folder = world.three_files();
    world.load(&folder).await.unwrap();
    let before = world.everything().await;
    let again = world.load(&folder).await.unwrap();
    assert_eq!(world.everything().await, before);
    assert!(
        again
            .tables
            .iter()
            .all(|t| t.inserted + t.changed + t.deleted == 0)
    );
    let prices = again.tables.iter().find(|t| t.table == "prices").unwrap();
    assert_eq!(prices.unchanged, 4);
}

#[tokio::test]
async fn files_loaded_one_by_one_give_what_the_folder_gives() {
    let world = World::new();
    let folder = world.three_files();
    for name in ["stores.csv", "products.csv", "prices.csv"] {
        world.load(&folder.join(name)).await.unwrap();
    }
    let one_by_one = world.everything().await;
    let other = World::new();
    other.load(&other.three_files()).await.unwrap();
    assert_eq!(one_by_one, other.everything().await);
}

#[tokio::test]
async fn a_category_that_changes_takes_its_links_along() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let path = world.write("products.csv", "id,name,category\n10,Mlijeko,Pića\n");
    let loaded = world.load(&path).await.unwrap();
    let links = loaded
        .tables
        .iter()
        .find(|t| t.table == "product_categories")
        .unwrap();
    assert_eq!((links.inserted, links.deleted, links.unchanged), (2, 2, 1));
    insta::assert_snapshot!(world.rows("product_categories").await, @r"
    +------------+-------------+
    | product_id | category_id |
    +------------+-------------+
    | 10         | 3           |
    | 10         | 4           |
    | 11         | 1           |
    +------------+-------------+
    ");
}

#[tokio::test]
async fn a_column_the_file_lacks_stays_as_it_is() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let path = world.write("products.csv", "name,id\nMlijeko,10\n");
    world.load(&path).await.unwrap();
    let rows = world.rows("products").await;
    let kept = "| 10 | Mlijeko | mlijeko         | 1        | 1l   | 385     | Hrana    |";
    assert!(rows.contains(kept), "{rows}");
}

#[tokio::test]
async fn every_bad_row_is_listed_and_nothing_is_loaded() {
    let world = World::new();
    let folder = world.three_files();
    world.write(
        "prices.csv",
        "product_id,store_id,price\n10,1,1.155\n10,9,1\n99,1,1\n10,1,-1\n10,2,1e2\n\
         10,1,NaN\n10,1,1.00\n10,1,2.00\nx,1,1\n10,1\n",
    );
    let before = world.everything().await;
    let bad = bad_rows(world.load(&folder).await);
    let said = |(line, column, reason): &(u64, Option<String>, String)| {
        format!("{line} {}: {reason}", column.as_deref().unwrap_or("-"))
    };
    insta::assert_snapshot!(bad.iter().map(said).collect::<Vec<_>>().join("\n"), @r"
    2 price: 1.155 has more than 2 digits after the point
    3 store_id: stores has no id 9
    4 product_id: products has no id 99
    5 price: -1 is negative
    6 price: must be a number like 12.50, not `1e2`
    7 price: must be a number like 12.50, not `NaN`
    9 -: is a second row for its product_id and store_id
    10 product_id: must be an integer, not `x`
    11 -: has 2 fields, the header has 3
    ");
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn only_the_first_bad_rows_are_shown_and_all_are_counted() {
    let world = World::new();
    let rows = "x,Lidl,A\n".repeat(50);
    let path = world.write("stores.csv", &format!("id,company,name\n{rows}"));
    match world.load(&path).await.unwrap_err() {
        Error::BadRows { count, shown } => assert_eq!((count, shown.len()), (50, 20)),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_missing_column_is_named_with_the_nearest_there_is() {
    let world = World::new();
    let path = world.write("prices.csv", "product_id,store_id,prcie\n");
    let error = pricemill::Error::from(world.load(&path).await.unwrap_err());
    assert!(
        error
            .to_string()
            .ends_with("prices.csv: column `price` is missing"),
        "{error}"
    );
    assert_eq!(
        error.hint().unwrap(),
        "the file has `prcie`: rename it to `price` if that is the column"
    );
    let path = world.write("prices.csv", "product_id,store_id,price,price\n");
    let error = world.load(&path).await.unwrap_err();
    assert!(
        error.to_string().ends_with("column `price` appears twice"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_column_is_passed_over_with_a_note() {
    let world = World::new();
    let path = world.write("stores.csv", "id,company,name,colour\n1,Lidl,A,blue\n");
    let loaded = world.load(&path).await.unwrap();
    assert_eq!(loaded.notes.len(), 1);
    assert!(
        loaded.notes[0].ends_with("column `colour` is ignored"),
        "{:?}",
        loaded.notes
    );
}

#[tokio::test]
async fn a_torn_gzip_loads_nothing() {
    let world = World::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(gzip, "id,company,name").unwrap();
    for id in 0..50_000 {
        writeln!(gzip, "{id},Lidl,Store number {id}").unwrap();
    }
    let bytes = gzip.finish().unwrap();
    let path = world.folder.path().join("stores.csv.gz");
    std::fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    assert!(matches!(world.load(&path).await, Err(Error::Format { .. })));
    assert_eq!(
        world.rows("stores").await.lines().count(),
        World::new().rows("stores").await.lines().count()
    );
    std::fs::write(&path, &bytes).unwrap();
    let loaded = world.load(&path).await.unwrap();
    assert_eq!(loaded.tables[0].inserted, 50_000);
}

#[tokio::test]
async fn a_countrys_stores_load_without_anything_else() {
    let Some(folder) = data::folder("au") else {
        return;
    };
    let world = World::new();
    let loaded = world.load(&folder).await.unwrap();
    let stores = loaded.tables.iter().find(|t| t.table == "stores").unwrap();
    assert_eq!(stores.inserted, 5701);
}

#[tokio::test]
async fn real_prices_load_whole() {
    let Some(folder) = data::folder("hr") else {
        return;
    };
    let world = World::new();
    let loaded = world.load(&folder).await.unwrap();
    let inserted = |table: &str| {
        let mut tables = loaded.tables.iter();
        tables.find(|t| t.table == table).map(|t| t.inserted)
    };
    assert_eq!(inserted("stores"), Some(128));
    assert_eq!(inserted("products"), Some(79_571));
    assert_eq!(inserted("prices"), Some(856_502));
    assert_eq!(inserted("companies"), Some(11));
}
