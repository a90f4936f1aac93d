//! Places prices come from.
//!
//! ```text
//!  Http ──► export (asks `service`) ──► columnar (one Arrow stream)  ┐
//!                                  └─► pages (JSON, a few at once)   ├─► pieces ─► snapshot
//!  DatabaseSource ───────────────────────────────────────────────────┘
//! ```
//!
//! A source fetches and decodes, nothing more: files belong to `snapshot`,
//! meaning to SQL. Rows leave it typed by the dataset's contract.

mod columnar;
mod database;
mod export;
mod fingerprint;
mod http;
mod ledger;
mod page;
mod pages;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

pub use database::DatabaseSource;
pub(crate) use export::ATTEMPTS;
pub use http::Http;

use crate::{dataset::Dataset, events::Events, json::RowError, kind::Kind, service};

/// Why a dataset could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No client could be made.
    #[error(transparent)]
    Client(#[from] service::Error),
    /// The service gave no answer.
    #[error("{page}")]
    Service {
        /// What was fetched.
        page: DatasetPage,
        /// Why.
        source: service::Error,
    },
    /// A field breaks the dataset's contract.
    #[error("{page}, {wrong}")]
    IllTyped {
        /// What was fetched.
        page: DatasetPage,
        /// The row, the field and what is wrong.
        wrong: Box<RowError>,
    },
    /// The answer is not what was asked for.
    #[error("{page}: {reason}")]
    Answer {
        /// What was fetched.
        page: DatasetPage,
        /// What came instead.
        reason: String,
    },
    /// The answer is longer than is allowed.
    #[error("{page}: the response is longer than {max_bytes} bytes")]
    TooLarge {
        /// What was fetched.
        page: DatasetPage,
        /// The limit, in bytes once decoded.
        max_bytes: u64,
    },
    /// The data moved while it was read, each time.
    #[error("{page}: {reason}; the data changed during each of {times} attempts")]
    Moving {
        /// What was fetched.
        page: DatasetPage,
        /// What was noticed the last time.
        reason: String,
        /// How often the dataset was read.
        times: u32,
    },
    /// Rows came on several pages, each time, and so others are missing.
    #[error("{page}: {reason} (in each of {times} attempts)")]
    Overlapping {
        /// What was fetched.
        page: DatasetPage,
        /// What was noticed the last time.
        reason: String,
        /// How often the dataset was read.
        times: u32,
    },
    /// Decoding panicked.
    #[error("{page}: could not be decoded")]
    Decode {
        /// What was fetched.
        page: DatasetPage,
        /// The task's own error.
        source: tokio::task::JoinError,
    },
    /// The database could not be read.
    #[error("could not read {dataset} from the database")]
    Database {
        /// The dataset's name.
        dataset: String,
        /// The database's own error.
        source: Box<crate::database::Error>,
    },
    /// The database's stream broke off.
    #[error("could not read {dataset} from the database")]
    Stream {
        /// The dataset's name.
        dataset: String,
        /// The stream's own error.
        source: Box<datafusion::error::DataFusionError>,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Client(source) | Error::Service { source, .. } => source.kind(),
            Error::IllTyped { .. } | Error::Answer { .. } | Error::TooLarge { .. } => Kind::Data,
            Error::Moving { .. } | Error::Overlapping { .. } => Kind::Unavailable,
            Error::Stream { .. } => Kind::Failed,
            Error::Decode { .. } => Kind::Internal,
            Error::Database { source, .. } => source.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Client(source) | Error::Service { source, .. } => return source.hint(),
            Error::TooLarge { .. } => "raise `max_page` under [fetch] if this is intended",
            Error::Moving { .. } => "run the same command again when the data is not changing",
            Error::Overlapping { .. } => {
                "run the same command again when the data is not changing; if it happens every time, the service's pages have no fixed order: have it order the export by its key"
            }
            Error::IllTyped { .. } => {
                "if the service has changed, change the dataset in pipelines/sources.toml"
            }
            Error::Database { source, .. } => return source.hint(),
            Error::Answer { .. } | Error::Decode { .. } | Error::Stream { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// What was being fetched: a dataset, and its page where there are pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetPage {
    /// The dataset's name.
    pub dataset: String,
    /// The page, from 1.
    pub page: Option<u64>,
}

impl fmt::Display for DatasetPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dataset {}", self.dataset)?;
        match self.page {
            Some(page) => write!(f, ", page {page}"),
            None => Ok(()),
        }
    }
}

