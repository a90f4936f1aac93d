//! Rows on their way in: in a temporary table, beside the table that they are for.
//!
//! No table of the service is touched, and no other writer has to wait.

use datafusion::arrow::{
    array::Array, datatypes::SchemaRef, error::ArrowError, record_batch::RecordBatch,
};

use super::Staged;
use crate::{
    database::{
        Error, Result,
        connection::{Connection, Dialect, Target},
        sql::{listed, quoted},
        table::Table,
    },
    engine::sort_check::SortCheck,
    pipeline::{Reference, UpdateMode},
};

/// Rows in a temporary table, with the table they are for.
pub(super) struct Stage {
    pub(super) table: Table,
    pub(super) mode: UpdateMode,
    /// The columns that the rows have.
    pub(super) columns: Vec<String>,
    /// The temporary table's name.
    name: String,
    /// The temporary table, in SQL.
    pub(super) sql: String,
    /// How many rows came.
    pub(super) rows: u64,
    /// How many rows are rejected so far.
    pub(super) rejected: u64,
    /// The first rejected row, in words.
    pub(super) first_reject: Option<String>,
    /// The share of rows that may be rejected.
    pub(super) max_rejects_percent: f64,
    /// What the rows must be found in, by column.
    pub(super) references: Vec<(String, Reference)>,
    /// Whether rows came by key, each key once: then none need be compared.
    pub(super) is_sorted: bool,
    /// How many rows came with a null, by column.
    nulls: Vec<u64>,
    indexed: bool,
}

impl Stage {
    /// Puts the rows into temporary table number `index`.
    ///
    /// # Errors
    ///
    /// The rows lack a column that the table needs, or have one that it does not have;
    /// or they cannot be read.
    pub(super) fn fill(
        connection: &mut dyn Connection,
        index: usize,
        staged: Staged,
    ) -> Result<Stage> {
        let columns: Vec<String> = staged.contract.names().map(str::to_owned).collect();
        let name = format!("stage_{index}");
        let mut stage = Stage {
            references: references(&staged),
            nulls: vec![0; columns.len()],
            is_sorted: true,
            indexed: false,
            sql: connection.dialect().temporary_table(&name),
            name,
            columns,
            table: staged.table,
            mode: staged.mode,
            rows: 0,
            rejected: 0,
            max_rejects_percent: staged.max_rejects_percent,
            first_reject: None,
        };
        stage.check_columns()?;
        let create = stage.create(connection.dialect());
        connection.script("stage rows", &create)?;
        let unreadable = |error: ArrowError| Error::Rows {
            table: stage.table.name.clone(),
            source: Box::new(error.into()),
        };
        let schema = staged.rows.schema();
        let mut seen = Seen::new(&schema, &stage.table.key).map_err(unreadable)?;
        let target = Target {
            what: "stage rows",
            name: &stage.table.name,
            table: stage.sql.clone(),
            columns: stage.columns.iter().map(String::as_str).collect(),
            on_conflict: String::new(),
        };
        let copied = connection.copy_in(&target, staged.rows, &mut |batch| {
            seen.look(batch).map_err(unreadable)
        })?;
        stage.rows = copied.rows;
        stage.is_sorted = seen.is_sorted;
        stage.nulls = seen.nulls;
        Ok(stage)
    }

    /// Refuses rows without a column that the table needs, or with one it lacks.
    fn check_columns(&self) -> Result<()> {
        for column in &self.table.contract.columns {
            let filled = column.nullable || self.table.defaults.contains(&column.name);
            if !filled && !self.columns.contains(&column.name) {
                return Err(self.column_error(&column.name, "has no value in the artifact"));
            }
        }
        let contract = &self.table.contract;
        let mut columns = self.columns.iter();
        match columns.find(|name| contract.column(name).is_none()) {
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
    fn create(&self, dialect: &dyn Dialect) -> String {
        let declared = self.columns.iter().map(|name| {
            let column = self.table.contract.column(name);
            let data_type = column.map(|column| dialect.type_name(&column.data_type));
            format!("{} {}", quoted(name), data_type.unwrap_or_default())
        });
        let declared = declared.collect::<Vec<_>>().join(", ");
        format!("create table {} ({declared})", self.sql)
    }

    /// Makes rows be found by key, where they are looked for.
    pub(super) fn index(
        &mut self,
        connection: &mut dyn Connection,
        what: &'static str,
    ) -> Result<()> {
        if self.indexed {
            return Ok(());
        }
        self.indexed = true;
        let key = listed(self.table.key.iter().map(String::as_str));
        let index = connection.dialect().index_temporary_table(&self.name, &key);
        connection.script(what, &index)
    }

    /// Returns whether any row came with a null in that column.
    pub(super) fn has_nulls(&self, column: &str) -> bool {
        let mut columns = self.columns.iter().zip(&self.nulls);
        columns.any(|(name, nulls)| name == column && *nulls > 0)
    }
}

/// What is known of rows once they have passed.
struct Seen {
    order: SortCheck,
    is_sorted: bool,
    nulls: Vec<u64>,
}

impl Seen {
    fn new(schema: &SchemaRef, key: &[String]) -> Result<Seen, ArrowError> {
        Ok(Seen {
            order: SortCheck::new(schema, key, true)?,
            is_sorted: true,
            nulls: vec![0; schema.fields().len()],
        })
    }

    fn look(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        for (count, column) in self.nulls.iter_mut().zip(batch.columns()) {
            *count += column.null_count() as u64;
        }
        self.is_sorted = self.is_sorted && self.order.continues(batch)?;
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
