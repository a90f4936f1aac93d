//! Rows on their way in: from Arrow into a table of SQLite's, and what can be said
//! against them there before a table of the service changes.

use datafusion::{
    arrow::{array::Array, datatypes::SchemaRef, error::ArrowError, record_batch::RecordBatch},
    execution::SendableRecordBatchStream,
};
use futures::StreamExt;
use indexmap::IndexMap;
use rusqlite::{Connection, Row, Statement, types::ValueRef};
use serde_json::{Number, Value};
use tokio::runtime::Handle;

use super::{
    Error, Result, Sqlite, Table,
    catalog::{listed, quoted},
    cells::Values,
};
use crate::{
    database::{Reject, Staged},
    engine::sort_check::Ascent,
    pipeline::{Reference, UpdateMode},
};

/// Rows in a temporary table, with the table they are for.
pub(super) struct Stage {
    pub(super) table: Table,
    pub(super) mode: UpdateMode,
    /// The columns that the rows have.
    pub(super) columns: Vec<String>,
    /// The temporary table, in SQL.
    pub(super) name: String,
    /// The rows that came.
    pub(super) rows: u64,
    /// The rows turned away so far.
    pub(super) rejected: u64,
    /// Whether rows came by key, each key once: then none need be compared.
    ascends: bool,
    /// How many rows came with a null, by column.
    nulls: Vec<u64>,
    indexed: bool,
    references: Vec<(String, Reference)>,
    max_rejects_percent: f64,
    first_reject: Option<String>,
}

impl Stage {
    /// Puts the rows into temporary table number `index`.
    ///
    /// Touches no table of the service, and so keeps no other writer waiting.
    pub(super) fn fill(
        database: &Sqlite,
        connection: &Connection,
        index: usize,
        staged: Staged,
    ) -> Result<Stage> {
        let columns: Vec<String> = staged.contract.names().map(str::to_owned).collect();
        let mut stage = Stage {
            references: references(&staged),
            nulls: vec![0; columns.len()],
            ascends: true,
            indexed: false,
            name: format!("temp.stage_{index}"),
            columns,
            table: staged.table,
            mode: staged.mode,
            rows: 0,
            rejected: 0,
            max_rejects_percent: staged.max_rejects_percent,
            first_reject: None,
        };
        stage.check_columns()?;
        let failed = database.failed("stage rows");
        connection.execute_batch(&stage.create()).map_err(&failed)?;
        let insert = format!(
            "insert into {} values ({})",
            stage.name,
            vec!["?"; stage.columns.len()].join(", ")
        );
        let mut statement = connection.prepare(&insert).map_err(&failed)?;
        let name = stage.table.name.clone();
        let unreadable = |error: ArrowError| Error::Rows {
            table: name.clone(),
            source: Box::new(error.into()),
        };
        let schema = staged.rows.schema();
        let mut seen = Seen::new(&schema, &stage.table.key).map_err(unreadable)?;
        stage.rows = each_row(
            &name,
            staged.rows,
            &mut statement,
            |batch| seen.look(batch).map_err(unreadable),
            |statement| statement.raw_execute().map(|_| ()).map_err(&failed),
        )?;
        stage.ascends = seen.ascends;
        stage.nulls = seen.nulls;
        Ok(stage)
    }

    /// A key or a column that the table must have, and the rows lack.
    fn check_columns(&self) -> Result<()> {
        for column in &self.table.contract.columns {
            let filled = column.nullable || self.table.defaults.contains(&column.name);
            if !filled && !self.columns.contains(&column.name) {
                return Err(self.column_error(&column.name, "has no value in the artifact"));
            }
        }
        match self
            .columns
            .iter()
            .find(|name| self.table.contract.column(name).is_none())
        {
            Some(name) => Err(self.column_error(name, "the table has no such column")),
            None => Ok(()),
        }
    }

