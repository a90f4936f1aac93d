//! Whether rows ascend by a key: what does need not be sorted, nor searched for rows
//! of one key.

use datafusion::arrow::{
    array::ArrayRef,
    datatypes::Schema,
    error::ArrowError,
    record_batch::RecordBatch,
    row::{OwnedRow, Row, RowConverter, SortField},
};

/// Follows rows that come in batches. Nulls come first.
#[derive(Debug)]
pub(crate) struct SortCheck {
    places: Vec<usize>,
    converter: RowConverter,
    strict: bool,
    last: Option<OwnedRow>,
}

impl SortCheck {
    /// Starts before the first row. `strict` is without two rows of one key.
    ///
    /// # Errors
    /// The schema lacks a column of the key, or a type has no order.
    pub(crate) fn new<'k>(
        schema: &Schema,
        key: impl IntoIterator<Item = &'k String>,
        strict: bool,
    ) -> Result<SortCheck, ArrowError> {
        let places = key.into_iter().map(|name| schema.index_of(name));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let fields = places
            .iter()
            .map(|place| SortField::new(schema.field(*place).data_type().clone()));
        Ok(SortCheck {
            converter: RowConverter::new(fields.collect())?,
            places,
            strict,
            last: None,
        })
    }

    /// Returns whether a batch ascends, from the batch before on.
    pub(crate) fn continues(&mut self, batch: &RecordBatch) -> Result<bool, ArrowError> {
        let columns = self.places.iter().map(|place| batch.column(*place));
        let columns: Vec<ArrayRef> = columns.cloned().collect();
        let rows = self.converter.convert_columns(&columns)?;
        let Some(end) = rows.num_rows().checked_sub(1) else {
            return Ok(true);
        };
        let strict = self.strict;
        let follows = |a: Row<'_>, b: Row<'_>| match strict {
            true => a < b,
            false => a <= b,
        };
        let last = self.last.replace(rows.row(end).owned());
        Ok(last.is_none_or(|last| follows(last.row(), rows.row(0)))
            && (0..end).all(|at| follows(rows.row(at), rows.row(at + 1))))
    }
}
