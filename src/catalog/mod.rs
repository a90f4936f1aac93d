//! What a name in SQL is, and where its rows come from.
//!
//! A [`Relations`] gives the rows of what SQL names from outside of itself: nothing but
//! columns, a snapshot, files that the user names, a test's rows, a database. The
//! project's own SQL computes everything else. Nothing here plans or runs.

mod any_writer;
mod dataset_table;
mod deferred;
mod given;
mod relations;
mod snapshots;
pub(crate) mod tables;

pub(crate) use deferred::Deferred;
pub use given::{Given, GivenFiles};
pub(crate) use relations::seed_table;
pub use relations::{Edition, Empty, Layers, Named, Relations};
pub use snapshots::Snapshots;
