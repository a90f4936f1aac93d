//! The server: every status of its contract, by `app(state)` where no socket is needed.

use std::{io::Cursor, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, Response, StatusCode, header},
};
use datafusion::{
    arrow::ipc::reader::StreamReader, parquet::arrow::arrow_reader::ParquetRecordBatchReader,
};
use pricemill::{
    config::ServeConfig,
    database::LedgerEntry,
    inbox::Inbox,
    serve::{Keys, Limits, Service, app, serve},
    storage::Location,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tower::ServiceExt;

use crate::support::{
    clock::HeldClock,
    doubles::{ONE, Rows, TWO, at, draft, files, gzip, inbox_at, project},
};

/// A server with all it stands on.
pub(crate) struct World {
    pub(crate) inbox: Inbox,
    pub(crate) service: Service,
    temp: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(database: Rows, config: ServeConfig) -> World {
        let temp = tempfile::tempdir().unwrap();
        let inbox = inbox_at(&Location::in_memory());
        let service = Service::new(
            project(),
            Arc::new(database),
            inbox.clone(),
            config,
            Keys::new(&["key".into(), "next key".into()]),
            temp.path().join("uploads"),
        );
        World {
            inbox,
            service: service.unwrap(),
            temp,
        }
    }

    fn with_rows(rows: i64) -> World {
        let config = ServeConfig {
            page_size: 3.try_into().unwrap(),
            ..ServeConfig::default()
        };
        World::new(
            Rows {
                rows,
                ..Rows::default()
            },
            config,
        )
    }

    fn app(&self) -> Router {
        app(self.service.clone())
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.app().oneshot(request).await.unwrap()
    }

    async fn get(&self, uri: &str) -> (StatusCode, Value) {
        read(self.answer(get(uri, "*/*")).await).await
    }

    /// Uploads; whatever comes of it, no temporary file is left.
    async fn post(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = read(self.answer(request).await).await;
        let left = files(&self.temp.path().join("uploads"));
        assert!(left.is_empty(), "{left:?} left after {answer:?}");
        answer
    }
}

async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body);
    (status, body.expect("every answer is JSON"))
}

fn get(uri: &str, accept: &str) -> Request<Body> {
    let request = Request::get(uri)
        .header("x-internal-api-key", "key")
        .header(header::HOST, "shop.example")
        .header(header::ACCEPT, accept);
    request.body(Body::empty()).unwrap()
}

/// Makes a form of parts: name, file name, content.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

fn post(body: Vec<u8>) -> Request<Body> {
    post_to("/api/upload/bargains/", body)
}

fn post_to(uri: &str, body: Vec<u8>) -> Request<Body> {
    Request::post(uri)
        .header("x-internal-api-key", "key")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(body.into())
        .unwrap()
}

fn file(content: &str) -> Request<Body> {
    post(form(&[(
        "file",
        Some("bargains.json.gz"),
        &gzip(content.as_bytes()),
    )]))
}

/// Makes the form that our own client sends.
fn ours(seq: u64, content: &str) -> Request<Body> {
    let mut manifest = manifest(content);
    manifest["seq"] = seq.into();
    with_manifest(&manifest, content)
}

fn manifest(content: &str) -> Value {
    let (draft, _) = draft("bargains", content);
    json!({
        "pipeline": draft.pipeline, "seq": 1, "file": draft.file, "sha256": draft.sha256,
        "rows": draft.rows, "bytes": draft.bytes, "contract": draft.contract,
        "snapshot": draft.snapshot, "snapshot_at": draft.snapshot_at, "params": draft.params,
        "sql_sha256": draft.sql_sha256, "engine_version": draft.engine_version,
        "committed_at": draft.committed_at, "run": draft.run,
    })
}

fn with_manifest(manifest: &Value, content: &str) -> Request<Body> {
    post(form(&[
        ("manifest", None, manifest.to_string().as_bytes()),
        ("file", Some("bargains.json.gz"), &gzip(content.as_bytes())),
    ]))
}

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

