//! Tables filled from outside (`load`, a restored archive), in one transaction.

use rusqlite::{Connection, Statement, TransactionBehavior};

use super::{
    Fill, Result, Sqlite, Table, TableCounts,
    catalog::{self, create_table, listed, quoted},
    connection::commit,
    diff::constraint,
    stage::each_row,
};
use crate::database::depth;

/// Fills the tables, in order; those to be replaced are all emptied first.
///
/// References are checked when all is in, so that rows may come before what they
/// refer to.
pub(super) fn fill(database: &Sqlite, fills: Vec<Fill>) -> Result<Vec<TableCounts>> {
    let failed = database.failed("fill the tables");
    let mut connection = database.writer()?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    transaction
        .execute_batch("pragma defer_foreign_keys = on")
        .map_err(&failed)?;
    let emptied = prepare(&transaction, &fills).map_err(&failed)?;
    let mut tables = Vec::new();
    for (fill, deleted) in fills.into_iter().zip(emptied) {
        let counts = fill_one(database, &transaction, fill)?;
        tables.push(TableCounts { deleted, ..counts });
    }
    commit(database, transaction)?;
    Ok(tables)
}

/// Makes the tables that are not there and empties those to be replaced; returns
/// how many rows each lost.
fn prepare(connection: &Connection, fills: &[Fill]) -> rusqlite::Result<Vec<u64>> {
    let present = catalog::tables(connection)?;
    for fill in fills {
        if present.iter().all(|table| table.name != fill.table.name) {
            connection.execute_batch(&create_table(&fill.table))?;
        }
    }
    let rows = fills.iter().map(|fill| match fill.replace {
        true => count(connection, &fill.table),
        false => Ok(0),
    });
    let rows = rows.collect::<rusqlite::Result<_>>()?;
    for table in children_first(fills, &present) {
        connection.execute(&format!("delete from {}", quoted(table)), [])?;
    }
    Ok(rows)
}

/// Returns the tables to be emptied. A parent that still has children would look for
/// them row by row.
fn children_first<'a>(fills: &'a [Fill], present: &[Table]) -> Vec<&'a str> {
    let replaced = fills.iter().filter(|fill| fill.replace);
    let mut tables: Vec<&str> = replaced.map(|fill| fill.table.name.as_str()).collect();
    tables.sort_by_key(|name| std::cmp::Reverse(depth(name, present)));
    tables
}

fn fill_one(database: &Sqlite, connection: &Connection, fill: Fill) -> Result<TableCounts> {
    let failed = database.failed("fill a table");
    let schema = fill.rows.schema();
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut statement = connection
        .prepare(&upsert(&fill.table, &columns))
        .map_err(&failed)?;
    let before = count(connection, &fill.table).map_err(&failed)?;
    let mut touched = 0;
    let name = fill.table.name.clone();
    let execute = |statement: &mut Statement<'_>| match statement.raw_execute() {
        Ok(rows) => {
            touched += rows as u64;
            Ok(())
        }
        Err(source) => Err(constraint(database, &name, source)),
    };
    let rows = each_row(&name, fill.rows, &mut statement, |_| Ok(()), execute)?;
    let after = count(connection, &fill.table).map_err(&failed)?;
    let inserted = after - before;
    Ok(TableCounts {
        table: fill.table.name,
        inserted,
        changed: touched - inserted,
        unchanged: rows - touched,
        ..TableCounts::default()
    })
}

/// Returns the statement that inserts a row, or changes the one of its key where it
/// differs.
fn upsert(table: &Table, columns: &[&str]) -> String {
    let others: Vec<&&str> = columns
        .iter()
        .filter(|name| !table.key.iter().any(|key| key == **name))
        .collect();
    let key = listed(table.key.iter().map(String::as_str));
    let insert = format!(
        "insert into {table} ({}) values ({}) on conflict ({key}) do",
        listed(columns.iter().copied()),
        vec!["?"; columns.len()].join(", "),
        table = quoted(&table.name),
    );
    if others.is_empty() {
        return format!("{insert} nothing");
    }
    let own = quoted(&table.name);
    let each = |form: &dyn Fn(String) -> String, between: &str| {
        let said: Vec<String> = others.iter().map(|name| form(quoted(name))).collect();
        said.join(between)
    };
    let set = each(&|name| format!("{name} = excluded.{name}"), ", ");
    let differs = each(
        &|name| format!("{own}.{name} is not excluded.{name}"),
        " or ",
    );
    format!("{insert} update set {set} where {differs}")
}

fn count(connection: &Connection, table: &Table) -> rusqlite::Result<u64> {
    let sql = format!("select count(*) from {}", quoted(&table.name));
    let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
    Ok(count.cast_unsigned())
}
