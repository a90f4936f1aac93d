//! Streams rows: read on a thread of its own, from one read transaction, a batch
//! or two ahead of the receiver, and stopped when the receiver goes.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatchOptions},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{StreamExt, stream};
use rusqlite::{Connection, Row, Rows};
use tokio::sync::mpsc;

use super::{Error, Everything, Export, Result, Sqlite, cells::Cells, connection::Reader};
use crate::{
    database::{
        connection::Connection as _,
        relation::{Query, Relation},
    },
    dataset::Contract,
};

/// Rows a batch.
const BATCH_ROWS: usize = 8192;

/// Batches that wait for the receiver.
const AHEAD: usize = 1;

/// Streams a query's rows.
pub(super) fn stream(database: &Sqlite, query: Query) -> Result<SendableRecordBatchStream> {
    let reader = database.reader()?;
    Ok(stream_from(database.clone(), reader, query))
}

fn stream_from(database: Sqlite, reader: Reader, query: Query) -> SendableRecordBatchStream {
    let schema = query.contract.arrow();
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let send = |batch| sender.blocking_send(Ok(batch)).is_ok();
        if let Err(error) = read(&database, &reader, &query, &mut { send }) {
            // A receiver that is gone does not need the error.
            let _ = sender.blocking_send(Err(DataFusionError::External(Box::new(error))));
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, received(receiver)))
}

/// Counts a dataset's rows and streams them, from one read transaction; `None` when the
/// database does not have it.
pub(super) fn export(
    database: &Sqlite,
    dataset: &str,
    contract: &Contract,
) -> Result<Option<Export>> {
    let failed = database.failed("read rows");
    let reader = database.reader()?;
    begin(&reader).map_err(&failed)?;
    let Some(relation) = Relation::of_dataset(&mut database.session(&reader), dataset)? else {
        return Ok(None);
    };
    let query = relation.query(contract)?;
    let count: i64 = reader
        .query_row(&relation.count(), [], |row| row.get(0))
        .map_err(&failed)?;
    Ok(Some(Export {
        count: count.cast_unsigned(),
        rows: stream_from(database.clone(), reader, query),
    }))
}

/// Streams every table from one read transaction.
pub(super) fn everything(database: &Sqlite) -> Result<Everything> {
    let reader = database.reader()?;
    begin(&reader).map_err(database.failed("read the tables"))?;
    let tables = database.session(&reader).tables()?;
    let queries = tables
        .iter()
        .map(|table| Relation::of_table(table).query(&table.contract))
        .collect::<Result<Vec<_>>>()?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let database = database.clone();
    tokio::task::spawn_blocking(move || {
        for (index, query) in queries.iter().enumerate() {
            let send = |batch| sender.blocking_send(Ok((index, batch))).is_ok();
            match read(&database, &reader, query, &mut { send }) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        }
    });
    Ok(Everything {
        tables,
        rows: received(receiver).boxed(),
    })
}

fn received<T: Send + 'static>(
    receiver: mpsc::Receiver<T>,
) -> impl futures::Stream<Item = T> + Send + 'static {
    stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|received| (received, receiver))
    })
}

/// Reads a query's rows; returns whether all were wanted.
fn read(
    database: &Sqlite,
    connection: &Connection,
    query: &Query,
    send: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<bool> {
    let failed = database.failed("read rows");
    let mut statement = connection.prepare_cached(&query.sql).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut batches = Batches::new(query)?;
    loop {
        let Some(batch) = batches.next(&mut rows, BATCH_ROWS, &failed)? else {
            return Ok(true);
        };
        if !send(batch) {
            return Ok(false);
        }
    }
}

/// Starts a read transaction at this very moment; SQLite itself waits for the
/// first read.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("begin; select count(*) from sqlite_schema;")
}

/// Makes batches of rows.
pub(super) struct Batches<'a> {
    query: &'a Query,
    schema: SchemaRef,
    cells: Vec<Cells>,
}

impl<'a> Batches<'a> {
    pub(super) fn new(query: &'a Query) -> Result<Batches<'a>> {
        let cells = query.contract.columns.iter().zip(&query.stored);
        let cells = cells.map(|(column, stored)| {
            Cells::new(column, stored).map_err(|reason| at_fault(query, &column.name, reason))
        });
        Ok(Batches {
            query,
            schema: query.contract.arrow(),
            cells: cells.collect::<Result<_>>()?,
        })
    }

    /// Returns the next rows, at most `most`; `None` when there are none.
    pub(super) fn next(
        &mut self,
        rows: &mut Rows<'_>,
        most: usize,
        failed: &impl Fn(rusqlite::Error) -> Error,
    ) -> Result<Option<RecordBatch>> {
        let mut taken = 0;
        while taken < most {
            let Some(row) = rows.next().map_err(failed)? else {
                break;
            };
            self.append(row, failed)?;
            taken += 1;
        }
        if taken == 0 {
            return Ok(None);
        }
        self.finish(taken).map(Some)
    }

    fn append(&mut self, row: &Row<'_>, failed: &impl Fn(rusqlite::Error) -> Error) -> Result<()> {
        for (index, cells) in self.cells.iter_mut().enumerate() {
            let value = row.get_ref(index).map_err(failed)?;
            cells.append(value).map_err(|reason| {
                at_fault(self.query, &self.query.contract.columns[index].name, reason)
            })?;
        }
        Ok(())
    }

    /// Returns the rows added so far as a batch, which may be empty.
    pub(super) fn finish(&mut self, rows: usize) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = self.cells.iter_mut().map(Cells::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(
            |source| Error::Rows {
                table: self.query.relation.clone(),
                source: Box::new(source.into()),
            },
        )
    }
}

fn at_fault(query: &Query, column: &str, reason: String) -> Error {
    Error::Column {
        table: query.relation.clone(),
        column: column.to_owned(),
        reason,
    }
}
