//! The crate's error: one variant a stage, and one `kind()` at the edge.

use crate::{
    archive, config, database, dataset, diagnostics, diagnostics::Finding, engine, env, fetch,
    generate, inbox, kind::Kind, load, outbox, pipeline, report::Failure, runs, serve, snapshot,
    source, status, storage, synth, turn, update, upload, workbench,
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
    Source(#[from] source::Error),
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error(transparent)]
    Env(#[from] env::Error),
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    #[error(transparent)]
    Generate(#[from] generate::run::Error),
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    #[error(transparent)]
    Upload(#[from] upload::Error),
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    #[error(transparent)]
    Update(#[from] update::Error),
    #[error(transparent)]
    Turn(Box<turn::Error>),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Archive(#[from] archive::Error),
    #[error(transparent)]
    Status(#[from] status::Error),
    #[error(transparent)]
    Workbench(#[from] workbench::Error),
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

impl From<turn::Error> for Error {
    fn from(error: turn::Error) -> Error {
        Error::Turn(Box::new(error))
    }
}

impl Error {
    /// Returns what kind of end this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Config(_) | Error::Dataset(_) | Error::Pipeline(_) | Error::Invalid(_) => {
                Kind::Usage
            }
            Error::Storage(error) => error.kind(),
            Error::Source(error) => error.kind(),
            Error::Snapshot(error) => error.kind(),
            Error::Engine(error) => error.kind(),
            Error::Env(error) => error.kind(),
            Error::Fetch(error) => error.kind(),
            Error::Generate(error) => error.kind(),
            Error::Outbox(error) => error.kind(),
            Error::Upload(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Update(error) => error.kind(),
            Error::Turn(error) => error.kind(),
            Error::Database(error) => error.kind(),
            Error::Archive(error) => error.kind(),
            Error::Status(error) => error.kind(),
            Error::Workbench(error) => error.kind(),
            Error::Load(error) => error.kind(),
            Error::Synth(error) => error.kind(),
            Error::Serve(error) => error.kind(),
            Error::Runs(error) => error.kind(),
        }
    }

    /// Returns all that there is to say of it, as a report keeps it.
    pub fn failure(&self) -> Failure {
        Failure::new(self, self.kind(), self.hint(), self.findings())
    }

    /// Returns the findings in the user's own files, where the error is some.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Error::Invalid(findings) => &findings.0,
            Error::Config(error) => error.findings(),
            Error::Engine(error) => error.findings(),
            Error::Env(error) => error.findings(),
            Error::Fetch(error) => error.findings(),
            Error::Load(error) => error.findings(),
            Error::Generate(error) => error.findings(),
            Error::Upload(error) => error.findings(),
            Error::Update(error) => error.findings(),
            Error::Turn(error) => error.findings(),
            Error::Status(error) => error.findings(),
            Error::Workbench(error) => error.findings(),
            Error::Synth(error) => error.findings(),
            Error::Serve(error) => error.findings(),
            Error::Storage(_)
            | Error::Dataset(_)
            | Error::Source(_)
            | Error::Snapshot(_)
            | Error::Pipeline(_)
            | Error::Outbox(_)
            | Error::Inbox(_)
            | Error::Database(_)
            | Error::Archive(_)
            | Error::Runs(_) => &[],
        }
    }

    /// Returns what the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Config(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::Dataset(error) => error.hint(),
            Error::Source(error) => error.hint(),
            Error::Snapshot(error) => error.hint(),
            Error::Pipeline(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Env(error) => error.hint(),
            Error::Fetch(error) => error.hint(),
            Error::Generate(error) => error.hint(),
            Error::Outbox(error) => error.hint(),
            Error::Upload(error) => error.hint(),
            Error::Inbox(error) => error.hint(),
            Error::Update(error) => error.hint(),
            Error::Turn(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Archive(error) => error.hint(),
            Error::Status(error) => error.hint(),
            Error::Workbench(error) => error.hint(),
            Error::Load(error) => error.hint(),
            Error::Synth(error) => error.hint(),
            Error::Serve(error) => error.hint(),
            Error::Runs(error) => error.hint(),
            Error::Invalid(_) => None,
        }
    }
}
