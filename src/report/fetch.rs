//! What `fetch` did.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{LeftOut, Report, Summary};

/// A new snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fetch {
    /// The snapshot's name.
    pub snapshot: String,
    /// Where the rows came from.
    pub source: String,
    /// When the fetch began, in UTC.
    pub fetched_at: DateTime<Utc>,
    /// The datasets, in the order in which they were fetched.
    pub datasets: Vec<Dataset>,
    /// The pipelines that were left out, as their files have errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// One dataset of a new snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// The dataset's name.
    pub dataset: String,
    /// The snapshot's name.
    pub snapshot: String,
    /// The form in which the source sent it, such as `json` or `columnar`.
    pub form: String,
    /// Its rows, each key once.
    pub rows: u64,
    /// Rows that were equal to another, and were removed.
    pub duplicates: u64,
    /// Rows that had another's key and other values, and were removed.
    pub conflicts: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that were repeated.
    pub retries: u64,
    /// Rows with an id that another dataset lacks, by reference (`store_id → stores`).
    pub missing_references: BTreeMap<String, u64>,
    /// Fields that the contract does not have, and how often each came.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Pages whose `next` pointed to another origin; only its query was used.
    pub cross_origin_links: u64,
}

impl Report for Fetch {
    const COMMAND: &'static str = "fetch";
    const COLUMNS: &'static [&'static str] = &[
        "dataset",
        "snapshot",
        "form",
        "rows",
        "duplicates",
        "conflicts",
        "requests",
        "retries",
    ];
    type Item = Dataset;

    fn items(&self) -> Vec<&Dataset> {
        self.datasets.iter().collect()
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn summary(&self) -> Summary {
        Summary::all("fetched", self.datasets.len(), "dataset")
    }
}
