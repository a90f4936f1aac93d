//! Artifacts from the outbox to an inbox: over HTTP, or store to store.
//!
//! ```text
//! outbox ─► latest ─► sent to this target? ─► verified copy ─► transport ─► receipt ─► outbox
//! ```
//!
//! Nothing leaves the outbox before the receiver has it; a receipt beside the
//! artifact says who does. Sending is safe to repeat: the receiver knows an artifact
//! by its number and hash.

mod http;
mod reply;
mod store;

use std::{io, time::Duration};

use async_trait::async_trait;

pub use http::HttpTransport;
pub use store::StoreTransport;

use crate::{
    events::Progress,
    inbox,
    kind::Kind,
    outbox::{self, Committed, Outbox, Receipt},
    pipeline::Pipeline,
    storage,
};

/// Why an artifact could not be uploaded. It stays in the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The outbox could not give it, or could not take the receipt.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// The inbox on an object store did not take it.
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    /// The object store refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A temporary copy could not be made.
    #[error("could not make a temporary copy of {artifact}")]
    Copy {
        /// The artifact.
        artifact: String,
        /// The system's own error.
        source: io::Error,
    },
    /// The server's address or the key cannot be used in a request.
    #[error("{what} cannot be used in a request")]
    Request {
        /// What it is about.
        what: &'static str,
    },
    /// The client could not be made.
    #[error("could not make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The server does not accept the key: nothing else is sent to it.
    #[error("{target} does not accept the key (status {status})")]
    Key {
        /// The server.
        target: String,
        /// 401 or 403.
        status: u16,
    },
    /// The server could not be reached, or not to the end, for as long as was allowed.
    #[error("{target} could not be reached")]
    Unreachable {
        /// The server.
        target: String,
        /// The last attempt's error.
        source: reqwest::Error,
    },
    /// The server kept failing for as long as was allowed.
    #[error("{target} answered with status {status}{}", reply::spoken(.reason))]
    Server {
        /// The server.
        target: String,
        /// Its last status, 5xx.
        status: u16,
        /// Its own words.
        reason: String,
    },
    /// The server asks to wait for longer than is allowed.
    #[error("{target} asks to wait {} s", .wait.as_secs())]
    Throttled {
        /// The server.
        target: String,
        /// How long.
        wait: Duration,
    },
    /// The server sends the request elsewhere; the key and the file are not sent there.
    #[error("{target} redirects the upload (status {status})")]
    Redirect {
        /// The server.
        target: String,
        /// 3xx.
        status: u16,
    },
    /// The server refuses this artifact; the same again would be refused again.
    #[error("{target} refuses the artifact with status {status}{}", reply::spoken(.reason))]
    Refused {
        /// The server.
        target: String,
        /// 4xx.
        status: u16,
        /// Its own words.
        reason: String,
    },
    /// The answer is not one a receiver gives, or tells of another file.
    #[error("{target} answered with success, but {reason}")]
    Receipt {
        /// The server.
        target: String,
        /// What is wrong with the answer.
        reason: &'static str,
    },
    /// Outbox and inbox are one place.
    #[error("the outbox and the inbox are the same place, {place}")]
    SamePlace {
        /// The place.
        place: String,
    },
    /// The store overwrites what must only be created.
    #[error("{place} overwrites objects that must only be created once")]
    NotCreateOnly {
        /// The place.
        place: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Outbox(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::Request { .. } | Error::SamePlace { .. } | Error::NotCreateOnly { .. } => {
                Kind::Usage
            }
            Error::Unreachable { .. } | Error::Server { .. } | Error::Throttled { .. } => {
                Kind::Unavailable
            }
            Error::Refused { status: 422, .. } => Kind::Data,
            Error::Copy { .. }
            | Error::Client(_)
            | Error::Key { .. }
            | Error::Redirect { .. }
            | Error::Refused { .. }
            | Error::Receipt { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Outbox(error) => return error.hint(),
            Error::Inbox(error) => return error.hint(),
            Error::Storage(error) => return error.hint(),
            Error::Key { .. } => "INTERNAL_API_KEY must be a key the server knows",
            Error::Unreachable { .. } | Error::Server { .. } | Error::Throttled { .. } => {
                "the artifact stays in the outbox; run the upload again later"
            }
            Error::Redirect { .. } => "set the profile's server to the address it redirects to",
            Error::Refused { status: 404, .. } => {
                "the server knows no such pipeline; its manifest may name another `endpoint`"
            }
            Error::Refused { status: 409, .. } => {
                "the server's artifacts came from another outbox; send from that one"
            }
            Error::Receipt { .. } => "is the profile's server the service itself, not a proxy?",
            Error::SamePlace { .. } => "give the profile an inbox outside of the outbox",
            Error::NotCreateOnly { .. } => {
                "use a store that honours If-None-Match, or upload over HTTP"
            }
            Error::Copy { .. }
            | Error::Request { .. }
            | Error::Client(_)
            | Error::Refused { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// A way to an inbox.
#[async_trait]
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Returns the receiver's name, as receipts have it: an origin or a location.
    fn target(&self) -> String;

    /// Makes sure, before anything is sent, that the receiver can be sent to at all.
    async fn prepare(&self, outbox: &Outbox) -> Result<()> {
        let _ = outbox;
        Ok(())
    }

    /// Sends one artifact. Sending the same again is the same as sending it once.
    async fn send(
        &self,
        pipeline: &Pipeline,
        outbox: &Outbox,
        artifact: &Committed,
    ) -> Result<Receipt>;
}

/// What became of one pipeline's upload.
#[derive(Debug)]
pub struct Uploaded {
    /// The pipeline.
    pub pipeline: String,
    /// Its latest artifact, if it has one.
    pub artifact: Option<Committed>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an artifact.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver has it now.
    Sent(Receipt),
    /// The receiver had it before; nothing was sent.
    Already(Receipt),
    /// Nothing is committed.
    Nothing,
    /// The pipeline's artifacts are not uploaded.
    Kept,
    /// It could not be sent, and stays.
    Failed(Error),
    /// Nothing was tried, as the receiver had refused the key before.
    Skipped,
}

/// Sends the latest artifact of each pipeline that the transport's target does not
/// have yet. One pipeline's failure keeps no other back, unless the key is refused.
/// A second run sends nothing.
///
/// # Errors
///
/// Returns an error only when nothing could be sent at all: see [`Transport::prepare`].
pub async fn upload(
    outbox: &Outbox,
    pipelines: &[&Pipeline],
    transport: &dyn Transport,
    progress: &Progress,
) -> Result<Vec<Uploaded>> {
    transport.prepare(outbox).await?;
    let mut all = Vec::with_capacity(pipelines.len());
    let mut key_refused = false;
    for pipeline in pipelines {
        progress.begin(&pipeline.name, None, "bytes");
        let uploaded = match key_refused {
            true => Uploaded::of(pipeline, None, Outcome::Skipped),
            false => one(outbox, pipeline, transport).await,
        };
        progress.end(&pipeline.name, uploaded.outcome.summary());
        key_refused |= matches!(uploaded.outcome, Outcome::Failed(Error::Key { .. }));
        all.push(uploaded);
    }
    Ok(all)
}

async fn one(outbox: &Outbox, pipeline: &Pipeline, transport: &dyn Transport) -> Uploaded {
    if !pipeline.upload {
        return Uploaded::of(pipeline, None, Outcome::Kept);
    }
    let latest = match outbox.latest(&pipeline.name).await {
        Ok(Some(latest)) => latest,
        Ok(None) => return Uploaded::of(pipeline, None, Outcome::Nothing),
        Err(error) => return Uploaded::of(pipeline, None, Outcome::Failed(error.into())),
    };
    if let Some(receipt) = latest.receipt(&transport.target()).cloned() {
        return Uploaded::of(pipeline, Some(latest), Outcome::Already(receipt));
    }
    match send(outbox, pipeline, transport, latest.clone()).await {
        Ok(sent) => Uploaded::of(pipeline, Some(sent.committed), Outcome::Sent(sent.receipt)),
        Err(error) => Uploaded::of(pipeline, Some(latest), Outcome::Failed(error)),
    }
}

async fn send(
    outbox: &Outbox,
    pipeline: &Pipeline,
    transport: &dyn Transport,
    latest: Committed,
) -> Result<outbox::Acknowledged> {
    let receipt = transport.send(pipeline, outbox, &latest).await?;
    Ok(outbox.acknowledge(latest, receipt).await?)
}

impl Uploaded {
    fn of(pipeline: &Pipeline, artifact: Option<Committed>, outcome: Outcome) -> Uploaded {
        Uploaded {
            pipeline: pipeline.name.clone(),
            artifact,
            outcome,
        }
    }
}

impl Outcome {
    fn summary(&self) -> &'static str {
        match self {
            Outcome::Sent(_) => "sent",
            Outcome::Already(_) => "already uploaded",
            Outcome::Nothing => "nothing to upload",
            Outcome::Kept => "not uploaded, as its manifest says",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped => "skipped",
        }
    }
}

/// Copies an artifact out of the outbox to a file of our own: what is sent is what was
/// verified, whatever becomes of the outbox meanwhile.
async fn verified(outbox: &Outbox, artifact: &Committed) -> Result<tempfile::NamedTempFile> {
    let temp = tempfile::NamedTempFile::new().map_err(|source| Error::Copy {
        artifact: artifact.manifest.id(),
        source,
    })?;
    outbox.copy_out(artifact, temp.path()).await?;
    Ok(temp)
}
