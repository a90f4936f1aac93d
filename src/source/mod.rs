//! Places prices come from.
//!
//! A source fetches and decodes, nothing more: files belong to `snapshot`,
//! meaning to SQL.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use serde::{Deserialize, Serialize};

use crate::{dataset::Dataset, error::Kind};

/// Why a dataset could not be fetched.
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

/// Where a fetch of one dataset stands: what was read is durable up to here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The pages that are done.
    pub pages: u64,
    /// The count the service last told.
    pub count: Option<u64>,
}

/// A dataset as it comes in.
pub struct Fetched {
    /// The rows, of the contract's Arrow schema, in the order they came.
    pub batches: SendableRecordBatchStream,
    /// What was noticed, complete once the stream has ended.
    pub told: std::sync::Arc<std::sync::Mutex<Told>>,
}

/// What a source noticed while it fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// `stream` or `pages`, or `database`.
    pub form: String,
    /// The rows the service says there are.
    pub count: Option<u64>,
    /// Fields that the contract does not know, and how often each came.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Requests made, retries among them.
    pub requests: u64,
    /// Requests that had to be repeated.
    pub retries: u64,
    /// `next` links that named another origin (only their query was used).
    pub foreign_next: u64,
}

/// A place prices come from.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Returns the source's name for manifests: an origin or a database, never a secret.
    fn name(&self) -> String;

    /// Streams `dataset`, from the checkpoint on when there is one. `None` when the
    /// source does not have it.
    async fn fetch(&self, dataset: &Dataset, from: Option<Checkpoint>) -> Result<Option<Fetched>>;
}
