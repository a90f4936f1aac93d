//! An artifact becomes rows: staged, validated as a whole, then one transaction
//! with the ledger's row.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Applied, Change, Error, Result, Sqlite, TableCounts,
    catalog::{self, create_table},
    connection::commit,
    diff::Diff,
    ledger,
    stage::Stage,
};

/// Applies an artifact, once.
pub(super) fn apply(database: &Sqlite, mut change: Change) -> Result<Applied> {
    let failed = database.failed("apply the artifact");
    let mut connection = database.writer()?;
    // Asked before the work of staging, and again once no other can write.
    if stands(database, &connection, &change)? {
        return Ok(already());
    }
    let mut stages = stage(database, &mut connection, &mut change)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    if stands(database, &transaction, &change)? {
        return Ok(already());
    }
    transaction
        .execute_batch("pragma defer_foreign_keys = on")
        .map_err(&failed)?;
    create_tables(&transaction, &stages).map_err(&failed)?;
    validate(database, &transaction, &mut stages, &mut change)?;
    let tables = difference(database, &transaction, &stages, &change)?;
    if !change.dry_run {
        write(database, &transaction, &mut stages, &tables)?;
        ledger::record(&transaction, &change, &tables).map_err(&failed)?;
        commit(database, transaction)?;
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

/// Returns whether this very artifact is the ledger's latest.
///
/// # Errors
///
/// Refuses one that is older than the latest, and a latest number with other
/// content, unless it is a rollback.
fn stands(database: &Sqlite, connection: &Connection, change: &Change) -> Result<bool> {
    let latest = ledger::latest(connection, &change.pipeline);
    let Some(latest) = latest.map_err(database.failed("read the ledger"))? else {
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

fn stage(
    database: &Sqlite,
    connection: &mut Connection,
    change: &mut Change,
) -> Result<Vec<Stage>> {
    let failed = database.failed("stage rows");
    let transaction = connection.transaction().map_err(&failed)?;
    let staged = std::mem::take(&mut change.staged).into_iter().enumerate();
    let stages = staged
        .map(|(index, staged)| Stage::fill(database, &transaction, index, staged))
        .collect::<Result<Vec<_>>>()?;
    transaction.commit().map_err(&failed)?;
    Ok(stages)
}

fn create_tables(transaction: &Transaction<'_>, stages: &[Stage]) -> rusqlite::Result<()> {
    let present = catalog::tables(transaction)?;
    let is_new = |stage: &&Stage| present.iter().all(|table| table.name != stage.table.name);
    for stage in stages.iter().filter(is_new) {
        transaction.execute_batch(&create_table(&stage.table))?;
    }
    Ok(())
}

/// Turns away rows that cannot stand; refuses all when there are too many.
fn validate(
    database: &Sqlite,
    transaction: &Transaction<'_>,
    stages: &mut [Stage],
    change: &mut Change,
) -> Result<()> {
    let failed = database.failed("validate the artifact");
    for index in 0..stages.len() {
        let (earlier, rest) = stages.split_at_mut(index);
        let Some(stage) = rest.first_mut() else {
            break;
        };
        stage
            .reject_nulls(transaction, &mut change.on_reject)
            .map_err(&failed)?;
        stage.unite(database, transaction)?;
        stage
            .reject_dangling(transaction, earlier, &mut change.on_reject)
            .map_err(&failed)?;
        if !change.accept.change {
            stage.check_rejects()?;
        }
    }
    Ok(())
}

fn difference(
    database: &Sqlite,
    transaction: &Transaction<'_>,
    stages: &[Stage],
    change: &Change,
) -> Result<Vec<TableCounts>> {
    let failed = database.failed("compare the artifact with its tables");
    let mut tables = Vec::new();
    for diff in stages.iter().map(Diff::new) {
        let counts = diff.counts(transaction).map_err(&failed)?;
        diff.guard(&counts, change.accept, transaction)
            .map_err(&failed)??;
        tables.push(counts);
    }
    Ok(tables)
}

/// Deletes children before parents, writes parents before children: steps are in
/// the order in which they fill.
///
/// What is counted as nothing to do is not done, since most rows of most artifacts
/// stand. The counts are those of the tables before: where rows go, others that stood
/// may go with them, and two steps may fill one table.
fn write(
    database: &Sqlite,
    transaction: &Transaction<'_>,
    stages: &mut [Stage],
    counts: &[TableCounts],
) -> Result<()> {
    for (stage, counts) in stages.iter_mut().zip(counts).rev() {
        if counts.deleted > 0 {
            let indexed = stage.index(transaction);
            indexed.map_err(database.failed("index the artifact's rows"))?;
            Diff::new(stage).delete(database, transaction)?;
        }
    }
    let deletes = counts.iter().any(|counts| counts.deleted > 0);
    let tables: BTreeSet<_> = counts.iter().map(|counts| &counts.table).collect();
    let certain = !deletes && tables.len() == counts.len();
    for (stage, counts) in stages.iter().zip(counts) {
        Diff::new(stage).write(database, transaction, certain.then_some(counts))?;
    }
    Ok(())
}
