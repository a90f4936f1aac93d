//! Rows in, groups out.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, RecordBatch},
        datatypes::SchemaRef,
    },
    common::Result,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    logical_expr::{EmitTo, GroupsAccumulator},
    physical_expr::PhysicalExpr,
    physical_plan::{
        ExecutionPlan,
        aggregates::{AggregateExec, aggregate_expressions},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, RecordOutput},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt;

use super::{
    counts::{Counts, counts_rows},
    extremes::{Search, Wanted},
    groups::Groups,
};

/// Starts to aggregate one partition.
pub(super) fn execute(
    aggregate: &AggregateExec,
    metrics: &ExecutionPlanMetricsSet,
    partition: usize,
    context: &Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let mut input = aggregate.input().execute(partition, Arc::clone(context))?;
    let mut running = Running::new(aggregate, partition, context)?;
    let metrics = BaselineMetrics::new(metrics, partition);
    let schema = aggregate.schema();
    let stream = async_stream::try_stream! {
        while let Some(batch) = input.next().await {
            let batch = batch?;
            let timer = metrics.elapsed_compute().timer();
            running.add(&batch)?;
            let complete = running.complete()?;
            timer.done();
            if let Some(complete) = complete {
                yield complete.record_output(&metrics);
            }
        }
        let rest = running.rest()?;
        if let Some(rest) = rest {
            yield rest.record_output(&metrics);
        }
        metrics.done();
    };
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
}

/// An aggregation that runs.
struct Running {
    schema: SchemaRef,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    searches: Vec<Search>,
    counts: Vec<(usize, Counts)>,
    functions: Vec<Function>,
    groups: Groups,
    /// Groups that are given out together, at the least.
    batch_rows: usize,
    reservation: MemoryReservation,
}

/// An aggregate function that takes every row.
struct Function {
    /// Its place among all.
    place: usize,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    accumulator: Box<dyn GroupsAccumulator>,
}

impl Running {
    fn new(aggregate: &AggregateExec, partition: usize, context: &TaskContext) -> Result<Self> {
        let (mut wanted, mut counts, mut functions) = (Vec::new(), Vec::new(), Vec::new());
        for (place, function) in aggregate.aggr_expr().iter().enumerate() {
            let is_filtered = aggregate.filter_expr()[place].is_some();
            match Wanted::by(function, aggregate) {
                Some(row) if !is_filtered => wanted.push((place, row)),
                _ if !is_filtered && counts_rows(function) => {
                    counts.push((place, Counts::default()));
                }
                _ => functions.push(Function::new(aggregate, place)?),
            }
        }
        let consumer = MemoryConsumer::new(format!("SortedAggregateExec[{partition}]"));
        Ok(Running {
            schema: aggregate.schema(),
            keys: aggregate.group_expr().input_exprs(),
            searches: Search::all(wanted.into_iter()),
            counts,
            functions,
            groups: Groups::default(),
            batch_rows: context.session_config().batch_size(),
            reservation: consumer.register(context.memory_pool()),
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.groups.find(&evaluate(&self.keys, batch)?)?;
        for search in &mut self.searches {
            search.add(batch, self.groups.runs())?;
        }
        for (_, counts) in &mut self.counts {
            counts.add(self.groups.runs());
        }
        for function in &mut self.functions {
            function.add(batch, &mut self.groups)?;
        }
        self.reservation.try_resize(self.size())
    }

    fn size(&self) -> usize {
        let searches: usize = self.searches.iter().map(Search::size).sum();
        let counts: usize = self.counts.iter().map(|(_, counts)| counts.size()).sum();
        let functions = self.functions.iter();
        let functions: usize = functions.map(|function| function.accumulator.size()).sum();
        self.groups.size() + searches + counts + functions
    }

    /// Gives out the groups that have ended, once there are enough of them.
    fn complete(&mut self) -> Result<Option<RecordBatch>> {
        match self.groups.count() > self.batch_rows {
            true => self.take(self.groups.count() - 1).map(Some),
            false => Ok(None),
        }
    }

    fn rest(&mut self) -> Result<Option<RecordBatch>> {
        match self.groups.count() {
            0 => Ok(None),
            count => self.take(count).map(Some),
        }
    }

    fn take(&mut self, count: usize) -> Result<RecordBatch> {
        let mut values = Vec::new();
        for search in &mut self.searches {
            values.extend(search.take(count)?);
        }
        for (place, counts) in &mut self.counts {
            values.push((*place, counts.take(count)));
        }
        for function in &mut self.functions {
            let value = function.accumulator.evaluate(EmitTo::First(count))?;
            values.push((function.place, value));
        }
        values.sort_by_key(|(place, _)| *place);
        let mut columns = self.groups.take(count)?;
        columns.extend(values.into_iter().map(|(_, value)| value));
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

impl Function {
    fn new(aggregate: &AggregateExec, place: usize) -> Result<Self> {
        let function = &aggregate.aggr_expr()[place];
        let arguments = aggregate_expressions(std::slice::from_ref(function), aggregate.mode(), 0)?;
        Ok(Function {
            place,
            arguments: arguments.into_iter().flatten().collect(),
            filter: aggregate.filter_expr()[place].clone(),
            accumulator: function.create_groups_accumulator()?,
        })
    }

    fn add(&mut self, batch: &RecordBatch, groups: &mut Groups) -> Result<()> {
        let values = evaluate(&self.arguments, batch)?;
        let filter = evaluate(&self.filter, batch)?;
        let filter = filter.first().map(|filter| filter.as_boolean());
        let count = groups.count();
        self.accumulator
            .update_batch(&values, groups.of_rows(), filter, count)
    }
}

fn evaluate<'e>(
    expressions: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>,
    batch: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    let values = expressions.into_iter().map(|expression| {
        let value = expression.evaluate(batch)?;
        value.into_array(batch.num_rows())
    });
    values.collect()
}
