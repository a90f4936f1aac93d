//! Forms of files: JSON Lines, quotes, capitals, zeros, Parquet.

use super::*;

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
