//! Why the workbench could not answer.

use super::NewError;
use crate::{diagnostics::Finding, engine, env, fetch, kind::Kind, pipeline};

/// Why the workbench could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// A parameter cannot be used.
    #[error(transparent)]
    Param(#[from] pipeline::Error),
    /// There is no new pipeline.
    #[error(transparent)]
    New(#[from] NewError),
    /// There is no snapshot to look at.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// The SQL is wrong, or failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Env(error) => error.kind(),
            Error::Param(_) | Error::New(_) => Kind::Usage,
            Error::Fetch(error) => error.kind(),
            Error::Engine(error) => error.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Env(error) => error.hint(),
            Error::Param(error) => error.hint(),
            Error::New(error) => error.hint(),
            Error::Fetch(error) => error.hint(),
            Error::Engine(error) => error.hint(),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Fetch(error) => error.findings(),
            Error::Engine(error) => error.findings(),
            Error::Param(_) | Error::New(_) => &[],
        }
    }
}
