//! The crate's error: one variant a stage, and one `kind()` at the edge.

use crate::{
    archive, config, database, dataset, diagnostics, diagnostics::Finding, engine, inbox,
    kind::Kind, load, outbox, pipeline, runs, serve, service, snapshot, source, storage, synth,
    update, upload,
};

/// Any stage's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is named after its stage")]
pub enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Storage(#[from] storage::Error),
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error(transparent)]
    Source(#[from] source::Error),
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    #[error(transparent)]
    Upload(#[from] upload::Error),
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    #[error(transparent)]
    Update(#[from] update::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Archive(#[from] archive::Error),
    #[error(transparent)]
    Load(#[from] load::Error),
    #[error(transparent)]
    Synth(#[from] synth::Error),
    #[error(transparent)]
    Serve(#[from] serve::Error),
    #[error(transparent)]
    Runs(#[from] runs::Error),
    /// The project's own files are wrong; every finding has its place in them.
    #[error(transparent)]
    Invalid(#[from] diagnostics::Findings),
}

/// A result of any stage.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns what kind of end this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Config(_) | Error::Dataset(_) | Error::Pipeline(_) | Error::Invalid(_) => {
                Kind::Usage
            }
            Error::Storage(error) => error.kind(),
            Error::Service(error) => error.kind(),
            Error::Source(error) => error.kind(),
            Error::Snapshot(error) => error.kind(),
            Error::Engine(error) => error.kind(),
            Error::Outbox(error) => error.kind(),
            Error::Upload(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Update(error) => error.kind(),
            Error::Database(error) => error.kind(),
            Error::Archive(error) => error.kind(),
            Error::Load(error) => error.kind(),
            Error::Synth(error) => error.kind(),
            Error::Serve(error) => error.kind(),
            Error::Runs(error) => error.kind(),
        }
    }

    /// Returns the findings in the user's own files, where the error is some.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Error::Invalid(findings)
            | Error::Config(config::Error::File(findings))
            | Error::Engine(engine::Error::Invalid(findings)) => &findings.0,
            _ => &[],
        }
    }

    /// Returns what the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Config(error) => error.hint(),
            Error::Service(error) => error.hint(),
            Error::Source(error) => error.hint(),
            Error::Snapshot(error) => error.hint(),
            Error::Pipeline(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Outbox(error) => error.hint(),
            Error::Upload(error) => error.hint(),
            Error::Update(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Archive(error) => error.hint(),
            Error::Load(error) => error.hint(),
            Error::Synth(error) => error.hint(),
            Error::Runs(error) => error.hint(),
            Error::Inbox(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::Dataset(error) => error.hint(),
            Error::Serve(error) => error.hint(),
            Error::Invalid(_) => None,
        }
    }
}
