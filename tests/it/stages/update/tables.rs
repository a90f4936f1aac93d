//! What tables become: groups, links, tables of a pipeline's own.

use super::*;

#[tokio::test]
async fn store_groups_become_groups_and_members_in_one_go() {
    let world = World::new().await;
    let groups = "[\n{\"company\":\"Konzum\",\"stores\":[4,3]},\n{\"company\":\"Lidl\",\"stores\":[1]},\n{\"company\":\"Lidl\",\"stores\":[2]}\n]\n";
    world.receive("store-groups", 1, groups).await;
    let updated = world.update("store-groups").await;
    assert!(
        matches!(&updated.outcome, Outcome::Applied(tables) if tables.len() == 2),
        "{updated:?}"
    );
    insta::assert_snapshot!(world.rows("store_groups").await, @r"
    +----+---------+--------+-----------+---------+
    | id | company | anchor | is_active | status  |
    +----+---------+--------+-----------+---------+
    | 1  | 1       | 1      | true      | healthy |
    | 2  | 1       | 2      | true      | healthy |
    | 4  | 2       | 4      | true      | healthy |
    +----+---------+--------+-----------+---------+
    ");
    let moved = groups.replace("[4,3]", "[3,4]");
    world.receive("store-groups", 2, &moved).await;
    let updated = world.update("store-groups").await;
    let Outcome::Applied(tables) = &updated.outcome else {
        panic!("{updated:?}")
    };
    assert_eq!(told(&tables[0]), [1, 0, 2, 1, 0]);
    assert_eq!(told(&tables[1]), [0, 2, 2, 0, 0]);
    insta::assert_snapshot!(world.rows("store_group_members").await, @r"
    +----------+----------+
    | store_id | group_id |
    +----------+----------+
    | 1        | 1        |
    | 2        | 2        |
    | 3        | 3        |
    | 4        | 3        |
    +----------+----------+
    ");
}

#[tokio::test]
async fn a_company_the_database_does_not_know_is_a_rejected_row() {
    let world = World::new().await;
    let groups = "[\n{\"company\":\"Spar\",\"stores\":[1]}\n]\n";
    world.receive("store-groups", 1, groups).await;
    let updated = world.update("store-groups").await;
    assert!(
        failed(&updated)
            .to_string()
            .contains("company: must not be null"),
        "{updated:?}"
    );
}

#[tokio::test]
async fn links_to_a_bargain_that_stands_survive_a_later_update() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1, 2, 3], 1)).await;
    let _ = world.update("bargains").await;
    world.sql(
        "insert into super_categories values ('Drinks');
         insert into super_category_bargains values ('Drinks', 1, 1), ('Drinks', 2, 1);",
    );
    world.receive("bargains", 2, &bargains([2, 3, 4], 2)).await;
    let _ = world.update("bargains").await;
    let links = world.rows("super_category_bargains").await;
    assert!(
        links.contains("| Drinks         | 2 ") && !links.contains("| 1          |"),
        "{links}"
    );
}

#[tokio::test]
async fn a_table_the_schema_does_not_have_is_made_from_the_contract() {
    let world = World::with(&[MARGINS, MARGINS_SQL]).await;
    world
        .receive(
            "margins",
            1,
            "product_id,margin,seen_on\n1,0.125,2026-01-31\n2,12,\n77,1,\n",
        )
        .await;
    let updated = world.update("margins").await;
    assert_eq!(told(counts(&updated)), [2, 0, 0, 0, 1]);
    world
        .receive(
            "margins",
            2,
            "product_id,margin,seen_on\n2,12.5,\n3,1.000,\n",
        )
        .await;
    assert_eq!(
        told(counts(&world.update("margins").await)),
        [1, 1, 0, 0, 0]
    );
    insta::assert_snapshot!(world.rows("margins").await, @r"
    +------------+--------+------------+
    | product_id | margin | seen_on    |
    +------------+--------+------------+
    | 1          | 0.125  | 2026-01-31 |
    | 2          | 12.500 |            |
    | 3          | 1.000  |            |
    +------------+--------+------------+
    ");
    world
        .receive("margins", 3, "product_id,margin,seen_on\n4,12.5001,\n")
        .await;
    assert!(matches!(
        failed(&world.update("margins").await),
        Error::Decode(_)
    ));
}

#[tokio::test]
async fn a_pipeline_must_not_write_the_ledger() {
    let toml = MARGINS
        .1
        .replace("table = \"margins\"", "table = \"applied_artifacts\"");
    let world = World::with(&[("pipelines/margins.toml", &toml), MARGINS_SQL]).await;
    world
        .receive("margins", 1, "product_id,margin,seen_on\n1,1,\n")
        .await;
    assert!(matches!(
        failed(&world.update("margins").await),
        Error::OwnTable { .. }
    ));
    assert_eq!(world.pending("margins").await, [1]);
}
