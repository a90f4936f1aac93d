//! What is wrong with staged rows, found before any table changes: nulls, two rows of
//! one key, and references to nothing.
//!
//! A row at fault is deleted from its stage and reported; the others are applied.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Reject, stage::Stage};
use crate::{
    database::{
        Error, Result,
        connection::{Connection, Dialect},
        sql::{listed, quoted, same, same_key},
    },
    pipeline::{Reference, UpdateMode},
};

const VALIDATE: &str = "validate the artifact";
const COMPARE: &str = "compare the artifact's rows";

impl Stage {
    /// Rejects the rows with a null where the table has none.
    pub(super) fn reject_nulls(
        &mut self,
        connection: &mut dyn Connection,
        on_reject: &mut dyn FnMut(Reject),
    ) -> Result<()> {
        let columns = &self.table.contract.columns;
        let required: Vec<String> = columns
            .iter()
            .filter(|column| !column.nullable && self.has_nulls(&column.name))
            .map(|column| column.name.clone())
            .collect();
        for column in required {
            let condition = format!("stage.{} is null", quoted(&column));
            let reason = |_: &[Value]| "must not be null".to_owned();
            self.reject(connection, &column, &condition, &reason, on_reject)?;
        }
        Ok(())
    }

    /// Collapses rows that are equal.
    ///
    /// # Errors
    ///
    /// Refuses rows of one key that differ.
    pub(super) fn unite(&mut self, connection: &mut dyn Connection) -> Result<()> {
        if self.is_sorted {
            return Ok(());
        }
        self.index(connection, COMPARE)?;
        if self.first_duplicate_key(connection)?.is_none() {
            return Ok(());
        }
        let (name, row_id) = (&self.sql, connection.dialect().row_id());
        let one_key = same_key(&self.table.key, "a", "b");
        let equal = same(self.columns.iter().map(String::as_str), "a", "b");
        let collapse = format!(
            "delete from {name} where {row_id} in (
                select b.{row_id} from {name} as a inner join {name} as b
                    on {one_key} and a.{row_id} < b.{row_id}
                where {equal})"
        );
        connection.script(COMPARE, &collapse)?;
        match self.first_duplicate_key(connection)? {
            None => Ok(()),
            Some(key) => Err(Error::Conflict {
                table: self.table.name.clone(),
                key,
            }),
        }
    }

    /// Returns the lowest key of more than one row, in words.
    fn first_duplicate_key(&self, connection: &mut dyn Connection) -> Result<Option<String>> {
        let key = listed(self.table.key.iter().map(String::as_str));
        let sql = format!(
            "select {key} from {} group by {key} having count(*) > 1 order by {key} limit 1",
            self.sql
        );
        let mut first = None;
        connection.query(COMPARE, &sql, &[], &mut |row| {
            let values = self.table.key.iter().zip(&row);
            let values = values.map(|(name, value)| format!("{name} = {value}"));
            first = Some(values.collect::<Vec<_>>().join(", "));
            Ok(())
        })?;
        Ok(first)
    }

    /// Rejects the rows that refer to nothing. A table that an earlier step fills counts
    /// with its new rows.
    pub(super) fn reject_dangling(
        &mut self,
        connection: &mut dyn Connection,
        earlier: &mut [Stage],
        on_reject: &mut dyn FnMut(Reject),
    ) -> Result<()> {
        for (column, parent) in self.references.clone() {
            let Some(at) = self.columns.iter().position(|name| *name == column) else {
                continue;
            };
            index_parent(connection, &parent, earlier)?;
            let missing = missing(connection.dialect(), &column, &parent, earlier);
            let condition = format!("stage.{} is not null and {missing}", quoted(&column));
            let reason = |row: &[Value]| {
                let value = row.get(at).unwrap_or(&Value::Null);
                format!("{} has no {} {value}", parent.table, parent.column)
            };
            self.reject(connection, &column, &condition, &reason, on_reject)?;
        }
        Ok(())
    }

    fn reject(
        &mut self,
        connection: &mut dyn Connection,
        column: &str,
        condition: &str,
        reason: &dyn Fn(&[Value]) -> String,
        on_reject: &mut dyn FnMut(Reject),
    ) -> Result<()> {
        let columns = listed(self.columns.iter().map(String::as_str));
        let (name, row_id) = (self.sql.clone(), connection.dialect().row_id());
        let rows =
            format!("select {columns} from {name} as stage where {condition} order by {row_id}");
        let before = self.rejected;
        connection.query(VALIDATE, &rows, &[], &mut |row| {
            let reason = reason(&row);
            self.first_reject
                .get_or_insert_with(|| format!("{column}: {reason}"));
            self.rejected += 1;
            on_reject(Reject {
                table: self.table.name.clone(),
                column: column.to_owned(),
                reason,
                row: self
                    .columns
                    .iter()
                    .cloned()
                    .zip(row)
                    .collect::<IndexMap<_, _>>(),
            });
            Ok(())
        })?;
        if self.rejected > before {
            let delete = format!("delete from {name} as stage where {condition}");
            connection.run(VALIDATE, &delete, &[])?;
        }
        Ok(())
    }

    /// Refuses the change when more rows were rejected than the pipeline allows.
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

/// Returns the condition that no row of the parent, as it will be, has the value.
fn missing(dialect: &dyn Dialect, column: &str, parent: &Reference, earlier: &[Stage]) -> String {
    let absent_from = |table: &str| {
        format!(
            "not exists (select 1 from {table} as parent where parent.{} = stage.{})",
            quoted(&parent.column),
            quoted(column)
        )
    };
    let present = dialect.table(&parent.table);
    let filled = earlier
        .iter()
        .rfind(|stage| stage.table.name == parent.table && stage.columns.contains(&parent.column));
    match filled {
        None => absent_from(&present),
        Some(stage) if stage.mode == UpdateMode::Replace => absent_from(&stage.sql),
        Some(stage) => format!("{} and {}", absent_from(&stage.sql), absent_from(&present)),
    }
}

/// A stage that rows refer to by key is looked up row by row.
fn index_parent(
    connection: &mut dyn Connection,
    parent: &Reference,
    earlier: &mut [Stage],
) -> Result<()> {
    let stages = earlier.iter_mut();
    let mut stages = stages.filter(|stage| stage.table.name == parent.table);
    stages.try_for_each(|stage| stage.index(connection, VALIDATE))
}
