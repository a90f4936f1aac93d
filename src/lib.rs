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
//! is in Rust (`pipeline` embeds the folders as they are); no file path is in SQL.

// What every stage uses.
pub mod artifact;
pub mod clock;
pub mod config;
pub mod dataset;
pub mod diagnostics;
pub mod error;
pub mod events;
pub mod json;
pub mod kind;
pub mod runs;
pub mod service;
pub mod storage;
mod text;
mod work;

// The stages, in the order data flows.
pub mod source;

pub mod snapshot;

pub mod pipeline;

pub mod embedding;

pub mod functions;

pub mod engine;

pub mod catalog;

pub mod compile;

pub mod generate;

pub mod outbox;

pub mod upload;

pub mod inbox;

pub mod update;

pub mod database;

pub mod archive;

pub mod serve;

// The ways in.
pub mod cli;
pub mod load;
pub mod synth;
pub mod workbench;

// What users read.
pub mod docs;

pub use error::{Error, Result};
pub use kind::Kind;

/// The engine as manifests and requests name it.
pub const VERSION: &str = concat!("pricemill ", env!("CARGO_PKG_VERSION"));
