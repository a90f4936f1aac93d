//! The server: every status of its contract, by `app(state)` where no socket is needed.

mod exports;
mod sockets;
mod uploads;

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
