//! The derived tables beside bargains and store groups, by the flags that people type,
//! round the loop into the database.

use chrono::{DateTime, Duration, Utc};

use crate::support::world::{World, files};

/// Flag, pipeline, and the table that it is in the database.
const DERIVED: [(&str, &str, &str); 4] = [
    ("--subs", "substitutions", "substitutions"),
    ("--cat-links", "category-links", "category_links"),
    ("--pop-cats", "popular-categories", "popular_categories"),
    ("--super-cats", "super-categories", "super_categories"),
];

/// Returns a command on all of them, and the map.
fn all(command: &'static str) -> Vec<&'static str> {
    let flags = DERIVED.iter().map(|(flag, ..)| *flag);
    let arguments = [command].into_iter().chain(flags);
    arguments.chain(["--map", "--dev"]).collect()
}

/// Returns a database of made-up products, stores, prices and categories.
fn made_up() -> World {
    let world = World::new();
    let synth = ["synth", "--prices", "20000", "--seed", "3", "--database"];
    world.run(&synth).ends(0);
    world
}

/// Returns how many rows the newest artifact of a pipeline has.
fn rows_of(world: &World, pipeline: &str) -> i64 {
    let folder = world.path(&format!("data/outbox/{pipeline}"));
    let all = files(&folder).into_iter();
    let mut manifests: Vec<_> = all
        .filter(|(path, _)| path.to_string_lossy().ends_with(".manifest.json"))
        .collect();
    manifests.sort();
    let (_, newest) = manifests.pop().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&newest).unwrap();
    manifest["rows"].as_i64().unwrap()
}

#[test]
fn the_flags_carry_every_derived_table_into_the_database_and_a_second_turn_changes_nothing() {
    let mut world = made_up();
    let server = world.serve();
    world.run(&all("generate")).ends(0).tells("generated 5");
    world.run(&all("upload")).ends(0).tells("uploaded 4");
    world.run(&all("update")).ends(0).tells("applied 4");
    for (_, pipeline, table) in DERIVED {
        let rows = rows_of(&world, pipeline);
        let held = world.number(&format!("select count(*) from {table}"));
        assert!(rows > 0, "{pipeline}");
        assert_eq!(held, rows, "{pipeline}");
    }
    let again = world.run(&all("generate")).ends(0);
    let unchanged = again.err.matches("unchanged since").count();
    assert_eq!(unchanged, 5, "{}", again.err);
    world.run(&all("upload")).ends(0).tells("already");
    world.run(&all("update")).ends(0).tells("nothing pending");
    server.stop();
}

#[test]
fn a_link_to_a_bargain_that_was_never_applied_is_told_and_left_out() {
    let world = made_up();
    world
        .run(&["run", "--super-cats"])
        .ends(0)
        .tells("rejected");
    assert!(world.number("select count(*) from super_category_categories") > 0);
    assert_eq!(
        world.number("select count(*) from super_category_bargains"),
        0
    );
}

const BEFORE: &str = "\
id,name,brand,size,barcode,category
1,Milk,Dairy Co,1 l,1,Dairy
2,Milk,Dairy Co,2 l,2,Dairy
3,Butter soft,Dairy Co,250 g,3,Spreads
4,Butter soft,Dairy Co,500 g,4,Spreads
";

/// The butters are no pair any more; there is a third milk.
const AFTER: &str = "\
id,name,brand,size,barcode,category
1,Milk,Dairy Co,1 l,1,Dairy
2,Milk,Dairy Co,2 l,2,Dairy
3,Butter soft,Dairy Co,250 g,3,Spreads
4,Margarine,Other,500 g,4,Spreads
5,Milk,Dairy Co,5 l,5,Dairy
";