#[tokio::test]
async fn an_upload_is_in_the_inbox_once() {
    let world = World::with_rows(0);
    let (draft, _) = draft("bargains", TWO);
    let mut receipt = json!({
        "message": "received", "pipeline": "bargains", "seq": 1,
        "sha256": draft.sha256, "bytes": draft.bytes, "rows": 2,
    });
    assert_eq!(
        world.post(file(TWO)).await,
        (StatusCode::CREATED, receipt.clone())
    );
    receipt["message"] = "already received".into();
    assert_eq!(
        world.post(file(TWO)).await,
        (StatusCode::OK, receipt.clone())
    );
    assert_eq!(world.post(ours(1, TWO)).await, (StatusCode::OK, receipt));
    let pending = world.inbox.pending("bargains").await.unwrap();
    let copy = tempfile::NamedTempFile::new().unwrap();
    world
        .inbox
        .copy_out(&pending[0], copy.path())
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(copy.path()).unwrap(), TWO);

    // Numbers of our own client: a lower or known one with other content is a conflict.
    assert_eq!(world.post(ours(5, ONE)).await.0, StatusCode::CREATED);
    let (status, body) = world.post(ours(5, TWO)).await;
    assert_eq!(
        (status, &body["highest"]),
        (StatusCode::CONFLICT, &json!(5))
    );
    assert_eq!(world.inbox.pending("bargains").await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_the_database_has_is_not_received_again() {
    let database = Rows {
        applied: Some(LedgerEntry {
            pipeline: "bargains".to_owned(),
            seq: 7,
            sha256: draft("bargains", ONE).0.sha256.into(),
            applied_at: at(),
            counts: Vec::new(),
        }),
        ..Rows::default()
    };
    let world = World::new(database, ServeConfig::default());
    assert_eq!(world.post(ours(7, ONE)).await.0, StatusCode::OK);
    assert_eq!(world.post(ours(6, TWO)).await.0, StatusCode::CONFLICT);
    let (status, body) = world.post(file(TWO)).await;
    assert_eq!((status, &body["seq"]), (StatusCode::CREATED, &json!(8)));
}

#[tokio::test]
async fn an_upload_of_another_shape_is_400() {
    let world = World::with_rows(0);
    let good = gzip(ONE.as_bytes());
    let named = |name| form(&[("file", Some(name), &good)]);
    let mut wrong_sum = good.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let with = |content: &[u8]| form(&[("file", Some("bargains.json.gz"), content)]);
    let mut cut_off = with(&good);
    cut_off.truncate(cut_off.len() - 20);
    let bodies = [
        ("no file", form(&[("other", None, b"x")])),
        ("no parts", form(&[])),
        ("a field for a file", form(&[("file", None, &good)])),
        (
            "two files",
            form(&[
                ("file", Some("bargains.json.gz"), &good),
                ("file", Some("bargains.json.gz"), &good),
            ]),
        ),
        ("a path", named("../../bargains.json.gz")),
        ("an absolute path", named("/etc/bargains.json.gz")),
        ("a path of Windows", named("..\\bargains.json.gz")),
        ("another pipeline", named("prices.json.gz")),
        ("not compressed", named("bargains.json")),
        ("encoded dots", named("%2e%2e/bargains.json.gz")),
        ("truncated gzip", with(&good[..good.len() - 4])),
        ("a wrong checksum", with(&wrong_sum)),
        ("junk behind the gzip", with(&[&good[..], b"junk"].concat())),
        ("plain JSON", with(ONE.as_bytes())),
        ("nothing", with(b"")),
        ("a form without end", cut_off),
        ("no form at all", b"hello".to_vec()),
        ("many parts", form(&[("other", None, &b"x"[..]); 20])),
    ];
    for (what, body) in bodies {
        let (status, body) = world.post(post(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {body}");
        assert!(body["error"].is_string(), "{what}: {body}");
    }
    let mut request = file(ONE);
    request.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(world.post(request).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(world.inbox.pending("bargains").await.unwrap(), []);
}

#[tokio::test]
async fn a_file_that_is_not_its_manifests_is_400() {
    let world = World::with_rows(0);
    for (key, value) in [
        ("sha256", json!("00".repeat(32))),
        ("bytes", json!(1)),
        ("rows", json!(99)),
        ("pipeline", json!("substitutions")),
        ("seq", json!(0)),
        ("seq", json!(u64::MAX)),
        ("seq", json!("1")),
    ] {
        let mut manifest = manifest(ONE);
        manifest[key] = value;
        let (status, body) = world.post(with_manifest(&manifest, ONE)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{key}: {body}");
    }
    assert_eq!(world.inbox.pending("bargains").await.unwrap(), []);
}

#[tokio::test]
async fn every_member_of_a_gzip_file_counts() {
    let world = World::with_rows(0);
    let (head, tail) = TWO.split_at(10);
    let members = [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat();
    let body = form(&[("file", Some("bargains.json.gz"), &members)]);
    let (status, body) = world.post(post(body)).await;
    assert_eq!((status, &body["rows"]), (StatusCode::CREATED, &json!(2)));
}

#[tokio::test]
async fn content_that_breaks_the_contract_is_422_with_its_place() {
    let world = World::with_rows(0);
    let (status, body) = world.post(file("[{\"id\":1},{\"id\":\"2\"}]")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    assert_eq!((&body["row"], &body["field"]), (&json!(2), &json!("id")));
    for content in [
        "[{\"id\":1}",
        "{\"id\":1}",
        "",
        "[{\"id\":1,\"price\":NaN}]",
        "<html>",
    ] {
        let (status, body) = world.post(file(content)).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{content}: {body}"
        );
    }
    assert_eq!(world.inbox.pending("bargains").await.unwrap(), []);
}

#[tokio::test]
async fn what_is_too_large_is_413_before_it_is_large() {
    let config = ServeConfig {
        max_upload_bytes: 1000,
        max_decoded_bytes: 1 << 20,
        ..ServeConfig::default()
    };
    let world = World::new(Rows::default(), config);
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    let bomb = gzip(&vec![b' '; 4 << 20]);
    let bomb = form(&[("file", Some("bargains.json.gz"), &bomb)]);
    assert_eq!(world.post(post(bomb)).await.0, too_large);
    let huge = form(&[("file", Some("bargains.json.gz"), &vec![0; 3 << 20])]);
    assert_eq!(world.post(post(huge.clone())).await.0, too_large);
    let mut announced = post(huge);
    let length = "999999999".parse().unwrap();
    announced
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    assert_eq!(world.post(announced).await.0, too_large);
    let preamble = form(&[("other", None, &vec![b'x'; 1_500_000])]);
    assert_eq!(world.post(post(preamble)).await.0, too_large);
    let headers = [&b"--edge\r\nX-Long: "[..], &vec![b'x'; 1_500_000]].concat();
    assert_eq!(world.post(post(headers)).await.0, too_large);
}

#[tokio::test]
async fn unknown_pipelines_and_encodings_are_refused() {
    let world = World::with_rows(0);
    for path in [
        "/api/upload/nothing/",
        "/api/upload/prices/",
        "/api/upload/..%2Fbargains/",
    ] {
        let answer = world.post(post_to(path, form(&[]))).await;
        assert_eq!(answer.0, StatusCode::NOT_FOUND, "{path}");
    }
    let mut request = file(ONE);
    let encoding = "gzip, gzip".parse().unwrap();
    request
        .headers_mut()
        .insert(header::CONTENT_ENCODING, encoding);
    assert_eq!(
        world.post(request).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[tokio::test]
async fn what_a_killed_server_left_is_swept() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("upload-abc"), "half").unwrap();
    std::fs::write(temp.path().join("other"), "not ours").unwrap();
    let service = |keys| {
        Service::new(
            project(),
            Arc::new(Rows::default()),
            inbox_at(&Location::in_memory()),
            ServeConfig::default(),
            keys,
            temp.path().to_owned(),
        )
    };
    service(Keys::new(&["key".into()])).unwrap();
    assert_eq!(files(temp.path()), ["other"]);
    assert!(service(Keys::new(&["".into()])).is_err());
}

/// Starts a server on a socket; it stops when the sender fires.
pub(crate) async fn listen(
    service: Service,
) -> (
    std::net::SocketAddr,
    oneshot::Sender<()>,
    tokio::task::JoinHandle<()>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(async move {
        let shutdown = async { stopped.await.unwrap_or(()) };
        serve(listener, service, shutdown).await.unwrap();
    });
    (address, stop, server)
}

#[tokio::test]
async fn a_stop_lets_the_request_in_flight_finish() {
    let world = World::with_rows(0);
    let (address, stop, server) = listen(world.service.clone()).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let body = form(&[("file", Some("bargains.json.gz"), &gzip(ONE.as_bytes()))]);
    let head = format!(
        "POST /api/upload/bargains/ HTTP/1.1\r\nHost: x\r\nX-Internal-API-Key: key\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body once the handler reads it: the request is in flight.
    let mut asked = [0; 25];
    client.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stop.send(()).unwrap();
    client.write_all(&body).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_trickles_is_cut_off() {
    let world = World::with_rows(0);
    // The timer of headers is hyper's own.
    let limits = Limits {
        header_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (address, _stop, _server) = listen(world.service.clone().with_limits(limits)).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nX-Slow")
        .await
        .unwrap();
    let mut rest = String::new();
    let cut = tokio::time::timeout(Duration::from_secs(5), slow.read_to_string(&mut rest));
    cut.await.expect("the connection is still open").unwrap();
}

/// The beginning of an upload that does not go on.
const SILENT: &str = "POST /api/upload/bargains/ HTTP/1.1\r\nHost: x\r\nX-Internal-API-Key: key\r\n\
     Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 999\r\n\r\n--edge";

#[tokio::test]
async fn who_stays_silent_is_refused_when_the_time_is_over() {
    let clock = HeldClock::new();
    let world = World::with_rows(0);
    let service = world.service.clone().with_clock(clock.clone());
    let (address, _stop, _server) = listen(service).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(SILENT.as_bytes()).await.unwrap();
    clock.advance(1, Limits::default().body_timeout).await;
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_stop_cuts_what_takes_too_long() {
    let clock = HeldClock::new();
    let limits = Limits {
        stop_timeout: Duration::from_secs(10),
        ..Limits::default()
    };
    let world = World::with_rows(0);
    let service = world.service.clone().with_limits(limits);
    let (address, stop, server) = listen(service.with_clock(clock.clone())).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(SILENT.as_bytes()).await.unwrap();
    clock.advance(1, Duration::ZERO).await;
    stop.send(()).unwrap();
    // The body's time and the stop's: the shorter is over first.
    clock.advance(2, limits.stop_timeout).await;
    server.await.unwrap();
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "");
}
