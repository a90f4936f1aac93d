//! Servers in trouble: waits, patience, what is tried again.

use super::*;

#[tokio::test]
async fn nothing_is_asked_before_the_wait_is_over() {
    let rows = some(12);
    let service = Service::new(move |request, asked| {
        if request == 3 {
            return answer(
                "429 Too Many",
                "retry-after: 1\r\n",
                b"{\"detail\":\"throttled\"}",
            );
        }
        ok(&page(&rows, 1, asked.page()))
    })
    .await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows.lines().count(), 12);
    assert_eq!(brought.stats.retries, 1);
    let asked = service.asked();
    let refused = asked[3].at;
    // Those already on their way when the answer came may still arrive.
    let second = Duration::from_secs(1);
    let early = asked[4..]
        .iter()
        .filter(|later| later.at < refused + second);
    assert!(early.count() <= 3);
    assert_eq!(asked.last().unwrap().at, refused + second);
}

#[tokio::test]
async fn a_wait_past_patience_stops_at_once() {
    let service =
        Service::new(|_, _| answer("429 Too Many", "retry-after: 86400\r\n", b"{}")).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(
        chain(&error),
        "dataset prices: the server asks to wait 86400 s (status 429)"
    );
    assert!(error.hint().unwrap().contains("continues where it stopped"));
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_wait_that_makes_no_sense_is_replaced_by_our_own() {
    for header in [
        "",
        "retry-after: -5\r\n",
        "retry-after: soon\r\n",
        "retry-after: 0\r\n",
    ] {
        let rows = some(1);
        let service = Service::new(move |request, _| match request {
            0 => answer("429 Too Many", header, b"{}"),
            _ => ok(&page(&rows, 1, 1)),
        })
        .await;
        assert_eq!(brought(&service).await.stats.retries, 1);
    }
}

#[tokio::test]
async fn what_breaks_on_the_way_is_tried_again() {
    let faults: [fn(Vec<u8>) -> Vec<u8>; 5] = [
        |whole| whole[..whole.len() - 7].to_vec(),
        |_| Vec::new(),
        |_| answer("503 Unavailable", "", b"<html>down</html>"),
        |whole| {
            let text = String::from_utf8(whole).unwrap();
            let body = text.split_once("\r\n\r\n").unwrap().1;
            ok(&body[..body.len() - 9])
        },
        |_| b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cou\r\n".to_vec(),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let rows = some(5);
        let service = Service::new(move |request, asked| {
            let whole = ok(&page(&rows, 2, asked.page()));
            if request % 2 == 0 {
                fault(whole)
            } else {
                whole
            }
        })
        .await;
        let brought = brought(&service).await;
        assert_eq!(brought.rows, read_back(&some(5)), "fault {number}");
        assert!(brought.stats.retries > 0);
    }
}

#[tokio::test]
async fn a_server_that_stays_in_trouble_outlasts_patience() {
    let service = Service::new(|_, _| answer("500 Oops", "", b"{\"detail\":\"disk full\"}")).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    let tries = service.asked().len();
    assert!(tries > 1);
    let said =
        format!("no answer after {tries} attempts: the server responded with 500: disk full");
    assert_eq!(chain(&error), format!("dataset prices: {said}"));
    assert!(service.clock.monotonic() <= quick().patience);
}

#[tokio::test]
async fn a_fetch_goes_on_after_the_pages_that_are_done() {
    let rows = some(10);
    let service = Service::paged(&rows.iter().map(String::as_str).collect::<Vec<_>>(), 3).await;
    let mut marks = brought(&service).await.marks;
    let asked = service.asked().len();
    marks.truncate(2);
    let rest = bring(&client(&service, &quick()), marks)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rest.rows, read_back(&rows[6..]));
    let later: Vec<_> = service.asked()[asked..].iter().map(Asked::page).collect();
    assert_eq!(later, [3, 4]);
}
