//! SQL text → checked plans: one way, for whoever asks.
//!
//! ```text
//!  file ─► its names ─► what they mean ─► their rows ─► a plan
//!  (pipeline, parsed)   (scope)           (catalog)     (planner)
//! ```
//!
//! [`check()`], `generate`, `show`, `query`, `test` and `update` differ in where relations
//! come from and in how models read each other, and in nothing else. Nothing here runs.

mod blame;
mod check;
mod compiler;
mod contract;
mod culprit;
mod derived;
mod diagnose;
#[cfg(test)]
mod dialect;
#[cfg(test)]
mod differential;
mod grain;
mod keys;
mod kinds;
mod limits;
mod lint;
mod mixed;
mod narrow;
mod page;
mod places;
mod planner;
mod retry;
mod row;
mod rows;
mod scope;
mod signatures;
#[cfg(test)]
mod stable;
mod suspect;
mod targets;
#[cfg(test)]
mod tests;
mod ties;
mod unordered;
mod wording;

pub use check::{Checked, Promise, check};
pub use compiler::Compiler;
pub(crate) use compiler::{Compiled, Model, Question, delivered};
pub(crate) use culprit::Failed;
pub(crate) use diagnose::{is_of_sql, of_query};
pub(crate) use grain::in_words;
pub(crate) use keys::{in_key_order, of as keys_of};
pub use narrow::narrowed;
pub(crate) use planner::Planner;
pub(crate) use row::values_of;
pub(crate) use rows::Keys;
pub(crate) use scope::{ARTIFACT, DB, EXPORT, HISTORY, Meaning, PREVIOUS, Scope};
pub(crate) use targets::{Tables, suited};
