//! SQL text → checked plans.

pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod diagnose;
mod lint;
mod narrow;
mod params;
mod targets;
pub(crate) mod workspace;

pub use check::{Checked, Promise, check};
pub use narrow::narrowed;
