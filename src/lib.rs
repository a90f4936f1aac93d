//! pricemill: a dataflow engine for retail prices.
//!
//! ```text
//!  source ─► snapshot ─► pipeline ─► outbox ─► upload ─► inbox ─► update ─► serve
//!  HTTP      Parquet     SQL on      staged,   sent      applied  into the  exports,
//!  database  + manifest  DataFusion  committed           once     database  uploads, pages
//! ```
//!
//! Stages meet only in data at rest (`snapshots/`, `outbox/`, `inbox/`, the
//! database), so each can run again, alone, with the same result.
//!
//! Invariants, mostly absences: only `engine` makes DataFusion sessions; only
//! `storage` builds stores; only `source` and `upload` make requests; only
//! `database` opens the database; only `config` reads the environment; only
//! `cli` prints; nothing depends on `cli` or `serve`; no pipeline's SQL or name
//! is in Rust (`project` embeds the folders as they are); no file path is in SQL.

pub mod error;

pub mod config;
pub mod dataset;
pub mod diagnostics;
pub mod digest;
pub mod json;
pub mod progress;
pub mod runs;
pub mod storage;

pub mod snapshot;
pub mod source;

pub mod engine;
pub mod pipeline;

pub mod inbox;
pub mod outbox;
pub mod upload;

pub mod database;
pub mod load;
pub mod update;

pub mod serve;
pub mod synth;

pub mod cli;

pub use error::{Error, Kind, Result};

/// The engine as manifests and requests name it.
pub const VERSION: &str = concat!("pricemill ", env!("CARGO_PKG_VERSION"));
