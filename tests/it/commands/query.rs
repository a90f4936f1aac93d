//! What `query` says beside its rows: what it does not mean, and which row fails.

use futures::TryStreamExt;
use pricemill::{
    chain::chain,
    config::EngineConfig,
    generate::Outcome,
    workbench::{self, Query, Rows},
};

use crate::{
    stages::generate::World,
    support::{screen::screen, shop::small},
};

async fn asked(world: &World, sql: &str) -> Result<Rows, String> {
    let project = world.project();
    let snapshot = world.snapshot();
    let job = Query {
        project: &project,
        bindings: &project.bind(&[], &[]).unwrap(),
        snapshot: Some(&snapshot),
        previous: None,
        history: &[],
        given: &[],
        now: snapshot.manifest.fetched_at,
        config: &EngineConfig::default(),
    };
    let rows = workbench::query(job, sql, None).await;
    rows.map_err(|error| chain(&error))
}

/// Returns why a query fails while it runs.
async fn failure(world: &World, sql: &str) -> String {
    let mut rows = match asked(world, sql).await {
        Ok(rows) => rows,
        Err(said) => return said,
    };
    let collected = (&mut rows.stream).try_collect::<Vec<_>>().await;
    chain(&rows.failed(collected.unwrap_err()).await)
}

#[tokio::test]
async fn a_query_that_fails_names_the_row() {
    let world = World::new();
    for (sql, says) in [
        (
            "select 1 / (price - 0.50) as x from prices",
            "query:1:13, in the row product_id = 4, store_id = 13, price = 0.50: a number is divided by zero: write `nullif(divisor, 0)`",
        ),
        (
            "select product_id\nfrom prices as p\nwhere cast(p.price as bigint) / (p.store_id - 13) > 1",
            "query:3:12, in the row product_id = 4, store_id = 13, price = 0.50: a number is divided by zero: write `nullif(divisor, 0)`",
        ),
        (
            "select cast(name as bigint) as x from cheapest.shops",
            "query:1:13, in the row store_id = 11, name = 'Corner \"A\"': `Corner \"A\"` is not a bigint",
        ),
        (
            "select sum(9223372036854775000 + store_id * 100) as x from prices where product_id = 1",
            "query:1:34, in the row product_id = 1, store_id = 11: 9223372036854775000 + 1100 is beyond the range of its type; cast to a decimal before `+`",
        ),
        (
            "select max(case when name <> '' then cast(name as date) end) as x from (select * from cheapest.shops) as s",
            "query:1:43, in the row store_id = 11, name = 'Corner \"A\"': `Corner \"A\"` is not a date",
        ),
        (
            "select cast('x' as bigint) as x from prices",
            "query:1:13: `x` is not a bigint",
        ),
    ] {
        assert_eq!(failure(&world, sql).await, says, "{sql}");
    }
}

#[tokio::test]
async fn a_model_or_a_check_that_fails_names_the_row() {
    let world = World::new();
    world.file(
        "sql/doubled/doubled.sql",
        "-- doubled: one row per product_id.\nselect\n    product_id,\n    cast(price / (price - 0.50) as decimal(12,2)) as price\nfrom cheapest\n",
    );
    let made = world.generate(&["doubled"], &[]).await;
    let Outcome::Failed(error) = &made[1].outcome else {
        panic!("{:?}", made[1].outcome);
    };
    assert_eq!(
        chain(error),
        "sql/doubled/doubled.sql:4:10 (model `doubled` of doubled), in the row product_id = 4, price = 0.50: a number is divided by zero: write `nullif(divisor, 0)`"
    );
    world.file(
        "sql/doubled/doubled.sql",
        "-- doubled: one row per product_id.\nselect product_id, price * 2 as price from cheapest\n",
    );
    world.file(
        "sql/doubled/checks/low.sql",
        "select product_id from doubled\nwhere 1 / (product_id - 3) > 9\n",
    );
    let made = world.generate(&["doubled"], &[]).await;
    let Outcome::Failed(error) = &made[1].outcome else {
        panic!("{:?}", made[1].outcome);
    };
    assert_eq!(
        chain(error),
        "sql/doubled/checks/low.sql:2:12 (check `low` of doubled), in the row product_id = 3: a number is divided by zero: write `nullif(divisor, 0)`"
    );
}

#[tokio::test]
async fn a_record_of_a_test_that_fails_names_its_line_and_the_row() {
    let world = World::new();
    world.file(
        "tests/sql/cheapest/lows.slt",
        "statement ok\ncreate table prices as select * from (values (1, 11, 2.5), (1, 12, 3)) as t (product_id, store_id, price)\n\nquery I\nselect\n  1 / (store_id - 12) as x\nfrom prices\n----\n1\n",
    );
    let project = world.project();
    let pipelines = project.select(&["cheapest".into()]).unwrap();
    let tested = workbench::test(&project, &pipelines, false).await.unwrap();
    assert_eq!(
        tested[0].failure.as_ref().unwrap().message,
        "tests/sql/cheapest/lows.slt:6:8, in the row product_id = 1, store_id = 12, price = 3.00: a number is divided by zero: write `nullif(divisor, 0)`"
    );
}

#[test]
fn what_a_query_does_not_mean_is_reported_beside_its_rows() {
    let world = small();
    world.run(&["fetch", "prices", "stores"]).ends(0);
    let said = world
        .run(&[
            "query",
            "select product_id from prices\nwhere price = null or price > 8 limit 1",
            "--output",
            "csv",
        ])
        .ends(0);
    assert_eq!(said.out, "product_id\n3\n");
    screen!(said.err, @"
    warning[unordered-limit]: LIMIT without ORDER BY may take different rows each time
     --> query:2:33
      |
    2 | where price = null or price > 8 limit 1
      |                                 ^^^^^ takes any rows
      |
      = help: add an `order by` on a unique key before it

    warning[null-comparison]: `= null` never holds, not even for null
     --> query:2:15
      |
    2 | where price = null or price > 8 limit 1
      |               ^^^^ never holds
      |
      = help: write `price is null`
    ");
    let said = world
        .run(&["show", "prices", "--where", "price = null"])
        .ends(0);
    screen!(said.err, @"
    warning[null-comparison]: `= null` never holds, not even for null
     --> --where:1:9
      |
    1 | price = null
      |         ^^^^ never holds
      |
      = help: write `price is null`

    no row of `prices` matches --where
    help: `pricemill show prices` shows rows without it
    ");
    let quiet = world.run(&["query", "select id from stores limit 1", "--quiet"]);
    assert_eq!(quiet.ends(0).err, "");
    // What the models say is reported by `check`.
    let sound = world.run(&["query", "select id, id % 2 as y from stores"]);
    assert_eq!(sound.ends(0).err, "");
}
