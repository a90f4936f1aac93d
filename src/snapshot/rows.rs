//! A dataset's rows in key order, each key once.
//!
//! Rows are ordered by key, then by the dataset's preference, then by the columns
//! that are left, ascending, nulls last. So the first row of a key stands, equal
//! rows are neighbours, and the result does not hang on the order the rows came in.

use std::{fmt, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, BooleanArray},
        compute::{SortOptions, filter_record_batch},
        datatypes::SchemaRef,
        error::ArrowError,
        record_batch::RecordBatch,
        row::{OwnedRow, RowConverter, Rows, SortField},
    },
    catalog::streaming::StreamingTable,
    common::Column,
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, SortExpr},
    physical_plan::{
        stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter},
        streaming::PartitionStream,
    },
    prelude::SessionContext,
};

use super::partial::Batches;
use crate::dataset::Dataset;

/// One column of the order.
#[derive(Debug, Clone, Copy)]
struct Step {
    column: usize,
    descending: bool,
}

/// The order of a dataset's rows.
#[derive(Debug, Clone)]
pub(super) struct Order {
    schema: SchemaRef,
    /// The key first.
    steps: Vec<Step>,
    key: usize,
}

impl Order {
    pub(super) fn of(dataset: &Dataset) -> Order {
        let schema = dataset.contract.arrow();
        let mut steps: Vec<Step> = Vec::new();
        let key = dataset.key.iter().map(|column| (column, false));
        let prefer = dataset
            .prefer
            .iter()
            .map(|step| (&step.column, step.highest));
        let rest = schema.fields().iter().map(|field| (field.name(), false));
        for (name, descending) in key.chain(prefer).chain(rest) {
            let Ok(column) = schema.index_of(name) else {
                continue;
            };
            if steps.iter().all(|step| step.column != column) {
                steps.push(Step { column, descending });
            }
        }
        Order {
            key: dataset.key.len().min(steps.len()),
            schema,
            steps,
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the key's columns.
    pub(super) fn key(&self) -> impl Iterator<Item = usize> {
        self.steps[..self.key].iter().map(|step| step.column)
    }

    fn converter(&self, steps: &[Step]) -> Result<RowConverter, ArrowError> {
        let fields = steps.iter().map(|step| {
            let options = SortOptions::new(step.descending, false);
            let data_type = self.schema.field(step.column).data_type();
            SortField::new_with_options(data_type.clone(), options)
        });
        RowConverter::new(fields.collect())
    }

    fn expressions(&self) -> Vec<SortExpr> {
        let steps = self.steps.iter().map(|step| {
            let name = self.schema.field(step.column).name();
            let column = Expr::Column(Column::new_unqualified(name));
            SortExpr::new(column, !step.descending, false)
        });
        steps.collect()
    }
}

/// Lets each key through once, and counts what it holds back.
#[derive(Debug)]
pub(super) struct Unique {
    order: Order,
    keys: RowConverter,
    whole: RowConverter,
    /// The key and the whole of the row before.
    last: Option<(OwnedRow, OwnedRow)>,
    pub(super) rows: u64,
    /// Rows equal to another.
    pub(super) duplicates: u64,
    /// Rows that differ from the one of their key that stands, equal ones once.
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
            keys: order.converter(&order.steps[..order.key])?,
            whole: order.converter(&order.steps)?,
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
        let keys = convert(&mut self.keys, &self.order.steps[..self.order.key], batch)?;
        let repeats = self.repeats(&keys)?;
        if !repeats.is_empty() {
            self.count(&repeats, batch)?;
        }
        let last = batch.slice(batch.num_rows() - 1, 1);
        let whole = convert(&mut self.whole, &self.order.steps, &last)?;
        self.last = Some((keys.row(keys.num_rows() - 1).owned(), whole.row(0).owned()));
        let kept = without(batch, &repeats)?;
        self.rows += kept.num_rows() as u64;
        Ok(kept)
    }

    /// Returns the rows whose key is that of the row before.
    fn repeats(&self, keys: &Rows) -> Result<Vec<usize>, Disorder> {
        let mut repeats = Vec::new();
        let mut before = self.last.as_ref().map(|(key, _)| key.row());
        for (at, key) in keys.iter().enumerate() {
            match before.map(|before| before.cmp(&key)) {
                Some(std::cmp::Ordering::Greater) => return Err(Disorder::Unsorted),
                Some(std::cmp::Ordering::Equal) => repeats.push(at),
                _ => {}
            }
            before = Some(key);
        }
        Ok(repeats)
    }

    fn count(&mut self, repeats: &[usize], batch: &RecordBatch) -> Result<(), Disorder> {
        let whole = convert(&mut self.whole, &self.order.steps, batch)?;
        for &at in repeats {
            let before = match (at, &self.last) {
                (0, Some((_, last))) => last.row(),
                (0, None) => continue,
                _ => whole.row(at - 1),
            };
            match before.cmp(&whole.row(at)) {
                std::cmp::Ordering::Less => self.conflicts += 1,
                std::cmp::Ordering::Equal => self.duplicates += 1,
                std::cmp::Ordering::Greater => return Err(Disorder::Unsorted),
            }
        }
        Ok(())
    }
}

fn convert(
    converter: &mut RowConverter,
    steps: &[Step],
    batch: &RecordBatch,
) -> Result<Rows, ArrowError> {
    let columns = steps.iter().map(|step| batch.column(step.column).clone());
    converter.convert_columns(&columns.collect::<Vec<_>>())
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

/// Returns whether the rows come in order already; stops at the first that does not.
pub(super) fn in_order(order: &Order, batches: Batches) -> Result<bool, ArrowError> {
    let mut unique = Unique::new(order)?;
    for batch in batches {
        match unique.filter(&batch?) {
            Ok(_) => {}
            Err(Disorder::Unsorted) => return Ok(false),
            Err(Disorder::Arrow(error)) => return Err(error),
        }
    }
    Ok(true)
}

/// Streams rows as they are.
pub(super) fn stream(
    order: &Order,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(order.schema.clone(), 2);
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

/// Streams rows in order; what does not fit the engine's memory is spilled.
pub(super) async fn sorted(
    context: &SessionContext,
    order: &Order,
    batches: Batches,
) -> Result<SendableRecordBatchStream> {
    let partition = OnePass {
        order: order.clone(),
        batches: std::sync::Mutex::new(Some(batches)),
    };
    let table = StreamingTable::try_new(order.schema.clone(), vec![Arc::new(partition)])?;
    let frame = context.read_table(Arc::new(table))?;
    frame.sort(order.expressions())?.execute_stream().await
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
        &self.order.schema
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
                    self.order.schema.clone(),
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
        dataset::{Contract, Preference},
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

    /// What stands of each key, and the distinct rows beside it, by definition.
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
        let standing = by_key.iter().filter_map(|(id, rows)| {
            let (none, record, price) = rows.first()?;
            Some((*id, *price, (!none).then_some(-record)))
        });
        (standing.collect(), duplicates as u64, conflicts as u64)
    }

    proptest! {
        #[test]
        fn one_row_of_each_key_stands_whatever_the_batches(
            mut rows in proptest::collection::vec((0i64..6, 0u32..3, proptest::option::of(0i64..3)), 0..30),
            size in 1usize..7,
        ) {
            let (standing, duplicates, conflicts) = expected(&rows);
            rows.sort_by_key(|(id, price, record)| (*id, record.is_none(), -record.unwrap_or(0), *price));
            let order = Order::of(&prices());
            let mut unique = Unique::new(&order).unwrap();
            let mut ids = Vec::new();
            for chunk in rows.chunks(size) {
                let kept = unique.filter(&batch(chunk)).unwrap();
                ids.extend(kept.column(0).as_primitive::<Int64Type>().values().iter().copied());
            }
            prop_assert_eq!(ids, standing.iter().map(|row| row.0).collect::<Vec<_>>());
            prop_assert_eq!((unique.duplicates, unique.conflicts), (duplicates, conflicts));
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
