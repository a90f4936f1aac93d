//! Pages that are wrong, move, repeat or end too early.

use super::*;

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
