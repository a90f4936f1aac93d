//! The checks of an output: contract, grain, `[checks]`, and the files of `checks/`.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use datafusion::{
    arrow::{
        datatypes::Schema, error::ArrowError, record_batch::RecordBatch,
        util::pretty::pretty_format_batches,
    },
    catalog::TableProvider,
    common::Column,
    datasource::provider_as_source,
    functions_aggregate::count::count_all,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit},
};
use futures::StreamExt;

use super::intermediate::Intermediate;
use crate::{
    clock::Stopwatch,
    compile::Planner,
    engine::{Error, Result},
    events::grouped,
    pipeline::{Pipeline, Severity},
    report::Sample,
};

/// How many bad rows of a check are shown.
pub const SHOWN: usize = 10;

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult {
    /// The check: `rows`, `empty`, `change`, `age`, `not null`, `grain`, or a rule's file.
    pub name: String,
    /// What a failure does.
    pub severity: Severity,
    /// Whether it holds.
    pub passed: bool,
    /// What was found, in words.
    pub message: String,
    /// How many rows are bad.
    pub bad_rows: u64,
    /// The first ten of them, as a table.
    pub shown: Option<String>,
    /// The same rows, for a screen of any width.
    pub sample: Option<Sample>,
    /// How long it took; nothing where it needs no query.
    pub elapsed: Duration,
}

impl CheckResult {
    /// Says whether this keeps the artifact from being committed.
    pub fn refuses(&self) -> bool {
        !self.passed && self.severity == Severity::Error
    }

    fn new(name: &str, severity: Severity, passed: bool, message: String) -> CheckResult {
        CheckResult {
            name: name.to_owned(),
            severity,
            passed,
            message,
            bad_rows: 0,
            shown: None,
            sample: None,
            elapsed: Duration::ZERO,
        }
    }
}

/// What the checks of `[checks]` are held against.
#[derive(Debug, Clone)]
pub(crate) struct Against {
    pub(crate) previous_rows: Option<u64>,
    /// The datasets that are read, must be there, and have no rows.
    pub(crate) empty_inputs: Vec<String>,
    pub(crate) snapshot_at: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
}

/// Checks what needs no query: `rows`, `empty`, `change`, `age`.
pub(crate) fn numbers(pipeline: &Pipeline, rows: u64, against: &Against) -> Vec<CheckResult> {
    let checks = &pipeline.checks;
    let results = [
        checks.rows.as_ref().map(|check| check_rows(check, rows)),
        checks
            .empty
            .map(|severity| check_empty(severity, rows, against)),
        checks
            .change
            .as_ref()
            .map(|check| check_change(check, rows, against.previous_rows)),
        checks.age.as_ref().map(|check| check_age(check, against)),
    ];
    results.into_iter().flatten().collect()
}

fn check_rows(check: &crate::pipeline::Rows, rows: u64) -> CheckResult {
    let passed = check.min.is_none_or(|min| rows >= min) && check.max.is_none_or(|max| rows <= max);
    let wanted = match (check.min, check.max) {
        (Some(min), Some(max)) => format!("expected {min} to {max}"),
        (Some(min), None) => format!("expected at least {min}"),
        (None, Some(max)) => format!("expected at most {max}"),
        (None, None) => "no limit".to_owned(),
    };
    CheckResult::new(
        "rows",
        check.severity,
        passed,
        format!("{} rows; {wanted}", grouped(rows)),
    )
}

/// An output without rows may be the truth. It is a surprise where what it is made of has
/// none either, or where the last artifact had some.
fn check_empty(severity: Severity, rows: u64, against: &Against) -> CheckResult {
    let previous = against.previous_rows.unwrap_or_default();
    let inputs = &against.empty_inputs;
    let (passed, message) = match (rows, inputs.as_slice(), previous) {
        (1.., ..) => (true, "there are rows".to_owned()),
        (0, [], 0) => (true, "no rows; the datasets it reads have rows".to_owned()),
        (0, [], previous) => (
            false,
            format!(
                "no rows, though the last artifact has {}; if this is true, set `empty = \"warn\"`",
                grouped(previous)
            ),
        ),
        (0, [..], _) => {
            let empty = format!("no rows, and none in {} either", inputs.join(", "));
            (false, empty)
        }
    };
    CheckResult::new("empty", severity, passed, message)
}

