//! Over HTTP: one multipart POST an artifact, repeated while that may help.

use std::{fs::File, io, path::Path, time::Duration};

use async_trait::async_trait;
use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use secrecy::SecretString;
use tempfile::NamedTempFile;
use url::Url;

use super::{Error, Result, Transport, reply, verified};
use crate::{
    clock::SharedClock,
    config::FetchConfig,
    events::Events,
    outbox::{Committed, Manifest, Outbox, Receipt},
    pipeline::Pipeline,
    service::{self, BodyFault, Cause, Client, Endpoint, Failure},
};

/// The most of a receipt that is read.
const RECEIPT_BYTES: u64 = 64 << 10;

/// Sends to a service's upload endpoints.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    patience: Duration,
    events: Events,
}

/// A compressed artifact on the local disk.
struct Parcel {
    file: NamedTempFile,
    bytes: u64,
    name: String,
    manifest: String,
}

/// Why an attempt came to nothing.
enum Attempt {
    /// The server gave no answer, or none that is whole.
    Failed(Failure),
    /// The same would come of another attempt.
    Ended(Error),
}

impl HttpTransport {
    /// Sends to `server`, with the patience and the time-out of the fetch's settings.
    /// Time is `clock`'s.
    ///
    /// # Errors
    ///
    /// The address is not one of HTTP, or the key cannot be a header's value.
    pub fn new(
        server: &Url,
        key: &SecretString,
        config: &FetchConfig,
        clock: SharedClock,
    ) -> Result<HttpTransport> {
        Ok(HttpTransport {
            client: Client::new(server, Some(key.clone()), config.idle_timeout, clock)?,
            patience: config.patience,
            events: Events::silent(),
        })
    }

    /// Reports to `events` what it waits for, under the pipeline's name.
    #[must_use]
    pub fn reporting(self, events: Events) -> HttpTransport {
        HttpTransport { events, ..self }
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        parcel: &Parcel,
        manifest: &Manifest,
    ) -> Result<Receipt, Attempt> {
        let form = parcel.form().await.map_err(|source| Error::Copy {
            artifact: manifest.id().to_string(),
            source,
        })?;
        let request = self.client.request(Method::POST, endpoint, None);
        let answer = self.client.attempt(request.multipart(form), &[]).await;
        if let Err(Failure::Again(again)) = &answer
            && let Cause::Network(_) = again.cause
        {
            self.ask_about_key(endpoint).await?;
        }
        let answer = answer?;
        let status = answer.status();
        let body = match answer.body(RECEIPT_BYTES).await {
            Ok(body) => body,
            Err(BodyFault::TooLarge) => Vec::new(),
            Err(BodyFault::Cause(cause)) => return Err(Failure::from(cause).into()),
        };
        Ok(reply::receipt(&self.client, manifest, status, &body)?)
    }

    /// A server that refuses the key may close the connection before it has read the
    /// file, and its answer is lost with it. The answer to a request without a body is not.
    async fn ask_about_key(&self, endpoint: &Endpoint) -> Result<(), Failure> {
        let request = self.client.request(Method::HEAD, endpoint, None);
        match self.client.attempt(request, &[]).await {
            Err(Failure::Final(error @ service::Error::Denied { .. })) => Err(error.into()),
            Ok(_) | Err(Failure::Final(_) | Failure::Again(_)) => Ok(()),
        }
    }

    fn failed(&self, source: service::Error) -> Error {
        Error::Service {
            target: self.target(),
            source,
        }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn target(&self) -> String {
        self.client.origin()
    }

    async fn send(
        &self,
        pipeline: &Pipeline,
        outbox: &Outbox,
        artifact: &Committed,
    ) -> Result<Receipt> {
        let parcel = Parcel::pack(outbox, artifact).await?;
        let endpoint = self.client.endpoint("upload", &pipeline.endpoint);
        let mut patience = self.client.patience(self.patience);
        loop {
            let again = match self.attempt(&endpoint, &parcel, &artifact.manifest).await {
                Ok(receipt) => return Ok(receipt),
                Err(Attempt::Ended(error)) => return Err(error),
                Err(Attempt::Failed(Failure::Final(error))) => return Err(self.failed(error)),
                Err(Attempt::Failed(Failure::Again(again))) => again,
            };
            let pause = self.client.plan(again, &mut patience);
            let pause = pause.map_err(|error| self.failed(error))?;
            tracing::info!(%pause, wait_ms = pause.time().as_millis() as u64, "waiting to upload again");
            self.events.note(&pipeline.name, &pause.to_string());
            self.client.wait(pause).await;
        }
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Attempt {
        Attempt::Failed(failure)
    }
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Attempt {
        Attempt::Ended(error)
    }
}

impl Parcel {
    /// Compresses a verified copy once, so that every attempt sends the same bytes and
    /// can announce their length: some servers take no body without one.
    async fn pack(outbox: &Outbox, artifact: &Committed) -> Result<Parcel> {
        let copy = verified(outbox, artifact).await?;
        let failed = |source| Error::Copy {
            artifact: artifact.manifest.id().to_string(),
            source,
        };
        let compressed = tokio::task::spawn_blocking(move || gzip(copy.path())).await;
        let (file, bytes) = compressed
            .map_err(io::Error::other)
            .and_then(|c| c)
            .map_err(failed)?;
        let manifest = artifact.manifest.to_line();
        Ok(Parcel {
            file,
            bytes,
            name: format!("{}.gz", artifact.manifest.file),
            manifest: manifest.map_err(io::Error::other).map_err(failed)?,
        })
    }

    /// The manifest goes first, in a part that a service of another kind ignores.
    async fn form(&self) -> io::Result<Form> {
        let file = tokio::fs::File::open(self.file.path()).await?;
        let part = Part::stream_with_length(file, self.bytes).file_name(self.name.clone());
        let part = part
            .mime_str("application/gzip")
            .map_err(io::Error::other)?;
        Ok(Form::new()
            .text("manifest", self.manifest.clone())
            .part("file", part))
    }
}

/// Compresses a file into a temporary one; the same bytes give the same bytes.
fn gzip(file: &Path) -> io::Result<(NamedTempFile, u64)> {
    let temp = NamedTempFile::new()?;
    let mut encoder = GzEncoder::new(temp.reopen()?, Compression::default());
    io::copy(&mut File::open(file)?, &mut encoder)?;
    let written = encoder.finish()?;
    Ok((temp, written.metadata()?.len()))
}
