//! The record of a run, `runs/<id>/run.json`, and the lock of those that write.

use crate::error::Kind;

/// Why a run could not begin or be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match *self {}
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match *self {}
    }
}
