//! Several datasets: references between them, those that are missing or empty.

use super::*;

#[tokio::test]
async fn ids_that_lead_nowhere_are_counted() {
    let sent = [
        price(1, 1, "1"),
        price(2, 1, "1"),
        price(1, 9, "1"),
        price(3, 9, "1"),
    ];
    let service = Service::new(move |_, asked| {
        ok(&if asked.target.contains("stores") {
            page(&["{\"id\":1}".to_owned(), "{\"id\":2}".to_owned()], 5, 1)
        } else {
            page(&sent, 5, 1)
        })
    })
    .await;
    let place = Disk::new();
    let stores = dataset("stores", &[("id", "bigint not null")]);
    let snapshot = fetch(
        &service,
        &place,
        vec![wanted(prices()), wanted(stores)],
        at(0),
    )
    .await
    .unwrap();
    let dangling = &snapshot.manifest.datasets["prices"].dangling;
    let told: Vec<_> = dangling
        .iter()
        .map(|(ids, rows)| (ids.as_str(), *rows))
        .collect();
    assert_eq!(told, [("store_id → stores", 2)]);
    assert!(snapshot.manifest.datasets["stores"].dangling.is_empty());
}

#[tokio::test]
async fn an_optional_dataset_may_be_missing_and_latest_has_what_is_needed() {
    let sent = some(1);
    let service = Service::new(move |_, asked| {
        if asked.target.contains("stores") {
            return answer("404 Not Found", "", b"{}");
        }
        ok(&page(&sent, 5, 1))
    })
    .await;
    let place = Disk::new();
    let stores = || dataset("stores", &[("id", "bigint not null")]);
    let optional = Wanted {
        dataset: stores(),
        optional: true,
    };
    let first = fetch(&service, &place, vec![wanted(prices()), optional], at(0))
        .await
        .unwrap();
    assert_eq!(first.manifest.datasets.len(), 1);
    let error = fetch(&service, &place, vec![wanted(stores())], at(1))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} has no dataset `stores`", service.url)
    );
    let second = fetch(&service, &place, vec![wanted(prices())], at(2))
        .await
        .unwrap();
    let latest = snapshot::open(&place.location, "latest", &["prices"])
        .await
        .unwrap();
    assert_eq!(latest.manifest.id, second.manifest.id);
    let listed = snapshot::list(&place.location).await.unwrap();
    assert_eq!(
        listed.iter().map(|each| &each.id).collect::<Vec<_>>(),
        [&second.manifest.id, &first.manifest.id]
    );
    assert!(matches!(
        snapshot::open(&place.location, "latest", &["stores"]).await,
        Err(Error::Nothing(_))
    ));
    assert!(matches!(
        snapshot::open(&place.location, "../x", &[]).await,
        Err(Error::Unknown(_))
    ));
}

#[tokio::test]
async fn a_dataset_without_rows_has_its_columns() {
    let service = Service::paged(&[], 5).await;
    let place = Disk::new();
    let snapshot = fetch(&service, &place, vec![wanted(prices())], at(0))
        .await
        .unwrap();
    let part = &snapshot.manifest.datasets["prices"];
    assert_eq!((part.rows, part.files.len()), (0, 1));
    let path = place
        .path()
        .join(&snapshot.manifest.id.0)
        .join(&part.files[0].name);
    assert!(read(&path).is_empty());
}
