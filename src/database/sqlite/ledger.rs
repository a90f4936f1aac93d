//! `applied_artifacts`: what was applied, and what stands.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, OptionalExtension, Row, types::Type};

use super::{Change, LedgerEntry, TableCounts};

/// Returns a pipeline's latest entry: the artifact that stands.
pub(super) fn latest(
    connection: &Connection,
    pipeline: &str,
) -> rusqlite::Result<Option<LedgerEntry>> {
    connection
        .prepare_cached(
            "select pipeline, seq, sha256, applied_at, counts from applied_artifacts
             where pipeline = ?1 order by id desc limit 1",
        )?
        .query_row([pipeline], entry)
        .optional()
}

/// Adds an entry, in the transaction that changes the tables.
pub(super) fn record(
    connection: &Connection,
    change: &Change,
    counts: &[TableCounts],
) -> rusqlite::Result<()> {
    let counts = serde_json::to_string(counts)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let at = change.at.to_rfc3339_opts(SecondsFormat::Micros, true);
    connection.execute(
        "insert into applied_artifacts (pipeline, seq, sha256, applied_at, counts)
         values (?1, ?2, ?3, ?4, ?5)",
        (
            &change.pipeline,
            change.seq.cast_signed(),
            &change.sha256,
            at,
            counts,
        ),
    )?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let counts: String = row.get(4)?;
    let at: String = row.get(3)?;
    Ok(LedgerEntry {
        pipeline: row.get(0)?,
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        sha256: row.get(2)?,
        applied_at: at
            .parse::<DateTime<Utc>>()
            .map_err(|error| unreadable(3, error))?,
        counts: serde_json::from_str(&counts).map_err(|error| unreadable(4, error))?,
    })
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
