//! `sql/staging/`: models that several pipelines of a user's project read.

use pricemill::pipeline::Project;

use crate::support::world::World;

const SOURCES: &str = "[prices]\nkey = [\"product_id\", \"store_id\"]\n\n[prices.columns]\n\
    product_id = \"bigint not null\"\nstore_id = \"bigint not null\"\n\
    price = \"decimal(10,2) not null\"\n";

/// A pipeline that reads `asked_prices` in its output and in a check.
fn pipeline(world: &World, name: &str, sql: &str) {
    world.write(
        &format!("pipelines/{name}.toml"),
        &format!(
            "description = \"One price of each product.\"\noutput = \"{name}\"\n\
             file = \"{name}.json\"\ngrain = [\"product_id\"]\n\n[contract]\n\
             product_id = \"bigint not null\"\nprice = \"decimal(10,2) not null\"\n"
        ),
    );
    world.write(
        &format!("sql/{name}/{name}.sql"),
        &format!(
            "-- {name}: one row per product_id.\nselect product_id, {sql} as price\n\
             from asked_prices\ngroup by product_id\n"
        ),
    );
    world.write(
        &format!("sql/{name}/checks/unasked.sql"),
        &format!(
            "-- unasked: prices that nobody asks.\nselect {name}.*\nfrom {name}\n\
             left join asked_prices on {name}.product_id = asked_prices.product_id\n\
             where asked_prices.product_id is null\n"
        ),
    );
}

fn world() -> World {
    let world = World::new();
    world.write("pipelines/sources.toml", SOURCES);
    world.write(
        "sql/staging/asked_prices.sql",
        "-- asked_prices: one row per product_id, store_id: prices above zero.\n\
         select product_id, store_id, price\nfrom prices\nwhere price > 0\n",
    );
    world.write(
        "tests/sql/staging/asked_prices.slt",
        "statement ok\ncreate table prices as select * from (values\n    (1, 11, 2.50),\n    \
         (1, 12, 0.00)\n) as t (product_id, store_id, price)\n\n\
         query IIR\nselect * from asked_prices\n----\n1 11 2.50\n",
    );
    pipeline(&world, "cheapest", "min(price)");
    pipeline(&world, "dearest", "max(price)");
    world
}

#[test]
fn two_pipelines_read_one_model_and_neither_writes_it() {
    let world = world();
    let project = Project::load(&world.path("")).unwrap();
    assert_eq!(project.warnings, []);
    for pipeline in project.pipelines.values() {
        assert!(project.is_shared(pipeline, "asked_prices"));
        let reads = &pipeline.reads;
        assert!(!reads.is_written("asked_prices", &pipeline.output));
        assert_eq!(pipeline.datasets(), ["prices"]);
    }
    let said = world.run(&["check"]).ends(0);
    said.tells("2 pipelines, 5 SQL files: names, types and contracts are valid");
}

#[test]
fn its_tests_run_with_those_of_its_readers() {
    let said = world().run(&["test", "cheapest"]).ends(0);
    said.tells("pass tests/sql/staging/asked_prices.slt");
}

#[test]
fn it_is_a_relation_of_its_own_for_show_and_query() {
    let world = world();
    for relation in [
        "asked_prices",
        "staging.asked_prices",
        "dearest.asked_prices",
    ] {
        let said = world.run(&["show", relation, "--schema"]).ends(0);
        assert!(said.out.contains("store_id"), "{relation}: {}", said.out);
    }
}

#[test]
fn a_change_of_it_changes_the_hash_of_its_readers() {
    let world = world();
    let hash = || Project::load(&world.path("")).unwrap().pipelines["cheapest"].sql_sha256();
    let before = hash();
    world.write(
        "sql/staging/asked_prices.sql",
        "-- asked_prices: one row per product_id, store_id.\n\
         select product_id, store_id, price\nfrom prices\nwhere price > 1\n",
    );
    assert_ne!(hash(), before);
}

#[test]
fn a_model_that_is_more_than_a_filter_is_computed_once() {
    let world = world();
    world.write(
        "sql/staging/asked_prices.sql",
        "-- asked_prices: one row per product_id, store_id.\n\
         select product_id, store_id, min(price) as price\nfrom prices\n\
         group by product_id, store_id\n",
    );
    let project = Project::load(&world.path("")).unwrap();
    let pipeline = &project.pipelines["cheapest"];
    assert!(pipeline.reads.is_written("asked_prices", &pipeline.output));
}

#[test]
fn no_pipeline_may_be_called_staging() {
    let world = world();
    pipeline(&world, "staging", "min(price)");
    let said = world.run(&["check"]).ends(2);
    said.tells("`staging` is not a valid name for a pipeline");
}
