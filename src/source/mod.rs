//! Places prices come from.
//!
//! ```text
//!  Http ──► request (retry, throttle) ──► columnar (one Arrow stream)  ┐
//!                                     └─► pages (JSON, a few at once)  ├─► pieces ─► snapshot
//!  DatabaseSource ─────────────────────────────────────────────────────┘
//! ```
//!
//! A source fetches and decodes, nothing more: files belong to `snapshot`,
//! meaning to SQL. Rows leave it typed by the dataset's contract.

mod columnar;
mod database;
mod fingerprint;
mod http;
mod pages;
mod request;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

pub use database::DatabaseSource;
pub use http::Http;
pub use request::Cause;

use crate::{dataset::Dataset, events::Progress, json::RowError, kind::Kind};

/// Why a dataset could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key is missing or wrong.
    #[error("{place}: the server refuses the key ({status})")]
    Denied {
        /// What was fetched.
        place: Place,
        /// 401 or 403.
        status: u16,
    },
    /// The server refuses the request for another reason.
    #[error("{place}: the server answers {status}: {answer}")]
    Refused {
        /// What was fetched.
        place: Place,
        /// The status.
        status: u16,
        /// What came with it, shortened.
        answer: String,
    },
    /// The server points elsewhere, where neither key nor trust reaches.
    #[error("{place}: the server redirects to {to}")]
    Redirected {
        /// What was fetched.
        place: Place,
        /// Where to.
        to: String,
    },
    /// A field breaks the dataset's contract.
    #[error("{place}, {wrong}")]
    IllTyped {
        /// What was fetched.
        place: Place,
        /// The row, the field and what is wrong.
        wrong: Box<RowError>,
    },
    /// The answer is not what was asked for.
    #[error("{place}: {reason}")]
    Answer {
        /// What was fetched.
        place: Place,
        /// What came instead.
        reason: String,
    },
    /// The answer is longer than is allowed.
    #[error("{place}: the answer is longer than {max_bytes} bytes")]
    TooLarge {
        /// What was fetched.
        place: Place,
        /// The limit.
        max_bytes: u64,
    },
    /// The server asks to wait for longer than patience lasts.
    #[error("{place}: throttled for {} s", wait.as_secs())]
    Throttled {
        /// What was fetched.
        place: Place,
        /// How long the server asks to wait.
        wait: Duration,
    },
    /// No sound answer came within the time that patience lasts.
    #[error("{place}: no answer after {tries} tries")]
    Unavailable {
        /// What was fetched.
        place: Place,
        /// How often it was tried.
        tries: u32,
        /// Why the last try failed.
        source: Cause,
    },
    /// The data moved while it was read, each time.
    #[error("{place}: {reason}; the data moved in each of {times} attempts")]
    Moving {
        /// What was fetched.
        place: Place,
        /// What was noticed the last time.
        reason: String,
        /// How often the dataset was read.
        times: u32,
    },
    /// The server could not prove who it is, or no client could be made.
    #[error("{what}")]
    Client {
        /// What could not be done.
        what: String,
        /// The client's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database could not be read.
    #[error("could not read {dataset} from the database")]
    Database {
        /// The dataset.
        dataset: String,
        /// The database's own error.
        source: Box<crate::database::Error>,
    },
    /// The database's stream broke off.
    #[error("could not read {dataset} from the database")]
    Stream {
        /// The dataset.
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
            Error::Denied { .. }
            | Error::Refused { .. }
            | Error::Redirected { .. }
            | Error::Client { .. }
            | Error::Stream { .. } => Kind::Failed,
            Error::IllTyped { .. } | Error::Answer { .. } | Error::TooLarge { .. } => Kind::Data,
            Error::Throttled { .. } | Error::Unavailable { .. } | Error::Moving { .. } => {
                Kind::Unavailable
            }
            Error::Database { source, .. } => source.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Denied { .. } => "set INTERNAL_API_KEY to a key that the server knows",
            Error::Redirected { .. } => {
                "set the profile's `server` to the address that answers without a redirect"
            }
            Error::TooLarge { .. } => "raise `max_page_bytes` under [fetch] if this is meant",
            Error::Throttled { .. } | Error::Unavailable { .. } => {
                "run the same command again later; it goes on where it stopped"
            }
            Error::Moving { .. } => "run the same command again when the data is at rest",
            Error::IllTyped { .. } => {
                "if the service has changed, change the dataset in pipelines/sources.toml"
            }
            Error::Database { source, .. } => return source.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What was being fetched: a dataset, and its page where there are pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The dataset.
    pub dataset: String,
    /// The page, from 1.
    pub page: Option<u64>,
}

impl fmt::Display for Place {
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
    /// Its rows.
    pub rows: u64,
    /// The rows the service said there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The query of the page after it; none after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// A hash that tells it from every other page.
    #[serde(default)]
    pub hash: u64,
    /// Its fields that the contract does not know, and how often each came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, u64>,
    /// Whether its `next` named another origin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign_next: bool,
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
    /// Its pages, in order. An error ends it; the pages before stand.
    pub pieces: BoxStream<'static, Result<Piece>>,
    /// Whether a later fetch can go on after the pages that came.
    pub resumable: bool,
    /// What was noticed, complete once the pieces have ended.
    pub told: Notes,
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
    /// How often the dataset was begun again, because its data moved or its stream was cut.
    #[serde(default)]
    pub again: u64,
}

/// What is noticed, shared between a fetch and who reads it.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Told>>);

impl Notes {
    /// Returns what was noticed so far.
    pub fn told(&self) -> Told {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes something.
    fn note(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes what a page held beside its rows.
    fn page(&self, mark: &Mark) {
        self.note(|told| {
            told.count = mark.count.or(told.count);
            told.foreign_next += u64::from(mark.foreign_next);
            for (name, count) in &mark.unknown {
                *told.unknown_fields.entry(name.clone()).or_default() += count;
            }
        });
    }

    /// Forgets what the pages held: they come again.
    fn again(&self) {
        self.note(|told| {
            told.again += 1;
            told.foreign_next = 0;
            told.unknown_fields.clear();
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
    async fn fetch(
        &self,
        dataset: &Dataset,
        done: Vec<Mark>,
        progress: &Progress,
    ) -> Result<Option<Fetched>>;
}
