//! Parquet: every value as the text it would have in CSV.

use std::fs::File;

use csv::StringRecord;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, StringArray},
        compute::{cast, kernels::cmp::distinct},
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
            let text = cast(&days(column)?, &DataType::Utf8)?;
            Ok(text.as_string::<i32>().clone())
        })
        .collect()
}

/// Returns midnights as dates, as they were meant: many programs know no other date. A
/// column with one time of day is left as it is.
fn days(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !matches!(
        column.data_type(),
        DataType::Date64 | DataType::Timestamp(_, None)
    ) {
        return Ok(column.clone());
    }
    let days = cast(column, &DataType::Date32)?;
    let back = cast(&days, column.data_type())?;
    match distinct(column, &back)?.true_count() {
        0 => Ok(days),
        _ => Ok(column.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::TimestampSecondArray;

    use super::*;

    fn text(times: Vec<Option<i64>>) -> Vec<Option<String>> {
        let times: ArrayRef = Arc::new(TimestampSecondArray::from(times));
        let batch = RecordBatch::try_from_iter([("scraped_date", times)]).unwrap();
        let texts = texts(&batch).unwrap();
        texts[0]
            .iter()
            .map(|text| text.map(str::to_owned))
            .collect()
    }

    #[test]
    fn midnights_are_dates_and_other_times_are_not() {
        let date = Some("1970-01-02".to_owned());
        assert_eq!(text(vec![Some(86_400), None]), [date, None]);
        let [midnight, noon] = text(vec![Some(86_400), Some(129_600)]).try_into().unwrap();
        assert_eq!(midnight.unwrap(), "1970-01-02T00:00:00");
        assert_eq!(noon.unwrap(), "1970-01-02T12:00:00");
    }
}
