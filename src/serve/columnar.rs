//! A whole dataset as one stream of Arrow or Parquet bytes, a batch at a time.

use std::mem;

use axum::body::Body;
use bytes::Bytes;
use datafusion::{
    arrow::{
        datatypes::SchemaRef, error::ArrowError, ipc::writer::StreamWriter,
        record_batch::RecordBatch,
    },
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    parquet::{
        arrow::ArrowWriter,
        errors::ParquetError,
        file::properties::{WriterProperties, WriterVersion},
    },
};
use futures::StreamExt;

use super::accept::Form;

/// Rows a Parquet row group: what is held in memory before it goes out.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Why a stream broke off. The connection is then cut, so that no client takes what it
/// has for the whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("could not read the rows")]
    Read(#[from] DataFusionError),
    #[error("could not encode the rows as Arrow")]
    Arrow(#[from] ArrowError),
    #[error("could not encode the rows as Parquet")]
    Parquet(#[from] ParquetError),
}

/// Encodes batches into bytes that can leave before the next batch is read.
enum Encoder {
    Arrow(Box<StreamWriter<Vec<u8>>>),
    Parquet(Box<ArrowWriter<Vec<u8>>>),
}

impl Encoder {
    fn new(form: Form, schema: &SchemaRef) -> Result<Encoder, Error> {
        if form == Form::Arrow {
            let writer = StreamWriter::try_new(Vec::new(), schema)?;
            return Ok(Encoder::Arrow(Box::new(writer)));
        }
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
        Ok(Encoder::Parquet(Box::new(writer)))
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<Bytes, Error> {
        match self {
            Encoder::Arrow(writer) => {
                writer.write(batch)?;
                Ok(mem::take(writer.get_mut()).into())
            }
            Encoder::Parquet(writer) => {
                writer.write(batch)?;
                Ok(mem::take(writer.inner_mut()).into())
            }
        }
    }

    fn finish(self) -> Result<Bytes, Error> {
        match self {
            Encoder::Arrow(writer) => Ok(writer.into_inner()?.into()),
            Encoder::Parquet(writer) => Ok(writer.into_inner()?.into()),
        }
    }
}

/// Returns a body that reads a batch when the client has taken the one before.
pub(super) fn body(form: Form, mut rows: SendableRecordBatchStream) -> Body {
    Body::from_stream(async_stream::stream! {
        let mut encoder = match Encoder::new(form, &rows.schema()) {
            Ok(encoder) => encoder,
            Err(error) => return yield Err(logged(error)),
        };
        while let Some(batch) = rows.next().await {
            let bytes = batch.map_err(Error::from).and_then(|batch| encoder.write(&batch));
            match bytes {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => yield Ok(bytes),
                Err(error) => return yield Err(logged(error)),
            }
        }
        yield encoder.finish().map_err(logged);
    })
}

/// The client only sees the connection cut; the log says why.
fn logged(error: Error) -> Error {
    tracing::error!(error = ?error, "an export was cut short");
    error
}