/// What is remembered of a page that is done. The marks of the pages so far are
/// where a later fetch goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// Its number, from 1.
    pub page: u64,
    /// How many rows it has.
    pub rows: u64,
    /// The rows the service said there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The query of the page after it; none after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// A hash that distinguishes it from every other page.
    #[serde(default)]
    pub hash: u64,
    /// Its fields that the contract does not know, and how often each came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, u64>,
    /// Whether its `next` named another origin.
    #[serde(
        rename = "foreign_next",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub cross_origin_next: bool,
}

/// One step of a dataset coming in.
#[derive(Debug)]
pub enum Piece {
    /// Rows, of the contract's Arrow schema, pages in order.
    Page(Mark, RecordBatch),
    /// All that came before is void: the source begins again at page 1.
    Again {
        /// Why.
        reason: String,
    },
}

/// A dataset as it comes in.
pub struct Fetched {
    /// Its pages, in order. An error ends it; the pages before it are kept.
    pub pieces: BoxStream<'static, Result<Piece>>,
    /// Whether a later fetch can go on after the pages that came.
    pub resumable: bool,
    /// How it went, complete once the pieces have ended.
    pub stats: Notes,
}

/// How the fetch of a dataset went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FetchStats {
    /// `stream` or `pages`, or `database`.
    pub form: String,
    /// The rows the service says there are.
    #[serde(rename = "reported_rows", alias = "count")]
    pub count: Option<u64>,
    /// Fields that the contract does not know, and how often each came.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Requests made, retries among them.
    pub requests: u64,
    /// Requests that had to be repeated.
    pub retries: u64,
    /// `next` links that named another origin (only their query was used).
    #[serde(alias = "foreign_next")]
    pub cross_origin_links: u64,
    /// How often the dataset was begun again, because its data moved or its stream was cut.
    #[serde(default, alias = "again")]
    pub restarts: u64,
}

/// The stats of a fetch, shared between it and who reads them.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<FetchStats>>);

impl Notes {
    /// Returns the stats so far.
    pub fn stats(&self) -> FetchStats {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes something.
    fn note(&self, change: impl FnOnce(&mut FetchStats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes what a page held beside its rows.
    fn page(&self, mark: &Mark) {
        self.note(|stats| {
            stats.count = mark.count.or(stats.count);
            stats.cross_origin_links += u64::from(mark.cross_origin_next);
            for (name, count) in &mark.unknown {
                *stats.unknown_fields.entry(name.clone()).or_default() += count;
            }
        });
    }

    /// Forgets what the pages held: they come again.
    fn again(&self) {
        self.note(|stats| {
            stats.restarts += 1;
            stats.cross_origin_links = 0;
            stats.unknown_fields.clear();
        });
    }
}

/// A place prices come from.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Returns the source's name for manifests: an origin or a database, never a secret.
    fn name(&self) -> String;

    /// Streams `dataset`, after the pages that are done already (none: from the
    /// start). `None` when the source does not have it. While it waits it notes why
    /// under the dataset's name.
    ///
    /// # Errors
    ///
    /// The source cannot be reached, or refuses the first request; what fails later is the
    /// last piece of the stream.
    async fn fetch(
        &self,
        dataset: &Dataset,
        done: Vec<Mark>,
        progress: &Events,
    ) -> Result<Option<Fetched>>;
}
