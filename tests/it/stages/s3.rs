//! An S3 server in the test process, and the rules of outbox and inbox on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use pricemill::{
    clock::SystemClock,
    config::StoreOptions,
    events::Events,
    outbox::Outbox,
    storage::Location,
    upload::{self, Outcome, StoreTransport, upload},
};
use s3s::{
    S3, S3Request, S3Response, S3Result, auth::SimpleAuth, dto::*, s3_error,
    service::S3ServiceBuilder,
};
use tokio::net::TcpListener;

use crate::{
    stages::outbox::conforms,
    support::doubles::{ONE, draft, inbox_at, pipeline},
};

/// A bucket in memory. Conditions are checked under the lock that also writes.
#[derive(Debug, Clone, Default)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// Overwrites what must only be created, as some servers do.
    ignores_conditions: bool,
    /// Writes the first object it is sent and then answers 500, once.
    loses_an_answer: Arc<Mutex<bool>>,
}

fn etag() -> Option<ETag> {
    Some(ETag::Strong("etag".to_owned()))
}

fn modified() -> Option<Timestamp> {
    Some(SystemTime::UNIX_EPOCH.into())
}

impl Bucket {
    fn object(&self, key: &str) -> S3Result<Bytes> {
        let object = self.objects.lock().unwrap().get(key).cloned();
        object.ok_or_else(|| s3_error!(NoSuchKey))
    }
}

#[async_trait]
impl S3 for Bucket {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let body = input
            .body
            .unwrap()
            .try_collect::<Vec<Bytes>>()
            .await
            .unwrap();
        let mut objects = self.objects.lock().unwrap();
        let exists = objects.contains_key(&input.key);
        if input.if_none_match.is_some() && exists && !self.ignores_conditions {
            return Err(s3_error!(PreconditionFailed));
        }
        objects.insert(input.key, body.concat().into());
        if std::mem::take(&mut *self.loses_an_answer.lock().unwrap()) {
            return Err(s3_error!(InternalError));
        }
        Ok(S3Response::new(PutObjectOutput {
            e_tag: etag(),
            ..PutObjectOutput::default()
        }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let object = self.object(&request.input.key)?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(object.len() as i64),
            body: Some(s3s::Body::from(object).into()),
            e_tag: etag(),
            last_modified: modified(),
            ..GetObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.objects.lock().unwrap().remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let mut deleted = Vec::new();
        for object in request.input.delete.objects {
            self.objects.lock().unwrap().remove(&object.key);
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..DeletedObject::default()
            });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let prefix = request.input.prefix.unwrap_or_default();
        let (mut contents, mut folders) = (Vec::new(), Vec::new());
        for (key, object) in &*self.objects.lock().unwrap() {
            let Some(below) = key.strip_prefix(&prefix) else {
                continue;
            };
            match (request.input.delimiter.as_ref(), below.split_once('/')) {
                (Some(_), Some((folder, _))) => folders.push(format!("{prefix}{folder}/")),
                _ => contents.push(Object {
                    key: Some(key.clone()),
                    size: Some(object.len() as i64),
                    e_tag: etag(),
                    last_modified: modified(),
                    ..Object::default()
                }),
            }
        }
        folders.dedup();
        let folders = folders.into_iter().map(|prefix| CommonPrefix {
            prefix: Some(prefix),
        });
        Ok(S3Response::new(ListObjectsV2Output {
            contents: Some(contents),
            common_prefixes: Some(folders.collect()),
            is_truncated: Some(false),
            ..ListObjectsV2Output::default()
        }))
    }
}

/// Serves a bucket on a port of its own and returns it as a location.
async fn serve(bucket: Bucket) -> Location {
    let mut builder = S3ServiceBuilder::new(bucket);
    builder.set_auth(SimpleAuth::from_single("ours", "secret"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    let options = [
        ("aws_endpoint", endpoint.as_str()),
        ("aws_allow_http", "true"),
        ("aws_access_key_id", "ours"),
        ("aws_secret_access_key", "secret"),
        ("aws_region", "eu-central-1"),
    ];
    let options = options.map(|(key, value)| (key.to_owned(), value.into()));
    Location::open("s3://bucket/data", &StoreOptions(options.into())).unwrap()
}

#[tokio::test]
async fn outbox_and_inbox_conform_on_s3() {
    conforms(&serve(Bucket::default()).await).await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_second_writer() {
    let bucket = Bucket::default();
    *bucket.loses_an_answer.lock().unwrap() = true;
    let outbox = Outbox::new(serve(bucket).await.child("outbox"));
    let (draft, file) = draft("bargains", ONE);
    let commit = outbox.commit(draft, file.path()).await.unwrap();
    assert!(matches!(commit, pricemill::outbox::Commit::New(c) if c.manifest.seq == 1));
    assert_eq!(outbox.list("bargains").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_artifact_goes_from_a_folder_to_an_inbox_on_s3_once() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(Location::folder(folder.path()).unwrap());
    let (draft, file) = draft("bargains", ONE);
    outbox.commit(draft, file.path()).await.unwrap();
    let inbox = inbox_at(&serve(Bucket::default()).await);
    let (pipeline, transport) = (
        pipeline("bargains"),
        StoreTransport::new(inbox.clone(), SystemClock::shared()),
    );
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let sent = upload(&outbox, &[&pipeline], &transport, &Events::silent()).await;
        outcomes.extend(sent.unwrap().into_iter().map(|uploaded| uploaded.outcome));
    }
    assert!(matches!(&outcomes[0], Outcome::Sent(receipt) if receipt.verified));
    assert!(matches!(&outcomes[1], Outcome::Already(_)));
    let pending = inbox.pending("bargains").await.unwrap();
    assert_eq!(pending[0].manifest.as_ref().unwrap().seq, pending[0].seq);
    assert_eq!(pending.len(), 1);
    assert_eq!(inbox.location.list().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_store_that_overwrites_is_not_written_to() {
    let bucket = Bucket {
        ignores_conditions: true,
        ..Bucket::default()
    };
    let inbox = inbox_at(&serve(bucket).await);
    let outbox = Outbox::new(Location::in_memory());
    let transport = StoreTransport::new(inbox.clone(), SystemClock::shared());
    let refused = upload(&outbox, &[], &transport, &Events::silent()).await;
    assert!(matches!(refused, Err(upload::Error::NotCreateOnly { .. })));
    assert_eq!(inbox.location.list().await.unwrap(), []);
}
