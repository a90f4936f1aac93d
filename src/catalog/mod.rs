//! What a name in SQL is, and where its rows come from.

mod dataset_table;
pub(crate) mod given;
pub(crate) mod tables;

pub use given::Given;
