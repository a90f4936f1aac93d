//! Rows in the order of a key, as a table wants them that is kept in that order.
//!
//! Rows go through as long as they come in order; from the first that does not, the
//! rest is sorted, and spilled where it is over the pool. So a file in order costs a
//! comparison a row, and no memory.

use std::sync::{Arc, Mutex, PoisonError};

use async_stream::try_stream;
use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
    catalog::streaming::StreamingTable,
    common::Column,
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, SortExpr},
    physical_plan::{
        stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter},
        streaming::PartitionStream,
    },
};
use futures::{StreamExt, stream};

use super::session;
use crate::{config::EngineConfig, engine::sort_check::SortCheck};

/// Batches that are read ahead.
const AHEAD: usize = 2;

/// Returns the order of what we write: ascending, nulls last.
pub(crate) fn ascending(column: &str) -> SortExpr {
    Expr::Column(Column::new_unqualified(column)).sort(true, false)
}

/// Streams batches by key: in order from the start to the first row out of order,
/// and in order from there to the end.
///
/// The batches are read on a thread of their own, from the first poll on.
pub(crate) fn key_order<B>(
    config: &EngineConfig,
    schema: SchemaRef,
    key: &[String],
    batches: B,
) -> SendableRecordBatchStream
where
    B: Iterator<Item = Result<RecordBatch>> + Send + 'static,
{
    let (config, key) = (config.clone(), key.to_vec());
    let given = Arc::clone(&schema);
    let rows = try_stream! {
        let mut rows = read(Arc::clone(&given), batches);
        let mut order = SortCheck::new(&given, &key, false)?;
        let mut first = None;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            if !order.continues(&batch)? {
                first = Some(batch);
                break;
            }
            yield batch;
        }
        if let Some(first) = first {
            let rest = stream::iter([Ok(first)]).chain(rows);
            let rest = RecordBatchStreamAdapter::new(Arc::clone(&given), rest);
            let mut sorted = sorted(&config, &key, Box::pin(rest)).await?;
            while let Some(batch) = sorted.next().await {
                yield batch?;
            }
        }
    };
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn read<B>(schema: SchemaRef, batches: B) -> SendableRecordBatchStream
where
    B: Iterator<Item = Result<RecordBatch>> + Send + 'static,
{
    let mut builder = RecordBatchReceiverStream::builder(schema, AHEAD);
    let sender = builder.tx();
    builder.spawn_blocking(move || {
        for batch in batches {
            // A receiver that is gone wants no more.
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}

async fn sorted(
    config: &EngineConfig,
    key: &[String],
    rows: SendableRecordBatchStream,
) -> Result<SendableRecordBatchStream> {
    let context = session(config).map_err(|error| DataFusionError::External(error.into()))?;
    let schema = rows.schema();
    let partition = OnePass {
        schema: Arc::clone(&schema),
        rows: Mutex::new(Some(rows)),
    };
    let table = StreamingTable::try_new(schema, vec![Arc::new(partition)])?;
    let order: Vec<SortExpr> = key.iter().map(|name| ascending(name)).collect();
    let frame = context.read_table(Arc::new(table))?.sort(order)?;
    frame.execute_stream().await
}

/// Rows that can be read once.
struct OnePass {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl std::fmt::Debug for OnePass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnePass")
    }
}

impl PartitionStream for OnePass {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.take().unwrap_or_else(|| {
            let twice = DataFusionError::Internal("the rows were read already".to_owned());
            let failed = stream::iter([Err(twice)]);
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                failed,
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::{array::AsArray, datatypes::Int64Type, datatypes::Schema};
    use datafusion::arrow::{array::Int64Array, datatypes::DataType, datatypes::Field};
    use futures::TryStreamExt;
    use proptest::prelude::*;

    use super::*;

    fn ordered(ids: &[i64], size: usize) -> Vec<i64> {
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]));
        let given = Arc::clone(&schema);
        let batches: Vec<_> = ids
            .chunks(size)
            .map(|chunk| {
                let column = Int64Array::from(chunk.to_vec());
                Ok(RecordBatch::try_new(
                    Arc::clone(&given),
                    vec![Arc::new(column)],
                )?)
            })
            .collect();
        let key = ["id".to_owned()];
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let batches = runtime.block_on(async {
            let rows = key_order(&EngineConfig::default(), schema, &key, batches.into_iter());
            rows.try_collect::<Vec<_>>().await.unwrap()
        });
        let values = batches.iter().flat_map(|batch| {
            let column = batch.column(0).as_primitive::<Int64Type>();
            column.values().to_vec()
        });
        values.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn rows_are_in_order_up_to_one_place_and_after_it(
            ids in proptest::collection::vec(-9i64..9, 0..40),
            size in 1usize..9,
        ) {
            let came = ordered(&ids, size);
            let falls = came.windows(2).filter(|two| two[0] > two[1]).count();
            prop_assert!(falls <= 1, "{came:?}");
            let (mut came, mut ids) = (came, ids);
            came.sort_unstable();
            ids.sort_unstable();
            prop_assert_eq!(came, ids);
        }
    }

    #[test]
    fn rows_in_order_come_as_they_are() {
        let ids: Vec<i64> = (0..100).collect();
        assert_eq!(ordered(&ids, 7), ids);
    }
}
