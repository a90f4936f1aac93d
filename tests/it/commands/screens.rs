//! Each command once as it succeeds and once as it fails: the whole screen.
//!
//! `output` has those of the loop without faults, `failures` the forms of JSON.

use std::net::TcpListener;

use crate::support::{screen::screen, shop::small, world::World};

#[test]
fn demo_runs_the_whole_loop_in_a_new_folder() {
    let world = World::new();
    let said = world.run(&["demo", "shop"]).ends(0);
    let program = env!("CARGO_BIN_EXE_pricemill");
    screen!(said.err.replace(program, "pricemill"), @"
    a made-up country
    64 stores of four companies, 1,500 products, 49,454 prices
    load: CSV → database
    products: 1,500 inserted, 0 changed, 0 unchanged
    stores: 64 inserted, 0 changed, 0 unchanged
    prices: 49,454 inserted, 0 changed, 0 unchanged
    companies: 4 inserted, 0 changed, 0 unchanged
    divisions: 6 inserted, 0 changed, 0 unchanged
    brands: 94 inserted, 0 changed, 0 unchanged
    product_categories: 3,158 inserted, 0 changed, 0 unchanged
    categories: 28 inserted, 0 changed, 0 unchanged
    serve: the exports are at http://<server>/api/export/
    fetch: exports → snapshot
    prices: 49,454 rows
    products: 1,500 rows
    stores: 64 rows
    companies: 4 rows
    categories: 28 rows
    categories_with_products: 28 rows
    category_links: 0 rows
    snapshot <snapshot>
    generate: snapshot → SQL → outbox
    previous: no snapshot of http://<server>/ before <snapshot> has prices, stores; treated as empty
    history: no snapshot of http://<server>/ from a day before <snapshot> has prices; treated as empty
    bargains: 132 rows in <time>, committed as 000001-<hash>
    category-links: 42 rows in <time>, committed as 000001-<hash>
    company-comparison: 6 rows in <time>, committed as 000001-<hash>
    store-groups: 18 rows in <time>, committed as 000001-<hash>
    map: 1 rows in <time>, committed as 000001-<hash>
    popular-categories: 7 rows in <time>, committed as 000001-<hash>
    price-changes: 0 rows in <time>, committed as 000001-<hash>
    price-summaries: 1,489 rows in <time>, committed as 000001-<hash>
    substitutions: 2,012 rows in <time>, committed as 000001-<hash>
    super-categories: 4 rows in <time>, committed as 000001-<hash>
    true-bargains: 132 rows in <time>, committed as 000001-<hash>
    upload: outbox → inbox
    bargains: 000001-<hash>, 132 rows, uploaded to http://<server>
    category-links: 000001-<hash>, 42 rows, uploaded to http://<server>
    company-comparison: 000001-<hash>, 6 rows, uploaded to http://<server>
    store-groups: 000001-<hash>, 18 rows, uploaded to http://<server>
    map: skipped (`upload = false`)
    popular-categories: 000001-<hash>, 7 rows, uploaded to http://<server>
    price-changes: skipped (`upload = false`)
    price-summaries: 000001-<hash>, 1,489 rows, uploaded to http://<server>
    substitutions: 000001-<hash>, 2,012 rows, uploaded to http://<server>
    super-categories: 000001-<hash>, 4 rows, uploaded to http://<server>
    true-bargains: 000001-<hash>, 132 rows, uploaded to http://<server>
    update: inbox → database
    map: skipped, because it fills no table
    price-changes: skipped, because it fills no table
    bargains: 000001-<hash> applied
      bargains: 132 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    category-links: 000001-<hash> applied
      category_links: 42 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    company-comparison: 000001-<hash> applied
      company_comparison: 6 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    popular-categories: 000001-<hash> applied
      popular_categories: 7 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
      popular_category_members: 28 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    price-summaries: 000001-<hash> applied
      price_summaries: 1,489 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    store-groups: 000001-<hash> applied
      store_groups: 18 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
      store_group_members: 64 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    substitutions: 000001-<hash> applied
      substitutions: 2,012 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    super-categories: 000001-<hash> applied
      super_categories: 4 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
      super_category_categories: 24 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
      super_category_bargains: 129 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    true-bargains: 000001-<hash> applied
      bargain_verdicts: 132 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected

    the best bargains
    stores that price alike

    where things are
      shop/data/pricemill.db   the database, with the derived tables
      shop/data/snapshots/     Parquet, readable by any tool
      shop/data/outbox/        the artifacts with their manifests
      shop/sql/, pipelines/    the SQL and the manifests
    three things to try
      cd shop
      pricemill run bargains --min-ratio 2 change a number, and look at the counts
      pricemill show bargains --limit 3    its rows; then edit sql/bargains/ and look again
      pricemill status                     how far each pipeline has got
    fetched 7 datasets, generated 11, uploaded 9, applied 9, skipped 4, failed 0 in <time>
    ");
    screen!(said.out, @"
    +-------------------------------------------+----------+------------------------+---------+--------------+
    | product                                   | cheapest | at                     | dearest | percent_more |
    +-------------------------------------------+----------+------------------------+---------+--------------+
    | Sunflower oil organic sea salt Taviszo 1l | 1.05     | Birch & Sons, store 25 | 2.95    | 181.0        |
    | Dish soap rustic ginger Esteta 900 ml     | 1.79     | Alder, store 2         | 4.79    | 167.6        |
    | Spaghetti organic almond Maruka 1 kg      | 1.55     | Alder, store 1         | 4.05    | 161.3        |
    | Shampoo rustic Alpenhof 250ml             | 1.65     | Dogwood, store 54      | 3.95    | 139.4        |
    | Ground coffee light Valamran 500 g        | 3.95     | Birch & Sons, store 25 | 8.95    | 126.6        |
    +-------------------------------------------+----------+------------------------+---------+--------------+
    +--------------+--------+--------+
    | company      | stores | anchor |
    +--------------+--------+--------+
    | Alder        | 15     | 10     |
    | Birch & Sons | 13     | 30     |
    | Dogwood      | 10     | 56     |
    | Alder        | 6      | 4      |
    | Birch & Sons | 5      | 29     |
    | Alder        | 3      | 8      |
    | Cedar        | 1      | 43     |
    | Cedar        | 1      | 44     |
    +--------------+--------+--------+
    ");
    screen!(world.run(&["demo", "shop"]).ends(2).err, @"
    error: <world>/shop is not empty: it contains <file>
    help: name a folder that does not exist yet
    ");
}

#[test]
fn new_makes_a_project_in_a_new_folder() {
    let world = World::new();
    screen!(world.run(&["new", "shop"]).ends(0).err, @"
    created a new project in shop
    try: cd shop && pricemill check && pricemill test
    ");
    screen!(world.run(&["new", "shop"]).ends(2).err, @"
    error: <world>/shop is not empty: it contains <file>
    help: name a folder that does not exist yet
    ");
}

#[test]
fn fetch_needs_a_server_that_answers_and_datasets_that_there_are() {
    let world = small();
    screen!(world.run(&["fetch", "price"]).ends(2).err, @"
    error: there is no dataset `price`
    help: did you mean `prices`?
    ");
    screen!(world.run(&["fetch", "--profile", "prod"]).ends(2).err, @"
    error[unknown-profile]: unknown profile `prod`
     |
     = help: add [profile.prod] with a `server` to pricemill.toml

    for more about this error, try `pricemill explain unknown-profile`
    ");
}

#[test]
fn generate_needs_a_snapshot_and_parameters_in_their_bounds() {
    let world = small();
    let latest = ["generate", "bargains", "--snapshot", "latest"];
    screen!(world.run(&latest).ends(1).err, @"
    error: there is no snapshot with prices
    help: `pricemill fetch prices` creates one
    ");
    screen!(world.run(&["generate", "bargains", "--dry-run"]).ends(0).err, @"
    prices: 7 rows
    bargains: 1 rows in <time>; dry run, not committed
    generated 1, skipped 0, failed 0; 1 not committed in <time>
    ");
    screen!(world.run(&["generate", "bargains", "--min-ratio", "x"]).ends(2).err, @"error: parameter `min_ratio`: `x` is not a decimal(6,3) of 1 or more");
}

#[test]
fn upload_and_update_say_where_there_is_nothing_to_do() {
    let world = small();
    screen!(world.run(&["upload", "bargains"]).ends(0).err, @"
    bargains: skipped (nothing in the outbox; `pricemill generate bargains` makes an artifact)
    uploaded 0, skipped 1, failed 0 in <time>
    ");
    screen!(world.run(&["upload", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
    screen!(world.run(&["update", "bargains"]).ends(0).err, @"
    bargains: nothing pending in the inbox; `pricemill generate bargains` makes an artifact
    applied 0, skipped 1, failed 0 in <time>
    ");
    screen!(world.run(&["update", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
}

#[test]
fn run_is_every_step_and_stops_at_what_fails() {
    let world = small();
    screen!(world.run(&["run", "bargains"]).ends(0).err, @"
    prices: 7 rows
    bargains: 1 rows in <time>, committed as 000001-<hash>
    bargains: 000001-<hash>, 1 rows, uploaded to <world>/data/inbox
    bargains: 000001-<hash> applied
      bargains: 1 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    generated 1, uploaded 1, applied 1, skipped 0, failed 0 in <time>
    ");
    screen!(world.run(&["run", "bargains", "--min-ratio", "9"]).ends(3).err, @r#"
    prices: 7 rows
    error: bargains: check `empty`: no rows, though the last artifact has 1; if this is true, set `empty = "warn"`
    warning: bargains: check `change`: 0 rows, previously 1: a change of 100.0%, at most 50% allowed
    bargains: refused by its checks; nothing was committed
    generated 0, skipped 0, failed 1; 1 refused in <time>
    "#);
}

#[test]
fn check_and_lineage_need_pipelines_that_there_are() {
    let world = World::new();
    screen!(world.run(&["check", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
    screen!(world.run(&["lineage", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
}

#[test]
fn show_and_query_print_rows_or_what_is_wrong_with_the_argument() {
    let world = small();
    world.run(&["fetch", "prices", "stores"]).ends(0);
    screen!(world.run(&["show", "prices", "--limit", "2"]).ends(0).out, @"
    +------------+----------+-------+-----------------+--------------+-----+
    | product_id | store_id | price | price_record_id | scraped_date | sku |
    +------------+----------+-------+-----------------+--------------+-----+
    | 1          | 1        | 1.00  | 1               | 2026-11-01   |     |
    | 1          | 2        | 1.00  | 2               | 2026-11-01   |     |
    +------------+----------+-------+-----------------+--------------+-----+
    ");
    screen!(world.run(&["show", "pricse"]).ends(2).err, @"
    error[unknown-relation]: there is no relation `pricse`
     --> RELATION:1:1
      |
    1 | pricse
      | ^^^^^^ unknown relation
      |
      = help: did you mean `prices`?

    for more about this error, try `pricemill explain unknown-relation`
    ");
    screen!(world.run(&["show", "prices", "--where", "price >"]).ends(2).err, @"
    error[syntax]: expected: an expression, found: the end of the SQL
     --> --where:1:8
      |
    1 | price >
      |        ^ here

    for more about this error, try `pricemill explain syntax`
    ");
    screen!(world.run(&["show", "prices", "--where", "prise > 1"]).ends(2).err, @"
    error[unknown-column]: there is no column `prise`
     --> --where:1:1
      |
    1 | prise > 1
      | ^^^^^ unknown column
      |
      = help: did you mean `price`?

    for more about this error, try `pricemill explain unknown-column`
    ");
    screen!(world.run(&["query", "select count(*) as n from stores"]).ends(0).out, @"
    +---+
    | n |
    +---+
    | 3 |
    +---+
    ");
    screen!(world.run(&["query", "select count(* from stores"]).ends(2).err, @"
    error[syntax]: expected: ), found: from
     --> query:1:16
      |
    1 | select count(* from stores
      |                ^^^^ here

    for more about this error, try `pricemill explain syntax`
    ");
    screen!(world.run(&["query", "select cuont(*) from stores"]).ends(2).err, @"
    error[unknown-function]: there is no function `cuont`
     --> query:1:8
      |
    1 | select cuont(*) from stores
      |        ^^^^^ unknown function
      |
      = help: did you mean `cot`?

    for more about this error, try `pricemill explain unknown-function`
    ");
    screen!(world.run(&["query", "drop table stores"]).ends(2).err, @"
    error[not-a-select]: a model is a SELECT, not DROP
     --> query:1:1
      |
    1 | drop table stores
      | ^^^^ not allowed here
      |
      = help: SQL only reads; the manifest declares what is written

    for more about this error, try `pricemill explain not-a-select`
    ");
}

#[test]
fn test_shows_the_difference_of_rows() {
    let world = World::new();
    world.run(&["new", "shop"]).ends(0);
    let wrong = "query I\nselect count(*) from bargains\n----\n7\n";
    world.write("shop/tests/sql/bargains/wrong.slt", wrong);
    screen!(world.run_in("shop", &["test", "bargains"]).ends(1).err, @"
    pass tests/sql/bargains/bargains.slt (6 records)
    pass tests/sql/bargains/checks.slt (2 records)
    pass tests/sql/bargains/extremes.slt (3 records)
    pass tests/sql/bargains/updates.slt (2 records)
    FAIL tests/sql/bargains/wrong.slt:1
    query result mismatch:
    (-expected|+actual)
    -   7
    +   0
    passed 4, skipped 0, failed 1 in <time>
    ");
}

#[test]
fn status_is_a_table_of_hops() {
    let world = small();
    screen!(world.run(&["status", "bargains", "--runs", "1"]).ends(0).out, @"
    pipeline  generated  rows  age  uploaded  received  received_rows  state  applied  applied_rows
    bargains  -          -     -    -         -         -              -      -        -

    run                   command      took   exit  error
    <instant>  load export  <time>  0
    ");
    screen!(world.run(&["status", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
}

#[test]
fn load_lists_the_rows_at_fault() {
    let world = small();
    world.write(
        "more/prices.csv",
        "product_id,store_id,price\n1,9,x\n1,1,2.00\n",
    );
    screen!(world.run(&["load", "more"]).ends(3).err, @"
    error: 1 row cannot be loaded
      <world>/more/prices.csv, line 2, column `price`: must be a number like 12.50, not `x`
    help: nothing was loaded: correct these rows and load again
    ");
    world.write("other/price.csv", "product_id,store_id,price\n");
    screen!(world.run(&["load", "other/price.csv"]).ends(2).err, @"
    error: <world>/other/price.csv: no table has that name
    help: did you mean `prices`?
    ");
    screen!(world.run(&["load", "nowhere"]).ends(1).err, @"error: could not read <world>/nowhere: No such file or directory (os error 2)");
}

#[test]
fn synth_makes_up_files() {
    let world = World::new();
    let synth = ["synth", "--prices", "1000", "--out", "made"];
    screen!(world.run(&synth).ends(0).err, @"
    synth 1000 prices seed 1: 917 prices of 103 products in 18 stores
    prices: 917 rows
    products: 103 rows
    stores: 18 rows
    companies: 4 rows
    categories: 748 rows
    categories_with_products: 748 rows
    category_links: 790 rows
    made 7 datasets in <time>
    ");
    screen!(world.run(&synth).ends(1).err, @"
    synth 1000 prices seed 1: 917 prices of 103 products in 18 stores
    error: could not write <world>/made/prices.parquet: entity already exists
    help: name another folder, or remove the file
    ");
    screen!(world.run(&["synth"]).ends(2).err, @"
    error: the following required arguments were not provided:
      <--snapshot|--out <DIR>|--database>

    Usage: pricemill synth <--snapshot|--out <DIR>|--database>

    For more information, try '--help'.
    ");
}

#[test]
fn serve_needs_a_port_of_its_own() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let world = World::new();
    screen!(world.run(&["serve", "--listen", &address]).ends(1).err, @"
    error: could not listen on <server>: Address already in use (os error 98)
    help: choose a free address with --listen
    ");
}

#[test]
fn completions_are_of_a_known_shell() {
    let world = World::new();
    let bash = world.run(&["completions", "bash"]).ends(0);
    assert!(bash.out.contains("--min-ratio"), "the project's own flags");
    screen!(world.run(&["completions", "bsh"]).ends(2).err, @"
    error: invalid value 'bsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'bash'

    For more information, try '--help'.
    ");
}

#[test]
fn docs_and_explain_are_of_known_names() {
    let world = World::new();
    screen!(world.run(&["docs", "--output", "csv"]).ends(0).out, @r#"
    page,title
    tutorial,"A pipeline from nothing, in ten minutes"
    how-to,"Recipes: queries, parameters, seeds, checks, tests, pages"
    pipelines,What the shipped pipelines compute
    sql,"The SQL of models: values, differences, what is refused"
    sql-functions,"All SQL functions, with examples"
    functions,"pricemill's own SQL functions, and embedding models"
    coming-from,"If you come from DuckDB, PostgreSQL, SQLite or dbt"
    manifest,The keys of manifests and of sources.toml
    commands,"All commands, profiles, exit codes"
    output,"What commands print: formats, fields, words"
    settings,The keys of pricemill.toml
    formats,"The files of a project, the data folder, format versions"
    large-data,"Memory, temporary space, made-up data of any size"
    peers,"Benchmarks against DuckDB, Polars and Python"
    "#);
    screen!(world.run(&["docs", "tutorail"]).ends(2).err, @"
    error: invalid value 'tutorail' for '[PAGE]'
      [possible values: tutorial, how-to, pipelines, sql, sql-functions, functions, coming-from, manifest, commands, output, settings, formats, large-data, peers]

      tip: a similar value exists: 'tutorial'

    For more information, try '--help'.
    ");
    screen!(world.run(&["explain", "unknown-colum"]).ends(2).err, @"
    error: invalid value 'unknown-colum' for '[CODE]': there is no such code; did you mean `unknown-column`?

    For more information, try '--help'.
    ");
}

#[test]
fn the_record_of_a_run_holds_what_the_report_says() {
    let world = small();
    let report = world
        .run(&["generate", "bargains", "--output", "ndjson"])
        .ends(0);
    let mut item: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    item.as_object_mut().unwrap().remove("format_version");
    let mut runs = crate::support::world::files(&world.path("data/runs"));
    runs.sort();
    let (_, bytes) = runs.last().unwrap();
    let run: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let mut steps = run["steps"].as_array().unwrap().iter();
    let mut step = steps
        .find(|step| step["step"] == "generate")
        .unwrap()
        .clone();
    step.as_object_mut().unwrap().remove("step");
    assert_eq!(step, item);
    assert_eq!(item["models"][0]["model"], "bargains");
}
