//! Uploads: taken once, or refused with the reason.

use super::*;

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
