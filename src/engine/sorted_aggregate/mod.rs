//! Grouping of rows that come in the order of their groups, without hashing.
//!
//! DataFusion groups sorted rows through the same hash table as any others. Where
//! rows are sorted by all that they are grouped by, a group is a run: its bounds are
//! found by comparing neighbours, and it is complete when the next one begins. So
//! [`ByRuns`] puts a [`SortedAggregateExec`] in place of every complete aggregation
//! over sorted rows, which asks the same functions for the same values. Memory: the
//! groups of a batch, whatever the number of groups.

mod counts;
mod extremes;
mod groups;
mod kernels;
mod pending;
mod stream;

use std::{fmt, sync::Arc};

use datafusion::{
    arrow::datatypes::DataType,
    common::{
        Result,
        config::ConfigOptions,
        internal_err,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{OrderingRequirements, PhysicalExpr},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan,
        InputDistributionRequirements, InputOrderMode, PlanProperties, ReplaceChildrenOptions,
        aggregates::{AggregateExec, AggregateMode},
        metrics::{ExecutionPlanMetricsSet, MetricsSet},
    },
};

/// Puts [`SortedAggregateExec`] where it can be used.
#[derive(Debug)]
pub(super) struct ByRuns;

impl PhysicalOptimizerRule for ByRuns {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replace = |plan: Arc<dyn ExecutionPlan>| match plan.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_by_runs(aggregate) => {
                let sorted = SortedAggregateExec::new(aggregate.clone());
                Ok(Transformed::yes(Arc::new(sorted) as _))
            }
            _ => Ok(Transformed::no(plan)),
        };
        plan.transform_up(replace).data()
    }

    fn name(&self) -> &str {
        "group_sorted_rows_by_runs"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Returns whether all rows of a group follow each other, and all of the group's
/// work is done in one place.
fn is_by_runs(aggregate: &AggregateExec) -> bool {
    let is_complete = matches!(
        aggregate.mode(),
        AggregateMode::Single | AggregateMode::SinglePartitioned
    );
    let by_expressions = aggregate.group_expr().is_single() && !aggregate.group_expr().is_empty();
    let schema = aggregate.input().schema();
    let groups = aggregate.group_expr().input_exprs();
    let comparable = |key: &Arc<dyn PhysicalExpr>| {
        let data_type = key.data_type(&schema);
        // Floats have two zeros, which are one group and two values.
        data_type.is_ok_and(|given| given.is_integer() || is_plain(&given))
    };
    is_complete
        && by_expressions
        && *aggregate.input_order_mode() == InputOrderMode::Sorted
        && aggregate.limit_options().is_none()
        && aggregate.dynamic_expressions_produced().is_empty()
        && groups.iter().all(comparable)
        && aggregate
            .aggr_expr()
            .iter()
            .all(|function| function.groups_accumulator_supported())
}

fn is_plain(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Utf8
            | DataType::Utf8View
            | DataType::LargeUtf8
            | DataType::Date32
            | DataType::Timestamp(_, _)
            | DataType::Decimal128(_, _)
    )
}

/// An aggregation over sorted rows.
#[derive(Debug, Clone)]
pub(super) struct SortedAggregateExec {
    /// What is to be computed, and what is known of the result.
    aggregate: AggregateExec,
    metrics: ExecutionPlanMetricsSet,
}

impl SortedAggregateExec {
    fn new(aggregate: AggregateExec) -> Self {
        SortedAggregateExec {
            aggregate,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for SortedAggregateExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "SortedAggregateExec: ")?;
        self.aggregate.fmt_as(format, f)
    }
}

impl ExecutionPlan for SortedAggregateExec {
    fn name(&self) -> &str {
        "SortedAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.aggregate.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.aggregate.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.aggregate.apply_expressions(f)
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.aggregate.input_distribution_requirements()
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.aggregate.required_input_ordering()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let aggregate = Arc::new(self.aggregate.clone()).replace_children(children, options)?;
        match aggregate.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_by_runs(aggregate) => {
                Ok(Arc::new(SortedAggregateExec::new(aggregate.clone())))
            }
            Some(_) => Ok(aggregate),
            None => internal_err!("an aggregation stays one whatever its input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        stream::execute(&self.aggregate, &self.metrics, partition, &context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