/// Returns the pairs in the database once the products have changed.
fn pairs(mode: &str) -> i64 {
    let world = World::new();
    world.run(&["new", "shop"]).ends(0);
    let manifest = world.path("shop/pipelines/substitutions.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let changed = text.replace("mode = \"replace\"", &format!("mode = \"{mode}\""));
    std::fs::write(&manifest, changed).unwrap();
    for products in [BEFORE, AFTER] {
        world.write("export/products.csv", products);
        world.run_in("shop", &["load", "../export"]).ends(0);
        world.run_in("shop", &["run", "--subs"]).ends(0);
    }
    let database = rusqlite::Connection::open(world.path("shop/data/pricemill.db")).unwrap();
    let count = "select count(*) from substitutions";
    database.query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn one_word_in_the_manifest_keeps_pairs_that_are_no_more() {
    // 1-2, 1-5 and 2-5; with them 3-4, which was one before.
    assert_eq!(pairs("replace"), 3);
    assert_eq!(pairs("upsert"), 4);
}

const STORES: &str = "\
id,company,division,name,latitude,longitude
1,Alder,,Alder 1,,
2,Birch,,Birch 2,,
";

/// Loads what Birch asks for product 1, beside Alder's 1.00, and takes a snapshot of it, so
/// many days ago.
fn a_day(world: &World, price: &str, days_ago: i64) {
    let prices = format!(
        "product_id,store_id,price,scraped_date\n1,1,1.00,2026-11-01\n1,2,{price},2026-11-01\n"
    );
    world.write("export/prices.csv", &prices);
    world.run(&["load", "export"]).ends(0);
    let before = manifests(world);
    world.run(&["fetch", "prices", "stores"]).ends(0);
    let mut after = manifests(world);
    after.retain(|path| !before.contains(path));
    let text = std::fs::read_to_string(&after[0]).unwrap();
    let (_, at) = text.split_once("\"fetched_at\": \"").unwrap();
    let (at, _) = at.split_once('"').unwrap();
    let earlier = at.parse::<DateTime<Utc>>().unwrap() - Duration::days(days_ago);
    let earlier = text.replacen(at, &earlier.to_rfc3339(), 1);
    std::fs::write(&after[0], earlier).unwrap();
}

fn manifests(world: &World) -> Vec<std::path::PathBuf> {
    let all = files(&world.path("data/snapshots")).into_iter();
    let all = all.map(|(path, _)| path);
    let whole = all.filter(|path| path.ends_with("manifest.json"));
    whole
        .filter(|path| !path.to_string_lossy().contains("/.partial/"))
        .collect()
}

/// Returns the verdict on product 1, and why.
fn verdict(world: &World, arguments: &[&str]) -> String {
    let judged = [&["run", "true-bargains"], arguments].concat();
    world.run(&judged).ends(0);
    let database = rusqlite::Connection::open(world.path("data/pricemill.db")).unwrap();
    let sql = "select verdict || ': ' || reason from bargain_verdicts where product_id = 1";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_bargain_is_judged_by_the_days_that_are_kept_however_often_it_is_run() {
    let world = World::new();
    world.write("export/stores.csv", STORES);
    world.write("export/products.csv", BEFORE);
    a_day(&world, "12.00", 0);
    let alone = verdict(&world, &[]);
    assert!(
        alone.starts_with("doubtful: prices are over 4 times apart"),
        "{alone}"
    );
    for (price, days_ago) in [("1.20", 5), ("1.30", 4), ("1.20", 3)] {
        a_day(&world, price, days_ago);
    }
    // Wrong since yesterday: the snapshot before alone would call it usual.
    a_day(&world, "12.00", 1);
    for _ in 0..4 {
        let wanted =
            "false: 1 of 2 prices left out: 1 over 4 times off what the store asked before";
        assert_eq!(verdict(&world, &[]), wanted);
    }
    let only_yesterday = verdict(&world, &["--history-days", "2"]);
    assert!(only_yesterday.starts_with("doubtful"), "{only_yesterday}");

    let query =
        "select count(*) as n, min(snapshot_at) < max(snapshot_at) as past from history.prices";
    for query in [query.to_owned(), query.replace("history.", "HISTORY.")] {
        let shown = world.run(&["query", &query, "--output", "csv"]).ends(0).out;
        assert_eq!(shown, "n,past\n8,true\n");
    }
    let filtered = [
        "--where",
        "price > (select max(price) - 1 from history.prices)",
    ];
    let shown = ["show", "prices", "--output", "ndjson"];
    let shown = world.run(&[&shown[..], &filtered].concat()).ends(0).out;
    assert_eq!(shown.lines().count(), 1, "{shown}");
    let written = files(&world.path("data/outbox/true-bargains")).into_iter();
    let written = written.filter(|(path, _)| path.ends_with("manifest.json"));
    let read = written.map(|(_, manifest)| {
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        manifest["history"].as_array().map_or(0, Vec::len)
    });
    assert_eq!(read.max(), Some(4));
}

#[test]
fn what_a_snapshot_lacks_is_told_and_one_that_has_it_is_preferred() {
    let world = made_up();
    world.run(&["generate", "--map"]).ends(0);
    let said = world
        .run(&["generate", "store-groups", "--snapshot", "latest"])
        .ends(0);
    said.tells("prices: not in snapshot");
    world.run(&["fetch"]).ends(0);
    world.run(&["generate", "--map"]).ends(0);
    let said = world
        .run(&["generate", "store-groups", "--snapshot", "latest"])
        .ends(0);
    assert!(!said.err.contains("not in snapshot"), "{}", said.err);
}
