//! The whole loop, end to end: the commands as processes over real sockets.

use crate::support::{
    data,
    screen::screen,
    shop::{PRICES, STORES, small},
    world::{KEY, World, files},
};

const BOTH: [&str; 3] = ["--bargains", "--store-groups", "--dev"];

fn with<'a>(command: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    [&[command], flags].concat()
}

#[test]
fn prices_go_all_the_way_round_and_a_second_turn_changes_nothing() {
    let mut world = small();
    let server = world.serve();
    screen!(world.run(&with("generate", &BOTH)).ends(0).err, @"
    prices: 7 rows
    stores: 3 rows
    bargains: 1 rows in <time>, committed as 000001-<hash>
    store-groups: 3 rows in <time>, committed as 000001-<hash>
    generated 2, skipped 0, failed 0 in <time>
    ");
    world.run(&with("upload", &BOTH)).ends(0);
    world.run(&with("update", &BOTH)).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
    assert_eq!(world.number("select count(*) from store_groups"), 3);
    assert_eq!(world.number("select count(*) from store_group_members"), 3);
    assert_eq!(
        world.number("select most_expensive_price_record_id from bargains"),
        3
    );

    screen!(world.run(&with("generate", &BOTH)).ends(0).err, @"
    prices: 7 rows
    stores: 3 rows
    bargains: 1 rows in <time>, unchanged since 000001-<hash>
    store-groups: 3 rows in <time>, unchanged since 000001-<hash>
    generated 2, skipped 0, failed 0; 2 unchanged in <time>
    ");
    screen!(world.run(&with("upload", &BOTH)).ends(0).err, @"
    bargains: 000001-<hash> is already uploaded to http://<server>
    store-groups: 000001-<hash> is already uploaded to http://<server>
    uploaded 0, skipped 0, failed 0; 2 already uploaded in <time>
    ");
    let before = world.number("select total_changes()");
    screen!(world.run(&with("update", &BOTH)).ends(0).err, @"
    bargains: nothing pending in the inbox; artifact 1 is applied
    store-groups: nothing pending in the inbox; artifact 1 is applied
    applied 0, skipped 2, failed 0 in <time>
    ");
    assert_eq!(world.number("select total_changes()"), before);
    assert_eq!(world.number("select count(*) from applied_artifacts"), 2);
    server.stop();
}

#[test]
fn prices_that_go_there_and_back_arrive() {
    let mut world = small();
    let _server = world.serve();
    let turn = ["--bargains", "--dev"];
    let prices = |price: &str| PRICES.replace("1,3,1.51", &format!("1,3,{price}"));
    for (price, percent) in [("1.51", 51), ("1.60", 60), ("1.51", 51)] {
        world.write("export/prices.csv", &prices(price));
        world.run(&["load", "export/prices.csv"]).ends(0);
        for command in ["generate", "upload", "update"] {
            world.run(&with(command, &turn)).ends(0);
        }
        let found =
            world.number("select cast(round(percentage_difference) as integer) from bargains");
        assert_eq!(found, percent, "after {price}");
    }
}

#[test]
fn without_a_server_the_loop_goes_through_the_database_and_the_local_inbox() {
    let world = small();
    world.run(&["run", "--bargains"]).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
    world
        .run(&["run", "--bargains", "--min-ratio", "1.499"])
        .ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 2);
}

#[test]
fn paged_json_gives_the_same_artifacts_as_the_columnar_form() {
    let mut world = small();
    world.set("PRICEMILL_SERVE_PAGE_SIZE", "2");
    let _server = world.serve();
    world.run(&with("generate", &BOTH)).ends(0);
    world.set("PRICEMILL_FETCH_COLUMNAR", "false");
    screen!(world.run(&with("generate", &BOTH)).ends(0).err, @"
    prices: 7 rows
    stores: 3 rows
    bargains: 1 rows in <time>, unchanged since 000001-<hash>
    store-groups: 3 rows in <time>, unchanged since 000001-<hash>
    generated 2, skipped 0, failed 0; 2 unchanged in <time>
    ");
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let mut world = small();
    let _server = world.serve();
    world.run(&with("generate", &BOTH)).ends(0);
    world.run(&with("upload", &BOTH)).ends(0);
    world
        .run(&["update", "--bargains", "--dev", "--dry-run"])
        .ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 0);
    world.run(&["update", "--bargains", "--dev"]).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
}

#[test]
fn rows_that_refer_to_nothing_are_listed_even_when_all_is_refused() {
    let world = small();
    world.run(&["generate", "bargains"]).ends(0);
    world.run(&["upload", "bargains"]).ends(0);
    let database = rusqlite::Connection::open(world.path("data/pricemill.db")).unwrap();
    let gone = "pragma foreign_keys = on; delete from products where id = 1";
    database.execute_batch(gone).unwrap();
    let said = world.run(&["update", "bargains"]).ends(3);
    let listed = said.err.split("rejected rows are in ").nth(1).unwrap();
    let rows = std::fs::read_to_string(listed.lines().next().unwrap()).unwrap();
    assert!(rows.contains("product_id"), "{rows}");
    assert!(said.err.contains("--accept change"), "{}", said.err);
}

#[test]
fn an_archive_gives_the_same_tables_back() {
    let world = small();
    world.run(&["run", "--bargains", "--store-groups"]).ends(0);
    world.run(&["generate", "--archive"]).ends(0);
    let database = rusqlite::Connection::open(world.path("data/pricemill.db")).unwrap();
    database
        .execute_batch("delete from bargains; update prices set price_cents = 1")
        .unwrap();
    world.run(&["update", "--archive", "--yes"]).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
    assert_eq!(world.number("select max(price_cents) from prices"), 900);
}

#[test]
fn each_mistake_has_its_own_words_and_exit_code() {
    let mut world = small();
    screen!(world.run(&["generate", "bargans"]).ends(2).err, @"
    error: there is no pipeline `bargans`
    help: did you mean `bargains`?
    ");
    screen!(world.run(&["generate", "--bargans"]).ends(2).err, @"
    error: unexpected argument '--bargans' found

      tip: a similar argument exists: '--bargains'

    Usage: pricemill generate --bargains [PIPELINE]...

    For more information, try '--help'.
    ");
    screen!(world.run(&["generate", "--bargains", "--min-ratio", "0.5"]).ends(2).err, @"error: parameter `min_ratio`: `0.5` is not a decimal(6,3) of 1 or more");
    // Nothing listens there.
    world.set("PRICEMILL_PROFILE_DEV_SERVER", "http://127.0.0.1:9");
    world.set("PRICEMILL_FETCH_PATIENCE", "100ms");
    world.run(&["generate", "--bargains", "--dev"]).ends(75);
    let _server = world.serve();
    world.run(&["generate", "--bargains", "--dev"]).ends(0);
    world.set("INTERNAL_API_KEY", "wrong");
    screen!(world.run(&["upload", "--bargains", "--dev"]).ends(1).err, @"
    error: http://<server>: the server rejected the key (status 401)
    help: set INTERNAL_API_KEY to a key that the server accepts
    bargains: 000001-<hash> failed, and stays in the outbox
    uploaded 0, skipped 0, failed 1 in <time>
    ");
    world.set("INTERNAL_API_KEY", KEY);
    world.run(&["upload", "--bargains", "--dev"]).ends(0);
}

#[test]
fn a_mistake_in_the_project_names_its_place() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    let sql = std::fs::read_to_string(world.path("shop/sql/bargains/extremes.sql")).unwrap();
    world.write(
        "shop/sql/bargains/extremes.sql",
        &sql.replace("product_id", "produkt_id"),
    );
    screen!(world.run_in("shop", &["check", "bargains"]).ends(2).err, @"
    error[unknown-column]: there is no column `produkt_id`
     --> sql/bargains/extremes.sql:5:5
      |
    5 |     produkt_id,
      |     ^^^^^^^^^^ unknown column
      |
      = help: did you mean `product_id`?

    for more about this error, try `pricemill explain unknown-column`
    checked 1 pipeline, 1 error in <time>
    ");
    world.write("shop/sql/bargains/extremes.sql", &sql);
    let manifest = std::fs::read_to_string(world.path("shop/pipelines/bargains.toml")).unwrap();
    world.write(
        "shop/pipelines/bargains.toml",
        &format!("outputt = \"x\"\n{manifest}"),
    );
    screen!(world.run_in("shop", &["check"]).ends(2).err, @r#"
    error[unknown-key]: a pipeline has no key `outputt`
     --> pipelines/bargains.toml:1:1
      |
    1 | outputt = "x"
      | ^^^^^^^ unknown key
      |
      = help: did you mean `output`?

    warning: bargains is left out: pipelines/bargains.toml:1:1: a pipeline has no key `outputt`
    warning: super-categories is left out, because bargains, which it reads, is
    for more about this error, try `pricemill explain unknown-key`
    checked 9 pipelines, 1 error in <time>
    "#);
}

#[test]
fn show_and_query_take_parameters_of_what_they_read() {
    let world = small();
    world.run(&["generate", "--bargains"]).ends(0);
    let rows = |arguments: &[&str]| world.run(arguments).ends(0).out.lines().count();
    let show = ["show", "bargains", "--output", "ndjson"];
    assert_eq!(rows(&show), 1);
    assert_eq!(rows(&with_param(&show, "min_ratio=1.6")), 0);
    let query = ["query", "select * from bargains", "--output", "ndjson"];
    assert_eq!(rows(&with_param(&query, "bargains.min_ratio=1.4")), 2);
    let none = with_param(&["show", "prices"], "min_ratio=2");
    screen!(world.run(&none).ends(2).err, @"error: parameter `min_ratio` belongs to `bargains`, which is not involved here");
}

fn with_param<'a>(arguments: &[&'a str], param: &'a str) -> Vec<&'a str> {
    [arguments, &["--param", param]].concat()
}

#[test]
fn an_outbox_that_cannot_be_written_loses_nothing() {
    // A file where the outbox's folder should be fails as a full disk does: at the write.
    let world = small();
    world.write("data/outbox", "in the way");
    world.run(&["generate", "--bargains"]).ends(1);
    std::fs::remove_file(world.path("data/outbox")).unwrap();
    world
        .run(&["generate", "--bargains", "--snapshot", "latest"])
        .ends(0);
}

#[test]
fn the_loop_on_the_real_prices() {
    let Some(hr) = data::folder("hr") else { return };
    let mut world = World::new();
    world.run(&["load", hr.to_str().unwrap()]).ends(0);
    assert_eq!(world.number("select count(*) from prices"), 856_502);
    let server = world.serve();
    for command in ["generate", "upload", "update"] {
        world.run(&with(command, &BOTH)).ends(0);
    }
    assert_eq!(world.number("select count(*) from bargains"), 4_544);
    let sum = "select cast(round(sum(percentage_difference) * 100) as integer) from bargains";
    assert_eq!(world.number(sum), 65_923_631);
    assert_eq!(world.number("select count(*) from store_groups"), 18);
    let sizes = "select count(*) from (select count(*) as stores from store_group_members \
                 group by group_id having stores in (64, 48))";
    assert_eq!(world.number(sizes), 2);
    world.run(&with("upload", &BOTH)).ends(0).tells("already");
    world.run(&with("update", &BOTH)).ends(0).tells("nothing");
    world
        .run(&with("generate", &BOTH))
        .ends(0)
        .tells("unchanged");
    world.run(&["status", "--output", "json"]).ends(0);
    server.stop();
    let leaked = files(&world.path("data")).into_iter().find(|(_, bytes)| {
        bytes
            .windows(KEY.len())
            .any(|window| window == KEY.as_bytes())
    });
    assert_eq!(leaked.map(|(path, _)| path), None, "the key lies in a file");
}

#[test]
fn stores_alone_group_by_geography() {
    let Some(au) = data::folder("au") else { return };
    let world = World::new();
    world
        .run(&["load", au.join("stores.csv").to_str().unwrap()])
        .ends(0);
    world
        .run(&["run", "store-groups", "--param", "method=geography"])
        .ends(0)
        .tells("`stores_without_coordinates`: 10 bad rows");
    assert_eq!(world.number("select count(*) from store_groups"), 875);
    let clusters = "select count(*) from (select 1 from store_group_members \
                    group by group_id having count(*) > 1)";
    assert_eq!(world.number(clusters), 183);
}

#[test]
fn a_pipeline_that_is_refused_goes_no_further_and_a_check_may_only_warn() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    world.run_in("shop", &["load", "../export"]).ends(0);
    let rule = "shop/sql/bargains/checks/no_cheap_store.sql";
    world.write(rule, "select product_id from bargains where store_id = 1");
    screen!(world.run_in("shop", &["run", "bargains"]).ends(3).err, @"
    prices: 7 rows
    error: bargains: check `no_cheap_store`: 1 bad row
    +------------+
    | product_id |
    +------------+
    | 1          |
    +------------+
    bargains: refused by its checks; nothing was committed
    generated 0, skipped 0, failed 1; 1 refused in <time>
    ");
    assert!(!world.path("shop/data/inbox/bargains").exists());
    let manifest = std::fs::read_to_string(world.path("shop/pipelines/bargains.toml")).unwrap();
    let rows = "empty = \"error\"";
    let warned = manifest.replace(
        rows,
        &format!("{rows}\nno_cheap_store = {{ severity = \"warn\" }}"),
    );
    world.write("shop/pipelines/bargains.toml", &warned);
    screen!(world.run_in("shop", &["run", "bargains"]).ends(0).err, @"
    prices: 7 rows
    warning: bargains: check `no_cheap_store`: 1 bad row
    +------------+
    | product_id |
    +------------+
    | 1          |
    +------------+
    bargains: 1 rows in <time>, committed as 000001-<hash>
    bargains: 000001-<hash>, 1 rows, uploaded to <world>/shop/data/inbox
    bargains: 000001-<hash> applied
      bargains: 1 inserted, 0 changed, 0 unchanged, 0 deleted, 0 rejected
    generated 1, uploaded 1, applied 1, skipped 0, failed 0; 1 warning in <time>
    ");
    world.write(
        "shop/pipelines/bargains.toml",
        &warned.replace("no_cheap_store", "no_cheap_stor"),
    );
    screen!(world.run_in("shop", &["check"]).ends(2).err, @r#"
    error[unknown-check]: there is no check `no_cheap_stor`
      --> pipelines/bargains.toml:21:1
       |
    21 | no_cheap_stor = { severity = "warn" }
       | ^^^^^^^^^^^^^ no such check
       |
       = help: did you mean `no_cheap_store`?

    warning: bargains is left out: pipelines/bargains.toml:21:1: there is no check `no_cheap_stor`
    warning: super-categories is left out, because bargains, which it reads, is
    for more about this error, try `pricemill explain unknown-check`
    checked 9 pipelines, 1 error in <time>
    "#);
}

#[test]
fn a_refused_artifact_is_told_with_the_command_that_accepts_it() {
    let world = World::new();
    let ids = || (1..=9).map(|id| id.to_string());
    let products = ids().map(|id| format!("{id},Milk,Dairy Co,1l,{id},Dairy\n"));
    let prices = ids().map(|id| format!("{id},1,1.00\n{id},2,{id}.90\n"));
    let header = "id,name,brand,size,barcode,category\n".to_owned();
    world.write("export/stores.csv", STORES);
    world.write(
        "export/products.csv",
        &(header + &products.collect::<String>()),
    );
    let header = "product_id,store_id,price\n".to_owned();
    world.write("export/prices.csv", &(header + &prices.collect::<String>()));
    world.run(&["load", "export"]).ends(0);
    world.run(&["run", "bargains"]).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 9);
    let said = world.run(&["run", "bargains", "--min-ratio", "9"]).ends(3);
    let (_, told) = said
        .err
        .split_once("if this is intended: pricemill ")
        .unwrap();
    let told = told.lines().next().unwrap().to_owned();
    world
        .run(&["update", "bargains"])
        .ends(0)
        .tells("was refused before: only 1 rows");
    assert!(world.run(&["status"]).ends(0).out.contains("refused"));
    let command: Vec<_> = told.split(' ').collect();
    world.run(&command).ends(0);
    assert_eq!(world.number("select count(*) from bargains"), 1);
}

#[test]
fn check_knows_the_tables_that_an_update_fills_and_refers_to() {
    let world = small();
    world.run(&["new", "shop"]).ends(0);
    let path = "shop/pipelines/bargains.toml";
    let manifest = std::fs::read_to_string(world.path(path)).unwrap();
    let cases = [
        ("products.id", "product.id", 2, "did you mean `products`?"),
        ("stores.id", "stores.ids", 2, "did you mean `id`?"),
        (
            "table = \"bargains\"",
            "table = \"bargans\"",
            0,
            "did you mean `bargains`?",
        ),
        (
            "table = \"bargains\"",
            "table = \"applied_artifacts\"",
            2,
            "one of pricemill's own tables",
        ),
        (
            "table = \"bargains\"",
            "table = \"stores\"",
            2,
            "the update has no value for `stores.",
        ),
    ];
    for (there, wrong, code, help) in cases {
        world.write(path, &manifest.replace(there, wrong));
        let said = world.run_in("shop", &["check", "bargains"]).ends(code);
        assert!(
            said.err.contains("pipelines/bargains.toml:"),
            "{}",
            said.err
        );
        assert!(said.err.contains(help), "{wrong}: {}", said.err);
    }
}
