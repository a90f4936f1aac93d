//! The upload: against a service of another kind, and against our own.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use pricemill::{
    Kind,
    chain::chain,
    clock::{Clock, FakeClock},
    config::{FetchConfig, ServeConfig},
    events::{Event, Events, Sink},
    outbox::Outbox,
    pipeline::Pipeline,
    storage::Location,
    upload::{self, Error, HttpTransport, Outcome, StoreTransport, Transport, Uploaded, upload},
};
use serde_json::json;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::{
    stages::serve::{World, listen},
    support::{
        doubles::{ONE, Rows, TWO, draft, inbox_at, pipeline},
        service::fake_clock,
    },
};

async fn outbox_with(contents: &[(&str, &str)]) -> Outbox {
    let outbox = Outbox::new(Location::in_memory());
    for (pipeline, content) in contents {
        let (draft, file) = draft(pipeline, content);
        outbox.commit(draft, file.path()).await.unwrap();
    }
    outbox
}

fn transport(server: &str) -> HttpTransport {
    with_clock(server, fake_clock())
}

fn with_clock(server: &str, clock: Arc<FakeClock>) -> HttpTransport {
    let (server, config) = (server.parse().unwrap(), FetchConfig::default());
    HttpTransport::new(&server, &"key".into(), &config, clock).unwrap()
}

/// Settings with which nothing is tried twice.
fn impatient() -> FetchConfig {
    FetchConfig {
        patience: Duration::ZERO,
        ..FetchConfig::default()
    }
}

async fn sent(outbox: &Outbox, names: &[&str], transport: &dyn Transport) -> Vec<Uploaded> {
    let pipelines: Vec<Pipeline> = names.iter().map(|name| pipeline(name)).collect();
    let pipelines: Vec<&Pipeline> = pipelines.iter().collect();
    let sent = upload(outbox, &pipelines, transport, &Events::silent()).await;
    sent.unwrap()
}

/// Uploads `bargains` to a server that answers so, each answer once, the last for ever.
async fn answered(answers: Vec<ResponseTemplate>) -> (Outcome, Vec<Request>, Outbox) {
    answered_by(answers, fake_clock()).await
}

async fn answered_by(
    answers: Vec<ResponseTemplate>,
    clock: Arc<FakeClock>,
) -> (Outcome, Vec<Request>, Outbox) {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (at, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(method("POST")).respond_with(answer);
        let times = if at == last { u64::MAX } else { 1 };
        mock.up_to_n_times(times).mount(&server).await;
    }
    let outbox = outbox_with(&[("bargains", ONE)]).await;
    let transport = with_clock(&server.uri(), clock);
    let mut all = sent(&outbox, &["bargains"], &transport).await;
    let outcome = all.remove(0).outcome;
    (outcome, server.received_requests().await.unwrap(), outbox)
}

fn created() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({"message": "Thank you"}))
}

fn failed(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Failed(error) => error,
        other => panic!("not failed: {other:?}"),
    }
}

async fn is_pending(outbox: &Outbox) -> bool {
    let latest = outbox.latest("bargains").await.unwrap().unwrap();
    latest.receipts.is_empty()
}

#[tokio::test]
async fn a_service_of_another_kind_takes_it_unverified() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/upload/bargains/"))
        .and(header("x-internal-api-key", "key"))
        .respond_with(created())
        .expect(1)
        .mount(&server)
        .await;
    let outbox = outbox_with(&[("bargains", ONE), ("bargains", TWO)]).await;
    let all = sent(
        &outbox,
        &["bargains", "substitutions"],
        &transport(&server.uri()),
    )
    .await;
    let Outcome::Sent(receipt) = &all[0].outcome else {
        panic!("{:?}", all[0]);
    };
    assert!(!receipt.verified);
    assert_eq!(receipt.message, "Thank you");
    assert_eq!(receipt.target, server.uri());
    assert!(matches!(all[1].outcome, Outcome::Nothing));

    // Only the latest went, with its length known and under the one allowed name.
    let request = &server.received_requests().await.unwrap()[0];
    assert!(request.headers.contains_key("content-length"));
    let body = String::from_utf8_lossy(&request.body);
    assert!(body.contains("name=\"file\"; filename=\"bargains.json.gz\""));
    assert!(body.contains("\"seq\":2"));

    let again = sent(&outbox, &["bargains"], &transport(&server.uri())).await;
    assert!(matches!(again[0].outcome, Outcome::Already(_)));
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let throttled = ResponseTemplate::new(429).insert_header("retry-after", "60");
    let answers = vec![
        ResponseTemplate::new(500),
        ResponseTemplate::new(503).set_body_string("<html>"),
        throttled,
        created(),
    ];
    let clock = fake_clock();
    let (outcome, requests, _) = answered_by(answers, clock.clone()).await;
    assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
    assert_eq!(requests.len(), 4);
    assert!(clock.monotonic() >= Duration::from_secs(60));
}

