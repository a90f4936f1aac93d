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
mod run;
mod store;

use std::io;

use async_trait::async_trait;

pub use http::HttpTransport;
pub use run::{Request, run};
pub use store::StoreTransport;

use crate::{
    diagnostics::Finding,
    env,
    events::Events,
    inbox,
    kind::Kind,
    outbox::{self, Committed, Outbox, Receipt},
    pipeline::Pipeline,
    report::state,
    service, storage,
};

/// Why an artifact could not be uploaded. It stays in the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project, a setting or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
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
        /// The artifact's id: `000001-0123456789abcdef`.
        artifact: String,
        /// The system's own error.
        source: io::Error,
    },
    /// No client could be made.
    #[error(transparent)]
    Client(#[from] service::Error),
    /// The server gave no answer, or refuses the artifact.
    #[error("{target}")]
    Service {
        /// The server's origin, without a path.
        target: String,
        /// Why.
        source: service::Error,
    },
    /// The answer is not one a receiver gives, or is for another file.
    #[error("{target} reported success, but {reason}")]
    Receipt {
        /// The server's origin, without a path.
        target: String,
        /// What is wrong with the answer.
        reason: &'static str,
    },
    /// Outbox and inbox are one place.
    #[error("the outbox and the inbox are the same place, {place}")]
    SamePlace {
        /// The location: a path or a URL.
        place: String,
    },
    /// The store overwrites what must only be created.
    #[error("{place} overwrites objects that must only be created once")]
    NotCreateOnly {
        /// The location: a path or a URL.
        place: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Env(error) => error.kind(),
            Error::Outbox(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::SamePlace { .. } | Error::NotCreateOnly { .. } => Kind::Usage,
            Error::Service { source, .. } if refusal(source) == Some(422) => Kind::Data,
            Error::Client(source) | Error::Service { source, .. } => source.kind(),
            Error::Copy { .. } | Error::Receipt { .. } => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Env(error) => return error.hint(),
            Error::Outbox(error) => return error.hint(),
            Error::Inbox(error) => return error.hint(),
            Error::Storage(error) => return error.hint(),
            Error::Service {
                source: source @ service::Error::NotListening { .. },
                ..
            } => return source.hint(),
            Error::Service { source, .. } if source.kind() == Kind::Unavailable => {
                "the artifact stays in the outbox; run the upload again later"
            }
            Error::Service { source, .. } if refusal(source) == Some(404) => {
                "the server does not know this pipeline; the manifest may need another `endpoint`"
            }
            Error::Service { source, .. } if refusal(source) == Some(409) => {
                "the server's artifacts come from another outbox: upload from that one"
            }
            Error::Client(source) | Error::Service { source, .. } => return source.hint(),
            Error::Receipt { .. } => "is the profile's server the service itself, not a proxy?",
            Error::SamePlace { .. } => "give the profile an inbox outside of the outbox",
            Error::NotCreateOnly { .. } => {
                "use a store that honours If-None-Match, or upload over HTTP"
            }
            Error::Copy { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Returns whether the server rejected the key: nothing else is sent to it.
    pub fn is_denied(&self) -> bool {
        let denied = |error: &service::Error| matches!(error, service::Error::Denied { .. });
        matches!(self, Error::Service { source, .. } if denied(source))
    }
}

/// Returns the status with which the server refused an artifact.
fn refusal(error: &service::Error) -> Option<u16> {
    match error {
        service::Error::Refused { status, .. } => Some(*status),
        _ => None,
    }
}

impl Error {
    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Outbox(_)
            | Error::Inbox(_)
            | Error::Storage(_)
            | Error::Copy { .. }
            | Error::Client(_)
            | Error::Service { .. }
            | Error::Receipt { .. }
            | Error::SamePlace { .. }
            | Error::NotCreateOnly { .. } => &[],
        }
    }
}

/// A way to an inbox.
#[async_trait]
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Returns the receiver's name, as receipts have it: an origin or a location.
    fn target(&self) -> String;

    /// Makes sure, before anything is sent, that the receiver can be sent to at all.
    ///
    /// # Errors
    ///
    /// No artifact could be sent; the error is reported once, for all.
    async fn prepare(&self, outbox: &Outbox) -> Result<()> {
        let _ = outbox;
        Ok(())
    }

    /// Sends one artifact. Sending the same again is the same as sending it once.
    ///
    /// # Errors
    ///
    /// The artifact was not received, or that is unknown: sending it again is
    /// safe.
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
    /// The pipeline's name, not an alias.
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
    /// Nothing was tried: the receiver had refused the key before.
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
    progress: &Events,
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
        key_refused |= matches!(&uploaded.outcome, Outcome::Failed(error) if error.is_denied());
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
            Outcome::Sent(_) => state::UPLOADED,
            Outcome::Already(_) => state::ALREADY_UPLOADED,
            Outcome::Nothing => state::NOTHING_PENDING,
            Outcome::Failed(_) => state::FAILED,
            Outcome::Kept | Outcome::Skipped => state::SKIPPED,
        }
    }
}

/// Copies an artifact out of the outbox to a temporary file: what is sent is what was
/// verified, whatever becomes of the outbox meanwhile.
async fn verified(outbox: &Outbox, artifact: &Committed) -> Result<tempfile::NamedTempFile> {
    let temp = tempfile::NamedTempFile::new().map_err(|source| Error::Copy {
        artifact: artifact.manifest.id().to_string(),
        source,
    })?;
    outbox.copy_out(artifact, temp.path()).await?;
    Ok(temp)
}
