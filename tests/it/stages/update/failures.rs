//! What a failure stops, and what waits.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn one_that_fails_stops_what_depends_on_it_and_no_other() {
    let margins = MARGINS.1.replace("products.id", "bargains.product_id");
    let bargains_toml = include_str!("../../../../pipelines/bargains.toml");
    let groups_toml = include_str!("../../../../pipelines/store-groups.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![
        ("pipelines/margins.toml".to_owned(), margins),
        (MARGINS_SQL.0.to_owned(), MARGINS_SQL.1.to_owned()),
        (
            "pipelines/bargains.toml".to_owned(),
            bargains_toml.to_owned(),
        ),
        (
            "pipelines/store-groups.toml".to_owned(),
            groups_toml.to_owned(),
        ),
    ];
    for folder in [
        "sql/bargains",
        "sql/bargains/checks",
        "sql/store-groups",
        "sql/store-groups/checks",
        "sql/store-groups/update",
    ] {
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let world = World::with(&files).await;
    world.receive("bargains", 1, &bargains([99], 1)).await;
    world
        .receive("margins", 1, "product_id,margin,seen_on\n1,1,\n")
        .await;
    world
        .receive(
            "store-groups",
            1,
            "[\n{\"company\":\"Lidl\",\"stores\":[1]}\n]\n",
        )
        .await;
    let updated = world
        .ask(&["margins", "store-groups", "bargains"], Asked::default())
        .await
        .unwrap();
    let names: Vec<&str> = updated.iter().map(|u| u.pipeline.as_str()).collect();
    assert_eq!(names, ["bargains", "margins", "store-groups"]);
    assert!(updated[0].outcome.is_failure());
    assert!(matches!(&updated[1].outcome, Outcome::Skipped { after } if after == "bargains"));
    assert!(matches!(updated[2].outcome, Outcome::Applied(_)));
    assert_eq!(world.pending("margins").await, [1]);
}

#[tokio::test]
async fn an_artifact_that_is_not_there_is_told_before_anything_begins() {
    let world = World::new().await;
    let asked = Asked {
        artifact: Some("7"),
        ..Asked::default()
    };
    let refused = world.ask(&["bargains"], asked).await;
    assert!(matches!(refused, Err(Error::UnknownArtifact { .. })));
}

#[tokio::test]
async fn a_database_in_use_is_busy_and_the_artifact_waits() {
    let mut world = World::new().await;
    // SQLite waits by the system's time: not at all, here.
    let root = world.folder.path();
    let database = database::open_patient("sqlite:prices.db", root, Duration::ZERO);
    world.database = database.unwrap();
    world.receive("bargains", 1, &bargains([1], 1)).await;
    let path = world.folder.path().join("prices.db");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let updated = world.update("bargains").await;
    assert_eq!(failed(&updated).source_kind(), Kind::Busy);
    assert_eq!(world.pending("bargains").await, [1]);
    other.execute_batch("rollback").unwrap();
    assert_eq!(
        told(counts(&world.update("bargains").await)),
        [1, 0, 0, 0, 0]
    );
}
