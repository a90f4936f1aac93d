//! What `check` finds in several files at once, and the order of rows without ORDER BY.

use crate::support::{shop::small, world::World};

const SOURCES: &str = r#"
[prices]
key = ["product_id", "store_id"]
[prices.columns]
product_id = "bigint not null"
store_id = "bigint not null"
price = "decimal(10,2) not null"
"#;

fn manifest(name: &str) -> String {
    format!(
        "description = \"What is tried.\"\noutput = \"{name}\"\nfile = \"{name}.json\"\n\
         grain = [\"product_id\"]\n[contract]\nproduct_id = \"bigint not null\"\n"
    )
}

fn world() -> World {
    let world = World::new();
    world.write("pipelines/sources.toml", SOURCES);
    world.write("pipelines/cheap.toml", &manifest("cheap"));
    world.write(
        "sql/cheap/cheap.sql",
        "-- cheap: one row per product_id.\nselect product_id from some_priecs group by product_id\n",
    );
    world.write(
        "sql/cheap/some_prices.sql",
        "-- some_prices: one row per product_id, store_id.\nselect * from prices limit 3\n",
    );
    world
}

#[test]
fn errors_come_before_warnings_and_without_what_follows_from_them() {
    let said = world().run(&["check"]).ends(2).err;
    let error = said.find("error[unknown-relation]").unwrap();
    let warning = said.find("warning[unordered-limit]").unwrap();
    assert!(error < warning, "{said}");
    assert!(said.contains("did you mean `some_prices`?"), "{said}");
    assert!(!said.contains("nothing reads"), "{said}");
}

#[test]
fn a_manifest_with_errors_does_not_hide_those_of_other_files() {
    let world = world();
    world.write("pipelines/broken.toml", "descripton = \"x\"\n");
    world.write(
        "sql/broken/broken.sql",
        "-- broken: one row.\nselect 1 as x\n",
    );
    world.write("pipelines/reader.toml", &manifest("reader"));
    world.write(
        "sql/reader/reader.sql",
        "-- reader: one row per product_id.\nselect product_id from broken\n",
    );
    let said = world.run(&["check"]).ends(2).err;
    assert!(said.contains("error[unknown-key]"), "{said}");
    assert!(
        said.contains("there is no relation `some_priecs`"),
        "{said}"
    );
    assert!(!said.contains("there is no relation `broken`"), "{said}");
    assert!(!said.contains("nothing reads"), "{said}");
}

#[test]
fn rows_without_an_order_come_in_that_of_their_key() {
    let world = small();
    world.run(&["fetch", "prices"]).ends(0);
    let rows = |arguments: &[&str]| {
        world
            .run(&[arguments, &["--output", "csv"]].concat())
            .ends(0)
            .out
    };
    let sorted = |rows: String| {
        let numbers = rows.lines().skip(1).map(|row| {
            let fields = row.split(',').take(2);
            fields
                .map(|field| field.parse::<i64>().unwrap())
                .collect::<Vec<_>>()
        });
        numbers.is_sorted()
    };
    assert!(sorted(rows(&["show", "prices"])));
    assert!(sorted(rows(&[
        "query",
        "select product_id, store_id from prices where price > 0"
    ])));
    let grouped = "select store_id, count(*) as n from prices group by store_id";
    assert!(sorted(rows(&["query", grouped])));
    let own = "select store_id, count(*) as n from prices group by store_id order by 1 desc";
    assert!(!sorted(rows(&["query", own])));
}
