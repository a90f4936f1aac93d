//! A dataset's rows in order, each key once.
//!
//! In the order of `order`, the first row of a key is kept and equal rows are neighbours:
//! so the result does not depend on the order in which the rows came.

use std::{cmp::Ordering, fmt, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, AsArray, BooleanArray, UInt64Array},
        compute::{filter_record_batch, take_record_batch},
        datatypes::{Int64Type, SchemaRef},
        error::ArrowError,
        record_batch::RecordBatch,
        row::RowConverter,
    },
    catalog::streaming::StreamingTable,
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{
        stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter},
        streaming::PartitionStream,
    },
    prelude::SessionContext,
};

use super::{
    order::{Order, convert},
    partial::Batches,
    ties::in_whole_order,
};

/// Lets each key through once, and counts what it holds back.
#[derive(Debug)]
pub(super) struct Unique {
    order: Order,
    keys: RowConverter,
    whole: RowConverter,
    /// The row before, as a batch of its own.
    last: Option<RecordBatch>,
    pub(super) rows: u64,
    /// Rows equal to another.
    pub(super) duplicates: u64,
    /// Rows that differ from the one of their key that is kept, equal ones once.
    pub(super) conflicts: u64,
}

/// Why rows could not be let through.
#[derive(Debug, thiserror::Error)]
pub(super) enum Disorder {
    #[error("the rows are not in key order")]
    Unsorted,
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

impl Unique {
    pub(super) fn new(order: &Order) -> Result<Unique, ArrowError> {
        Ok(Unique {
            keys: order.converter(order.key_steps())?,
            whole: order.converter(order.steps())?,
            order: order.clone(),
            last: None,
            rows: 0,
            duplicates: 0,
            conflicts: 0,
        })
    }

