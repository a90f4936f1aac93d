//! What analysts do with SQL before it ships: query it, look at it, test it.

mod query;
mod test;

pub use query::{Query, Rows, query, show};
pub use test::{TestFailure, TestResult, test};
