//! Rows on their way: a stream becomes a typed Parquet file in the work folder.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::ArrayRef,
        compute::{BatchCoalescer, CastOptions, cast_with_options},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
};
use futures::StreamExt;

use crate::{
    compile::values_of,
    engine::{Error, Result},
    storage::create_passing,
};

/// Rows a batch in every file we write: page limits follow batches, and the bytes
/// must not depend on how threads cut the stream.
const BATCH_ROWS: usize = 8192;

/// How many columns tell which row is at fault: those of the grain are the first as a rule.
const NAMED: usize = 2;

/// A Parquet file in the work folder.
#[derive(Debug, Clone)]
pub(crate) struct Intermediate {
    pub(crate) path: PathBuf,
    pub(crate) schema: SchemaRef,
    pub(crate) rows: u64,
    /// How many nulls each column has, in order.
    pub(crate) nulls: Vec<u64>,
}

/// Writes a stream as one Parquet file of `schema`, to which its columns are cast
/// by position. Holds one row group's encoded columns.
pub(crate) async fn write(
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    path: PathBuf,
    what: &str,
    mut progress: impl FnMut(u64),
) -> Result<Intermediate> {
    let mut writer = Writer::new(path, schema, what)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| Error::run(what, error))?;
        writer.push(&batch)?;
        progress(writer.done.rows);
    }
    writer.finish()
}

struct Writer<'w> {
    what: &'w str,
    coalescer: BatchCoalescer,
    parquet: ArrowWriter<File>,
    done: Intermediate,
}

impl Writer<'_> {
    fn new(path: PathBuf, schema: SchemaRef, what: &str) -> Result<Writer<'_>> {
        let file = create(&path)?;
        let parquet = ArrowWriter::try_new(file, schema.clone(), Some(properties()))
            .map_err(|error| Error::run(what, error.into()))?;
        Ok(Writer {
            what,
            coalescer: BatchCoalescer::new(schema.clone(), BATCH_ROWS),
            parquet,
            done: Intermediate {
                path,
                nulls: vec![0; schema.fields().len()],
                schema,
                rows: 0,
            },
        })
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = conform(batch, &self.done.schema, self.what)?;
        self.done.rows += batch.num_rows() as u64;
        for (count, column) in self.done.nulls.iter_mut().zip(batch.columns()) {
            *count += column.logical_null_count() as u64;
        }
        let pushed = self.coalescer.push_batch(batch);
        pushed.map_err(|error| Error::run(self.what, error.into()))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        while let Some(batch) = self.coalescer.next_completed_batch() {
            let written = self.parquet.write(&batch);
            written.map_err(|error| Error::run(self.what, error.into()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Intermediate> {
        let rest = self.coalescer.finish_buffered_batch();
        rest.map_err(|error| Error::run(self.what, error.into()))?;
        self.drain()?;
        let closed = self.parquet.close();
        closed.map_err(|error| Error::run(self.what, error.into()))?;
        Ok(self.done)
    }
}

/// Makes a new file and the folders above it.
pub(crate) fn create(path: &Path) -> Result<File> {
    let failed = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    create_passing(path).map_err(failed)
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by(concat!("pricemill ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build()
}

/// Adds to what failed the row for which it did: its first columns, and the one at fault.
fn in_row(
    batch: &RecordBatch,
    schema: &SchemaRef,
    column: &str,
    row: Option<usize>,
    what: &str,
) -> String {
    let Some(row) = row else {
        return what.to_owned();
    };
    let fields = schema.fields().iter().enumerate();
    let first = fields.filter(|(_, field)| !field.data_type().is_nested());
    let mut shown: Vec<usize> = first.map(|(index, _)| index).take(NAMED).collect();
    let own = schema.index_of(column).ok();
    shown.extend(own.filter(|index| !shown.contains(index)));
    let values = values_of(&batch.slice(row, 1), &shown);
    format!("{what}, in the row {values}")
}

/// Casts a batch to a schema, column by column; a value that does not fit is an error.
fn conform(batch: &RecordBatch, schema: &SchemaRef, what: &str) -> Result<RecordBatch> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(schema.fields()) {
        let cast = |column: &ArrayRef| cast_with_options(column, field.data_type(), &options);
        columns.push(cast(column).map_err(|error| {
            let row = (0..column.len()).find(|row| cast(&column.slice(*row, 1)).is_err());
            Error::Value {
                what: in_row(batch, schema, field.name(), row, what),
                column: field.name().clone(),
                source: Box::new(DataFusionError::from(error)),
            }
        })?);
    }
    let batch = RecordBatch::try_new(Arc::clone(schema), columns);
    batch.map_err(|error| Error::run(what, error.into()))
}
