//! Made-up exports: into snapshots, files and the database.

use crate::support::{
    screen::screen,
    world::{Said, World, files},
};

const SMALL: [&str; 4] = ["--prices", "20000", "--seed", "3"];

fn synth(world: &World, arguments: &[&str]) -> Said {
    world.run(&[&["synth"], &SMALL[..], arguments].concat())
}

/// Returns the manifest of the only snapshot.
fn manifest(world: &World) -> serde_json::Value {
    let mut manifests = files(&world.path("data/snapshots"))
        .into_iter()
        .filter(|(path, _)| path.ends_with("manifest.json"));
    let (_, bytes) = manifests.next().unwrap();
    assert!(manifests.next().is_none());
    serde_json::from_slice(&bytes).unwrap()
}

/// Returns a dataset's rows as text.
fn rows(world: &World, dataset: &str) -> String {
    let key = match dataset {
        "prices" => "product_id, store_id",
        "category_links" => "category_a_id, category_b_id",
        _ => "id",
    };
    let sql = format!("select * from export.{dataset} order by {key}");
    world
        .run(&["query", &sql, "--output", "ndjson"])
        .ends(0)
        .out
}

const DATASETS: [&str; 7] = [
    "prices",
    "products",
    "stores",
    "companies",
    "categories",
    "categories_with_products",
    "category_links",
];

#[test]
fn a_snapshot_is_whole_and_every_pipeline_runs_on_it() {
    let world = World::new();
    synth(&world, &["--snapshot"])
        .ends(0)
        .tells("made 7 datasets");
    let manifest = manifest(&world);
    assert_eq!(manifest["source"], "synth 20000 prices seed 3");
    for dataset in DATASETS {
        let part = &manifest["datasets"][dataset];
        assert!(part["rows"].as_u64().unwrap() > 0, "{dataset}");
        let none = [&part["duplicates"], &part["conflicts"]];
        assert!(
            none.iter().all(|count| count.as_u64() == Some(0)),
            "{dataset}"
        );
        assert_eq!(part["dangling"], serde_json::json!({}), "{dataset}");
    }
    screen!(world.run(&["generate", "--snapshot", "latest"]).ends(0).err, @"
    previous: no snapshot of synth 20000 prices seed 3 before <snapshot> has prices, stores; treated as empty
    history: no snapshot of synth 20000 prices seed 3 from a day before <snapshot> has prices; treated as empty
    bargains: 52 rows in <time>, committed as 000001-<hash>
    category-links: 1,257 rows in <time>, committed as 000001-<hash>
    company-comparison: 6 rows in <time>, committed as 000001-<hash>
    store-groups: 41 rows in <time>, committed as 000001-<hash>
    map: 1 rows in <time>, committed as 000001-<hash>
    popular-categories: 3 rows in <time>, committed as 000001-<hash>
    price-changes: 0 rows in <time>, committed as 000001-<hash>
    price-summaries: 457 rows in <time>, committed as 000001-<hash>
    substitutions: 419 rows in <time>, committed as 000001-<hash>
    super-categories: 4 rows in <time>, committed as 000001-<hash>
    true-bargains: 52 rows in <time>, committed as 000001-<hash>
    generated 11, skipped 0, failed 0 in <time>
    ");
    let lost = "select count(*) as lost from (
        select unnest(category) as id from products
        union all select category_a_id from export.category_links
        union all select category_b_id from export.category_links
    ) as named left anti join categories on named.id = categories.id";
    let found = world.run(&["query", lost, "--output", "csv"]).ends(0);
    assert_eq!(found.out, "lost\n0\n");
}

#[test]
fn the_same_seed_makes_the_same_bytes_whatever_the_threads() {
    let hashes = |threads: &str| {
        let world = World::new();
        synth(&world, &["--snapshot", "--threads", threads]).ends(0);
        let datasets = manifest(&world)["datasets"].clone();
        let hashes = DATASETS.map(|dataset| datasets[dataset]["files"].clone());
        hashes.map(|files| files.to_string())
    };
    assert_eq!(hashes("1"), hashes("4"));
}

#[test]
fn the_database_exports_what_the_snapshot_holds() {
    let direct = World::new();
    synth(&direct, &["--snapshot"]).ends(0);
    let through = World::new();
    synth(&through, &["--database"])
        .ends(0)
        .tells("made 9 datasets");
    let fetch = [&["fetch"], &DATASETS[..]].concat();
    through.run(&fetch).ends(0);
    for dataset in DATASETS {
        let (direct, through) = (rows(&direct, dataset), rows(&through, dataset));
        assert!(direct == through, "{dataset} differs");
    }
}

