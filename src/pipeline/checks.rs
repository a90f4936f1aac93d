//! `[checks]`: what must hold of the output before it is committed.

use std::time::Duration;

/// What a failed check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// Keeps the artifact from being committed.
    #[default]
    Error,
    /// Is told, and no more.
    Warn,
}

/// The built-in checks of a manifest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checks {
    /// How many rows there must be.
    pub rows: Option<Rows>,
    /// How far the number of rows may move from the last committed artifact's.
    pub change: Option<Change>,
    /// How old the snapshot may be.
    pub age: Option<Age>,
}

/// `rows = { min = 1, max = … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The fewest.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
    /// What a failure does.
    pub severity: Severity,
}

/// `change = { max = "50%" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In percent of the last artifact's rows.
    pub max_percent: f64,
    /// What a failure does.
    pub severity: Severity,
}

/// `age = { max = "36h" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Age {
    /// The oldest a snapshot may be.
    pub max: Duration,
    /// What a failure does.
    pub severity: Severity,
}
