//! What an interruption leaves.

use super::*;

#[tokio::test]
async fn an_interrupted_fetch_leaves_no_snapshot_and_the_next_goes_on() {
    let broken = Arc::new(AtomicBool::new(true));
    let (down, sent) = (broken.clone(), some(10));
    let service = Service::new(move |_, asked| {
        if asked.page() > 3 && down.load(Ordering::SeqCst) {
            return answer("429 Too Many", "retry-after: 86400\r\n", b"{}");
        }
        ok(&page(&sent, 2, asked.page()))
    })
    .await;
    let place = Disk::new();
    let error = fetch(&service, &place, vec![wanted(prices())], at(0))
        .await
        .unwrap_err();
    assert_eq!(pricemill::Error::from(error).kind(), Kind::Unavailable);
    assert!(snapshot::list(&place.location).await.unwrap().is_empty());
    assert!(
        snapshot::open(&place.location, "latest", &[])
            .await
            .is_err()
    );
    broken.store(false, Ordering::SeqCst);
    let before = service.asked().len();
    let snapshot = fetch(&service, &place, vec![wanted(prices())], at(60))
        .await
        .unwrap();
    assert_eq!(rows(&place, &snapshot, "prices").len(), 10);
    // A request that the first run had sent may arrive late, but for no page it had.
    let asked = service.asked();
    assert!(asked[before..].iter().all(|asked| asked.page() > 3));
    assert_eq!(snapshot.manifest.fetched_at, at(0));
    let before = service.asked().len();
    fetch(&service, &place, vec![wanted(prices())], at(120))
        .await
        .unwrap();
    assert_eq!(
        service.asked().len() - before,
        5,
        "a finished fetch leaves nothing to go on from"
    );
}

#[tokio::test]
async fn pages_of_yesterday_are_not_used() {
    let broken = Arc::new(AtomicBool::new(true));
    let (down, sent) = (broken.clone(), some(6));
    let service = Service::new(move |_, asked| {
        if asked.page() == 3 && down.load(Ordering::SeqCst) {
            return answer("401 No", "", b"{}");
        }
        ok(&page(&sent, 2, asked.page()))
    })
    .await;
    let place = Disk::new();
    fetch(&service, &place, vec![wanted(prices())], at(0))
        .await
        .unwrap_err();
    broken.store(false, Ordering::SeqCst);
    let before = service.asked().len();
    let later = at(0) + TimeDelta::hours(7);
    let snapshot = fetch(&service, &place, vec![wanted(prices())], later)
        .await
        .unwrap();
    assert_eq!(service.asked().len() - before, 3);
    assert_eq!(snapshot.manifest.fetched_at, later);
}
