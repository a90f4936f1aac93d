//! Parquet: every value as the text it would have in CSV.

use std::fs::File;

use csv::StringRecord;
use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray},
        compute::cast,
        datatypes::DataType,
        error::ArrowError,
        record_batch::RecordBatch,
    },
    parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{Next, Stop};

/// The rows of a Parquet file; a batch is held at a time.
pub(super) struct ParquetRows {
    batches: ParquetRecordBatchReader,
    /// The batch's columns as text.
    columns: Vec<StringArray>,
    /// The next row of the batch.
    next: usize,
    /// The rows read so far.
    row: u64,
}

impl ParquetRows {
    /// Reads the file's schema; returns the columns' names too.
    pub(super) fn open(file: File) -> Result<(Vec<String>, ParquetRows), Stop> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(|error| Stop::at(0, error))?;
        let names = builder.schema().fields().iter();
        let names = names.map(|field| field.name().clone()).collect();
        let rows = ParquetRows {
            batches: builder.build().map_err(|error| Stop::at(0, error))?,
            columns: Vec::new(),
            next: 0,
            row: 0,
        };
        Ok((names, rows))
    }

    /// Reads the next row into `record`.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Next, Stop> {
        while self
            .columns
            .first()
            .is_none_or(|column| self.next >= column.len())
        {
            let batch = self.batches.next().transpose();
            let columns = batch.and_then(|batch| batch.map(|batch| texts(&batch)).transpose());
            match columns.map_err(|error| Stop::at(self.row, error))? {
                None => return Ok(Next::End),
                Some(columns) => self.columns = columns,
            }
            self.next = 0;
        }
        record.clear();
        for column in &self.columns {
            let text = column.is_valid(self.next).then(|| column.value(self.next));
            record.push_field(text.unwrap_or_default());
        }
        self.next += 1;
        self.row += 1;
        Ok(Next::Row(self.row))
    }
}

/// Casts a batch's columns to text: an integer, a decimal or a date keeps its digits.
fn texts(batch: &RecordBatch) -> Result<Vec<StringArray>, ArrowError> {
    let columns = batch.columns().iter();
    columns
        .map(|column| {
            let text = cast(column, &DataType::Utf8)?;
            Ok(text.as_string::<i32>().clone())
        })
        .collect()
}