#[test]
fn rows_that_repeat_others_are_one_in_the_database() {
    let direct = World::new();
    synth(&direct, &["--snapshot", "--dirt"]).ends(0);
    let prices = manifest(&direct)["datasets"]["prices"]["rows"].as_i64();
    let through = World::new();
    synth(&through, &["--database", "--dirt"]).ends(0);
    assert_eq!(Some(through.number("select count(*) from prices")), prices);
}

#[test]
fn a_database_with_rows_is_left_alone_unless_they_are_to_be_replaced() {
    let world = World::new();
    synth(&world, &["--database"]).ends(0);
    let count = world.number("select count(*) from prices");
    synth(&world, &["--database"]).ends(2).tells("--replace");
    let other = ["synth", "--prices", "5000", "--database", "--replace"];
    world.run(&other).ends(0);
    assert!(world.number("select count(*) from prices") < count);
    synth(&world, &["--database", "--replace"]).ends(0);
    assert_eq!(world.number("select count(*) from prices"), count);
}

#[test]
fn files_hold_the_datasets_in_either_order_and_form() {
    let world = World::new();
    synth(&world, &["--snapshot"]).ends(0);
    synth(&world, &["--out", "parquet", "--order", "arrival"]).ends(0);
    synth(&world, &["--out", "csv", "--format", "csv"]).ends(0);
    let csv = |name: &str| String::from_utf8(std::fs::read(world.path(name)).unwrap()).unwrap();
    let parts = manifest(&world);
    for dataset in DATASETS {
        let lines = csv(&format!("csv/{dataset}.csv")).lines().count() as u64;
        let rows = &parts["datasets"][dataset]["rows"];
        assert_eq!(rows.as_u64(), Some(lines - 1), "{dataset}");
        assert!(world.path(&format!("parquet/{dataset}.parquet")).is_file());
    }
    assert!(
        csv("csv/products.csv").starts_with("id,name,normalized_name,brand_id,size,category\n")
    );
    // Nothing is written over, and nothing passing is left behind.
    synth(&world, &["--out", "csv", "--format", "csv"]).ends(1);
    assert_eq!(files(&world.path("csv")).len(), DATASETS.len());
}

#[test]
fn files_by_names_are_loaded_and_dirty_ones_refused() {
    let world = World::new();
    let named = ["--layout", "named", "--format", "csv", "--out"];
    synth(&world, &[&named[..], &["named"]].concat()).ends(0);
    world.run(&["load", "named"]).ends(0);
    let prices = world.number("select count(*) from prices");
    assert!((15_000..25_000).contains(&prices));
    synth(&world, &[&named[..], &["dirty", "--dirt"]].concat()).ends(0);
    world
        .run(&["load", "dirty"])
        .ends(3)
        .tells("is a second row for its product_id and store_id");
    assert_eq!(world.number("select count(*) from prices"), prices);
}

#[test]
fn dirt_breaks_no_contract_and_keeps_keys_unique_in_a_snapshot() {
    let world = World::new();
    synth(&world, &["--snapshot", "--dirt"])
        .ends(0)
        .tells("a snapshot has each key once");
    let parts = manifest(&world);
    assert_eq!(parts["source"], "synth 20000 prices seed 3 with dirt");
    assert_eq!(parts["datasets"]["prices"]["duplicates"], 0);
    let counts = "select count(*) filter (where price = 0) > 0 as zero,
        count(*) > count(price_record_id) as unrecorded,
        (select count(*) > count(brand_id) from products) as unbranded,
        (select bool_or(name <> trim(name)) from products) as blank,
        (select bool_or(octet_length(name) > character_length(name)) from products) as unicode
        from prices";
    let found = world.run(&["query", counts, "--output", "csv"]).ends(0);
    assert_eq!(
        found.out,
        "zero,unrecorded,unbranded,blank,unicode\ntrue,true,true,true,true\n"
    );
    world.run(&["generate", "--snapshot", "latest"]).ends(0);
}

#[test]
fn a_dry_run_tells_how_much_it_would_be_and_writes_nothing() {
    let world = World::new();
    screen!(world.run(&["synth", "--snapshot", "--dry-run"]).ends(0).err, @"synth s seed 1: 1,000,404 prices of 3,270 products in 571 stores");
    assert!(!world.path("data/snapshots").exists());
    world.run(&["synth"]).ends(2);
}
