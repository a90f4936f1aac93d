//! Loads that are the whole of a table or of a company.

use super::*;

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
