//! `new`: a project without pipelines, and a pipeline that passes at once.

use crate::support::{screen::screen, world::World};

/// Returns a world with an empty project, `shop`.
fn empty() -> World {
    let world = World::new();
    world.run(&["new", "--empty", "shop"]).ends(0);
    world
}

#[test]
fn an_empty_project_is_ready_to_check() {
    let world = World::new();
    screen!(world.run(&["new", "--empty", "shop"]).ends(0).err, @"
    created an empty project in shop
    try: cd shop && pricemill new pipeline NAME
    ");
    screen!(world.run_in("shop", &["check"]).ends(0).err, @"
    the project has no pipelines yet
    help: `pricemill new pipeline NAME` creates one
    0 pipelines, 0 SQL files: names, types and contracts are valid; 0 of 0 promises (not null, one row per …) proved, the others are checked before each commit
    checked 0 pipelines in <time>
    ");
    screen!(world.run_in("shop", &["test"]).ends(0).err, @"
    the project has no pipelines yet
    help: `pricemill new pipeline NAME` creates one
    passed 0, skipped 0, failed 0 in <time>
    ");
    let shop = world.path("shop");
    assert!(shop.join("pipelines/sources.toml").is_file());
    assert!(!shop.join("sql").exists(), "no example is there");
}

#[test]
fn an_empty_project_may_be_this_folder() {
    let world = World::new();
    std::fs::create_dir_all(world.path("shop/.git")).unwrap();
    screen!(world.run_in("shop", &["new", "--empty"]).ends(0).err, @"
    created an empty project in .
    try: pricemill new pipeline NAME
    ");
    world.run_in("shop", &["check"]).ends(0);
}

#[test]
fn a_new_pipeline_passes_check_and_test_at_once() {
    let world = empty();
    let new = ["new", "pipeline", "cheap-milk"];
    screen!(world.run_in("shop", &new).ends(0).err, @"
    created pipelines/cheap-milk.toml
    created sql/cheap-milk/cheap_milk.sql
    created tests/sql/cheap-milk/cheap_milk.slt
    try: pricemill check cheap-milk && pricemill test cheap-milk
    ");
    let check = world.run_in("shop", &["check"]).ends(0);
    assert!(!check.err.contains("warning"), "{}", check.err);
    screen!(world.run_in("shop", &["test", "cheap-milk"]).ends(0).err, @"
    pass tests/sql/cheap-milk/cheap_milk.slt (2 records)
    passed 1, skipped 0, failed 0 in <time>
    ");
    // It is one pipeline among others.
    world.run_in("shop", &["new", "pipeline", "milk_2"]).ends(0);
    world.run_in("shop", &["check"]).ends(0);
    screen!(world.run_in("shop", &["test"]).ends(0).err, @"
    pass tests/sql/cheap-milk/cheap_milk.slt (2 records)
    pass tests/sql/milk_2/milk_2.slt (2 records)
    passed 2, skipped 0, failed 0 in <time>
    ");
}

#[test]
fn a_new_pipeline_suits_any_datasets() {
    let world = empty();
    let sources = "[visits]\nkey = [\"day\", \"shop\"]\n[visits.columns]\nnote = \"text\"\n\
                   day = \"date not null\"\nshop = \"text not null\"\nsold = \"decimal(8,3)\"\n\
                   share = \"double\"\ntags = \"text[]\"\n";
    world.write("shop/pipelines/sources.toml", sources);
    world.run_in("shop", &["new", "pipeline", "busy"]).ends(0);
    let check = world.run_in("shop", &["check"]).ends(0);
    assert!(!check.err.contains("warning"), "{}", check.err);
    world.run_in("shop", &["test"]).ends(0);
}

#[test]
fn nothing_is_written_over() {
    let world = empty();
    world.run_in("shop", &["new", "pipeline", "milk"]).ends(0);
    world.write("shop/sql/milk/milk.sql", "-- mine\n");
    screen!(world.run_in("shop", &["new", "pipeline", "milk"]).ends(2).err, @"
    error: `milk` cannot be the name of a pipeline: there is one already
    help: choose another name, such as cheap-milk
    ");
    let text = std::fs::read_to_string(world.path("shop/sql/milk/milk.sql")).unwrap();
    assert_eq!(text, "-- mine\n");
    world.write("shop/tests/sql/bread/old.slt", "");
    screen!(world.run_in("shop", &["new", "pipeline", "bread"]).ends(2).err, @"
    error: tests/sql/bread already exists
    help: choose another name, or remove it
    ");
    assert!(!world.path("shop/pipelines/bread.toml").exists());
}

#[test]
fn a_bad_name_gets_a_clear_error() {
    let world = empty();
    let refused = [
        "Cheap Milk",
        "2milk",
        "../milk",
        "sources",
        "staging",
        "prices",
        "",
    ];
    let said = refused.map(|name| world.run_in("shop", &["new", "pipeline", name]).ends(2).err);
    screen!(said.concat(), @"
    error: `Cheap Milk` cannot be the name of a pipeline: it must begin with a lower-case letter, and have only lower-case letters, digits and `-`
    help: `pricemill new pipeline cheap-milk`
    error: `2milk` cannot be the name of a pipeline: it must begin with a lower-case letter, and have only lower-case letters, digits and `-`
    help: choose another name, such as cheap-milk
    error: `../milk` cannot be the name of a pipeline: it must begin with a lower-case letter, and have only lower-case letters, digits and `-`
    help: `pricemill new pipeline milk`
    error: `sources` cannot be the name of a pipeline: sources.toml declares the datasets
    help: choose another name, such as cheap-milk
    error: `staging` cannot be the name of a pipeline: SQL uses it for something else
    help: choose another name, such as cheap-milk
    error: `prices` cannot be the name of a pipeline: a dataset has it
    help: choose another name, such as cheap-milk
    error: `` cannot be the name of a pipeline: it must begin with a lower-case letter, and have only lower-case letters, digits and `-`
    help: choose another name, such as cheap-milk
    ");
    assert!(!world.path("shop/sql").exists());
}

#[test]
fn a_pipeline_needs_a_project() {
    let world = World::new();
    screen!(world.run(&["new", "pipeline", "milk"]).ends(2).err, @"
    error: there is no project in <world>
    help: `pricemill new DIR` creates one; `pricemill new --empty DIR` one without pipelines
    ");
    screen!(world.run(&["new", "pipeline"]).ends(2).err, @"
    error: the following required arguments were not provided:
      <NAME>

    Usage: pricemill new pipeline <NAME>

    For more information, try '--help'.
    ");
    screen!(world.run(&["new"]).ends(2).err, @"
    error: the following required arguments were not provided:
      <DIR>

    Usage: pricemill new <DIR>

    For more information, try '--help'.
    ");
}
