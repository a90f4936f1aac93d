//! The next batches are made while the last one is written.

use datafusion::{
    arrow::datatypes::SchemaRef, error::DataFusionError, execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchReceiverStream,
};

use super::export::Batches;

/// How many batches may wait.
const WAITING: usize = 2;

/// Streams batches that are made on a thread of their own; it ends with the stream.
pub(super) fn ahead(schema: SchemaRef, batches: Batches) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(schema, WAITING);
    let sender = builder.tx();
    builder.spawn_blocking(move || {
        for batch in batches {
            let sent = sender.blocking_send(batch.map_err(DataFusionError::from));
            if sent.is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}
