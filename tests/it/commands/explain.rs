//! `pricemill explain`, and the examples of its pages, each laid over a sound project.

use std::{fs, path::Path};

use pricemill::diagnostics::{Code, Example};

use super::check::{has, screen};
use crate::support::world::World;

/// The codes whose fault is no text of a file.
const WITHOUT_EXAMPLE: [Code; 3] = [Code::MissingFile, Code::UnreadableFile, Code::NotText];

const SOUND: [(&str, &str); 3] = [
    (
        "pipelines/sources.toml",
        "[prices]\nkey = [\"product_id\", \"store_id\"]\n\n[prices.columns]\n\
         product_id = \"bigint not null\"\nstore_id = \"bigint not null\"\n\
         price = \"decimal(10,2) not null\"\n",
    ),
    (
        "pipelines/cheapest.toml",
        "description = \"The cheapest price of each product.\"\noutput = \"cheapest\"\n\
         file = \"cheapest.json\"\ngrain = [\"product_id\"]\n\n[contract]\n\
         product_id = \"bigint not null\"\nprice = \"decimal(10,2) not null\"\n",
    ),
    (
        "sql/cheapest/cheapest.sql",
        "-- cheapest: one row per product_id: its lowest price.\n\
         select\n    product_id,\n    min(price) as price\nfrom prices\ngroup by product_id\n",
    ),
];

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Returns the screen of the sound project with these files in it.
async fn with(examples: &[Example]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in SOUND {
        write(folder.path(), file, text);
    }
    for example in examples {
        write(folder.path(), &example.file, &example.text);
    }
    screen(folder.path()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_example_has_its_fault_and_every_right_one_has_none() {
    for code in Code::ALL {
        let page = code.page();
        if WITHOUT_EXAMPLE.contains(code) {
            assert!(page.wrong.is_empty(), "{code}: its example can be tested");
            continue;
        }
        let wrong = with(&page.wrong).await;
        assert!(
            has(&wrong, *code),
            "{code}: the wrong example says\n{wrong}"
        );
        let right = with(&page.right).await;
        assert_eq!(right, "", "{code}: the right example");
    }
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let said = World::new().run(&["explain", "unknown-column"]).ends(0);
    insta::assert_snapshot!(said.out, @"
    error[unknown-column]: A column that does not exist

    None of the relations read here has a column of this name, or a manifest names a column
    that its contract, dataset or table does not declare. A column given a name with `as` in a
    SELECT is not known in the WHERE of the same SELECT.

    Correct the name; a name in capitals needs double quotes.

    Wrong, in sql/cheapest/cheapest.sql:

        -- cheapest: one row per product_id.
        select
            product_id,
            min(prise) as price
        from prices
        group by product_id

    Right, in sql/cheapest/cheapest.sql:

        -- cheapest: one row per product_id.
        select
            product_id,
            min(price) as price
        from prices
        group by product_id
    ");
    assert_eq!(said.err, "");
}

#[test]
fn explain_lists_all_codes_with_their_titles() {
    let said = World::new().run(&["explain"]).ends(0);
    for code in Code::ALL {
        let id = format!("{code} ");
        let line = said.out.lines().find(|line| line.starts_with(&id));
        assert!(
            line.is_some_and(|line| line.ends_with(code.title())),
            "{code}"
        );
    }
}

#[test]
fn explain_suggests_the_nearest_code_of_an_unknown_one() {
    let said = World::new().run(&["explain", "unknown-colum"]).ends(2);
    assert_eq!(said.out, "");
    insta::assert_snapshot!(said.err, @"
    error: invalid value 'unknown-colum' for '[CODE]': there is no such code; did you mean `unknown-column`?

    For more information, try '--help'.
    ");
}

#[test]
fn explain_needs_no_sound_project() {
    let world = World::new();
    world.write("pricemill.toml", "[engine]\nmemroy = 1\n");
    world.write("pipelines/sources.toml", "[prices\n");
    let said = world.run(&["explain", "toml-syntax"]).ends(0);
    assert!(said.out.contains("not valid TOML"), "{}", said.out);
}

#[test]
fn explain_writes_json_and_other_forms() {
    let world = World::new();
    let one = world.run(&["explain", "cycle", "--output", "json"]).ends(0);
    let one: serde_json::Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(one["format_version"], 1);
    assert_eq!(one["command"], "explain");
    assert_eq!(one["codes"][0]["code"], "cycle");
    assert_eq!(one["codes"][0]["severity"], "error");
    assert_eq!(
        one["codes"][0]["wrong"][0]["file"],
        "sql/cheapest/prices.sql"
    );
    let all = world.run(&["explain", "--output", "json"]).ends(0);
    let all: serde_json::Value = serde_json::from_str(&all.out).unwrap();
    assert_eq!(all["codes"].as_array().unwrap().len(), Code::ALL.len());
    let lines = world.run(&["explain", "--output", "ndjson"]).ends(0);
    assert_eq!(lines.out.lines().count(), Code::ALL.len());
    let rows = world.run(&["explain", "--output", "csv"]).ends(0);
    assert!(
        rows.out.starts_with("code,severity,title\n"),
        "{}",
        rows.out
    );
    assert_eq!(rows.out.lines().count(), Code::ALL.len() + 1);
}
