//! Parquet files of any writer, read whole.
//!
//! Statistics, page indexes and bloom filters are other programs' word. They may be missing,
//! cut short or wrong, and then rows would be left out that are there: so none is asked.
//! An old form of timestamps is read in microseconds, so that no year overflows. Our own
//! files are read in `tables`, which trusts what their footers say.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{Session, TableProvider},
    config::TableParquetOptions,
    datasource::{
        TableType,
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    error::Result,
    execution::{SessionState, SessionStateBuilder},
    logical_expr::{Expr, TableProviderFilterPushDown},
    physical_plan::ExecutionPlan,
};

/// Returns how the files are read.
pub(super) fn options() -> ListingOptions {
    let mut options = TableParquetOptions::default();
    let global = &mut options.global;
    global.pruning = false;
    global.enable_page_index = false;
    global.bloom_filter_on_read = false;
    global.pushdown_filters = false;
    global.coerce_int96 = Some("us".to_owned());
    global.coerce_int96_tz = Some("UTC".to_owned());
    let format = Arc::new(ParquetFormat::default().with_options(options));
    // Files are named one by one, whatever their names end in.
    ListingOptions::new(format).with_file_extension("")
}

/// Files whose footers are asked for nothing but where their columns are.
#[derive(Debug)]
pub(super) struct AnyWriter(ListingTable);

impl AnyWriter {
    /// Returns the files as rows of `schema`.
    pub(super) fn new(files: Vec<ListingTableUrl>, schema: SchemaRef) -> Result<AnyWriter> {
        let config = ListingTableConfig::new_with_multi_paths(files)
            .with_listing_options(options())
            .with_schema(schema);
        Ok(AnyWriter(ListingTable::try_new(config)?))
    }
}

#[async_trait]
impl TableProvider for AnyWriter {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![
            TableProviderFilterPushDown::Unsupported;
            filters.len()
        ])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
            return self.0.scan(session, projection, &[], limit).await;
        };
        let config = state.config().clone().with_collect_statistics(false);
        let state = SessionStateBuilder::new_from_existing(state.clone());
        let state = state.with_config(config).build();
        self.0.scan(&state, projection, &[], limit).await
    }
}
