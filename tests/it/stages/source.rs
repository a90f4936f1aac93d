//! Sources: what comes of a service that misbehaves.

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

#[tokio::test]
async fn an_ill_typed_field_names_dataset_page_row_and_field() {
    let mut rows = some(5);
    rows[3] = price(4, 1, "-2.50");
    let service = Service::paged(&rows.iter().map(String::as_str).collect::<Vec<_>>(), 2).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Data);
    assert_eq!(
        error.to_string(),
        "dataset prices, page 2, row 2, field `price`: must not be negative, but is \"-2.50\""
    );
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_named() {
    for (body, says) in [
        ("<html>Welcome</html>", "<html>Welcome</html>"),
        ("{\"detail\":\"maintenance\"}", "maintenance"),
        (
            "{\"count\":3,\"next\":null,\"results\":[]}",
            "no rows, though the count is 3",
        ),
        (
            "\u{feff}{\"count\":0,\"next\":null,\"results\":[]}",
            "expected JSON",
        ),
        (
            "{\"count\":1,\"next\":null,\"results\":{}}",
            "must be a list",
        ),
        (
            "{\"count\":-1,\"next\":null,\"results\":[]}",
            "and `results`, but",
        ),
        ("[]", "and `results`, but"),
    ] {
        let service = Service::new(move |_, _| ok(body)).await;
        let error = refused(&service).await;
        assert_eq!(error.kind(), Kind::Data, "{body}");
        assert!(error.to_string().contains(says), "{body}: {error}");
    }
    let service = Service::new(|_, _| answer("200 OK", "", b"{\"count\":\xff}")).await;
    assert!(
        refused(&service)
            .await
            .to_string()
            .contains("not UTF-8 at byte 9")
    );
}

#[tokio::test]
async fn data_that_moves_is_fetched_again_and_then_given_up() {
    let moves = |until: usize| {
        let mut begun = 0;
        move |_: usize, asked: &Asked| {
            begun += usize::from(asked.page() == 1);
            let rows = some(if asked.page() > 1 && begun < until {
                5
            } else {
                6
            });
            ok(&page(&rows, 2, asked.page()))
        }
    };
    let service = Service::new(moves(3)).await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows, read_back(&some(6)));
    assert_eq!(
        brought.again,
        vec!["the count went from 6 to 5 at page 2"; 2]
    );
    assert_eq!(brought.stats.restarts, 2);
    let service = Service::new(moves(4)).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("the data changed during each of 3 attempts")
    );
}

