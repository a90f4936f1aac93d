//! What analysts do with SQL before it ships: check it, query it, look at it, test it.

mod argument;
mod ask;
mod check;
mod error;
mod lineage;
mod new;
mod new_pipeline;
mod query;
mod schema;
mod starter;
mod test;
mod tests;

pub use argument::select_all;
pub use ask::{About, Question, ask};
pub use check::check;
pub use error::{Error, Result};
pub use lineage::lineage;
pub use new::new_project;
pub use new_pipeline::{NewError, new_pipeline};
pub use query::{Needs, Query, Rows, query, relations, show};
pub use schema::{describe, described, schema};
pub use test::{TestFailure, TestResult, test};
pub use tests::run_tests;
