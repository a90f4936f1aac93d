//! Rows as people read them: what tables on the screen are made of.

use datafusion::arrow::{
    array::Array,
    datatypes::{DataType, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};

/// Columns, and rows of as many values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The columns, in order.
    pub columns: Vec<SampleColumn>,
    /// The values of each row; nothing for null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleColumn {
    /// Its name.
    pub name: String,
    /// Whether a value is still right without its end: a number is not.
    pub is_text: bool,
}

impl Sample {
    /// Returns the columns of a schema, without rows.
    pub fn new(schema: &Schema) -> Sample {
        let columns = schema.fields().iter().map(|field| SampleColumn {
            name: field.name().clone(),
            is_text: is_text(field.data_type()),
        });
        Sample {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    ///
    /// A type has no text.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let options = FormatOptions::default().with_display_error(true);
        let columns = batch.columns().iter();
        let columns =
            columns.map(|column| Ok((column, ArrayFormatter::try_new(column, &options)?)));
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|(column, text)| {
                let is_value = column.is_valid(row);
                is_value.then(|| text.value(row).to_string())
            });
            self.rows.push(cells.collect());
        }
        Ok(())
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => other.is_string() || other.is_nested() || other.is_binary(),
    }
}
