//! Rows that are all there is of a table, or of a part of it: what they lack is deleted.
//!
//! In go staged rows; out come counts, of the tables that were filled and of those that
//! lost rows with them. Only rows that are missing are deleted, so that what refers to
//! rows that stay survives; what refers to a deleted row goes as its foreign key says.
//! Nothing that would empty or halve a table is done unless it is accepted.

use std::collections::HashMap;

use super::{Accept, Missing, TableCounts, diff::Diff, stage::Stage};
use crate::database::{
    Error, Result,
    connection::{Connection, number},
    sql::{quoted, same_key},
    table::{Table, path_to},
};
use crate::pipeline::Reference;

const REPLACE: &str = "replace the rows";

/// Staged rows, and what they are the whole of.
pub(super) struct Whole {
    pub(super) stage: Stage,
    pub(super) missing: Missing,
    /// Its place among the fills.
    pub(super) index: usize,
}

/// How many rows each table has.
pub(super) struct Sizes(HashMap<String, u64>);

impl Sizes {
    pub(super) fn of(connection: &mut dyn Connection) -> Result<Sizes> {
        let mut sizes = HashMap::new();
        for table in connection.tables()? {
            let sql = format!(
                "select count(*) from {}",
                connection.dialect().table(&table.name)
            );
            sizes.insert(table.name, number(connection, REPLACE, &sql)?);
        }
        Ok(Sizes(sizes))
    }
}

/// Deletes what the staged rows lack, children before parents, and writes them, parents
/// before children; puts each table's counts in its place.
///
/// # Errors
///
/// A table would be emptied or halved, or a row breaks a rule.
pub(super) fn replace(
    connection: &mut dyn Connection,
    wholes: &mut [Whole],
    tables: &[Table],
    counts: &mut [TableCounts],
) -> Result<()> {
    let mut parts = Vec::with_capacity(wholes.len());
    for whole in wholes.iter_mut() {
        whole.stage.index(connection, REPLACE)?;
        let part = whole.part(connection, tables);
        let counted = whole.counts(connection, &part)?;
        counts[whole.index] = counted;
        parts.push(part);
    }
    for (whole, part) in wholes.iter().zip(&parts).rev() {
        if counts[whole.index].deleted > 0 {
            let lacked = whole.lacked(connection, part);
            connection.change(&whole.stage.table.name, &format!("delete {lacked}"))?;
        }
    }
    for whole in wholes.iter() {
        Diff::new(connection.dialect(), &whole.stage).write(connection, None)?;
    }
    Ok(())
}

impl Whole {
    /// Returns the condition that a row is of the part that is replaced.
    fn part(&self, connection: &dyn Connection, tables: &[Table]) -> String {
        let Some((parent, id)) = &self.missing.within else {
            return "true".to_owned();
        };
        let part = part_of(connection, &self.stage.table, tables, parent, *id);
        // What belongs to no parent has no part of it.
        part.unwrap_or_else(|| "false".to_owned())
    }

    /// Returns the rows of the part that the stage lacks, as what follows `delete`.
    fn lacked(&self, connection: &dyn Connection, part: &str) -> String {
        format!(
            "from {} as target where {part}
             and not exists (select 1 from {} as stage where {})",
            connection.dialect().table(&self.stage.table.name),
            self.stage.sql,
            same_key(&self.stage.table.key, "target", "stage"),
        )
    }

    /// Counts what would be done, and asks the guards.
    fn counts(&self, connection: &mut dyn Connection, part: &str) -> Result<TableCounts> {
        let table = connection.dialect().table(&self.stage.table.name);
        let present = format!("select count(*) from {table} as target where {part}");
        let present = number(connection, REPLACE, &present)?;
        let lacked = format!("select count(*) {}", self.lacked(connection, part));
        let deleted = number(connection, REPLACE, &lacked)?;
        let counts = Diff::new(connection.dialect(), &self.stage).counts(connection)?;
        let offered = present - deleted + counts.inserted;
        guard(
            &self.stage.table.name,
            present,
            offered,
            self.missing.accept,
        )?;
        Ok(TableCounts { deleted, ..counts })
    }
}

/// Refuses to empty a table, or to halve it, unless that is accepted.
fn guard(table: &str, present: u64, offered: u64, accept: Accept) -> Result<()> {
    let table = table.to_owned();
    match offered {
        0 if present > 0 && !accept.empty => Err(Error::Empty { table, present }),
        0 => Ok(()),
        _ if offered * 2 < present && !accept.shrink => Err(Error::Shrunk {
            table,
            present,
            offered,
        }),
        _ => Ok(()),
    }
}

/// Counts what went with rows that were deleted: adds it to the tables that were filled,
/// and adds the other tables that lost rows.
///
/// # Errors
///
/// A table lost all of its rows, or more than half, and that is not accepted.
pub(super) fn count_dependents(
    connection: &mut dyn Connection,
    before: &Sizes,
    wholes: &[Whole],
    counts: &mut Vec<TableCounts>,
) -> Result<()> {
    let accept = Accept {
        empty: wholes.iter().all(|whole| whole.missing.accept.empty),
        shrink: wholes.iter().all(|whole| whole.missing.accept.shrink),
        change: false,
    };
    let after = Sizes::of(connection)?;
    let mut tables: Vec<_> = after.0.into_iter().collect();
    tables.sort();
    for (table, after) in tables {
        if wholes.iter().any(|whole| whole.stage.table.name == table) {
            continue;
        }
        let before = before.0.get(&table).copied().unwrap_or_default();
        let filled = counts.iter().filter(|counts| counts.table == table);
        let inserted: u64 = filled.map(|counts| counts.inserted).sum();
        let deleted = (before + inserted).saturating_sub(after);
        let known = counts.iter_mut().find(|counts| counts.table == table);
        match known {
            _ if deleted == 0 => continue,
            // Emptied and filled again: its rows are counted by who fills it.
            Some(counts) if counts.deleted > 0 => continue,
            Some(counts) => counts.deleted = deleted,
            None => counts.push(TableCounts {
                table: table.clone(),
                deleted,
                ..TableCounts::default()
            }),
        }
        guard(&table, before, after, accept)?;
    }
    Ok(())
}

/// Returns the condition that a table's row refers to a parent's row, itself or through
/// others; `None` where the table does not refer to that parent.
fn part_of(
    connection: &dyn Connection,
    table: &Table,
    tables: &[Table],
    parent: &Reference,
    id: i64,
) -> Option<String> {
    let path = path_to(table, tables, parent, tables.len())?;
    let (last, steps) = path.split_last()?;
    let start = format!("{} = {id}", quoted(&last.0));
    let outward = |inner: String, (column, parent): &(String, Reference)| {
        let (key, table) = (
            quoted(&parent.column),
            connection.dialect().table(&parent.table),
        );
        format!(
            "{} in (select {key} from {table} where {inner})",
            quoted(column)
        )
    };
    Some(steps.iter().rev().fold(start, outward))
}
