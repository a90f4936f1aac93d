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
//! Each stage as a whole is one function over an [`env::Env`]: it emits [`events`], to
//! which the screen, the log and the record of the run listen, and returns a [`report`].
//! [`turn::run`] is the whole loop.
//!
//! # Modules
//!
//! From the ground up; a module imports from those above it in this table, never from
//! those below.
//!
//! | module | responsible for | never |
//! | --- | --- | --- |
//! | [`mod@kind`], [`mod@chain`], [`clock`] | how a run ends and why, what time it is | prints |
//! | [`diagnostics`] | what is wrong in a user's own file, and where | decides what is wrong |
//! | [`events`] | what happens, as it happens | prints |
//! | `text`, [`json`], [`dataset`] | names and sizes; exact JSON; columns, types, keys | reads a file |
//! | `work` | threads, turns and memory of work that takes seconds | knows SQL or prices |
//! | [`config`] | settings, resolved once; the only reader of the environment | prints a secret |
//! | [`storage`], [`artifact`] | durable files and object stores; what a file is, and the commit of it | knows what a file means |
//! | [`service`] | the one HTTP client | decodes a body |
//! | [`pipeline`] | what an analyst wrote, parsed once, with places | runs SQL |
//! | `algorithms` | what SQL functions compute, over plain values | knows SQL or Arrow |
//! | [`embedding`], [`functions`] | vectors of texts; SQL functions, one per file | plans a query |
//! | [`engine`] | DataFusion itself: the one session function, its costs and its errors | knows a pipeline |
//! | [`database`] | the tables, and the change that is applied to them once | decides what to apply |
//! | [`source`], [`snapshot`], [`fetch`] | exports as rows; rows as Parquet that never changes | knows what prices mean |
//! | [`catalog`] | where the rows of a name come from | plans |
//! | [`compile`] | SQL text → checked plans, one way for all callers | runs a plan |
//! | [`mod@generate`], [`outbox`], [`upload`], [`inbox`], [`update`], [`serve`], [`archive`], [`runs`], [`status`], [`turn`] | the use cases of the loop, over [`mod@env`], to [`report`]s | print or parse arguments |
//! | [`workbench`] | what analysts do before they ship: query, show, test | commits |
//! | [`load`], [`synth`] | rows from files; any number of made-up rows | |
//! | [`cli`] | arguments and screens, one file per command | decides anything else |
//!
//! # Invariants
//!
//! Only `engine` makes DataFusion sessions; only `storage` builds stores and writes
//! files that last; only `service` makes requests; only `database` opens the database;
//! only `config` reads the environment; only [`clock`] reads the clock; only `cli`
//! prints; nothing depends on `cli`. No pipeline's SQL or name is in Rust (`pipeline`
//! embeds the folders as they are); no file path is in SQL. The lints of `.clippy.toml`
//! enforce what can be banned by name.
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests make and break files of their own"
    )
)]

// What every stage uses.
pub mod artifact;
pub mod chain;
pub mod clock;
pub mod config;
pub mod dataset;
pub mod diagnostics;
pub mod error;
pub mod events;
pub mod json;
pub mod kind;
pub mod report;
pub mod service;
pub mod storage;
mod text;
mod work;

// What analysts define, and what runs it.
pub mod pipeline;

mod algorithms;
pub mod embedding;

pub mod functions;

pub mod engine;

pub mod catalog;

pub mod compile;

// The stages, in the order data flows.
pub mod source;

pub mod snapshot;

pub mod env;

pub mod fetch;

pub mod generate;

pub mod outbox;

pub mod upload;

pub mod inbox;

pub mod update;

pub mod database;

pub mod archive;

pub mod turn;

pub mod status;

pub mod serve;

pub mod runs;

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
