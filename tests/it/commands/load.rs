//! Files become tables, all of them or none.

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
async fn json_lines_load_like_csv() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let path = world.write(
        "prices.jsonl",
        "{\"product_id\":10,\"store_id\":1,\"price\":1.10}\n{\"product_id\":10,\"store_id\":2,\"price\":\"3.00\",\"sku\":null}\n",
    );
    world.load(&path).await.unwrap();
    let rows = world.rows("prices").await;
    assert!(rows.contains("| 10         | 1        | 110 "), "{rows}");
    assert!(rows.contains("| 10         | 2        | 300 "), "{rows}");
}

#[tokio::test]
async fn a_table_of_its_own_columns_loads_column_for_column() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let path = world.write(
        "category_links.csv",
        "category_a,category_b,link_type\n1,2,MATCH\n",
    );
    world.load(&path).await.unwrap();
    let path = world.write(
        "category_links.csv",
        "category_a,category_b,link_type\n1,7,CLOSE\n1,2,\n",
    );
    let bad = bad_rows(world.load(&path).await);
    assert_eq!(
        bad[0],
        (
            2,
            Some("category_b".into()),
            "categories has no id 7".into()
        )
    );
    assert_eq!(bad[1], (3, Some("link_type".into()), "is empty".into()));
}

#[tokio::test]
async fn the_ledger_cannot_be_loaded_nor_what_names_no_table() {
    let world = World::new();
    let path = world.write("applied_artifacts.csv", "id\n1\n");
    assert!(matches!(
        world.load(&path).await,
        Err(Error::UnknownTable { .. })
    ));
    let path = world.write("price.csv", "id\n1\n");
    let error = pricemill::Error::from(world.load(&path).await.unwrap_err());
    assert_eq!(error.hint().unwrap(), "did you mean `prices`?");
}

#[tokio::test]
async fn a_quote_that_is_never_closed_loads_nothing() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let before = world.everything().await;
    let text = "product_id,store_id,price,sku\n10,1,1.09,\"A\n10,2,2.49,B\n11,1,0.99,C";
    let path = world.write("prices.csv", text);
    let error = world.load(&path).await.unwrap_err().to_string();
    let expected = "prices.csv, line 2: a quote opens here and is never closed";
    assert!(error.ends_with(expected), "{error}");
    let path = world.write(
        "prices.csv",
        "product_id,store_id,price,sku\n10,1,5, \"A\"\n",
    );
    let bad = bad_rows(world.load(&path).await);
    assert_eq!((bad[0].0, bad[0].1.as_deref()), (2, None));
    assert_eq!(bad[0].2, "field 4 has blanks before the opening quote");
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn rows_within_a_quoted_field_are_noted() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let text = "product_id,store_id,price,sku\n10,1,1.09,\"A\n10,2,2.49,B\"\n11,1,0.99,C\n";
    let loaded = world.load(&world.write("prices.csv", text)).await.unwrap();
    let expected =
        "line 2: a quoted field spans lines that could each be a row: is its quote closed?";
    assert!(loaded.notes[0].ends_with(expected), "{:?}", loaded.notes);
}

#[tokio::test]
async fn nothing_is_loaded_in_silence() {
    let world = World::new();
    for (name, text) in [("stores.csv", "id,company,name\n"), ("stores.jsonl", "\n")] {
        let loaded = world.load(&world.write(name, text)).await.unwrap();
        assert!(
            loaded.notes[0].ends_with(": has no rows"),
            "{:?}",
            loaded.notes
        );
    }
    let error = world
        .load(&world.write("stores.csv", ""))
        .await
        .unwrap_err();
    let said = "line 1: the file is empty: its first line must name the columns";
    assert!(error.to_string().ends_with(said), "{error}");
    let said = |folder: &str| {
        let path = world.folder.path().join(folder);
        let world = &world;
        async move { world.load(&path).await.unwrap_err().to_string() }
    };
    std::fs::create_dir(world.folder.path().join("nothing")).unwrap();
    assert!(
        said("nothing")
            .await
            .ends_with("named after a table: it is empty")
    );
    std::fs::create_dir_all(world.folder.path().join("other/prices")).unwrap();
    std::fs::write(world.folder.path().join("other/prices.xlsx"), "").unwrap();
    assert!(said("other").await.ends_with("it has prices, prices.xlsx"));
    let error = world
        .load(&world.write("prices.xlsx", ""))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("`.xlsx` cannot be loaded"),
        "{error}"
    );
}

