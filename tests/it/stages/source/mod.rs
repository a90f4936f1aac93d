//! Sources: what comes of a service that misbehaves.

mod columnar;
mod pages;
mod trouble;

use std::{sync::Arc, time::Duration};

use datafusion::arrow::{
    array::{ArrayRef, Decimal128Array, DictionaryArray, Int64Array, RecordBatch, StringViewArray},
    compute::concat_batches,
    datatypes::Int32Type,
    ipc::writer::StreamWriter,
};
use futures::StreamExt;
use pricemill::{
    Error, Kind,
    chain::chain,
    clock::Clock,
    config::FetchConfig,
    events::Events,
    json::encode_rows,
    source::{FetchStats, Http, Mark, Piece, Source},
};
use secrecy::SecretString;

use crate::support::service::{Asked, Service, answer, ok, owned, page, price, prices, some};

const KEY: &str = "canary-key-1f2e3d";

fn client(service: &Service, config: &FetchConfig) -> Http {
    let key = SecretString::from(KEY);
    Http::new(&service.url, key, config, service.clock.clone()).unwrap()
}

/// Waits are of a clock that jumps, so patience takes no time.
fn quick() -> FetchConfig {
    FetchConfig {
        patience: Duration::from_secs(60),
        ..FetchConfig::default()
    }
}

/// What a fetch brought: the rows that stand, how often it began again, what was told.
#[derive(Debug)]
struct Brought {
    rows: String,
    marks: Vec<Mark>,
    again: Vec<String>,
    stats: FetchStats,
}

async fn bring(source: &dyn Source, done: Vec<Mark>) -> Result<Option<Brought>, Error> {
    let dataset = prices();
    let Some(mut fetched) = source.fetch(&dataset, done, &Events::silent()).await? else {
        return Ok(None);
    };
    let (mut batches, mut marks, mut again) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(piece) = fetched.pieces.next().await {
        match piece? {
            Piece::Page(mark, rows) => {
                batches.push(rows);
                marks.push(mark);
            }
            Piece::Again { reason } => {
                batches.clear();
                marks.clear();
                again.push(reason);
            }
        }
    }
    let whole = concat_batches(&dataset.contract.arrow(), &batches).unwrap();
    let mut rows = Vec::new();
    encode_rows(&whole, "\n", &mut rows).unwrap();
    let rows = String::from_utf8(rows).unwrap();
    Ok(Some(Brought {
        rows,
        marks,
        again,
        stats: fetched.stats.stats(),
    }))
}

async fn brought(service: &Service) -> Brought {
    bring(&client(service, &quick()), Vec::new())
        .await
        .unwrap()
        .unwrap()
}

async fn refused(service: &Service) -> Error {
    let error = bring(&client(service, &quick()), Vec::new())
        .await
        .unwrap_err();
    let said = format!("{error:?} {}", chain(&error));
    assert!(!said.contains(KEY), "{said}");
    error
}

/// The rows as they are written once read.
fn read_back(rows: &[String]) -> String {
    let with_nulls = rows
        .iter()
        .map(|row| row.replace('}', ",\"price_record_id\":null,\"sku\":null}"));
    with_nulls.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn pages_come_in_order_each_once_with_the_key() {
    let rows = some(23);
    let service = Service::paged(&rows.iter().map(String::as_str).collect::<Vec<_>>(), 4).await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows, read_back(&rows));
    let mut targets: Vec<_> = (2..=6)
        .map(|n| format!("/api/export/prices/?page={n}"))
        .collect();
    targets.insert(0, "/api/export/prices/".to_owned());
    assert_eq!(service.targets(), targets);
    let asked = service.asked();
    assert!(
        asked[0]
            .head
            .contains("accept: application/vnd.apache.arrow.stream")
    );
    assert!(
        asked
            .iter()
            .all(|asked| asked.head.contains(&format!("x-internal-api-key: {KEY}")))
    );
    assert_eq!((brought.stats.requests, brought.stats.retries), (6, 0));
    assert_eq!(brought.stats.form, "pages");
    assert_eq!(brought.stats.count, Some(23));
}

#[tokio::test]
async fn only_the_query_of_a_foreign_next_is_used() {
    let canary = Service::new(|_, _| ok("{}")).await;
    let foreign = canary.url.clone();
    let rows = some(3);
    let service = Service::new(move |_, asked| {
        let body = page(&rows, 1, asked.page());
        ok(&body
            .replace("http://inner.invalid:1/", foreign.as_str())
            .replace("?page=", "?x=y&page="))
    })
    .await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows.lines().count(), 3);
    assert_eq!(brought.stats.cross_origin_links, 2);
    assert!(canary.asked().is_empty());
    assert_eq!(service.asked()[2].target, "/api/export/prices/?x=y&page=3");
}

#[tokio::test]
async fn a_redirect_is_refused_and_the_key_stays_here() {
    let canary = Service::new(|_, _| ok("{}")).await;
    let to = canary.url.clone();
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let headers = format!("location: {to}?{KEY}\r\n");
        let status = status.to_owned();
        let service = Service::new(move |_, _| answer(&status, &headers, b"")).await;
        let error = refused(&service).await;
        assert_eq!(error.kind(), Kind::Failed);
        assert_eq!(service.asked().len(), 1);
    }
    assert!(canary.asked().is_empty());
}

#[tokio::test]
async fn a_refused_key_stops_at_once() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let body = format!("{{\"detail\":\"bad key {KEY}\"}}");
        let service = Service::new(move |_, _| answer(status, "", body.as_bytes())).await;
        let error = refused(&service).await;
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.hint().unwrap().contains("INTERNAL_API_KEY"));
        assert_eq!(service.asked().len(), 1);
    }
}

#[tokio::test]
async fn what_the_server_answers_is_shown_without_the_key() {
    let body = format!("{{\"detail\":\"no {KEY}\"}}");
    let service = Service::new(move |_, _| answer("400 Bad", "", body.as_bytes())).await;
    assert_eq!(
        chain(&refused(&service).await),
        "dataset prices: the server responded with 400: no [redacted]"
    );
}

#[tokio::test]
async fn a_dataset_that_is_not_there_is_none() {
    let service = Service::new(|_, _| answer("404 Not Found", "", b"{}")).await;
    let found = bring(&client(&service, &quick()), Vec::new())
        .await
        .unwrap();
    assert!(found.is_none());
}

#[tokio::test]
async fn a_service_without_the_columnar_form_is_asked_for_json() {
    let rows = some(1);
    let service = Service::new(move |_, asked| {
        if asked.head.contains("arrow") {
            answer("406 Not Acceptable", "", b"{\"detail\":\"no\"}")
        } else {
            ok(&page(&rows, 1, 1))
        }
    })
    .await;
    assert_eq!(brought(&service).await.rows.lines().count(), 1);
}

#[tokio::test]
async fn rows_of_one_page_may_be_equal() {
    let row = price(1, 1, "2.50");
    let rows = owned(&[&row, &row, &row]);
    let service = Service::new(move |_, asked| ok(&page(&rows, 1, asked.page()))).await;
    assert_eq!(brought(&service).await.rows.lines().count(), 3);
}
