//! `applied_artifacts`: what was applied to the tables. A pipeline's latest entry is the
//! artifact that the tables hold.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Change, LedgerEntry, TableCounts};
use crate::database::{
    Result,
    connection::{Connection, Parameter, unreadable},
};

const READ: &str = "read the ledger";

/// Returns a pipeline's latest entry.
pub(in crate::database) fn latest(
    connection: &mut dyn Connection,
    pipeline: &str,
) -> Result<Option<LedgerEntry>> {
    let sql = format!(
        "select pipeline, seq, sha256, applied_at, counts from applied_artifacts
         where pipeline = {} order by id desc limit 1",
        connection.dialect().parameter(1)
    );
    let mut latest = None;
    connection.query(READ, &sql, &[Parameter::Text(pipeline)], &mut |row| {
        latest = Some(entry(&row)?);
        Ok(())
    })?;
    Ok(latest)
}

/// Adds an entry, in the transaction that changes the tables.
pub(super) fn record(
    connection: &mut dyn Connection,
    change: &Change,
    counts: &[TableCounts],
) -> Result<()> {
    let counts = serde_json::to_string(counts).map_err(|error| unreadable(READ, error))?;
    let places = (1..=5).map(|number| connection.dialect().parameter(number));
    let sql = format!(
        "insert into applied_artifacts (pipeline, seq, sha256, applied_at, counts)
         values ({})",
        places.collect::<Vec<_>>().join(", ")
    );
    let values = [
        Parameter::Text(&change.pipeline),
        Parameter::Integer(change.seq.cast_signed()),
        Parameter::Text(&change.sha256),
        Parameter::Instant(change.at),
        Parameter::Text(&counts),
    ];
    connection.run("apply the artifact", &sql, &values)?;
    Ok(())
}

fn entry(row: &[Value]) -> Result<LedgerEntry> {
    let text = |index: usize| row.get(index).and_then(Value::as_str).unwrap_or_default();
    let at: DateTime<Utc> = text(3).parse().map_err(|error| unreadable(READ, error))?;
    let counts = serde_json::from_str(text(4)).map_err(|error| unreadable(READ, error))?;
    Ok(LedgerEntry {
        pipeline: text(0).to_owned(),
        seq: row.get(1).and_then(Value::as_u64).unwrap_or_default(),
        sha256: text(2).to_owned(),
        applied_at: at,
        counts,
    })
}
