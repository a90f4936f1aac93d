//! A dataset of a snapshot as DataFusion reads it.
//!
//! Exactly the manifest's files, without a listing and without opening one before it
//! is read: rows, order and bounds are known from the manifest. Files whose bounds
//! in the key's first column are disjoint become partitions by range, so grouping by
//! that column needs no shuffle, and their order lets groups end as they pass by.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{compute::SortOptions, datatypes::SchemaRef},
    catalog::{Session, TableProvider},
    common::{
        ColumnStatistics, Constraint, Constraints, ScalarValue, SplitPoint, Statistics,
        stats::Precision,
    },
    datasource::{
        TableType,
        file_format::{FileFormat, parquet::ParquetFormat},
        listing::PartitionedFile,
        physical_plan::{FileGroup, FileScanConfigBuilder},
        table_schema::TableSchema,
    },
    error::Result,
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableProviderFilterPushDown},
    object_store::ObjectMeta,
    physical_expr::{
        LexOrdering, Partitioning, PhysicalSortExpr, RangePartitioning, expressions::Column,
    },
    physical_plan::ExecutionPlan,
};

use crate::snapshot::{Bounds, File, Part, Snapshot};

/// Partitions a thread: enough that none waits long for the last.
const PARTITIONS_PER_THREAD: usize = 2;

/// The files of one dataset.
#[derive(Debug)]
pub(crate) struct DatasetTable {
    store: ObjectStoreUrl,
    schema: SchemaRef,
    /// The key's leading columns whose bounds every file has.
    key: Vec<usize>,
    files: Vec<(ObjectMeta, File)>,
    /// Each key occurs once.
    constraints: Constraints,
    statistics: Statistics,
}

impl DatasetTable {
    /// Describes a dataset whose store is registered under `store`.
    pub(crate) fn new(
        store: ObjectStoreUrl,
        schema: SchemaRef,
        snapshot: &Snapshot,
        part: &Part,
    ) -> Self {
        let bounded = part.files.iter().map(|file| file.bounds.len()).min();
        let key = part.key.iter().take(bounded.unwrap_or_default());
        let key: Vec<usize> = key.map_while(|name| schema.index_of(name).ok()).collect();
        let meta = |file: &File| ObjectMeta {
            location: snapshot.location.path(&file.name),
            last_modified: snapshot.manifest.fetched_at,
            size: file.bytes,
            e_tag: None,
            version: None,
        };
        let files: Vec<_> = part
            .files
            .iter()
            .map(|file| (meta(file), file.clone()))
            .collect();
        let places = part.key.iter().map(|name| schema.index_of(name));
        let unique = places.collect::<Result<Vec<_>, _>>().ok();
        let statistics = statistics(&schema, &key, files.iter().map(|(_, file)| file));
        DatasetTable {
            store,
            schema,
            key,
            files,
            constraints: Constraints::new_unverified(
                unique.map(Constraint::PrimaryKey).into_iter().collect(),
            ),
            statistics,
        }
    }

    /// Returns the runs of files that no value of the key's first column leaves, as
    /// many as there are, or about `wanted` of them of nearly the same size.
    fn ranges(&self, wanted: usize) -> Vec<Range<usize>> {
        let rows: u64 = self.files.iter().map(|(_, file)| file.rows).sum();
        let (mut ranges, mut start, mut passed) = (Vec::new(), 0, 0);
        for end in 1..=self.files.len() {
            passed += self.files[end - 1].1.rows;
            let is_due = passed * wanted as u64 >= rows * (ranges.len() as u64 + 1);
            if end == self.files.len() || is_due && self.is_split(end) {
                ranges.push(start..end);
                start = end;
            }
        }
        ranges
    }

    /// Returns whether the first column's values before and from file `at` on differ.
    fn is_split(&self, at: usize) -> bool {
        let first = |file: usize| self.files[file].1.bounds.first();
        match (first(at - 1), first(at)) {
            (Some(before), Some(after)) => before.max < after.min,
            _ => false,
        }
    }

    fn group(&self, range: &Range<usize>) -> FileGroup {
        let files = self.files[range.clone()].iter().map(|(meta, file)| {
            let known = statistics(&self.schema, &self.key, std::iter::once(file));
            PartitionedFile::new_from_meta(meta.clone()).with_statistics(Arc::new(known))
        });
        FileGroup::new(files.collect())
    }

    fn ordering(&self, columns: usize) -> Option<LexOrdering> {
        let ascending = SortOptions::new(false, false);
        let columns = self.key.iter().take(columns).map(|&place| {
            let column = Column::new(self.schema.field(place).name(), place);
            PhysicalSortExpr::new(Arc::new(column), ascending)
        });
        LexOrdering::new(columns)
    }

    /// Returns how the key's first column separates the groups.
    fn partitioning(&self, ranges: &[Range<usize>]) -> Result<Option<Partitioning>> {
        let Some(ordering) = self.ordering(1).filter(|_| ranges.len() > 1) else {
            return Ok(None);
        };
        let begins = ranges.iter().skip(1).filter_map(|range| {
            let bounds = self.files[range.start].1.bounds.first()?;
            Some(SplitPoint::new(vec![ScalarValue::from(bounds.min)]))
        });
        let ranges = RangePartitioning::try_new(ordering, begins.collect())?;
        Ok(Some(Partitioning::Range(ranges)))
    }
}

fn statistics<'f>(
    schema: &SchemaRef,
    key: &[usize],
    files: impl Iterator<Item = &'f File> + Clone,
) -> Statistics {
    let mut statistics = Statistics::new_unknown(schema);
    let rows = files.clone().map(|file| file.rows as usize).sum();
    let bytes = files.clone().map(|file| file.bytes as usize).sum();
    statistics.num_rows = Precision::Exact(rows);
    statistics.total_byte_size = Precision::Inexact(bytes);
    for (place, column) in key.iter().enumerate() {
        let bounds = files.clone().filter_map(|file| file.bounds.get(place));
        let known = bounds.copied().reduce(|all, next| Bounds {
            min: all.min.min(next.min),
            max: all.max.max(next.max),
        });
        if let Some(known) = known {
            statistics.column_statistics[*column] = ColumnStatistics::new_unknown()
                .with_null_count(Precision::Exact(0))
                .with_min_value(Precision::Exact(ScalarValue::from(known.min)))
                .with_max_value(Precision::Exact(ScalarValue::from(known.max)));
        }
    }
    statistics
}

#[async_trait]
impl TableProvider for DatasetTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let ranges = self.ranges(state.config().target_partitions() * PARTITIONS_PER_THREAD);
        let format = ParquetFormat::default();
        let source = format.file_source(TableSchema::from(&self.schema));
        let scan = FileScanConfigBuilder::new(self.store.clone(), source)
            .with_constraints(self.constraints.clone())
            .with_file_groups(ranges.iter().map(|range| self.group(range)).collect())
            .with_statistics(self.statistics.clone())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_output_ordering(self.ordering(self.key.len()).into_iter().collect())
            .with_output_partitioning(self.partitioning(&ranges)?)
            .build();
        format.create_physical_plan(state, scan).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics.clone())
    }
}