#[tokio::test]
async fn a_wait_past_patience_is_not_waited() {
    let throttled = ResponseTemplate::new(429).insert_header("retry-after", "86400");
    let (outcome, requests, outbox) = answered(vec![throttled]).await;
    let error = failed(outcome);
    assert!(chain(&error).ends_with(": the server asks to wait 86400 s (status 429)"));
    assert_eq!(
        pricemill::Error::from(error).kind(),
        pricemill::Kind::Unavailable
    );
    assert_eq!(requests.len(), 1);
    assert!(is_pending(&outbox).await);
}

#[tokio::test]
async fn what_would_be_refused_again_is_sent_once_and_stays() {
    let contract = json!({"error": "row 2, field `id`: is missing"});
    for (status, body) in [
        (400, json!({"error": "No file"})),
        (404, json!({})),
        (422, contract),
    ] {
        let answer = ResponseTemplate::new(status).set_body_json(&body);
        let (outcome, requests, outbox) = answered(vec![answer]).await;
        let said = chain(&failed(outcome));
        assert!(
            said.contains(&format!("the server responded with {status}: ")),
            "{said}"
        );
        let reason = body["error"].as_str().unwrap_or_default();
        assert!(said.ends_with(reason), "{said}");
        assert_eq!(requests.len(), 1);
        assert!(is_pending(&outbox).await);
    }
}

#[tokio::test]
async fn a_refused_key_stops_all() {
    let server = MockServer::start().await;
    let refused = ResponseTemplate::new(403).set_body_json(json!({"detail": "Invalid key"}));
    Mock::given(method("POST"))
        .respond_with(refused)
        .expect(1)
        .mount(&server)
        .await;
    let outbox = outbox_with(&[("bargains", ONE), ("substitutions", ONE)]).await;
    let all = sent(
        &outbox,
        &["bargains", "substitutions"],
        &transport(&server.uri()),
    )
    .await;
    assert!(matches!(&all[0].outcome, Outcome::Failed(error) if error.is_denied()));
    assert!(matches!(all[1].outcome, Outcome::Skipped));
}

