//! Relations as DataFusion reads them: datasets, seeds, intermediates, nothing.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        datatypes::{Schema, SchemaRef},
        record_batch::RecordBatch,
    },
    catalog::TableProvider,
    datasource::{
        MemTable, ViewTable,
        empty::EmptyTable,
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
        provider_as_source,
    },
    error::{DataFusionError, Result},
    execution::object_store::ObjectStoreUrl,
    logical_expr::{LogicalPlan, LogicalPlanBuilder, SortExpr, Union, ident, lit},
    prelude::SessionContext,
    scalar::ScalarValue,
};
use url::Url;

use super::{
    any_writer::{self, AnyWriter},
    dataset_table::DatasetTable,
};
use crate::{
    dataset::{ColumnType, Dataset, SNAPSHOT_AT},
    engine::ascending,
    snapshot::{self, Snapshot},
};

/// Returns a relation of no rows.
pub(crate) fn empty(schema: SchemaRef) -> Arc<dyn TableProvider> {
    Arc::new(EmptyTable::new(schema))
}

/// Returns a relation of one batch.
pub(crate) fn rows(batch: RecordBatch) -> Result<Arc<dyn TableProvider>> {
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    Ok(Arc::new(table))
}

/// Returns a dataset of a snapshot. A dataset without files is empty.
pub(crate) fn dataset(
    context: &SessionContext,
    snapshot: &Snapshot,
    dataset: &Dataset,
) -> Result<Arc<dyn TableProvider>> {
    let schema = dataset.contract.arrow();
    let part = snapshot.manifest.datasets.get(&dataset.name);
    let Some(part) = part.filter(|part| !part.files.is_empty()) else {
        return Ok(empty(schema));
    };
    let root = store_url(snapshot)?;
    context.register_object_store(&root, snapshot.location.store().clone());
    let store = ObjectStoreUrl::parse(root.as_str())?;
    Ok(Arc::new(DatasetTable::new(store, schema, snapshot, part)))
}

/// Returns a dataset of a snapshot that there may not be: then it is empty.
pub(crate) fn dataset_of(
    context: &SessionContext,
    snapshot: Option<&Snapshot>,
    dataset: &Dataset,
) -> Result<Arc<dyn TableProvider>> {
    match snapshot {
        Some(snapshot) => self::dataset(context, snapshot, dataset),
        None => Ok(empty(dataset.contract.arrow())),
    }
}

/// Returns a dataset as the snapshots of earlier days have it, with the time of each.
pub(crate) fn history_of(
    context: &SessionContext,
    snapshots: &[Snapshot],
    dataset: &Dataset,
) -> Result<Arc<dyn TableProvider>> {
    let days = snapshot::days(snapshots, dataset).into_iter();
    let days = days.map(|snapshot| dated(context, snapshot, dataset).map(Arc::new));
    let mut days: Vec<Arc<LogicalPlan>> = days.collect::<Result<_>>()?;
    let plan = match days.len() {
        0 => return Ok(empty(dataset.history().arrow())),
        1 => Arc::unwrap_or_clone(days.swap_remove(0)),
        _ => LogicalPlan::Union(Union::try_new(days)?),
    };
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Returns the rows of a dataset with the time of their snapshot.
fn dated(context: &SessionContext, snapshot: &Snapshot, dataset: &Dataset) -> Result<LogicalPlan> {
    let table = provider_as_source(self::dataset(context, snapshot, dataset)?);
    let at = snapshot.manifest.fetched_at.timestamp_micros();
    let at = ScalarValue::TimestampMicrosecond(Some(at), None);
    let at = at.cast_to(&ColumnType::Timestamp.arrow())?;
    let columns = dataset.contract.names().map(ident);
    let columns = columns.chain([lit(at).alias(SNAPSHOT_AT)]);
    LogicalPlanBuilder::scan(dataset.name.as_str(), table, None)?
        .project(columns)?
        .build()
}

/// Returns an intermediate that is sorted by `order`.
pub(crate) fn parquet(
    file: &Path,
    schema: SchemaRef,
    order: &[String],
) -> Result<Arc<dyn TableProvider>> {
    listing(vec![local(file)?], schema, order)
}

/// Returns the columns that Parquet files have in common.
pub(crate) async fn files_schema(context: &SessionContext, files: &[PathBuf]) -> Result<SchemaRef> {
    let options = any_writer::options();
    let mut schemas = Vec::new();
    for file in files {
        let url = local(file)?;
        let schema = options.infer_schema(&context.state(), &url).await?;
        schemas.push(Arc::unwrap_or_clone(schema));
    }
    Ok(Arc::new(Schema::try_merge(schemas)?))
}

/// Returns Parquet files, in no known order, as rows of `schema`.
pub(crate) fn files(files: &[PathBuf], schema: SchemaRef) -> Result<Arc<dyn TableProvider>> {
    let urls = files.iter().map(|file| local(file));
    let table = AnyWriter::new(urls.collect::<Result<_>>()?, schema)?;
    Ok(Arc::new(table))
}

/// Returns a relation whose columns have other names: each the one that it is to have.
pub(crate) fn renamed(
    table: Arc<dyn TableProvider>,
    name_of: impl Fn(&str) -> String,
) -> Result<Arc<dyn TableProvider>> {
    let schema = table.schema();
    let columns = schema.fields().iter();
    let columns = columns.map(|field| ident(field.name()).alias(name_of(field.name())));
    let plan = LogicalPlanBuilder::scan("files", provider_as_source(table), None)?
        .project(columns)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

fn local(file: &Path) -> Result<ListingTableUrl> {
    let file = std::path::absolute(file)?;
    let url = Url::from_file_path(&file).map_err(|()| {
        DataFusionError::Configuration(format!("{} cannot be written as a URL", file.display()))
    })?;
    ListingTableUrl::try_new(url, None)
}

fn listing(
    urls: Vec<ListingTableUrl>,
    schema: SchemaRef,
    order: &[String],
) -> Result<Arc<dyn TableProvider>> {
    let known = |column: &&String| schema.column_with_name(column).is_some();
    let order: Vec<SortExpr> = order
        .iter()
        .take_while(known)
        .map(|c| ascending(c))
        .collect();
    let mut options = ListingOptions::new(Arc::new(ParquetFormat::default()));
    if !order.is_empty() {
        options = options.with_file_sort_order(vec![order]);
    }
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// Returns the URL that a snapshot's store has in a session: one of its own, since
/// the work folder's files are read through another store.
fn store_url(snapshot: &Snapshot) -> Result<Url> {
    let url = format!("snapshot://{}/", snapshot.manifest.id.0);
    Url::parse(&url).map_err(|error| DataFusionError::Configuration(format!("{url}: {error}")))
}
