//! The one integration-test binary: one file a stage.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says why it failed by panicking"
)]
mod load;

mod broken;
mod engine;

mod doubles;
mod outbox;
mod s3;
mod serve;
mod upload;

mod functions;