#[tokio::test]
async fn capitals_marks_and_tabs_are_taken() {
    let world = World::new();
    let text = "\u{feff}ID\tCompany\tName\r\n1\tLidl\tA, the first\r\n";
    let loaded = world.load(&world.write("STORES.CSV", text)).await.unwrap();
    assert_eq!(loaded.tables[0].inserted, 1);
    assert_eq!(loaded.notes, Vec::<String>::new());
    let text = "\u{feff}{\"ID\":2,\"company\":\"Lidl\",\"Name\":\"B\"}\r\n";
    world
        .load(&world.write("Stores.JSONL", text))
        .await
        .unwrap();
    let rows = world.rows("stores").await;
    assert!(rows.contains("| 1  | A, the first | 1 "), "{rows}");
    assert!(rows.contains("| 2  | B            | 1 "), "{rows}");
}

#[tokio::test]
async fn zeros_past_the_scale_are_taken_and_other_digits_are_not() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let text = "product_id,store_id,price\n10,1,5.9800\n10,2,5.98001\n";
    let bad = bad_rows(world.load(&world.write("prices.csv", text)).await);
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].0, 3);
    let path = world.folder.path().join("in/prices.parquet");
    parquet_price(&path, 5_980_000_000_000_000_000);
    world.load(&path).await.unwrap();
    let rows = world.rows("prices").await;
    assert!(rows.contains("| 10         | 1        | 598 "), "{rows}");
    parquet_price(&path, 5_980_000_000_000_000_001);
    assert_eq!(bad_rows(world.load(&path).await)[0].0, 1);
}

