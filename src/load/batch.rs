//! Collects typed values into batches of a contract.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
            Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
        },
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    error::Result,
};

use super::values::Value;
use crate::dataset::{ColumnType, Contract};

/// Rows on their way into a batch.
pub(super) struct Batch {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
}

enum Column {
    Bigint(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Decimal(Decimal128Builder),
}

impl Batch {
    pub(super) fn new(contract: &Contract) -> Batch {
        Batch {
            schema: contract.arrow(),
            columns: contract
                .columns
                .iter()
                .map(|column| Column::new(&column.data_type))
                .collect(),
            rows: 0,
        }
    }

    /// Adds a row: a value for each column, in order.
    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = Option<Value<'a>>>) {
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
        self.rows += 1;
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes the rows that wait.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Column {
    fn new(data_type: &ColumnType) -> Column {
        match data_type {
            ColumnType::Bigint => Column::Bigint(Int64Builder::new()),
            ColumnType::Double => Column::Double(Float64Builder::new()),
            ColumnType::Boolean => Column::Boolean(BooleanBuilder::new()),
            ColumnType::Date => Column::Date(Date32Builder::new()),
            ColumnType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::new();
                Column::Timestamp(builder.with_timezone("UTC"))
            }
            ColumnType::Decimal { .. } => {
                Column::Decimal(Decimal128Builder::new().with_data_type(data_type.arrow()))
            }
            ColumnType::Text | ColumnType::List(_) | ColumnType::Struct(_) => {
                Column::Text(StringBuilder::new())
            }
        }
    }

    /// A value of another type than the column's counts as null: values come from the same
    /// contract as the columns.
    fn push(&mut self, value: Option<Value<'_>>) {
        match (self, value) {
            (Column::Bigint(builder), Some(Value::Bigint(value))) => builder.append_value(value),
            (Column::Double(builder), Some(Value::Double(value))) => builder.append_value(value),
            (Column::Boolean(builder), Some(Value::Boolean(value))) => builder.append_value(value),
            (Column::Text(builder), Some(Value::Text(value))) => builder.append_value(value),
            (Column::Date(builder), Some(Value::Date(value))) => builder.append_value(value),
            (Column::Timestamp(builder), Some(Value::Timestamp(value))) => {
                builder.append_value(value);
            }
            (Column::Decimal(builder), Some(Value::Decimal(value))) => builder.append_value(value),
            (column, _) => column.push_null(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Column::Bigint(builder) => builder.append_null(),
            Column::Double(builder) => builder.append_null(),
            Column::Boolean(builder) => builder.append_null(),
            Column::Text(builder) => builder.append_null(),
            Column::Date(builder) => builder.append_null(),
            Column::Timestamp(builder) => builder.append_null(),
            Column::Decimal(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Bigint(builder) => Arc::new(builder.finish()),
            Column::Double(builder) => Arc::new(builder.finish()),
            Column::Boolean(builder) => Arc::new(builder.finish()),
            Column::Text(builder) => Arc::new(builder.finish()),
            Column::Date(builder) => Arc::new(builder.finish()),
            Column::Timestamp(builder) => Arc::new(builder.finish()),
            Column::Decimal(builder) => Arc::new(builder.finish()),
        }
    }
}
