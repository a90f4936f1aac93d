//! What running a plan took, read from its operators once its rows are out.
//!
//! A plan's bytes, spills and rows are its operators' own counts; its memory is the
//! most that the session's pool lent while it ran, so plans of one session are
//! measured one after another.

use std::{sync::Arc, time::Duration};

use datafusion::{
    execution::{memory_pool::PeakRecordingPool, runtime_env::RuntimeEnv},
    physical_plan::{ExecutionPlan, metrics::MetricsSet},
};

use crate::clock::Stopwatch;
pub use crate::report::{Cost, Operator};

/// A plan that runs, and when it began.
#[derive(Debug)]
pub(crate) struct Meter {
    plan: Arc<dyn ExecutionPlan>,
    runtime: Arc<RuntimeEnv>,
    began: Stopwatch,
}

impl Meter {
    /// Starts to measure a plan; the pool's peak counts from here on.
    pub(crate) fn start(plan: Arc<dyn ExecutionPlan>, runtime: Arc<RuntimeEnv>) -> Meter {
        if let Some(pool) = PeakRecordingPool::from_pool(runtime.memory_pool.as_ref()) {
            pool.reset_peak();
        }
        Meter {
            plan,
            runtime,
            began: Stopwatch::start(),
        }
    }

    /// Returns what the plan has cost so far: all, once its stream has ended.
    pub(crate) fn read(&self) -> Cost {
        let mut operators = Vec::new();
        walk(self.plan.as_ref(), 0, &mut operators);
        let sum = |of: fn(&Operator) -> u64| operators.iter().map(of).sum();
        Cost {
            elapsed: self.began.elapsed(),
            read_bytes: sum(|operator| operator.read_bytes),
            peak_memory_bytes: peak(&self.runtime),
            spilled_bytes: sum(|operator| operator.spilled_bytes),
            spilled_files: sum(|operator| operator.spilled_files),
            operators,
        }
    }
}

fn peak(runtime: &RuntimeEnv) -> u64 {
    let pool = PeakRecordingPool::from_pool(runtime.memory_pool.as_ref());
    pool.map_or(0, |pool| pool.peak_reserved() as u64)
}

fn walk(plan: &dyn ExecutionPlan, depth: usize, operators: &mut Vec<Operator>) {
    let metrics = plan.metrics().unwrap_or_default();
    let busy = metrics.elapsed_compute().unwrap_or_default() as u64;
    operators.push(Operator {
        operator: plan.name().to_owned(),
        depth,
        rows: metrics.output_rows().map(|rows| rows as u64),
        busy: Duration::from_nanos(busy),
        read_bytes: count(&metrics, "bytes_scanned"),
        spilled_bytes: metrics.spilled_bytes().unwrap_or_default() as u64,
        spilled_files: metrics.spill_count().unwrap_or_default() as u64,
    });
    for child in plan.children() {
        walk(child.as_ref(), depth + 1, operators);
    }
}

fn count(metrics: &MetricsSet, name: &str) -> u64 {
    let counted = metrics.sum_by_name(name);
    counted.map_or(0, |value| value.as_usize() as u64)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use datafusion::{physical_plan::execute_stream, prelude::SessionContext};
    use futures::TryStreamExt;

    use super::*;
    use crate::{
        config::EngineConfig,
        engine::{Error, Exhausted, session},
    };

    const MEMORY: usize = 8 << 20;

    /// Wide enough that the sort of its rows is larger than the pool.
    const SORT: &str = "select value, value + 1 as next, value + 2 as after, value + 3 as last
        from generate_series(1, 500000) as t (value) order by value desc";

    fn small(temp: &std::path::Path, max_temp_bytes: u64) -> SessionContext {
        session(&EngineConfig {
            memory_bytes: MEMORY,
            threads: NonZeroUsize::MIN,
            temp: Some(temp.to_owned()),
            max_temp_bytes,
            ..EngineConfig::default()
        })
        .unwrap()
    }

    async fn run(context: &SessionContext, sql: &str) -> Result<(u64, Cost), Error> {
        let failed = |error| Error::run("the query", error);
        let frame = context.sql(sql).await.map_err(failed)?;
        let plan = frame.create_physical_plan().await.map_err(failed)?;
        let meter = Meter::start(Arc::clone(&plan), context.runtime_env());
        let mut stream = execute_stream(plan, context.task_ctx()).map_err(failed)?;
        let mut rows = 0;
        while let Some(batch) = stream.try_next().await.map_err(failed)? {
            rows += batch.num_rows() as u64;
        }
        Ok((rows, meter.read()))
    }

    #[tokio::test]
    async fn what_spills_is_told_and_the_peak_is_of_this_plan_only() {
        let temp = tempfile::tempdir().unwrap();
        let context = small(temp.path(), 1 << 30);
        let (rows, cost) = run(&context, SORT).await.unwrap();
        assert_eq!(rows, 500_000);
        assert!(cost.spilled_files > 0 && cost.spilled_bytes > 0, "{cost:?}");
        assert!((1..=MEMORY as u64).contains(&cost.peak_memory_bytes));
        let sort = cost.operators.iter().find(|o| o.operator == "SortExec");
        assert_eq!(sort.unwrap().rows, Some(500_000));
        let (_, next) = run(&context, "select 1").await.unwrap();
        assert_eq!((next.peak_memory_bytes, next.spilled_files), (0, 0));
    }

    #[tokio::test]
    async fn spilling_over_the_limit_stops_and_names_the_key() {
        let temp = tempfile::tempdir().unwrap();
        let context = small(temp.path(), 100_000);
        let error = run(&context, SORT).await.unwrap_err();
        assert!(
            matches!(&error, Error::Exhausted { exhausted, .. }
                if matches!(**exhausted, Exhausted::Temp { .. })),
            "{error:?}"
        );
        assert!(error.hint().unwrap().contains("`max_temp` under [engine]"));
    }

    #[tokio::test]
    async fn what_cannot_spill_stops_and_names_operator_size_and_key() {
        let temp = tempfile::tempdir().unwrap();
        let context = small(temp.path(), 1 << 30);
        let sql = "select count(*) from generate_series(1, 2000000) as a (value)
            inner join generate_series(1, 2000001) as b (value) on a.value = b.value + 1";
        let error = run(&context, sql).await.unwrap_err();
        let told = error.to_string();
        assert!(
            told.starts_with("the query: the operator HashJoin"),
            "{told}"
        );
        assert!(told.contains("of 8.0 MB is left") && told.ends_with("and it cannot spill"));
        assert!(error.hint().unwrap().contains("`memory` under [engine]"));
    }
}
