//! Artifacts from the outbox to an inbox: over HTTP, or store to store.
//!
//! Nothing leaves the outbox before the receiver has it; a receipt beside the
//! artifact says who does.

use async_trait::async_trait;

use crate::{
    error::Kind,
    outbox::{Committed, Outbox, Receipt},
    pipeline::Pipeline,
};

/// Why an artifact could not be uploaded. It stays in the outbox.
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

/// A way to an inbox.
#[async_trait]
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Returns the receiver's name, as receipts have it: an origin or a location.
    fn target(&self) -> String;

    /// Sends one artifact. Sending the same again is the same as sending it once.
    async fn send(
        &self,
        pipeline: &Pipeline,
        outbox: &Outbox,
        artifact: &Committed,
    ) -> Result<Receipt>;
}
