//! What an operator meets: a pipeline that is broken, a server that is not there, a
//! folder that cannot be written to, a day without bargains.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::{
    shop::{PRODUCTS, STORES, small},
    world::World,
};

/// Breaks the manifest of `bargains`, which `super-categories` reads.
fn broken() -> World {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    world.run_in("shop", &["load", "../export"]).ends(0);
    let path = world.path("shop/pipelines/bargains.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{manifest}\ngrain = 7 7\n")).unwrap();
    world
}

#[test]
fn a_broken_manifest_stops_its_pipeline_and_those_that_read_it_and_no_other() {
    let world = broken();
    let names = ["bargains", "super-categories", "price-summaries"];
    let run = |command: &[&str]| world.run_in("shop", &[command, &names].concat());
    let said = run(&["run"]).ends(2);
    let said = said
        .tells("pipelines/bargains.toml")
        .tells("super-categories: skipped")
        .tells("price-summaries: 000001-");
    assert!(said.err.contains("skipped 1, failed 1"), "{}", said.err);
    assert!(world.path("shop/data/outbox/price-summaries").exists());
    run(&["generate", "--snapshot", "latest"])
        .ends(2)
        .tells("unchanged since");
    run(&["upload"]).ends(2).tells("price-summaries");
    run(&["update"]).ends(2).tells("price-summaries");
    let said = run(&["status"]).ends(2).tells("pipelines/bargains.toml");
    for name in names {
        assert!(said.out.contains(name), "{}", said.out);
    }
    // What does not read it does not notice.
    let sound = ["generate", "price-summaries", "--snapshot", "latest"];
    world.run_in("shop", &sound).ends(0);
    world.run_in("shop", &["check", "price-summaries"]).ends(0);
    world.run_in("shop", &["check"]).ends(2);
    // What names only what is broken says so, and does nothing.
    let alone = world.run_in("shop", &["generate", "bargains"]);
    alone.ends(2).tells("pipelines/bargains.toml");
}

#[test]
fn a_fault_in_what_all_share_stops_all() {
    let world = broken();
    world.write("shop/pipelines/sources.toml", "[prices\n");
    let said = world.run_in("shop", &["generate", "price-summaries"]);
    said.ends(2).tells("pipelines/sources.toml");
}

#[test]
fn a_fault_in_sql_is_its_pipelines_own() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    world.run_in("shop", &["load", "../export"]).ends(0);
    world.write("shop/sql/bargains/bargains.sql", "select from where");
    let said = world.run_in("shop", &["generate", "bargains", "price-summaries"]);
    said.ends(2)
        .tells("sql/bargains/bargains.sql")
        .tells("price-summaries: ");
    assert!(world.path("shop/data/outbox/price-summaries").exists());
}

#[test]
fn a_server_that_is_not_there_is_given_up_within_seconds() {
    let mut world = small();
    world.set("PRICEMILL_PROFILE_DEV_SERVER", "http://127.0.0.1:9");
    // A process waits by the system's clock, so it is given less time than the 3 s that
    // the tests of `service::retry` have by their own.
    world.set("PRICEMILL_FETCH_PATIENCE", "800ms");
    for command in [
        &["fetch", "stores", "--dev"][..],
        &["run", "bargains", "--dev"],
    ] {
        let said = world.run(command).ends(75);
        said.tells("http://127.0.0.1:9: the connection was refused")
            .tells("; attempt 2 in 0.")
            .tells("giving up in 0.")
            .tells("nothing is listening at 127.0.0.1:9")
            .tells("is the server running?")
            .tells("pricemill serve --listen 127.0.0.1:9");
    }
    world.run(&["generate", "bargains"]).ends(0);
    let said = world.run(&["upload", "bargains", "--dev"]).ends(75);
    said.tells("; attempt 2 in 0.")
        .tells("nothing is listening at 127.0.0.1:9")
        .tells("is the server running?");
}

#[test]
fn a_data_folder_that_cannot_be_written_to_is_named() {
    let world = small();
    let data = world.path("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).unwrap();
    // Root writes anywhere.
    if fs::write(data.join("probe"), "").is_err() {
        fs::remove_file(data.join(".lock")).unwrap_or_default();
        let said = world.run(&["generate", "bargains"]).ends(1);
        let says = format!("the data folder {} is read-only", data.display());
        assert!(said.err.contains(&says), "{}", said.err);
        assert!(
            !said.err.contains("could not record the run"),
            "{}",
            said.err
        );
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Prices of which none is a bargain.
const EVEN: &str = "product_id,store_id,price\n1,1,1.00\n1,2,1.00\n1,3,1.00\n";

#[test]
fn no_bargain_at_all_is_an_answer() {
    let world = World::new();
    world.write("export/stores.csv", STORES);
    world.write("export/products.csv", PRODUCTS);
    world.write("export/prices.csv", EVEN);
    world.run(&["load", "export"]).ends(0);
    let said = world.run(&["run", "bargains", "super-categories"]).ends(0);
    said.tells("bargains: 0 rows");
}

#[test]
fn no_bargain_is_a_surprise_where_there_is_no_price_and_after_a_day_with_some() {
    let world = World::new();
    world.write("export/stores.csv", STORES);
    world.write("export/products.csv", PRODUCTS);
    world.run(&["load", "export"]).ends(0);
    let said = world.run(&["generate", "bargains"]).ends(3);
    said.tells("no rows, and none in prices either");
    let world = small();
    world.run(&["generate", "bargains"]).ends(0);
    let said = world
        .run(&["generate", "bargains", "--min-ratio", "99"])
        .ends(3);
    said.tells("no rows, though the last artifact has 1");
}