/// Writes the price of product 10 in store 1 as Spark does, a decimal(38,18).
fn parquet_price(path: &Path, price: i128) {
    let price = Decimal128Array::from(vec![price]);
    let price = price.with_precision_and_scale(38, 18).unwrap();
    let id = |id: i64| Arc::new(Int64Array::from(vec![id])) as ArrayRef;
    let columns = [
        ("product_id", id(10)),
        ("store_id", id(1)),
        ("price", Arc::new(price) as ArrayRef),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[tokio::test]
async fn a_name_is_without_the_sizes_of_the_projects_own_units() {
    let world = World::new();
    let root = world.folder.path();
    for file in pricemill::pipeline::embedded() {
        let path = root.join(file.path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_units = path.ends_with("units.csv");
        let own: &[u8] = if is_units {
            "גרם,mg,1000\n".as_bytes()
        } else {
            b""
        };
        std::fs::write(path, [file.bytes(), own].concat()).unwrap();
    }
    let project = pricemill::pipeline::Project::load(root).unwrap();
    let path = world.write("products.csv", "id,name\n1,במבה 80 גרם\n2,Čaj 20 g\n");
    let options = Options::of(Ok(&project));
    world.load_as(&path, &options).await.unwrap();
    let rows = world.rows("products").await;
    assert!(rows.contains("| במבה            |"), "{rows}");
    assert!(rows.contains("| caj             |"), "{rows}");
}

/// What `load` asks for when the files are all of some tables, or of a company.
fn whole(tables: &[&str], company: Option<&str>, accept: Accept) -> Options {
    let mut options = Options::default();
    options.replace = tables.iter().map(|&table| table.to_owned()).collect();
    options.replace_company = company.map(str::to_owned);
    options.accept = accept;
    options
}

fn counts(loaded: &Loaded) -> String {
    let tables = loaded.tables.iter().map(|counts| {
        format!(
            "{}: {} inserted, {} changed, {} unchanged, {} deleted",
            counts.table, counts.inserted, counts.changed, counts.unchanged, counts.deleted
        )
    });
    tables.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn rows_that_a_whole_table_lacks_are_deleted_and_counted() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let next = "product_id,store_id,price\n10,1,1.15\n10,3,0.10\n11,2,2.5\n11,3,2.5\n";
    let path = world.write("prices.csv", next);
    let loaded = world.load(&path).await.unwrap();
    assert_eq!(
        counts(&loaded).lines().next().unwrap(),
        "prices: 1 inserted, 1 changed, 2 unchanged, 0 deleted"
    );
    assert!(world.rows("prices").await.contains("| 12 "));
    let prices = whole(&["prices"], None, Accept::default());
    let loaded = world.load_as(&path, &prices).await.unwrap();
    assert_eq!(
        counts(&loaded).lines().next().unwrap(),
        "prices: 0 inserted, 0 changed, 4 unchanged, 1 deleted"
    );
    let rows = world.rows("prices").await;
    assert!(!rows.contains("| 12 "), "{rows}");
    let again = world.load_as(&path, &prices).await.unwrap();
    assert!(counts(&again).starts_with("prices: 0 inserted, 0 changed, 4 unchanged, 0 deleted"));
}

#[tokio::test]
async fn what_belongs_to_a_deleted_store_goes_with_it_and_is_counted() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let stores = "id,company,name\n1,Lidl,Lidl A\n2,Lidl,Lidl B\n";
    let path = world.write("stores.csv", stores);
    let stores = whole(&["stores"], None, Accept::default());
    let loaded = world.load_as(&path, &stores).await.unwrap();
    insta::assert_snapshot!(counts(&loaded), @r"
    stores: 0 inserted, 0 changed, 2 unchanged, 1 deleted
    prices: 0 inserted, 0 changed, 0 unchanged, 1 deleted
    ");
    let rows = world.rows("stores").await;
    assert!(rows.contains("Lidl A") && !rows.contains("| K "), "{rows}");
    assert_eq!(
        world.rows("prices").await.lines().count(),
        4 + 3,
        "three are left"
    );
}

#[tokio::test]
async fn links_and_prices_of_a_deleted_product_go_with_it() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    // Without its category: those that stay keep theirs.
    let path = world.write("products.csv", "id,name\n10,Mlijeko\n11,Kruh\n");
    let products = whole(&["products"], None, Accept::default());
    let loaded = world.load_as(&path, &products).await.unwrap();
    let counts = counts(&loaded);
    assert!(counts.starts_with("products: 0 inserted, "), "{counts}");
    assert!(
        counts.contains("prices: 0 inserted, 0 changed, 0 unchanged, 1 deleted"),
        "{counts}"
    );
    assert_eq!(
        world.rows("product_categories").await.lines().count(),
        4 + 3
    );
}

#[tokio::test]
async fn a_price_of_a_store_that_is_not_in_the_whole_is_a_bad_row() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let before = world.everything().await;
    world.write("stores.csv", "id,company,name\n1,Lidl,A\n2,Lidl,B\n");
    let all = whole(&["stores", "prices"], None, Accept::default());
    let bad = bad_rows(world.load_as(&world.folder.path().join("in"), &all).await);
    assert_eq!(
        bad,
        [(3, Some("store_id".into()), "stores has no id 3".into())]
    );
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_companys_files_replace_its_own_rows_only() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    std::fs::remove_file(world.folder.path().join("in/products.csv")).unwrap();
    world.write("stores.csv", "id,company,division,name\n1,Lidl,,Lidl A\n");
    world.write("prices.csv", "product_id,store_id,price\n10,1,1.15\n");
    let folder = world.folder.path().join("in");
    let lidl = whole(
        &[],
        Some("Lidl"),
        Accept {
            shrink: true,
            ..Accept::default()
        },
    );
    let loaded = world.load_as(&folder, &lidl).await.unwrap();
    insta::assert_snapshot!(counts(&loaded), @r"
    stores: 0 inserted, 0 changed, 1 unchanged, 1 deleted
    prices: 0 inserted, 0 changed, 1 unchanged, 2 deleted
    product_categories: 0 inserted, 0 changed, 3 unchanged, 0 deleted
    ");
    insta::assert_snapshot!(world.rows("prices").await, @r"
    +------------+----------+-------------+-----------------+--------------+-----+
    | product_id | store_id | price_cents | price_record_id | scraped_date | sku |
    +------------+----------+-------------+-----------------+--------------+-----+
    | 10         | 1        | 115         | 1               | 2026-01-23   |     |
    | 10         | 3        | 0           | 2               | 2026-01-24   |     |
    +------------+----------+-------------+-----------------+--------------+-----+
    ");
    let unknown = whole(&[], Some("Lidel"), Accept::default());
    let error = pricemill::Error::from(world.load_as(&folder, &unknown).await.unwrap_err());
    assert_eq!(error.hint().unwrap(), "did you mean `Lidl`?");
}

#[tokio::test]
async fn a_whole_that_would_empty_or_halve_a_table_is_refused_unless_accepted() {
    let world = World::new();
    world.load(&world.three_files()).await.unwrap();
    let before = world.everything().await;
    let few = world.write("prices.csv", "product_id,store_id,price\n10,1,1.15\n");
    let plain = whole(&["prices"], None, Accept::default());
    let error = pricemill::Error::from(world.load_as(&few, &plain).await.unwrap_err());
    assert_eq!(error.to_string(), "only 1 rows for `prices`, which has 4");
    assert_eq!(
        error.hint().unwrap(),
        "if this is intended, add `--accept shrink`"
    );
    let none = world.write("in2/prices.csv", "product_id,store_id,price\n");
    let error = pricemill::Error::from(world.load_as(&none, &plain).await.unwrap_err());
    assert_eq!(
        error.hint().unwrap(),
        "if this is intended, add `--accept empty`"
    );
    assert_eq!(world.everything().await, before);
    let shrink = Accept {
        shrink: true,
        ..Accept::default()
    };
    world
        .load_as(&few, &whole(&["prices"], None, shrink))
        .await
        .unwrap();
    let empty = Accept {
        empty: true,
        ..Accept::default()
    };
    let loaded = world
        .load_as(&none, &whole(&["prices"], None, empty))
        .await
        .unwrap();
    assert!(counts(&loaded).contains("prices: 0 inserted, 0 changed, 0 unchanged, 1 deleted"));
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
