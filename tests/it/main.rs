//! The one integration-test binary: one file a stage.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says why it failed by panicking"
)]

mod data;
mod turn;
mod world;
mod functions;
mod service;
mod snapshot;
mod source;
mod broken;
