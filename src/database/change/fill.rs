//! Tables filled from outside (`load`, a restored archive), in one transaction.

use indexmap::IndexMap;

use super::{
    Fill, Missing, Replace, Staged, TableCounts,
    stage::Stage,
    whole::{self, Sizes, Whole},
};
use crate::{
    database::{
        Error, Result,
        connection::{Connection, Target, number},
        sql::{create_table, or_change},
        table::{Table, depth},
    },
    dataset::{Column, ColumnType, Contract},
    pipeline::UpdateMode,
};

const FILL: &str = "fill the tables";

/// Fills the tables, in order; those to be replaced are all emptied first.
///
/// References are checked when all is in, so that rows may come before what they
/// refer to.
///
/// # Errors
///
/// An error in any stream, and a row that breaks a rule, leave all tables as they were.
pub(in crate::database) fn fill(
    connection: &mut dyn Connection,
    fills: Vec<Fill>,
) -> Result<Vec<TableCounts>> {
    connection.begin_writing(FILL)?;
    connection.script(FILL, connection.dialect().defer_references())?;
    let emptied = prepare(connection, &fills)?;
    let is_missing = |fill: &Fill| matches!(fill.replace, Replace::Missing(_));
    let before = match fills.iter().any(is_missing) {
        true => Some(Sizes::of(connection)?),
        false => None,
    };
    let (mut tables, mut wholes) = (Vec::new(), Vec::new());
    for (index, (fill, deleted)) in fills.into_iter().zip(emptied).enumerate() {
        match fill.replace.clone() {
            Replace::Missing(missing) => {
                wholes.push(stage(connection, index, fill, missing)?);
                tables.push(TableCounts::default());
            }
            Replace::Nothing | Replace::All => {
                let counts = fill_one(connection, fill)?;
                tables.push(TableCounts { deleted, ..counts });
            }
        }
    }
    if let Some(before) = before {
        let known = connection.tables()?;
        whole::replace(connection, &mut wholes, &known, &mut tables)?;
        whole::count_dependents(connection, &before, &wholes, &mut tables)?;
    }
    connection.commit()?;
    Ok(tables)
}

/// Puts rows aside that are the whole of something: what is missing is known at the end.
fn stage(
    connection: &mut dyn Connection,
    index: usize,
    fill: Fill,
    missing: Missing,
) -> Result<Whole> {
    let contract = contract(&fill)?;
    let staged = Staged {
        table: fill.table,
        mode: UpdateMode::Upsert,
        references: IndexMap::new(),
        max_rejects_percent: 0.0,
        contract,
        rows: fill.rows,
    };
    Ok(Whole {
        stage: Stage::fill(connection, index, staged)?,
        missing,
        index,
    })
}

/// Returns the columns of rows, as their stream has them.
fn contract(fill: &Fill) -> Result<Contract> {
    let schema = fill.rows.schema();
    let columns = schema.fields().iter().map(|field| {
        let data_type = ColumnType::from_arrow(field.data_type());
        let data_type = data_type.ok_or_else(|| Error::Column {
            table: fill.table.name.clone(),
            column: field.name().clone(),
            reason: format!("has a type that cannot be stored, {}", field.data_type()),
        })?;
        Ok(Column {
            name: field.name().clone(),
            data_type,
            nullable: field.is_nullable(),
        })
    });
    let columns = columns.collect::<Result<_>>()?;
    Ok(Contract { columns })
}

/// Makes the tables that are not there and empties those to be replaced; returns
/// how many rows each lost.
fn prepare(connection: &mut dyn Connection, fills: &[Fill]) -> Result<Vec<u64>> {
    let present = connection.tables()?;
    for fill in fills {
        if present.iter().all(|table| table.name != fill.table.name) {
            let create = create_table(connection.dialect(), &fill.table);
            connection.script(FILL, &create)?;
        }
    }
    let mut rows = Vec::with_capacity(fills.len());
    for fill in fills {
        rows.push(match fill.replace {
            Replace::All => count(connection, &fill.table)?,
            Replace::Nothing | Replace::Missing(_) => 0,
        });
    }
    for table in children_first(fills, &present) {
        let table = connection.dialect().table(table);
        connection.run(FILL, &format!("delete from {table}"), &[])?;
    }
    Ok(rows)
}

/// Returns the tables to be emptied. A parent that still has children would look for
/// them row by row.
fn children_first<'a>(fills: &'a [Fill], present: &[Table]) -> Vec<&'a str> {
    let replaced = fills.iter().filter(|fill| fill.replace == Replace::All);
    let mut tables: Vec<&str> = replaced.map(|fill| fill.table.name.as_str()).collect();
    tables.sort_by_key(|name| std::cmp::Reverse(depth(name, present)));
    tables
}

fn fill_one(connection: &mut dyn Connection, fill: Fill) -> Result<TableCounts> {
    let schema = fill.rows.schema();
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let before = count(connection, &fill.table)?;
    let target = Target {
        what: FILL,
        name: &fill.table.name,
        table: connection.dialect().table(&fill.table.name),
        on_conflict: or_change(&fill.table, &columns),
        columns,
    };
    let copied = connection.copy_in(&target, fill.rows, &mut |_| Ok(()))?;
    let inserted = count(connection, &fill.table)? - before;
    Ok(TableCounts {
        table: fill.table.name,
        inserted,
        changed: copied.written - inserted,
        unchanged: copied.rows - copied.written,
        ..TableCounts::default()
    })
}

fn count(connection: &mut dyn Connection, table: &Table) -> Result<u64> {
    let table = connection.dialect().table(&table.name);
    number(connection, FILL, &format!("select count(*) from {table}"))
}
