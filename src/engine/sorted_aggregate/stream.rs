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

use super::groups::Groups;

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
    functions: Vec<Function>,
    groups: Groups,
    /// Groups that are given out together, at the least.
    batch_rows: usize,
    reservation: MemoryReservation,
}

/// An aggregate function that runs.
struct Function {
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    accumulator: Box<dyn GroupsAccumulator>,
}

impl Running {
    fn new(aggregate: &AggregateExec, partition: usize, context: &TaskContext) -> Result<Self> {
        let functions = aggregate.aggr_expr();
        let arguments = aggregate_expressions(functions, aggregate.mode(), 0)?;
        let each = functions.iter().zip(arguments).zip(aggregate.filter_expr());
        let functions = each.map(|((function, arguments), filter)| {
            Ok(Function {
                arguments,
                filter: filter.clone(),
                accumulator: function.create_groups_accumulator()?,
            })
        });
        let consumer = MemoryConsumer::new(format!("SortedAggregateExec[{partition}]"));
        Ok(Running {
            schema: aggregate.schema(),
            keys: aggregate.group_expr().input_exprs(),
            functions: functions.collect::<Result<_>>()?,
            groups: Groups::default(),
            batch_rows: context.session_config().batch_size(),
            reservation: consumer.register(context.memory_pool()),
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = evaluate(&self.keys, batch)?;
        self.groups.number(&keys)?;
        for function in &mut self.functions {
            function.add(batch, &self.groups)?;
        }
        let functions = self.functions.iter();
        let size: usize = functions.map(|function| function.accumulator.size()).sum();
        self.reservation.try_resize(size + self.groups.size())
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
        let mut columns = self.groups.take(count)?;
        for function in &mut self.functions {
            columns.push(function.accumulator.evaluate(EmitTo::First(count))?);
        }
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

impl Function {
    fn add(&mut self, batch: &RecordBatch, groups: &Groups) -> Result<()> {
        let values = evaluate(&self.arguments, batch)?;
        let filter = evaluate(&self.filter, batch)?;
        let filter = filter.first().map(|filter| filter.as_boolean());
        self.accumulator
            .update_batch(&values, groups.of_rows(), filter, groups.count())
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
