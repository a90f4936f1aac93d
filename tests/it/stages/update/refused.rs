//! Artifacts and rows that are not applied: rejected, refused, guarded.

use super::*;

#[tokio::test]
async fn a_row_without_its_reference_is_rejected_with_column_and_reason() {
    let world = World::new().await;
    world
        .receive("bargains", 1, &bargains((1..=10).chain([99]), 1))
        .await;
    let updated = world.update("bargains").await;
    let error = failed(&updated);
    assert_eq!(
        error.to_string(),
        "1 of 11 rows for `bargains` were rejected, more than 1% (the first: product_id: products has no id 99)"
    );
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
    let refused = world.inbox.refused("bargains").await.unwrap();
    assert_eq!(
        (refused.len(), world.pending("bargains").await.len()),
        (1, 0)
    );
    let written = world
        .rejects
        .read("bargains.bargains.jsonl")
        .await
        .unwrap()
        .unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&written), @r#"{"table":"bargains","column":"product_id","reason":"products has no id 99","row":{"product_id":99,"store_id":1,"cheapest_price_record_id":99,"most_expensive_price_record_id":null,"percentage_difference":60.5}}"#);
    let accept = Accept {
        change: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("1"),
        accept,
        ..Asked::default()
    };
    let updated = world.ask(&["bargains"], asked).await.unwrap().remove(0);
    assert_eq!(told(counts(&updated)), [10, 0, 0, 0, 1]);
    assert_eq!(world.inbox.refused("bargains").await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_artifact_that_empties_or_halves_a_table_is_refused_unless_accepted() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains(1..=10, 1)).await;
    let _ = world.update("bargains").await;
    world.receive("bargains", 2, &bargains([], 1)).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "no rows for `bargains`, which has 10"
    );
    world.receive("bargains", 3, &bargains(1..=4, 1)).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "only 4 rows for `bargains`, which has 10"
    );
    assert_eq!(world.ids("bargains").await.len(), 10);
    world.receive("bargains", 4, &bargains(1..=5, 1)).await;
    assert_eq!(
        told(counts(&world.update("bargains").await)),
        [0, 0, 5, 5, 0]
    );
    let accept = Accept {
        shrink: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("2"),
        accept,
        ..Asked::default()
    };
    let updated = world.ask(&["bargains"], asked).await.unwrap();
    assert_eq!(
        failed(&updated[0]).to_string(),
        "no rows for `bargains`, which has 5"
    );
    let accept = Accept {
        empty: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("2"),
        accept,
        ..Asked::default()
    };
    let _ = world.ask(&["bargains"], asked).await.unwrap();
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
}

#[tokio::test]
async fn rows_of_one_key_are_one_if_equal_and_refused_if_not() {
    let world = World::new().await;
    world
        .receive("bargains", 1, &bargains([1, 2, 1, 1], 1))
        .await;
    let updated = world.update("bargains").await;
    assert_eq!(
        (counts(&updated).inserted, counts(&updated).collapsed),
        (2, 2)
    );
    let two = bargains([1], 1).replace("\n]\n", ",\n") + bargains([1], 2).trim_start_matches("[\n");
    world.receive("bargains", 2, &two).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "two different rows for `bargains` have the same key: product_id = 1"
    );
    assert_eq!(failed(&updated).source_kind(), Kind::Data);
    assert_eq!(world.ids("bargains").await, [1, 2]);
}

#[tokio::test]
async fn content_that_was_changed_or_breaks_the_contract_is_refused() {
    let world = World::new().await;
    world
        .receive("bargains", 1, "[\n{\"product_id\":\"1\"}\n]\n")
        .await;
    let updated = world.update("bargains").await;
    assert!(matches!(failed(&updated), Error::Decode(_)));
    let refused = world.inbox.refused("bargains").await.unwrap();
    assert!(
        format!("{:?}", refused[0].disposition).contains("product_id"),
        "{refused:?}"
    );
    world.receive("bargains", 2, &bargains([1], 1)).await;
    let file = world.inbox.pending("bargains").await.unwrap()[0]
        .file
        .clone();
    let path = world.folder.path().join("data/inbox").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("60.5", "61.5");
    std::fs::write(&path, text).unwrap();
    assert!(matches!(
        failed(&world.update("bargains").await),
        Error::Inbox(_)
    ));
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
}
