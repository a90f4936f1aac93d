//! Rows into a table: one prepared insert, run once a row.

use datafusion::{arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream};
use futures::StreamExt;
use rusqlite::{Connection, Statement};
use tokio::runtime::Handle;

use super::{
    cells::Values,
    failure::{failed, refused},
};
use crate::database::{
    Error, Result,
    connection::{Copied, Target},
    sql::listed,
};

/// Puts a stream's rows into a table.
///
/// Runs on a thread that may block, within the runtime.
pub(super) fn copy_in(
    connection: &Connection,
    database: &str,
    target: &Target<'_>,
    mut rows: SendableRecordBatchStream,
    look: &mut dyn FnMut(&RecordBatch) -> Result<()>,
) -> Result<Copied> {
    let statement = connection.prepare(&insert(target));
    let mut insert = Insert {
        statement: statement.map_err(|source| failed(database, target.what, source))?,
        database,
        target,
        written: 0,
    };
    let runtime = Handle::current();
    let mut count = 0;
    while let Some(batch) = runtime.block_on(rows.next()) {
        let batch = batch.map_err(|source| Error::Rows {
            table: target.name.to_owned(),
            source: Box::new(source),
        })?;
        look(&batch)?;
        insert.batch(&batch)?;
        count += batch.num_rows() as u64;
    }
    Ok(Copied {
        rows: count,
        written: insert.written,
    })
}

fn insert(target: &Target<'_>) -> String {
    format!(
        "insert into {} as target ({}) values ({}) {}",
        target.table,
        listed(target.columns.iter().copied()),
        vec!["?"; target.columns.len()].join(", "),
        target.on_conflict,
    )
}

/// The insert on its way through the rows.
struct Insert<'a> {
    statement: Statement<'a>,
    database: &'a str,
    target: &'a Target<'a>,
    written: u64,
}

impl Insert<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema();
        let (table, database, what) = (self.target.name, self.database, self.target.what);
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
                    .bind(&mut self.statement, index + 1, row)
                    .map_err(|reason| at_fault(index, reason))?;
            }
            let written = self.statement.raw_execute();
            let written = written.map_err(|source| refused(database, what, table, source))?;
            self.written += written as u64;
        }
        Ok(())
    }
}
