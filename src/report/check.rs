//! What `check` found.

use serde::Serialize;
use serde_json::Value;

use super::{LeftOut, Report, Summary};
use crate::{
    diagnostics::{Finding, Severity},
    kind::Kind,
};

/// What can be known of a project without data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Check {
    /// How many pipelines were checked.
    pub pipelines: usize,
    /// How many SQL files were planned.
    pub sql_files: usize,
    /// What is wrong or probably not meant, in the order of the pipelines.
    pub findings: Vec<Finding>,
    /// What the contracts promise.
    pub promises: Vec<Promise>,
    /// The pipelines that were left out, as their files have errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// Something that a contract promises of an output's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// What: `product_id not null`, `one row per product_id`.
    pub what: String,
    /// Whether the SQL proves it; if not, the rows are checked before each commit.
    pub proved: bool,
}

impl Check {
    /// Counts the findings of one severity.
    fn count(&self, severity: Severity) -> usize {
        let same = self.findings.iter().filter(|f| f.severity == severity);
        same.count()
    }

    /// Says whether nothing found keeps the project from running.
    pub fn is_sound(&self) -> bool {
        self.count(Severity::Error) == 0
    }
}

impl Report for Check {
    const COMMAND: &'static str = "check";
    const COLUMNS: &'static [&'static str] =
        &["code", "severity", "message", "file", "line", "column"];
    type Item = Finding;

    /// Looks for `file`, `line` and `column` in the place at fault, which is the first.
    fn cell<'a>(item: &'a Value, column: &str) -> Option<&'a Value> {
        let place = || item.get("places")?.get(0)?.get(column);
        item.get(column).or_else(place)
    }

    fn items(&self) -> Vec<&Finding> {
        self.findings.iter().collect()
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn summary(&self) -> Summary {
        let fail = self.count(Severity::Error);
        let sound = self.is_sound();
        let checked = Summary::all("checked", self.pipelines, "pipeline");
        Summary {
            pass: if sound { self.pipelines } else { 0 },
            warn: self.count(Severity::Warning),
            fail,
            kinds: if sound { Vec::new() } else { vec![Kind::Usage] },
            ..checked.with_failures("error")
        }
    }
}
