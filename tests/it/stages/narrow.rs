//! What a run's parameters leave out is not read, and nothing else is left out: a bare
//! name, the time and the model are what they are in the run.

use crate::support::world::{World, files};

/// Stores 1 to 3, two products, three prices, all of today.
fn world() -> World {
    let world = World::new();
    world.run(&["new", "shop"]).ends(0);
    world.write(
        "export/stores.csv",
        "id,company,division,name,latitude,longitude\n1,Alder,,A,,\n2,Alder,,B,,\n3,Birch,,C,,\n",
    );
    world.write(
        "export/products.csv",
        "id,name,brand,size,barcode,category\n1,Milk,,1 l,1,Dairy\n2,Bread,,1 kg,2,Bakery\n",
    );
    world.write(
        "export/prices.csv",
        "product_id,store_id,price,scraped_date\n1,1,1.00,2026-11-01\n1,3,2.00,2026-11-01\n2,1,3.00,2026-11-01\n",
    );
    world.run_in("shop", &["load", "../export"]).ends(0);
    world
}

/// Makes the pipeline `counts`, of a text and a number, with a parameter `m` of `a`, `b`.
fn define(world: &World, sql: &str) {
    let manifest = "description = \"Counts.\"\n\
        output = \"counts\"\nfile = \"counts.csv\"\nupload = false\ngrain = [\"what\"]\n\
        [params.m]\ntype = \"text\"\ndefault = \"a\"\none_of = [\"a\", \"b\"]\ndoc = \"Which.\"\n\
        [contract]\nwhat = \"text not null\"\nn = \"bigint not null\"\n";
    world.write("shop/pipelines/counts.toml", manifest);
    world.write("shop/sql/counts/counts.sql", &format!("{sql}\n"));
}

/// Returns the rows of the newest artifact of `counts`, and what was said.
fn counts(world: &World, arguments: &[&str]) -> (String, String) {
    let generate = ["generate", "counts"];
    let said = world
        .run_in("shop", &[&generate, arguments].concat())
        .ends(0);
    let all = files(&world.path("shop/data/outbox/counts")).into_iter();
    let mut found: Vec<_> = all
        .filter(|(path, _)| path.ends_with("counts.csv"))
        .collect();
    found.sort();
    let (_, newest) = found.pop().unwrap();
    let rows = String::from_utf8(newest).unwrap();
    let rows: Vec<&str> = rows.lines().skip(1).collect();
    (rows.join(" "), said.err)
}

#[test]
fn what_another_value_would_read_is_not_fetched() {
    let world = world();
    define(
        &world,
        "select 'prices' as what, count(*) as n from prices where $m = 'a' having $m = 'a'
        union all
        select 'stores' as what, count(*) as n from stores where $m = 'b' having $m = 'b'",
    );
    let (rows, said) = counts(&world, &[]);
    assert_eq!(rows, "prices,3");
    assert!(
        said.contains("prices: 3 rows") && !said.contains("stores:"),
        "{said}"
    );
    let (rows, said) = counts(&world, &["--m", "b"]);
    assert_eq!(rows, "stores,3");
    assert!(
        said.contains("stores: 3 rows") && !said.contains("prices:"),
        "{said}"
    );
}

#[test]
fn what_hangs_on_the_time_is_read() {
    let world = world();
    for condition in [
        "now() > timestamp '2020-01-01'",
        "current_date > date '2020-01-01'",
    ] {
        let sql = format!(
            "select 'prices' as what, count(*) as n from prices where {condition} and $m in ('a', 'b')"
        );
        define(&world, &sql);
        assert_eq!(counts(&world, &[]).0, "prices,3", "{condition}");
        // The same in a model that is part of another's plan.
        let today = format!("select * from prices where {condition}");
        world.write("shop/sql/counts/today.sql", &today);
        define(
            &world,
            "select 'prices' as what, count(*) as n from today where $m in ('a', 'b')",
        );
        assert_eq!(counts(&world, &[]).0, "prices,3", "{condition}");
        std::fs::remove_file(world.path("shop/sql/counts/today.sql")).unwrap();
    }
}

#[test]
fn the_model_is_that_of_the_run() {
    let world = world();
    world.write(
        "shop/pricemill.toml",
        "[embedding]\nmodel = \"file\"\npath = \"vectors.parquet\"\n",
    );
    define(
        &world,
        "select 'prices' as what, count(*) as n from prices
        where embedding_model() = 'file' and $m <> 'c'",
    );
    assert_eq!(counts(&world, &[]).0, "prices,3");
}

#[test]
fn a_bare_name_is_the_outputs_or_the_seeds_also_beside_the_datasets() {
    let world = world();
    world.write(
        "shop/sql/counts/companies.csv",
        "id,name\n1,One\n2,Two\n3,Three\n",
    );
    let both = "select 'own' as what, count(*) as n from companies
        union all
        select 'export' as what, count(*) as n from export.companies";
    define(&world, both);
    assert_eq!(counts(&world, &[]).0, "export,2 own,3");
    let shown = ["show", "counts", "--output", "csv"];
    let shown = world.run_in("shop", &shown).ends(0).out;
    assert!(
        shown.contains("own,3") && shown.contains("export,2"),
        "{shown}"
    );
}

#[test]
fn a_longer_name_is_told_before_anything_runs() {
    let world = world();
    for name in ["datafusion.export.stores", "bargains.extremes"] {
        define(
            &world,
            &format!("select 'x' as what, count(*) as n from {name}"),
        );
        for command in ["check", "generate"] {
            let said = world.run_in("shop", &[command, "counts"]);
            assert_ne!(said.code, 0, "{name}");
            said.tells(&format!("there is no relation `{name}`"));
        }
    }
}
