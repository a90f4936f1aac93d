//! The stages of the loop, one file a stage.

pub(crate) mod cases;
pub(crate) mod database;
pub(crate) mod formats;
pub(crate) mod functions;
pub(crate) mod generate;
pub(crate) mod money;
pub(crate) mod narrow;
pub(crate) mod outbox;
pub(crate) mod plans;
pub(crate) mod roundtrip;
pub(crate) mod s3;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod source;
pub(crate) mod staging;
pub(crate) mod update;
pub(crate) mod upload;