    fn column_error(&self, column: &str, reason: &str) -> Error {
        Error::Column {
            table: self.table.name.clone(),
            column: column.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// The same types as the table's, so that values compare as they will there.
    fn create(&self) -> String {
        let declared = self.columns.iter().map(|name| {
            let column = self.table.contract.column(name);
            let data_type = column.map_or(String::new(), |column| column.data_type.to_string());
            format!("{} {data_type}", quoted(name))
        });
        let declared = declared.collect::<Vec<_>>().join(", ");
        format!("create table {} ({declared})", self.name)
    }

    /// Makes rows be found by key, where they are looked for.
    pub(super) fn index(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.indexed {
            return Ok(());
        }
        self.indexed = true;
        let key = listed(self.table.key.iter().map(String::as_str));
        let (schema, table) = self.name.split_once('.').unwrap_or(("temp", &self.name));
        connection.execute_batch(&format!(
            "create index {schema}.{table}_key on {table} ({key})"
        ))
    }

    /// Rejects the rows with a null where the table has none.
    pub(super) fn reject_nulls(
        &mut self,
        connection: &Connection,
        on_reject: &mut dyn FnMut(Reject),
    ) -> rusqlite::Result<()> {
        let columns = &self.table.contract.columns;
        let required: Vec<String> = columns
            .iter()
            .filter(|column| !column.nullable && self.has_nulls(&column.name))
            .map(|column| column.name.clone())
            .collect();
        for column in required {
            let condition = format!("stage.{} is null", quoted(&column));
            let reason = |_: &Row<'_>| Ok("must not be null".to_owned());
            self.reject(connection, &column, &condition, reason, on_reject)?;
        }
        Ok(())
    }

    fn has_nulls(&self, column: &str) -> bool {
        let mut columns = self.columns.iter().zip(&self.nulls);
        columns.any(|(name, nulls)| name == column && *nulls > 0)
    }

    /// Collapses rows that are equal.
    ///
    /// # Errors
    ///
    /// Refuses rows of one key that differ.
    pub(super) fn unite(&mut self, database: &Sqlite, connection: &Connection) -> Result<()> {
        if self.ascends {
            return Ok(());
        }
        let failed = database.failed("compare the artifact's rows");
        self.index(connection).map_err(&failed)?;
        let Some(_) = self.first_double(connection).map_err(&failed)? else {
            return Ok(());
        };
        let name = &self.name;
        let same_key = same(self.table.key.iter().map(String::as_str), "a", "b");
        let equal = same(self.columns.iter().map(String::as_str), "a", "b");
        connection
            .execute_batch(&format!(
                "delete from {name} where rowid in (
                    select b.rowid from {name} as a inner join {name} as b
                        on {same_key} and a.rowid < b.rowid
                    where {equal})"
            ))
            .map_err(&failed)?;
        match self.first_double(connection).map_err(&failed)? {
            None => Ok(()),
            Some(key) => Err(Error::Conflict {
                table: self.table.name.clone(),
                key,
            }),
        }
    }

    /// Returns the lowest key of more than one row, in words.
    fn first_double(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let key = listed(self.table.key.iter().map(String::as_str));
        let sql = format!(
            "select {key} from {} group by {key} having count(*) > 1 order by {key} limit 1",
            self.name
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let values = self.table.key.iter().enumerate().map(|(index, name)| {
            let value = row.get_ref(index)?;
            Ok(format!("{name} = {}", json(value)))
        });
        Ok(Some(
            values.collect::<rusqlite::Result<Vec<_>>>()?.join(", "),
        ))
    }

    /// Rejects the rows that refer to what is not there. A table that an earlier step
    /// fills counts with its new rows.
    pub(super) fn reject_dangling(
        &mut self,
        connection: &Connection,
        earlier: &mut [Stage],
        on_reject: &mut dyn FnMut(Reject),
    ) -> rusqlite::Result<()> {
        for (column, parent) in self.references.clone() {
            if !self.columns.contains(&column) {
                continue;
            }
            index_parent(&parent, earlier, connection)?;
            let condition = format!(
                "stage.{} is not null and {}",
                quoted(&column),
                missing(&column, &parent, earlier)
            );
            let place = self.columns.iter().position(|name| *name == column);
            let reason = |row: &Row<'_>| {
                let value = json(row.get_ref(place.unwrap_or_default())?);
                Ok(format!("{} has no {} {value}", parent.table, parent.column))
            };
            self.reject(connection, &column, &condition, reason, on_reject)?;
        }
        Ok(())
    }

    fn reject(
        &mut self,
        connection: &Connection,
        column: &str,
        condition: &str,
        reason: impl Fn(&Row<'_>) -> rusqlite::Result<String>,
        on_reject: &mut dyn FnMut(Reject),
    ) -> rusqlite::Result<()> {
        let columns = listed(self.columns.iter().map(String::as_str));
        let name = &self.name;
        let sql = format!("select {columns} from {name} as stage where {condition} order by rowid");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let before = self.rejected;
        while let Some(row) = rows.next()? {
            let reason = reason(row)?;
            self.first_reject
                .get_or_insert_with(|| format!("{column}: {reason}"));
            self.rejected += 1;
            on_reject(Reject {
                table: self.table.name.clone(),
                column: column.to_owned(),
                reason,
                row: self.row_as_json(row)?,
            });
        }
        if self.rejected > before {
            connection.execute(
                &format!("delete from {name} as stage where {condition}"),
                [],
            )?;
        }
        Ok(())
    }

    fn row_as_json(&self, row: &Row<'_>) -> rusqlite::Result<IndexMap<String, Value>> {
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(index, name)| Ok((name.clone(), json(row.get_ref(index)?))))
            .collect()
    }

    /// Refuses all when more rows were rejected than the pipeline allows.
    pub(super) fn check_rejects(&self) -> Result<()> {
        let allowed = self.max_rejects_percent * self.rows as f64;
        match &self.first_reject {
            Some(first) if self.rejected as f64 * 100.0 > allowed => Err(Error::Rejected {
                table: self.table.name.clone(),
                rejected: self.rejected,
                rows: self.rows,
                max_percent: self.max_rejects_percent,
                first: first.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// What is known of rows once they have passed.
struct Seen {
    ascent: Ascent,
    ascends: bool,
    nulls: Vec<u64>,
}

impl Seen {
    fn new(schema: &SchemaRef, key: &[String]) -> Result<Seen, ArrowError> {
        Ok(Seen {
            ascent: Ascent::new(schema, key, true)?,
            ascends: true,
            nulls: vec![0; schema.fields().len()],
        })
    }

    fn look(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        for (count, column) in self.nulls.iter_mut().zip(batch.columns()) {
            *count += column.null_count() as u64;
        }
        self.ascends = self.ascends && self.ascent.goes_on(batch)?;
        Ok(())
    }
}

/// Returns what rows must be found in, the table's own references first.
fn references(staged: &Staged) -> Vec<(String, Reference)> {
    let own = &staged.table.references;
    let more = staged.references.iter();
    let more = more.filter(|(column, parent)| own.get(*column) != Some(parent));
    let all = own.iter().chain(more);
    all.map(|(column, parent)| (column.clone(), parent.clone()))
        .collect()
}

/// Binds each row of a stream to a statement and calls `execute`; returns how many.
/// `look` sees each batch before its rows.
///
/// Runs on a thread that may block, within the runtime.
pub(super) fn each_row(
    table: &str,
    mut rows: SendableRecordBatchStream,
    statement: &mut Statement<'_>,
    mut look: impl FnMut(&RecordBatch) -> Result<()>,
    mut execute: impl FnMut(&mut Statement<'_>) -> Result<()>,
) -> Result<u64> {
    let runtime = Handle::current();
    let mut count = 0;
    while let Some(batch) = runtime.block_on(rows.next()) {
        let batch = batch.map_err(|source| Error::Rows {
            table: table.to_owned(),
            source: Box::new(source),
        })?;
        look(&batch)?;
        each_row_of(table, &batch, statement, &mut execute)?;
        count += batch.num_rows() as u64;
    }
    Ok(count)
}

fn each_row_of(
    table: &str,
    batch: &RecordBatch,
    statement: &mut Statement<'_>,
    execute: &mut impl FnMut(&mut Statement<'_>) -> Result<()>,
) -> Result<()> {
    let schema = batch.schema();
    let at_fault = |index: usize, reason| Error::Column {
        table: table.to_owned(),
        column: schema.field(index).name().clone(),
        reason,
    };
    let columns = batch.columns().iter().enumerate().map(|(index, array)| {
        Values::new(array.as_ref()).map_err(|reason| at_fault(index, reason))
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        for (index, values) in columns.iter().enumerate() {
            values
                .bind(statement, index + 1, row)
                .map_err(|reason| at_fault(index, reason))?;
        }
        execute(statement)?;
    }
    Ok(())
}

/// Returns the condition that rows `a` and `b` have the same values.
pub(super) fn same<'a>(columns: impl IntoIterator<Item = &'a str>, a: &str, b: &str) -> String {
    let equal = |name: &str| format!("{a}.{name} is {b}.{name}", name = quoted(name));
    let columns = columns.into_iter().map(equal).collect::<Vec<_>>();
    columns.join(" and ")
}

/// Returns the condition that no row of the parent, as it will be, has the value.
fn missing(column: &str, parent: &Reference, earlier: &[Stage]) -> String {
    let absent_from = |table: &str| {
        format!(
            "not exists (select 1 from {table} as parent where parent.{} = stage.{})",
            quoted(&parent.column),
            quoted(column)
        )
    };
    let stands = format!("main.{}", quoted(&parent.table));
    let filled = earlier
        .iter()
        .rfind(|stage| stage.table.name == parent.table && stage.columns.contains(&parent.column));
    match filled {
        None => absent_from(&stands),
        Some(stage) if stage.mode == UpdateMode::Replace => absent_from(&stage.name),
        Some(stage) => format!("{} and {}", absent_from(&stage.name), absent_from(&stands)),
    }
}

/// A stage that rows refer to by key is looked up row by row.
fn index_parent(
    parent: &Reference,
    earlier: &mut [Stage],
    connection: &Connection,
) -> rusqlite::Result<()> {
    let stages = earlier.iter_mut();
    let mut stages = stages.filter(|stage| stage.table.name == parent.table);
    stages.try_for_each(|stage| stage.index(connection))
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(integer) => Value::from(integer),
        ValueRef::Real(double) => Number::from_f64(double).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
    }
}
