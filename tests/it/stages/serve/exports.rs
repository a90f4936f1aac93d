//! Exports, keys, quotas and health.

use super::*;

#[tokio::test]
async fn a_dataset_is_paged_as_django_pages_it() {
    let world = World::with_rows(7);
    let (status, first) = world.get("/api/export/prices/").await;
    assert_eq!(status, 200);
    assert_eq!(first["count"], 7);
    assert_eq!(
        first["next"],
        "http://shop.example/api/export/prices/?page=2"
    );
    assert_eq!(first["previous"], Value::Null);
    assert_eq!(first["results"][1], json!({"id": 1, "price": "1.05"}));
    let (_, second) = world.get("/api/export/prices/?page=2").await;
    assert_eq!(second["previous"], "http://shop.example/api/export/prices/");
    let (_, last) = world.get("/api/export/prices?page=3").await;
    assert_eq!(last["next"], Value::Null);
    assert_eq!(last["results"].as_array().unwrap().len(), 1);
    let (_, whole) = world.get("/api/export/prices/?page=1").await;
    assert_eq!(whole, first);
}

#[tokio::test]
async fn a_page_that_is_not_there_is_404() {
    let world = World::with_rows(7);
    for query in ["page=4", "page=0", "page=-1", "page=x", "page="] {
        let answer = world.get(&format!("/api/export/prices/?{query}")).await;
        let wanted = json!({"detail": "Invalid page."});
        assert_eq!(answer, (StatusCode::NOT_FOUND, wanted), "{query}");
    }
    let wanted = (StatusCode::NOT_FOUND, json!({"detail": "Not found."}));
    for path in [
        "/api/export/nothing/",
        "/api/export/links/",
        "/api/",
        "/",
        "/api/export/%2e%2e/",
    ] {
        assert_eq!(world.get(path).await, wanted, "{path}");
    }
}

#[tokio::test]
async fn an_empty_dataset_has_one_empty_page() {
    let (status, page) = World::with_rows(0).get("/api/export/prices/").await;
    let wanted = json!({"count": 0, "next": null, "previous": null, "results": []});
    assert_eq!((status, page), (StatusCode::OK, wanted));
}

#[tokio::test]
async fn a_whole_dataset_streams_as_arrow_or_parquet() {
    let world = World::with_rows(7);
    let arrow = "application/vnd.apache.arrow.stream";
    let response = world.answer(get("/api/export/prices/", arrow)).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], arrow);
    assert_eq!(response.headers()[header::VARY], "Accept");
    assert_eq!(response.headers()["x-total-count"], "7");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let batches = StreamReader::try_new(Cursor::new(body), None).unwrap();
    let rows: Vec<usize> = batches.map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(rows, [2, 2, 2, 1]);

    let parquet = "application/vnd.apache.parquet";
    let response = world.answer(get("/api/export/prices/", parquet)).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], parquet);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let batches = ParquetRecordBatchReader::try_new(body, 100).unwrap();
    assert_eq!(
        batches
            .map(|batch| batch.unwrap().num_rows())
            .sum::<usize>(),
        7
    );

    let (status, _) = read(world.answer(get("/api/export/prices/", "text/html")).await).await;
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_stream_that_breaks_off_has_no_clean_end() {
    let database = Rows {
        rows: 7,
        breaks_after: Some(2),
        ..Rows::default()
    };
    let world = World::new(database, ServeConfig::default());
    let arrow = "application/vnd.apache.arrow.stream";
    let response = world.answer(get("/api/export/prices/", arrow)).await;
    assert_eq!(response.status(), 200);
    assert!(to_bytes(response.into_body(), usize::MAX).await.is_err());
}

#[tokio::test]
async fn without_a_valid_key_nothing_is_said_or_read() {
    let world = World::with_rows(7);
    let unread = || {
        Body::from_stream(futures::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
                panic!("the body was read")
            },
        ))
    };
    for (uri, key) in [
        ("/api/export/prices/", None),
        ("/api/export/prices/", Some("wrong")),
        ("/api/export/prices/?x-internal-api-key=key", Some("")),
        ("/api/upload/bargains/", Some("key ")),
        ("/api/upload/nothing/", None),
        ("/anything", None),
    ] {
        let mut request = Request::post(uri);
        if let Some(key) = key {
            request = request.header("x-internal-api-key", key);
        }
        let request = request.body(unread()).unwrap();
        let (status, body) = read(world.answer(request).await).await;
        // A header's outer blanks are no part of it once it comes from a socket.
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{uri} {key:?}");
        assert!(body["detail"].is_string());
    }
    let mut request = get("/api/export/prices/", "*/*");
    let key = "next key".parse().unwrap();
    request.headers_mut().insert("x-internal-api-key", key);
    assert_eq!(world.answer(request).await.status(), 200);
}

#[tokio::test]
async fn health_needs_no_key() {
    let world = World::with_rows(0);
    let request = Request::get("/healthz").body(Body::empty()).unwrap();
    let answer = read(world.answer(request).await).await;
    assert_eq!(answer, (StatusCode::OK, json!({"status": "ok"})));
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_503_and_not_described() {
    let database = Rows {
        is_busy: true,
        ..Rows::default()
    };
    let world = World::new(database, ServeConfig::default());
    for path in ["/healthz", "/api/export/prices/"] {
        let (status, body) = world.get(path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

#[tokio::test]
async fn quotas_are_by_scope_and_tell_when_to_come_back() {
    let config = ServeConfig {
        internal_per_day: 2,
        anon_per_hour: 1,
        ..ServeConfig::default()
    };
    let world = World::new(Rows::default(), config);
    let anon = || Request::get("/api/export/prices/").header("x-forwarded-for", "1.2.3.4");
    let first = world.answer(anon().body(Body::empty()).unwrap()).await;
    assert_eq!(first.status(), StatusCode::UNAUTHORIZED);
    let second = anon()
        .header("x-forwarded-for", "5.6.7.8")
        .body(Body::empty());
    let second = world.answer(second.unwrap()).await;
    assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = second.headers()[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((3590..=3600).contains(&wait), "{wait}");
    let wanted = format!("Request was throttled. Expected available in {wait} seconds.");
    assert_eq!(read(second).await.1, json!({ "detail": wanted }));

    for wanted in [200, 200, 429] {
        let response = world.answer(get("/api/export/prices/", "*/*")).await;
        assert_eq!(response.status(), wanted);
    }
}

#[tokio::test]
async fn methods_and_panics_are_answered_in_json() {
    let world = World::with_rows(1);
    let mut request = get("/api/export/prices/", "*/*");
    *request.method_mut() = Method::DELETE;
    let (status, body) = read(world.answer(request).await).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(body, json!({"detail": "Method \"DELETE\" not allowed."}));

    let database = Rows {
        panics: true,
        ..Rows::default()
    };
    let world = World::new(database, ServeConfig::default());
    let (status, body) = world.get("/api/export/prices/").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body, json!({"detail": "Internal server error."}));
}
