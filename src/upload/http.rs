//! Over HTTP: one multipart POST an artifact, repeated while that may help.

use std::{
    fs::File,
    io,
    path::Path,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
    multipart::{Form, Part},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;
use url::Url;

use super::{
    Error, Result, Transport,
    reply::{self, Reply},
    verified,
};
use crate::{
    outbox::{Committed, Manifest, Outbox, Receipt},
    pipeline::Pipeline,
};

const KEY: HeaderName = HeaderName::from_static("x-internal-api-key");
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait between two attempts; each further one is twice as long, to a minute.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Sends to a service's upload endpoints. The key goes to that one origin only.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    server: Url,
    key: HeaderValue,
    patience: Duration,
    first_wait: Duration,
}

/// A compressed artifact on the local disk.
struct Parcel {
    file: NamedTempFile,
    bytes: u64,
    name: String,
    manifest: String,
}

impl HttpTransport {
    /// Sends to `server`, giving up on an artifact after `patience`, and on a
    /// connection that stays silent for `idle_timeout`.
    pub fn new(
        server: Url,
        key: &SecretString,
        patience: Duration,
        idle_timeout: Duration,
    ) -> Result<HttpTransport> {
        let key = HeaderValue::from_str(key.expose_secret());
        let mut key = key.map_err(|_| Error::Request { what: "the key" })?;
        key.set_sensitive(true);
        if server.cannot_be_a_base() || !matches!(server.scheme(), "http" | "https") {
            return Err(Error::Request {
                what: "the server's address",
            });
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(idle_timeout)
            .user_agent(concat!("pricemill/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Client)?;
        Ok(HttpTransport {
            client,
            server,
            key,
            patience,
            first_wait: FIRST_WAIT,
        })
    }

    /// Waits that long before the second attempt, rather than half a second.
    pub fn with_first_wait(self, first_wait: Duration) -> HttpTransport {
        HttpTransport { first_wait, ..self }
    }

    fn url(&self, endpoint: &str) -> Url {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "upload", endpoint, ""]);
        }
        url.set_query(None);
        url
    }

    async fn attempt(&self, url: &Url, parcel: &Parcel, manifest: &Manifest) -> Result<Reply> {
        let form = parcel.form().await.map_err(|source| Error::Copy {
            artifact: manifest.id(),
            source,
        })?;
        let request = self.client.post(url.clone()).header(KEY, self.key.clone());
        match request.multipart(form).send().await {
            Ok(response) => reply::read(&self.target(), manifest, response).await,
            Err(source) => {
                self.ask_about_key(url).await?;
                let (target, source) = (self.target(), source.without_url());
                let error = Error::Unreachable { target, source };
                Ok(Reply::Again { error, wait: None })
            }
        }
    }

    /// A server that refuses the key may close the connection before it has read the
    /// file, and its answer is lost with it. The answer to a request without a body is not.
    async fn ask_about_key(&self, url: &Url) -> Result<()> {
        let request = self.client.head(url.clone()).header(KEY, self.key.clone());
        match request.send().await.map(|answer| answer.status().as_u16()) {
            Ok(status @ (401 | 403)) => Err(Error::Key {
                target: self.target(),
                status,
            }),
            _ => Ok(()),
        }
    }

    fn waits(&self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_max_delay(LONGEST_WAIT)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn target(&self) -> String {
        self.server.origin().ascii_serialization()
    }

    async fn send(
        &self,
        pipeline: &Pipeline,
        outbox: &Outbox,
        artifact: &Committed,
    ) -> Result<Receipt> {
        let parcel = Parcel::pack(outbox, artifact).await?;
        let url = self.url(&pipeline.endpoint);
        let mut waits = self.waits();
        let until = Instant::now() + self.patience;
        loop {
            let (error, asked) = match self.attempt(&url, &parcel, &artifact.manifest).await? {
                Reply::Done(receipt) => return Ok(receipt),
                Reply::Again { error, wait } => (error, wait.unwrap_or_default()),
            };
            let wait = waits.next().unwrap_or(LONGEST_WAIT).max(asked);
            if Instant::now().checked_add(wait).is_none_or(|at| at > until) {
                return Err(error);
            }
            tracing::info!(%error, wait_ms = wait.as_millis() as u64, "waiting to upload again");
            tokio::time::sleep(wait).await;
        }
    }
}

impl Parcel {
    /// Compresses a verified copy once, so that every attempt sends the same bytes and
    /// can tell their length: some servers take no body without one.
    async fn pack(outbox: &Outbox, artifact: &Committed) -> Result<Parcel> {
        let copy = verified(outbox, artifact).await?;
        let failed = |source| Error::Copy {
            artifact: artifact.manifest.id(),
            source,
        };
        let compressed = tokio::task::spawn_blocking(move || gzip(copy.path())).await;
        let (file, bytes) = compressed
            .map_err(io::Error::other)
            .and_then(|c| c)
            .map_err(failed)?;
        let manifest = serde_json::to_string(&artifact.manifest);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_below_the_servers_own_path() {
        for (server, wanted) in [
            (
                "http://shop.example",
                "http://shop.example/api/upload/store-groups/",
            ),
            (
                "http://shop.example/v2/?x=1",
                "http://shop.example/v2/api/upload/store-groups/",
            ),
        ] {
            let second = Duration::from_secs(1);
            let server = Url::parse(server).unwrap();
            let transport = HttpTransport::new(server, &"key".into(), second, second).unwrap();
            assert_eq!(transport.url("store-groups").as_str(), wanted);
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let second = Duration::from_secs(1);
        let server = Url::parse("http://shop.example").unwrap();
        let transport = HttpTransport::new(server, &"hunter2".into(), second, second).unwrap();
        assert!(!format!("{transport:?}").contains("hunter2"));
    }
}
