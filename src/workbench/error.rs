//! Why the workbench could not answer.

use super::NewError;
use crate::{engine, env, fetch, kind::passes_on};

/// Why the workbench could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project, a parameter or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
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

passes_on!(Env, Fetch, Engine; New);