#[tokio::test]
async fn a_wrong_key_is_told_even_while_a_large_file_is_on_its_way() {
    let world = World::new(Rows::default(), ServeConfig::default());
    let (address, _stop, _server) = listen(world.service.clone()).await;
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:016x}", state)
    });
    let large: String = noise.take(1 << 18).collect();
    let outbox = outbox_with(&[("bargains", &large)]).await;
    let server = format!("http://{address}").parse().unwrap();
    let transport = HttpTransport::new(&server, &"wrong".into(), &impatient(), fake_clock());
    let transport = transport.unwrap();
    for _ in 0..4 {
        let all = sent(&outbox, &["bargains"], &transport).await;
        let outcome = &all[0].outcome;
        assert!(
            matches!(outcome, Outcome::Failed(error) if error.is_denied()),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let elsewhere = MockServer::start().await;
    for status in [301, 302, 307, 308] {
        let redirect = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let (outcome, _, outbox) = answered(vec![redirect]).await;
        let said = chain(&failed(outcome));
        assert!(
            said.contains("the server redirects to http://127.0.0.1:"),
            "{said}"
        );
        assert!(is_pending(&outbox).await);
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_success_that_is_no_receipt_is_not_believed() {
    let hash = "00".repeat(32);
    for answer in [
        ResponseTemplate::new(200).set_body_string("<html>Please log in</html>"),
        ResponseTemplate::new(200).set_body_json(json!({"status": "ok"})),
        ResponseTemplate::new(201).set_body_json(json!({"message": "ok", "sha256": hash})),
        ResponseTemplate::new(201).set_body_json(json!({"message": "ok", "bytes": 1})),
        ResponseTemplate::new(204),
    ] {
        let (outcome, _, outbox) = answered(vec![answer]).await;
        assert!(matches!(failed(outcome), Error::Receipt { .. }));
        assert!(is_pending(&outbox).await);
    }
}

#[tokio::test]
async fn our_own_server_verifies_it_and_knows_it_again() {
    let world = World::new(Rows::default(), ServeConfig::default());
    let (address, stop, server) = listen(world.service.clone()).await;
    let outbox = outbox_with(&[("bargains", ONE), ("bargains", TWO)]).await;
    let transport = transport(&format!("http://{address}"));
    let first = sent(&outbox, &["bargains"], &transport).await;
    assert!(matches!(&first[0].outcome, Outcome::Sent(receipt) if receipt.verified));
    let pending = world.inbox.pending("bargains").await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].seq, 2);
    assert_eq!(
        pending[0].manifest,
        Some(first[0].artifact.clone().unwrap().manifest)
    );

    // Killed before the receipt was written: the server says that it has it.
    let artifact = outbox.latest("bargains").await.unwrap().unwrap();
    for entry in outbox.location.list().await.unwrap() {
        if entry.name.contains("receipt-") {
            outbox.location.delete(&entry.name).await.unwrap();
        }
    }
    let receipt = transport
        .send(&pipeline("bargains"), &outbox, &artifact)
        .await;
    assert_eq!(receipt.unwrap().message, "already received");
    assert_eq!(world.inbox.pending("bargains").await.unwrap().len(), 1);

    // Another outbox begins at 1 again: it is told, and nothing is lost.
    let other = outbox_with(&[("bargains", ONE)]).await;
    let conflict = sent(&other, &["bargains"], &transport).await.remove(0);
    let error = failed(conflict.outcome);
    assert!(chain(&error).contains("the server responded with 409: "));
    let hint = pricemill::Error::from(error).hint().unwrap();
    assert!(hint.contains("another outbox"), "{hint}");
    stop.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn what_was_edited_in_the_outbox_is_not_sent() {
    let server = MockServer::start().await;
    let outbox = outbox_with(&[("bargains", ONE)]).await;
    let artifact = outbox.latest("bargains").await.unwrap().unwrap();
    outbox
        .location
        .put(&artifact.file(), TWO.into())
        .await
        .unwrap();
    let all = sent(&outbox, &["bargains"], &transport(&server.uri())).await;
    assert!(matches!(all[0].outcome, Outcome::Failed(Error::Outbox(_))));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let outbox = outbox_with(&[("bargains", ONE)]).await;
    let server = "http://127.0.0.1:9".parse().unwrap();
    let transport = HttpTransport::new(&server, &"key".into(), &impatient(), fake_clock());
    let all = sent(&outbox, &["bargains"], &transport.unwrap()).await;
    let Outcome::Failed(error) = &all[0].outcome else {
        panic!("{:?}", all[0]);
    };
    let said = chain(error);
    let wanted = "http://127.0.0.1:9: nothing is listening at 127.0.0.1:9 (tried 1 time)";
    assert!(said.starts_with(wanted), "{said}");
}

#[tokio::test]
async fn a_server_on_this_machine_that_is_not_there_is_given_up_within_seconds() {
    let outbox = outbox_with(&[("bargains", ONE), ("links", ONE)]).await;
    let clock = fake_clock();
    let transport = with_clock("http://localhost:9", clock.clone());
    let waits = Arc::new(Waits::default());
    let transport = transport.reporting(Events::new(vec![waits.clone()]));
    let all = sent(&outbox, &["bargains", "links"], &transport).await;
    assert!(clock.monotonic() < Duration::from_secs(5));
    for uploaded in all {
        let Outcome::Failed(error) = uploaded.outcome else {
            panic!("{uploaded:?}");
        };
        let error = pricemill::Error::from(error);
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(chain(&error).contains("nothing is listening at localhost:9"));
        let hint = error.hint().unwrap();
        assert!(hint.contains("is the server running?"), "{hint}");
        assert!(
            hint.contains("pricemill serve --listen localhost:9"),
            "{hint}"
        );
    }
    let waits = waits.0.lock().unwrap();
    // The second artifact is not waited for once more.
    assert!(
        waits.iter().all(|(task, _)| task == "bargains"),
        "{waits:?}"
    );
    let said = &waits[0].1;
    for part in [
        "http://localhost:9: the connection was refused (Connection refused",
        "; attempt 2 in 0.",
        ", giving up in 3 s",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

/// What was waited for, by task.
#[derive(Default)]
struct Waits(Mutex<Vec<(String, String)>>);

impl Sink for Waits {
    fn receive(&self, event: &Event) {
        if let Event::TaskWaiting { task, reason } = event {
            let wait = (task.clone(), reason.clone());
            self.0.lock().unwrap().push(wait);
        }
    }
}

#[tokio::test]
async fn what_the_server_repeats_of_the_key_is_not_told() {
    let key = "canary-key-1f2e3d";
    let words = json!({"error": format!("no key {key}")});
    for answer in [
        ResponseTemplate::new(400).set_body_json(&words),
        ResponseTemplate::new(500).set_body_json(&words),
        ResponseTemplate::new(302).insert_header("location", format!("/login?key={key}")),
        created().set_body_json(json!({"message": format!("thank you, {key}")})),
    ] {
        let server = MockServer::start().await;
        let mock = Mock::given(method("POST")).respond_with(answer);
        mock.mount(&server).await;
        let outbox = outbox_with(&[("bargains", ONE)]).await;
        let server = server.uri().parse().unwrap();
        let transport = HttpTransport::new(&server, &key.into(), &impatient(), fake_clock());
        let sent = sent(&outbox, &["bargains"], &transport.unwrap())
            .await
            .remove(0);
        let said = match &sent.outcome {
            Outcome::Failed(error) => format!("{} {error:?}", chain(error)),
            Outcome::Sent(receipt) => receipt.message.clone(),
            other => panic!("{other:?}"),
        };
        assert!(said.contains("[redacted]") && !said.contains(key), "{said}");
    }
}

#[tokio::test]
async fn outbox_and_inbox_are_two_places() {
    let folder = tempfile::tempdir().unwrap();
    let place = |path: &Path| Location::folder(path).unwrap();
    let outbox = Outbox::new(place(folder.path()));
    let mut inbox = inbox_at(&Location::in_memory());
    inbox.location = place(&folder.path().join("."));
    let same = upload(
        &outbox,
        &[],
        &StoreTransport::new(inbox, fake_clock()),
        &Events::silent(),
    )
    .await;
    assert!(matches!(same, Err(upload::Error::SamePlace { .. })));
}
