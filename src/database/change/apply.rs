//! Applies an artifact: its rows are staged, validated as a whole, and written in one
//! transaction with the ledger's entry.
//!
//! A kill at any moment leaves the tables as they were, or changed with the entry: the
//! next run finds it and does nothing.

use std::collections::BTreeSet;

use super::{Applied, Change, TableCounts, diff::Diff, ledger, stage::Stage};
use crate::database::{Error, Result, connection::Connection, sql::create_table};

/// Applies an artifact, once.
///
/// # Errors
///
/// What does not fit, or would empty or halve a table, is refused; nothing is changed.
pub(in crate::database) fn apply(
    connection: &mut dyn Connection,
    mut change: Change,
) -> Result<Applied> {
    // Asked before the work of staging, and again once no other can write.
    if is_latest(connection, &change)? {
        return Ok(already());
    }
    let mut stages = stage(connection, &mut change)?;
    connection.begin_writing("apply the artifact")?;
    if is_latest(connection, &change)? {
        return Ok(already());
    }
    connection.script(
        "apply the artifact",
        connection.dialect().defer_references(),
    )?;
    create_tables(connection, &stages)?;
    validate(connection, &mut stages, &mut change)?;
    let tables = compare(connection, &stages, &change)?;
    if !change.dry_run {
        write(connection, &mut stages, &tables)?;
        ledger::record(connection, &change, &tables)?;
        connection.commit()?;
    }
    Ok(Applied {
        already: false,
        tables,
    })
}

fn already() -> Applied {
    Applied {
        already: true,
        tables: Vec::new(),
    }
}

/// Returns whether this artifact is the ledger's latest.
///
/// # Errors
///
/// Refuses one that is older than the latest, and a latest number with other content,
/// unless it is a rollback.
fn is_latest(connection: &mut dyn Connection, change: &Change) -> Result<bool> {
    let Some(latest) = ledger::latest(connection, &change.pipeline)? else {
        return Ok(false);
    };
    if latest.seq == change.seq && latest.sha256 == change.sha256 {
        return Ok(true);
    }
    if change.seq <= latest.seq && !change.rollback {
        return Err(Error::Superseded {
            pipeline: change.pipeline.clone(),
            seq: change.seq,
            latest: latest.seq,
        });
    }
    Ok(false)
}

fn stage(connection: &mut dyn Connection, change: &mut Change) -> Result<Vec<Stage>> {
    connection.begin("stage rows")?;
    let staged = std::mem::take(&mut change.staged).into_iter().enumerate();
    let stages = staged
        .map(|(index, staged)| Stage::fill(connection, index, staged))
        .collect::<Result<Vec<_>>>()?;
    connection.commit()?;
    Ok(stages)
}

fn create_tables(connection: &mut dyn Connection, stages: &[Stage]) -> Result<()> {
    let present = connection.tables()?;
    let is_new = |stage: &&Stage| present.iter().all(|table| table.name != stage.table.name);
    for stage in stages.iter().filter(is_new) {
        let create = create_table(connection.dialect(), &stage.table);
        connection.script("apply the artifact", &create)?;
    }
    Ok(())
}

/// Rejects rows that the tables cannot hold; refuses all when there are too many.
fn validate(
    connection: &mut dyn Connection,
    stages: &mut [Stage],
    change: &mut Change,
) -> Result<()> {
    for index in 0..stages.len() {
        let (earlier, rest) = stages.split_at_mut(index);
        let Some(stage) = rest.first_mut() else {
            break;
        };
        stage.reject_nulls(connection, &mut change.on_reject)?;
        stage.unite(connection)?;
        stage.reject_dangling(connection, earlier, &mut change.on_reject)?;
        if !change.accept.change {
            stage.check_rejects()?;
        }
    }
    Ok(())
}

/// Counts what would be done to each table, and asks the guards.
fn compare(
    connection: &mut dyn Connection,
    stages: &[Stage],
    change: &Change,
) -> Result<Vec<TableCounts>> {
    let mut tables = Vec::new();
    for stage in stages {
        let diff = Diff::new(connection.dialect(), stage);
        let counts = diff.counts(connection)?;
        diff.guard(connection, &counts, change.accept)?;
        tables.push(counts);
    }
    Ok(tables)
}

/// Deletes children before parents, writes parents before children: steps are in
/// the order in which they fill.
///
/// What is counted as nothing to do is not done, since most rows of most artifacts are
/// unchanged. The counts are those of the tables before: where rows are deleted, others
/// that were unchanged may go with them, and two steps may fill one table.
fn write(
    connection: &mut dyn Connection,
    stages: &mut [Stage],
    counts: &[TableCounts],
) -> Result<()> {
    for (stage, counts) in stages.iter_mut().zip(counts).rev() {
        if counts.deleted > 0 {
            stage.index(connection, "index the artifact's rows")?;
            Diff::new(connection.dialect(), stage).delete(connection)?;
        }
    }
    let deletes = counts.iter().any(|counts| counts.deleted > 0);
    let tables: BTreeSet<_> = counts.iter().map(|counts| &counts.table).collect();
    let certain = !deletes && tables.len() == counts.len();
    for (stage, counts) in stages.iter().zip(counts) {
        let diff = Diff::new(connection.dialect(), stage);
        diff.write(connection, certain.then_some(counts))?;
    }
    Ok(())
}
