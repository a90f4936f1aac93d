//! The order of a dataset's rows.
//!
//! Rows are ordered by key, then by the dataset's preference, then by the columns that
//! are left, ascending, nulls last. In goes a dataset, out come the columns of that order
//! and rows in a form whose bytes compare as the rows do. Nothing here sorts.

use datafusion::{
    arrow::{
        compute::SortOptions,
        datatypes::SchemaRef,
        error::ArrowError,
        record_batch::RecordBatch,
        row::{RowConverter, Rows, SortField},
    },
    common::Column,
    logical_expr::{Expr, SortExpr},
};

use crate::dataset::Dataset;

/// One column of the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
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
        self.key_steps().iter().map(|step| step.column)
    }

    /// Returns the steps of the key.
    pub(super) fn key_steps(&self) -> &[Step] {
        &self.steps[..self.key]
    }

    /// Returns all steps, the key's first.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn converter(&self, steps: &[Step]) -> Result<RowConverter, ArrowError> {
        let fields = steps.iter().map(|step| {
            let options = SortOptions::new(step.descending, false);
            let data_type = self.schema.field(step.column).data_type();
            SortField::new_with_options(data_type.clone(), options)
        });
        RowConverter::new(fields.collect())
    }

    /// Returns rows in a form whose bytes compare as the rows do.
    pub(super) fn encoded(&self, rows: &RecordBatch) -> Result<Rows, ArrowError> {
        convert(&mut self.converter(&self.steps)?, &self.steps, rows)
    }

    /// Returns the key, by which the engine sorts.
    pub(super) fn expressions(&self) -> Vec<SortExpr> {
        let steps = self.key_steps().iter().map(|step| {
            let name = self.schema.field(step.column).name();
            let column = Expr::Column(Column::new_unqualified(name));
            SortExpr::new(column, !step.descending, false)
        });
        steps.collect()
    }
}

/// Returns the steps' columns in a form whose bytes compare as the rows do.
pub(super) fn convert(
    converter: &mut RowConverter,
    steps: &[Step],
    batch: &RecordBatch,
) -> Result<Rows, ArrowError> {
    let columns = steps.iter().map(|step| batch.column(step.column).clone());
    converter.convert_columns(&columns.collect::<Vec<_>>())
}