#[tokio::test]
async fn repeated_missing_and_short_pages_are_noticed() {
    type Fault = fn(usize) -> Vec<u8>;
    let faults: [(Fault, &str); 4] = [
        (
            |number| ok(&page(&some(9), 3, number.min(2))),
            "page 3 repeats",
        ),
        (
            |number| {
                ok(&page(&some(9), 3, number).replace("\"product_id\":8,", "\"product_id\":7,"))
            },
            "",
        ),
        (
            |number| match number {
                3 => answer("404 Not Found", "", b"{\"detail\":\"Invalid page.\"}"),
                _ => ok(&page(&some(9), 3, number)),
            },
            "page 3 is gone",
        ),
        (
            |number| {
                let short = price(3, 1, "2.50");
                ok(&page(&some(9), 3, number).replace(&format!(",{short}"), ""))
            },
            "",
        ),
    ];
    for (fault, says) in faults {
        let service = Service::new(move |_, asked| fault(asked.page())).await;
        let fetched = bring(&client(&service, &quick()), Vec::new()).await;
        match fetched {
            // Rows that repeat within their pages add up; the snapshot makes them one.
            Ok(brought) => assert_eq!(brought.unwrap().rows.lines().count(), 9),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Unavailable);
                assert!(error.to_string().contains(says), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn links_without_an_end_are_given_up() {
    let service = Service::new(|request, _| {
        let row = price(request as i64, 1, "1");
        ok(&format!(
            "{{\"next\":\"?cursor={}\",\"results\":[{row}]}}",
            request % 4
        ))
    })
    .await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[tokio::test]
async fn cursors_are_followed_one_by_one() {
    let service = Service::new(|_, asked| {
        let (id, next) = match asked.target.split_once("cursor=") {
            None => (1, "\"/x?cursor=b\""),
            Some((_, "b")) => (2, "\"/x?cursor=c\""),
            Some(_) => (3, "null"),
        };
        ok(&format!(
            "{{\"next\":{next},\"results\":[{}]}}",
            price(id, 1, "2.50")
        ))
    })
    .await;
    assert_eq!(brought(&service).await.rows, read_back(&some(3)));
}

#[tokio::test]
async fn unknown_fields_are_counted_and_prices_may_be_numbers() {
    let rows = [
        r#"{"product_id":1,"store_id":1,"price":2.5,"was":3}"#,
        r#"{"product_id":2,"store_id":1,"price":"2.50","was":null,"sku":null}"#,
    ];
    let service = Service::paged(&rows, 1).await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows, read_back(&some(2)));
    assert_eq!(brought.stats.unknown_fields.get("was"), Some(&2));
}

#[tokio::test]
async fn a_body_may_be_compressed_and_is_limited_by_what_it_unpacks_to() {
    use std::io::Write;
    let zip = |bytes: &[u8]| {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap()
    };
    let headers = "content-encoding: gzip\r\ncontent-type: application/json\r\n";
    let body = zip(page(&some(3), 3, 1).as_bytes());
    let cut = body[..body.len() - 9].to_vec();
    let service = Service::new(move |request, _| {
        answer("200 OK", headers, if request == 0 { &cut } else { &body })
    })
    .await;
    let got = brought(&service).await;
    assert_eq!((got.rows, got.stats.retries), (read_back(&some(3)), 1));
    let bomb = zip(&vec![b' '; 1 << 20]);
    let service = Service::new(move |_, _| answer("200 OK", headers, &bomb)).await;
    let config = FetchConfig {
        max_page_bytes: 10_000,
        ..quick()
    };
    let error = bring(&client(&service, &config), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    assert!(error.to_string().contains("longer than 10000 bytes"));
}

fn arrow(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn columns(products: Vec<i64>, prices: Vec<i128>) -> Vec<(&'static str, ArrayRef)> {
    let stores = vec![1i64; products.len()];
    let prices = Decimal128Array::from(prices)
        .with_precision_and_scale(10, 2)
        .unwrap();
    vec![
        ("product_id", Arc::new(Int64Array::from(products))),
        ("store_id", Arc::new(Int64Array::from(stores))),
        ("price", Arc::new(prices)),
    ]
}

fn table(columns: Vec<(&'static str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn stream(count: &str, body: &[u8]) -> Vec<u8> {
    let headers =
        format!("content-type: application/vnd.apache.arrow.stream\r\nx-total-count: {count}\r\n");
    answer("200 OK", &headers, body)
}

#[tokio::test]
async fn a_stream_brings_the_rows_that_pages_bring() {
    let first = table(columns(vec![1, 2], vec![250, 250]));
    let body = arrow(&[
        first.clone(),
        first.slice(0, 0),
        table(columns(vec![3], vec![250])),
    ]);
    let service = Service::new(move |_, _| stream("3", &body)).await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows, read_back(&some(3)));
    assert_eq!(
        (brought.stats.form.as_str(), brought.stats.requests),
        ("stream", 1)
    );
}

#[tokio::test]
async fn text_in_a_stream_may_have_any_form_and_unknown_columns_are_counted() {
    let sku: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    let mut with_sku = columns(vec![1, 2], vec![250, 250]);
    with_sku.push(("sku", Arc::new(sku)));
    with_sku.push(("was", Arc::new(StringViewArray::from(vec!["x", "y"]))));
    let body = arrow(&[table(with_sku)]);
    let service = Service::new(move |_, _| stream("2", &body)).await;
    let brought = brought(&service).await;
    assert!(brought.rows.contains("\"sku\":\"b\""));
    assert_eq!(brought.stats.unknown_fields.get("was"), Some(&2));
}

#[tokio::test]
async fn a_stream_that_breaks_the_contract_names_its_column_and_row() {
    let mut other_type = columns(vec![1], vec![250]);
    other_type[0].1 = Arc::new(StringViewArray::from(vec!["1"]));
    let mut missing = columns(vec![1], vec![250]);
    missing.remove(1);
    let negative = columns(vec![1, 2, 3], vec![250, 1, -1]);
    for (bad, says) in [
        (
            other_type,
            "column `product_id` must be bigint, not Utf8View",
        ),
        (missing, "column `store_id` is missing"),
        (
            negative,
            "row 3, field `price`: must not be negative, but is -0.01",
        ),
    ] {
        let body = arrow(&[table(bad)]);
        let service = Service::new(move |_, _| stream("3", &body)).await;
        let error = refused(&service).await;
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_stream_without_its_end_is_fetched_again() {
    let whole = arrow(&[table(columns(vec![1, 2, 3], vec![250; 3]))]);
    for cut in [8, 20, whole.len() - 1] {
        let body = whole.clone();
        let service = Service::new(move |request, _| match request {
            0 => stream("3", &body[..body.len() - cut]),
            _ => stream("3", &body),
        })
        .await;
        let brought = brought(&service).await;
        assert_eq!(brought.rows, read_back(&some(3)), "{cut}");
        assert_eq!((brought.again.len(), brought.stats.restarts), (1, 1));
    }
    let service = Service::new(move |_, _| stream("3", &whole[..whole.len() - 8])).await;
    assert_eq!(refused(&service).await.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_stream_of_another_count_is_fetched_again_and_then_given_up() {
    let body = arrow(&[table(columns(vec![1], vec![250]))]);
    let service = Service::new(move |_, _| stream("2", &body)).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("received 1 rows, but the count is 2")
    );
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn bytes_that_are_no_stream_are_refused() {
    let service = Service::new(|_, _| stream("1", &[0x7f; 4000])).await;
    let config = FetchConfig {
        max_page_bytes: 1000,
        ..quick()
    };
    let error = bring(&client(&service, &config), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Data, "{error}");
}

#[tokio::test]
async fn rows_of_one_page_may_be_equal() {
    let row = price(1, 1, "2.50");
    let rows = owned(&[&row, &row, &row]);
    let service = Service::new(move |_, asked| ok(&page(&rows, 1, asked.page()))).await;
    assert_eq!(brought(&service).await.rows.lines().count(), 3);
}
