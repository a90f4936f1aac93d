//! Brings rows in key order into the full order.
//!
//! To sort by the key alone takes half the time and half the memory of a sort by all
//! columns. Only rows that share a key remain to be sorted: they are few, and adjacent.

use std::{cmp::Ordering, mem, sync::Arc};

use datafusion::{
    arrow::{
        array::{UInt32Array, make_comparator},
        compute::{SortOptions, concat_batches, take_record_batch},
        error::ArrowError,
        record_batch::RecordBatch,
    },
    error::{DataFusionError, Result},
    execution::{
        SendableRecordBatchStream,
        memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation},
    },
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::StreamExt;

use super::order::Order;

/// Streams rows that come in key order in the whole order. Holds a batch, and the rows
/// of one key, which the pool must have room for.
pub(super) fn in_whole_order(
    order: &Order,
    pool: &Arc<dyn MemoryPool>,
    mut rows: SendableRecordBatchStream,
) -> SendableRecordBatchStream {
    let schema = order.schema().clone();
    let mut ties = Ties {
        order: order.clone(),
        held: Vec::new(),
        reservation: MemoryConsumer::new("rows of one key").register(pool),
    };
    let stream = async_stream::try_stream! {
        while let Some(batch) = rows.next().await {
            if let Some(ready) = ties.push(batch?)? {
                yield ready;
            }
        }
        if let Some(ready) = ties.finish()? {
            yield ready;
        }
    };
    Box::pin(RecordBatchStreamAdapter::new(
        schema,
        stream.map(|batch: Result<RecordBatch>| batch),
    ))
}

struct Ties {
    order: Order,
    /// The rows of the last key, of which more may come.
    held: Vec<RecordBatch>,
    reservation: MemoryReservation,
}

/// Compares the key of a row of one batch with that of a row of another.
type Compare = Box<dyn Fn(usize, usize) -> Ordering + Send + Sync>;

impl Ties {
    /// Takes rows in, and returns those of which no more can come.
    fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let Some(last) = batch.num_rows().checked_sub(1) else {
            return Ok(None);
        };
        let same = self.compare(&batch, &batch)?;
        let of_last = (0..last).rev().take_while(|row| same(*row, last).is_eq());
        let start = last - of_last.count();
        let mut ready = Vec::new();
        if start > 0 || !self.goes_on(&batch)? {
            ready = mem::take(&mut self.held);
            ready.push(batch.slice(0, start));
        }
        self.held.push(batch.slice(start, last + 1 - start));
        self.reserve()?;
        self.whole_order(&ready)
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>> {
        let held = mem::take(&mut self.held);
        self.whole_order(&held)
    }

    /// Returns whether a batch begins with the key of the rows held.
    fn goes_on(&self, batch: &RecordBatch) -> Result<bool> {
        Ok(match self.held.first() {
            Some(held) => self.compare(held, batch)?(0, 0).is_eq(),
            None => true,
        })
    }

    fn reserve(&mut self) -> Result<()> {
        // The one batch that the last rows are a piece of is not held for long.
        let whole = self.held.iter().skip(1);
        let bytes = whole.map(RecordBatch::get_array_memory_size).sum();
        self.reservation.try_resize(bytes)
    }

    fn whole_order(&self, batches: &[RecordBatch]) -> Result<Option<RecordBatch>> {
        let rows = concat_batches(self.order.schema(), batches)?;
        if rows.num_rows() == 0 {
            return Ok(None);
        }
        let same = self.compare(&rows, &rows)?;
        if (1..rows.num_rows()).all(|row| same(row - 1, row).is_ne()) {
            return Ok(Some(rows));
        }
        let whole = self.order.encoded(&rows)?;
        let length = u32::try_from(rows.num_rows());
        let length = length.map_err(|error| DataFusionError::External(error.into()))?;
        let mut places: Vec<u32> = (0..length).collect();
        places.sort_unstable_by_key(|place| whole.row(*place as usize));
        Ok(Some(take_record_batch(&rows, &UInt32Array::from(places))?))
    }

    fn compare(&self, left: &RecordBatch, right: &RecordBatch) -> Result<Compare, ArrowError> {
        let columns = self.order.key().map(|column| {
            let (left, right) = (left.column(column), right.column(column));
            make_comparator(left, right, SortOptions::new(false, false))
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(move |a, b| {
            let compared = columns.iter().map(|compare| compare(a, b));
            compared.fold(Ordering::Equal, Ordering::then)
        }))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::{
        arrow::array::{AsArray, Int64Array},
        arrow::datatypes::Int64Type,
        execution::memory_pool::UnboundedMemoryPool,
    };
    use futures::TryStreamExt;
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::{Column, Contract, Dataset, Preference};

    fn dataset() -> Dataset {
        let column = |name| Column::parse(name, "bigint not null").unwrap();
        Dataset {
            name: "prices".to_owned(),
            endpoint: "prices".to_owned(),
            contract: Contract {
                columns: vec![column("rest"), column("id"), column("record")],
            },
            docs: Default::default(),
            key: vec!["id".to_owned()],
            prefer: vec![Preference {
                column: "record".to_owned(),
                highest: true,
            }],
        }
    }

    fn batch(order: &Order, rows: &[(i64, i64, i64)]) -> RecordBatch {
        let column = |value: fn(&(i64, i64, i64)) -> i64| {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(value))) as _
        };
        let columns = vec![
            column(|row| row.2),
            column(|row| row.0),
            column(|row| row.1),
        ];
        RecordBatch::try_new(order.schema().clone(), columns).unwrap()
    }

    proptest! {
        #[test]
        fn rows_of_one_key_come_into_order_wherever_a_batch_ends(
            mut rows in proptest::collection::vec((0i64..5, 0i64..3, 0i64..3), 0..40),
            size in 1usize..9,
        ) {
            rows.sort_by_key(|row| row.0);
            let order = Order::of(&dataset());
            let batches: Vec<_> = rows.chunks(size).map(|rows| Ok(batch(&order, rows))).collect();
            let stream = RecordBatchStreamAdapter::new(
                order.schema().clone(),
                futures::stream::iter(batches),
            );
            let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
            let sorted = in_whole_order(&order, &pool, Box::pin(stream));
            let sorted: Vec<RecordBatch> = futures::executor::block_on(sorted.try_collect()).unwrap();
            let sorted = concat_batches(order.schema(), &sorted).unwrap();
            let values = |column: usize| sorted.column(column).as_primitive::<Int64Type>().values().to_vec();
            let (rest, ids, records) = (values(0), values(1), values(2));
            let got: Vec<_> = (0..sorted.num_rows()).map(|at| (ids[at], records[at], rest[at])).collect();
            rows.sort_by_key(|(id, record, rest)| (*id, -record, *rest));
            prop_assert_eq!(got, rows);
        }
    }
}