fn check_change(check: &crate::pipeline::Change, rows: u64, previous: Option<u64>) -> CheckResult {
    let Some(previous) = previous.filter(|previous| *previous > 0) else {
        let message = "there is no earlier artifact with rows to compare with".to_owned();
        return CheckResult::new("change", check.severity, true, message);
    };
    let percent = rows.abs_diff(previous) as f64 * 100.0 / previous as f64;
    let message = format!(
        "{} rows, previously {}: a change of {percent:.1}%, at most {}% allowed",
        grouped(rows),
        grouped(previous),
        check.max_percent
    );
    CheckResult::new(
        "change",
        check.severity,
        percent <= check.max_percent,
        message,
    )
}

fn check_age(check: &crate::pipeline::Age, against: &Against) -> CheckResult {
    let age = against.now.signed_duration_since(against.snapshot_at);
    let age = age.to_std().unwrap_or_default();
    let hours = |duration: std::time::Duration| duration.as_secs_f64() / 3600.0;
    let message = format!(
        "the snapshot is {:.1} h old, at most {:.1} h allowed",
        hours(age),
        hours(check.max)
    );
    CheckResult::new("age", check.severity, age <= check.max, message)
}

/// Checks the contract's not-null columns and the grain of the output's rows.
pub(crate) async fn contract(
    planner: &Planner,
    pipeline: &Pipeline,
    output: &Intermediate,
    table: &Arc<dyn TableProvider>,
) -> Result<Vec<CheckResult>> {
    let rows = Rows {
        planner,
        pipeline,
        table,
    };
    let mut results = vec![rows.not_null(output).await?];
    if !pipeline.grain.is_empty() {
        results.push(rows.grain().await?);
    }
    Ok(results)
}

/// The output's rows.
struct Rows<'a> {
    planner: &'a Planner,
    pipeline: &'a Pipeline,
    table: &'a Arc<dyn TableProvider>,
}

