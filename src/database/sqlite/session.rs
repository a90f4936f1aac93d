//! A SQLite connection behind the seam that changes, migrations and exports are written
//! against.

use chrono::SecondsFormat;
use datafusion::{arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream};
use rusqlite::{
    ErrorCode, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use serde_json::{Number, Value};

use super::{
    catalog, copy,
    dialect::Dialect,
    failure::{failed, refused},
};
use crate::database::{
    Error, Result,
    connection::{self, Connection, Copied, Parameter, Target},
    table::Table,
};

/// A connection in use, with the database's name for messages.
pub(super) struct Session<'a> {
    pub(super) connection: &'a rusqlite::Connection,
    pub(super) database: &'a str,
}

impl Session<'_> {
    /// Returns a mapping from SQLite's errors to ours.
    fn failed<'s>(&'s self, what: &'s str) -> impl Fn(rusqlite::Error) -> Error + 's {
        move |source| failed(self.database, what, source)
    }
}

impl Connection for Session<'_> {
    fn dialect(&self) -> &'static dyn connection::Dialect {
        &Dialect
    }

    fn name(&self) -> String {
        self.database.to_owned()
    }

    fn begin(&mut self, what: &'static str) -> Result<()> {
        self.script(what, "begin deferred")
    }

    fn begin_writing(&mut self, what: &'static str) -> Result<()> {
        self.script(what, "begin immediate")
    }

    fn commit(&mut self) -> Result<()> {
        let Err(source) = self.connection.execute_batch("commit") else {
            return Ok(());
        };
        if source.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
            && let Ok((table, parent, rows)) = catalog::first_dangling(self.connection)
        {
            return Err(Error::Dangling {
                table,
                parent,
                rows,
            });
        }
        Err(failed(self.database, "commit", source))
    }

    fn script(&mut self, what: &'static str, sql: &str) -> Result<()> {
        let run = self.connection.execute_batch(sql);
        run.map_err(self.failed(what))
    }

    fn run(&mut self, what: &'static str, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        let run = self.connection.execute(sql, params_from_iter(parameters));
        run.map(|rows| rows as u64).map_err(self.failed(what))
    }

    fn change(&mut self, table: &str, sql: &str) -> Result<()> {
        match self.connection.execute(sql, []) {
            Ok(_) => Ok(()),
            Err(source) => Err(refused(self.database, "change a table", table, source)),
        }
    }

    fn query(
        &mut self,
        what: &'static str,
        sql: &str,
        parameters: &[Parameter<'_>],
        each: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let failed = self.failed(what);
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let columns = statement.column_count();
        let rows = statement.query(params_from_iter(parameters));
        let mut rows = rows.map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let values = (0..columns).map(|column| row.get_ref(column).map(json));
            each(values.collect::<rusqlite::Result<_>>().map_err(&failed)?)?;
        }
        Ok(())
    }

    fn copy_in(
        &mut self,
        target: &Target<'_>,
        rows: SendableRecordBatchStream,
        look: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<Copied> {
        copy::copy_in(self.connection, self.database, target, rows, look)
    }

    fn relations(&mut self) -> Result<Vec<String>> {
        catalog::relations(self.connection).map_err(self.failed("read the schema"))
    }

    fn tables(&mut self) -> Result<Vec<Table>> {
        catalog::tables(self.connection).map_err(self.failed("read the schema"))
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Parameter::Integer(integer) => ToSqlOutput::from(*integer),
            Parameter::Text(text) => ToSqlOutput::from(*text),
            Parameter::Instant(at) => at.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
        })
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(integer) => Value::from(integer),
        ValueRef::Real(double) => Number::from_f64(double).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
    }
}
