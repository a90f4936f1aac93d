//! The one function that builds every DataFusion session.
//!
//! A worker on another machine would call the same one: options and functions
//! are part of what SQL means here.

use std::{num::NonZeroUsize, sync::Arc};

use datafusion::{
    common::config::{ConfigOptions, SpillCompression},
    error::DataFusionError,
    execution::{
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::{FairSpillPool, MemoryPool, PeakRecordingPool, TrackConsumersPool},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
        session_state::SessionStateBuilder,
    },
    optimizer::analyzer::{Analyzer, AnalyzerRule},
    prelude::{SessionConfig, SessionContext},
};

use super::{
    Error, Result,
    exact::{Checked, Doubles},
    sorted_aggregate::ByRuns,
};
use crate::{config::EngineConfig, embedding::Embedding, functions};

/// How many consumers an error about exhausted memory names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// Rows a batch. Larger ones save little and cost memory where rows are wide.
const BATCH_ROWS: usize = 16_384;

/// The most that one sort keeps back to merge what it spilled; DataFusion's default.
const MAX_SORT_RESERVE_BYTES: usize = 10 << 20;

/// Returns a session with the engine's memory pool, temp space and functions.
///
/// Each session has a pool of its own, of `config.memory_bytes`: what can spill
/// spills into `config.temp`, at most `config.max_temp_bytes`; what cannot stops and is
/// named. Files are listed again for every query.
///
/// ```
/// # use datafusion::arrow::util::pretty::pretty_format_batches;
/// # use pricemill::{config::EngineConfig, engine::session};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = session(&EngineConfig::default())?;
/// let rows = context.sql("select slug('Crème brûlée') as slug").await?;
/// let table = pretty_format_batches(&rows.collect().await?)?.to_string();
/// assert!(table.contains("creme-brulee"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns [`Error::Run`] when the folder for temporary files cannot be made.
pub fn session(config: &EngineConfig) -> Result<SessionContext> {
    let runtime = runtime(config).map_err(|source| Error::Run {
        what: "could not start the engine".to_owned(),
        source: Box::new(source),
    })?;
    let embedding = Embedding::new(&config.embedding, config.threads.get());
    let options = SessionConfig::from(options(config))
        .with_batch_size(BATCH_ROWS)
        .with_extension(Arc::new(embedding));
    let state = SessionStateBuilder::new()
        .with_config(options)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_analyzer_rules(analyzer_rules())
        .with_physical_optimizer_rule(Arc::new(ByRuns))
        .build();
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that makes sessions"
    )]
    let context = SessionContext::new_with_state(state);
    functions::register(&context);
    Ok(context)
}

/// Returns the most bytes that the session's operators had reserved at once.
///
/// Batches in flight and window functions are not accounted for, so the
/// process needs more than this.
pub fn peak_memory_bytes(context: &SessionContext) -> usize {
    let runtime = context.runtime_env();
    PeakRecordingPool::from_pool(runtime.memory_pool.as_ref())
        .map_or(0, PeakRecordingPool::peak_reserved)
}

fn runtime(config: &EngineConfig) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let temp = match &config.temp {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    RuntimeEnvBuilder::new()
        .with_memory_pool(pool(config.memory_bytes))
        .with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(temp)
                .with_max_temp_directory_size(config.max_temp_bytes),
        )
        .with_object_list_cache_limit(0)
        .build_arc()
}

/// DataFusion's rules between ours: types are coerced once decimals beside doubles are
/// doubles, and arithmetic is checked in the types that it is done in.
fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules = Analyzer::new().rules;
    rules.insert(0, Arc::new(Doubles));
    rules.push(Arc::new(Checked));
    rules
}

fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    let fair = TrackConsumersPool::new(FairSpillPool::new(bytes), CONSUMERS_NAMED);
    Arc::new(PeakRecordingPool::new(Arc::new(fair)))
}

fn options(config: &EngineConfig) -> ConfigOptions {
    let mut options = ConfigOptions::new();
    let execution = &mut options.execution;
    execution.target_partitions = config.threads.get();
    execution.spill_compression = SpillCompression::Lz4Frame;
    // It takes a CASE whose result the planner proved not null for a contradiction.
    execution.skip_physical_aggregate_schema_check = true;
    // Otherwise each of a small pool's sorts would ask for more than its share.
    execution.sort_spill_reservation_bytes =
        (config.memory_bytes / (8 * config.threads.get())).min(MAX_SORT_RESERVE_BYTES);
    // Text is Utf8 everywhere: contracts and our functions know no views.
    execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // `1.5` is a decimal: prices are compared exactly.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.collect_spans = true;
    options
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::{array::RecordBatch, datatypes::DataType};

    use super::*;

    async fn type_of(context: &SessionContext, sql: &str) -> DataType {
        let frame = context.sql(sql).await.unwrap();
        frame.schema().field(0).data_type().clone()
    }

    #[tokio::test]
    async fn a_fraction_is_a_decimal_and_text_is_no_view() {
        let context = session(&EngineConfig::default()).unwrap();
        assert_eq!(
            type_of(&context, "select 1.5").await,
            DataType::Decimal128(2, 1)
        );
        for text in ["select 'a'", "select cast(1 as text)", "select upper('a')"] {
            assert_eq!(type_of(&context, text).await, DataType::Utf8, "{text}");
        }
    }

    #[tokio::test]
    async fn a_sort_larger_than_the_pool_spills_and_its_peak_is_known() {
        let temp = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            memory_bytes: 8 << 20,
            threads: NonZeroUsize::MIN,
            temp: Some(temp.path().join("spill")),
            ..EngineConfig::default()
        };
        let context = session(&config).unwrap();
        let sql = "select value, value + 1 as next, value + 2 as after, value + 3 as last
            from generate_series(1, 500000) as t (value) order by value desc";
        let frame = context.sql(sql).await.unwrap();
        let batches = frame.collect().await.unwrap();
        assert_eq!(
            batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
            500_000
        );
        let peak = peak_memory_bytes(&context);
        assert!((1..=config.memory_bytes).contains(&peak), "{peak}");
        assert!(temp.path().join("spill").is_dir());
    }
}