    /// Returns the rows whose key did not come before.
    ///
    /// # Errors
    /// The rows are not in order.
    pub(super) fn filter(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Disorder> {
        if batch.num_rows() == 0 {
            return Ok(batch.clone());
        }
        let repeats = match self.integers(batch) {
            Some(repeats) => repeats?,
            None => self.repeats(batch)?,
        };
        if !repeats.is_empty() {
            self.count(&repeats, batch)?;
        }
        self.last = Some(own_row(batch, batch.num_rows() - 1)?);
        let kept = without(batch, &repeats)?;
        self.rows += kept.num_rows() as u64;
        Ok(kept)
    }

    /// Returns the rows whose key is that of the row before.
    fn repeats(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, Disorder> {
        let steps = self.order.key_steps();
        let last = self.last.as_ref();
        let last = last.map(|last| convert(&mut self.keys, steps, last));
        let last = last.transpose()?;
        let keys = convert(&mut self.keys, steps, batch)?;
        let mut repeats = Vec::new();
        let mut before = last.as_ref().map(|last| last.row(0));
        for (at, key) in keys.iter().enumerate() {
            match before.map(|before| before.cmp(&key)) {
                Some(Ordering::Greater) => return Err(Disorder::Unsorted),
                Some(Ordering::Equal) => repeats.push(at),
                _ => {}
            }
            before = Some(key);
        }
        Ok(repeats)
    }

    /// Does the same for a key of integers without a null, which need no conversion;
    /// `None` where the key is another.
    fn integers(&self, batch: &RecordBatch) -> Option<Result<Vec<usize>, Disorder>> {
        let values = |batch: &RecordBatch| {
            let columns = self.order.key().map(|column| {
                let values = batch.column(column).as_primitive_opt::<Int64Type>()?;
                (values.null_count() == 0).then(|| values.values().clone())
            });
            columns.collect::<Option<Vec<_>>>()
        };
        let keys = values(batch)?;
        let last = match &self.last {
            Some(last) => Some(values(last)?),
            None => None,
        };
        Some(match keys.as_slice() {
            [a] => {
                let before = last.map(|last| last[0][0]);
                repeats_of(before, a.iter().copied())
            }
            [a, b] => {
                let before = last.map(|last| (last[0][0], last[1][0]));
                repeats_of(before, a.iter().copied().zip(b.iter().copied()))
            }
            _ => return None,
        })
    }

    fn count(&mut self, repeats: &[usize], batch: &RecordBatch) -> Result<(), Disorder> {
        let steps = self.order.steps();
        let last = self.last.as_ref();
        let last = last.map(|last| convert(&mut self.whole, steps, last));
        let last = last.transpose()?;
        let whole = convert(&mut self.whole, steps, batch)?;
        for &at in repeats {
            let before = match (at, &last) {
                (0, Some(last)) => last.row(0),
                (0, None) => continue,
                _ => whole.row(at - 1),
            };
            match before.cmp(&whole.row(at)) {
                Ordering::Less => self.conflicts += 1,
                Ordering::Equal => self.duplicates += 1,
                Ordering::Greater => return Err(Disorder::Unsorted),
            }
        }
        Ok(())
    }
}

/// Returns the places of keys equal to the one before them, `before` first.
fn repeats_of<K: Ord + Copy>(
    before: Option<K>,
    keys: impl Iterator<Item = K> + Clone,
) -> Result<Vec<usize>, Disorder> {
    let mut keys = keys.enumerate();
    let mut repeats = Vec::new();
    let Some(mut before) = before.or_else(|| keys.next().map(|(_, key)| key)) else {
        return Ok(repeats);
    };
    for (at, key) in keys {
        if key <= before {
            if key < before {
                return Err(Disorder::Unsorted);
            }
            repeats.push(at);
        }
        before = key;
    }
    Ok(repeats)
}

/// Copies a row, so that the rest of its batch need not be held for it.
fn own_row(batch: &RecordBatch, row: usize) -> Result<RecordBatch, ArrowError> {
    let place = UInt64Array::from(vec![row as u64]);
    take_record_batch(batch, &place)
}

fn without(batch: &RecordBatch, left_out: &[usize]) -> Result<RecordBatch, ArrowError> {
    if left_out.is_empty() {
        return Ok(batch.clone());
    }
    let mut kept = vec![true; batch.num_rows()];
    left_out.iter().for_each(|at| kept[*at] = false);
    let kept = BooleanArray::from(kept);
    debug_assert_eq!(kept.null_count(), 0);
    filter_record_batch(batch, &kept)
}

/// Streams rows as they are.
pub(super) fn stream(
    order: &Order,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(order.schema().clone(), 2);
    let sender = builder.tx();
    builder.spawn_blocking(move || {
        for batch in batches {
            if sender
                .blocking_send(batch.map_err(DataFusionError::from))
                .is_err()
            {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}

/// Streams rows in order. Each heap is sorted by itself, side by side with the
/// others, then they are merged; what does not fit the engine's memory is spilled.
pub(super) async fn sorted(
    context: &SessionContext,
    order: &Order,
    heaps: Vec<Batches>,
) -> Result<SendableRecordBatchStream> {
    let partitions = heaps.into_iter().map(|batches| {
        let partition = OnePass {
            order: order.clone(),
            batches: std::sync::Mutex::new(Some(batches)),
        };
        Arc::new(partition) as Arc<dyn PartitionStream>
    });
    let table = StreamingTable::try_new(order.schema().clone(), partitions.collect())?;
    let mut frame = context.read_table(Arc::new(table))?;
    if !order.key_steps().is_empty() {
        frame = frame.sort(order.expressions())?;
    }
    let pool = context.runtime_env().memory_pool.clone();
    Ok(in_whole_order(order, &pool, frame.execute_stream().await?))
}

/// Rows that can be read once.
struct OnePass {
    order: Order,
    batches: std::sync::Mutex<Option<Batches>>,
}

impl fmt::Debug for OnePass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnePass")
    }
}

impl PartitionStream for OnePass {
    fn schema(&self) -> &SchemaRef {
        self.order.schema()
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self
            .batches
            .lock()
            .ok()
            .and_then(|mut batches| batches.take());
        match taken {
            Some(batches) => stream(&self.order, batches),
            None => {
                let error = DataFusionError::Internal("the rows were read already".to_owned());
                let failed = futures::stream::iter([Err(error)]);
                Box::pin(RecordBatchStreamAdapter::new(
                    self.order.schema().clone(),
                    failed,
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::arrow::{array::AsArray, datatypes::Int64Type};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        dataset::{Contract, Dataset, Preference},
        json::Decoder,
    };

    fn prices() -> Dataset {
        let columns = [
            ("product_id", "bigint not null"),
            ("price", "decimal(10,2) not null"),
            ("record", "bigint"),
        ];
        let columns = columns
            .iter()
            .map(|(name, declared)| crate::dataset::Column::parse(name, declared).unwrap());
        Dataset {
            name: "prices".to_owned(),
            endpoint: "prices".to_owned(),
            contract: Contract {
                columns: columns.collect(),
            },
            docs: Default::default(),
            key: vec!["product_id".to_owned()],
            prefer: vec![Preference {
                column: "record".to_owned(),
                highest: true,
            }],
        }
    }

    type Row = (i64, u32, Option<i64>);

    fn batch(rows: &[Row]) -> RecordBatch {
        let mut decoder = Decoder::new(&prices().contract);
        for (id, price, record) in rows {
            let row = serde_json::json!({"product_id": id, "price": price, "record": record});
            decoder.row(&row.to_string()).unwrap();
        }
        decoder.take().unwrap()
    }

    /// What is kept of each key, and the distinct rows beside it, by definition.
    fn expected(rows: &[Row]) -> (Vec<Row>, u64, u64) {
        let mut by_key: BTreeMap<i64, std::collections::BTreeSet<(bool, i64, u32)>> =
            BTreeMap::new();
        for (id, price, record) in rows {
            let place = (record.is_none(), -record.unwrap_or(0), *price);
            by_key.entry(*id).or_default().insert(place);
        }
        let distinct: usize = by_key.values().map(|rows| rows.len()).sum();
        let conflicts = distinct - by_key.len();
        let duplicates = rows.len() - distinct;
        let kept = by_key.iter().filter_map(|(id, rows)| {
            let (none, record, price) = rows.first()?;
            Some((*id, *price, (!none).then_some(-record)))
        });
        (kept.collect(), duplicates as u64, conflicts as u64)
    }

    proptest! {
        #[test]
        fn one_row_of_each_key_is_kept_whatever_the_batches(
            mut rows in proptest::collection::vec((0i64..6, 0u32..3, proptest::option::of(0i64..3)), 0..30),
            size in 1usize..7,
        ) {
            let (kept, duplicates, conflicts) = expected(&rows);
            rows.sort_by_key(|(id, price, record)| (*id, record.is_none(), -record.unwrap_or(0), *price));
            let order = Order::of(&prices());
            let mut unique = Unique::new(&order).unwrap();
            let mut ids = Vec::new();
            for chunk in rows.chunks(size) {
                let kept = unique.filter(&batch(chunk)).unwrap();
                ids.extend(kept.column(0).as_primitive::<Int64Type>().values().iter().copied());
            }
            prop_assert_eq!(ids, kept.iter().map(|row| row.0).collect::<Vec<_>>());
            prop_assert_eq!((unique.duplicates, unique.conflicts), (duplicates, conflicts));
        }
    }

    proptest! {
        #[test]
        fn a_key_of_integers_is_compared_as_any_other(
            before in proptest::option::of((0i64..3, 0i64..3)),
            rows in proptest::collection::vec((0i64..3, 0i64..3), 0..8),
        ) {
            let two = Dataset {
                key: vec!["product_id".to_owned(), "record".to_owned()],
                ..prices()
            };
            let with_record = |(id, record): &(i64, i64)| (*id, 1, Some(*record));
            let rows = batch(&rows.iter().map(with_record).collect::<Vec<_>>());
            for dataset in [prices(), two] {
                let mut unique = Unique::new(&Order::of(&dataset)).unwrap();
                unique.last = before.as_ref().map(|row| batch(&[with_record(row)]));
                let fast = unique.integers(&rows).expect("a key of integers");
                let general = unique.repeats(&rows);
                prop_assert_eq!(fast.ok(), general.ok());
            }
        }
    }

    #[test]
    fn rows_out_of_order_are_noticed() {
        let mut unique = Unique::new(&Order::of(&prices())).unwrap();
        unique.filter(&batch(&[(2, 1, None)])).unwrap();
        assert!(matches!(
            unique.filter(&batch(&[(1, 1, None)])),
            Err(Disorder::Unsorted)
        ));
        let mut unique = Unique::new(&Order::of(&prices())).unwrap();
        let wrong = unique.filter(&batch(&[(1, 1, Some(1)), (1, 1, Some(2))]));
        assert!(matches!(wrong, Err(Disorder::Unsorted)));
    }
}