impl Rows<'_> {
    async fn not_null(&self, output: &Intermediate) -> Result<CheckResult> {
        let columns = self.pipeline.contract.columns.iter().zip(&output.nulls);
        let bad: Vec<&str> = columns
            .filter(|(column, nulls)| !column.nullable && **nulls > 0)
            .map(|(column, _)| column.name.as_str())
            .collect();
        if bad.is_empty() {
            let message = "no nulls in columns declared `not null`".to_owned();
            return Ok(CheckResult::new("not null", Severity::Error, true, message));
        }
        let message = format!("nulls in columns declared `not null`: {}", bad.join(", "));
        let any = bad.into_iter().map(|name| column(name).is_null());
        let bad = |rows: LogicalPlanBuilder| match any.reduce(Expr::or) {
            Some(any) => rows.filter(any),
            None => Ok(rows),
        };
        self.bad("not null", message, bad).await
    }

    async fn grain(&self) -> Result<CheckResult> {
        let message = format!("one row per {}", self.pipeline.grain.join(", "));
        let columns = self.pipeline.grain.iter().map(|name| column(name));
        let bad = |rows: LogicalPlanBuilder| {
            rows.aggregate(columns, [count_all().alias("rows")])?
                .filter(column("rows").gt(lit(1)))
        };
        self.bad("grain", message, bad).await
    }

    async fn bad(
        &self,
        name: &str,
        message: String,
        bad: impl FnOnce(LogicalPlanBuilder) -> datafusion::error::Result<LogicalPlanBuilder>,
    ) -> Result<CheckResult> {
        let what = format!("the check `{name}`");
        let table = provider_as_source(Arc::clone(self.table));
        let plan = LogicalPlanBuilder::scan(self.pipeline.output.as_str(), table, None)
            .and_then(bad)
            .and_then(LogicalPlanBuilder::build);
        let plan = plan.map_err(|error| Error::run(&what, error))?;
        collect_bad(self.planner, &plan, name, message, &what).await
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Runs a check's file. Its bad rows are an error unless the manifest says otherwise.
pub(crate) async fn rule(
    planner: &Planner,
    pipeline: &Pipeline,
    name: &str,
    plan: &LogicalPlan,
) -> Result<CheckResult> {
    let file = &pipeline.rules[name];
    let what = format!("{} (check `{name}`)", file.path.display());
    let result = collect_bad(planner, plan, name, String::new(), &what).await?;
    Ok(CheckResult {
        severity: pipeline.checks.severity_of(name),
        ..result
    })
}

/// Counts the rows of a plan, all of which are bad, and keeps the first to show.
async fn collect_bad(
    planner: &Planner,
    plan: &LogicalPlan,
    name: &str,
    message: String,
    what: &str,
) -> Result<CheckResult> {
    let failed = |error| Error::run(what, error);
    let began = Stopwatch::start();
    let mut stream = planner.run(plan).await.map_err(failed)?;
    let mut kept: Vec<RecordBatch> = Vec::new();
    let (mut bad, mut shown) = (0u64, 0usize);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        bad += batch.num_rows() as u64;
        let take = batch.num_rows().min(SHOWN - shown);
        if take > 0 {
            kept.push(batch.slice(0, take));
            shown += take;
        }
    }
    let table = (bad > 0).then(|| pretty_format_batches(&kept)).transpose();
    let table = table.map_err(|error| failed(error.into()))?;
    let sample = sample(&kept).map_err(|error| failed(error.into()))?;
    let rows = if bad == 1 { "row" } else { "rows" };
    let counted = format!("{} bad {rows}", grouped(bad));
    let message = match (bad, message.is_empty()) {
        (_, true) => counted,
        (0, _) => message,
        _ => format!("{message}: {counted}"),
    };
    Ok(CheckResult {
        bad_rows: bad,
        shown: table.map(|table| table.to_string()),
        sample,
        elapsed: began.elapsed(),
        ..CheckResult::new(name, Severity::Error, bad == 0, message)
    })
}

/// Returns the rows of batches as people read them, if there are any.
fn sample(batches: &[RecordBatch]) -> Result<Option<Sample>, ArrowError> {
    let Some(first) = batches.first() else {
        return Ok(None);
    };
    let mut sample = Sample::new(first.schema_ref());
    for batch in batches {
        sample.add(batch)?;
    }
    Ok(Some(sample))
}

/// Checks that what a page or a picture is made of is one row of one text.
pub(crate) fn one_text(file: &str, schema: &Schema, rows: u64) -> CheckResult {
    let columns = schema.fields();
    let is_text = columns.len() == 1 && columns[0].data_type().is_string();
    let message = format!(
        "{rows} rows of {} columns; {file} must be one row with one text column",
        columns.len()
    );
    CheckResult::new("page", Severity::Error, is_text && rows == 1, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rows_are_a_surprise_after_some_and_where_there_is_nothing_to_read() {
        let passes = |rows: u64, previous: Option<u64>, empty: &[&str]| {
            let against = Against {
                previous_rows: previous,
                empty_inputs: empty.iter().map(|name| (*name).to_owned()).collect(),
                snapshot_at: DateTime::UNIX_EPOCH,
                now: DateTime::UNIX_EPOCH,
            };
            check_empty(Severity::Error, rows, &against).passed
        };
        // The truth: there is none today, as before or for the first time.
        assert!(passes(0, None, &[]));
        assert!(passes(0, Some(0), &[]));
        assert!(passes(7, Some(0), &[]));
        assert!(passes(7, Some(9), &["stores"]));
        // A surprise.
        assert!(!passes(0, Some(7), &[]));
        assert!(!passes(0, None, &["prices"]));
        assert!(!passes(0, Some(0), &["prices", "stores"]));
    }
}
