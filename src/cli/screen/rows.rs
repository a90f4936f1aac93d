//! Rows on stdout: as a table for people, or as data.

use std::{
    io::{self, Write},
    sync::Arc,
};

use datafusion::arrow::{
    array::{ArrayRef, StringArray},
    csv::WriterBuilder,
    datatypes::SchemaRef,
    error::ArrowError,
    json::writer::{JsonArray, LineDelimited, WriterBuilder as JsonBuilder},
    record_batch::RecordBatch,
    util::pretty::pretty_format_batches_with_schema,
};

use super::output::{Output, unprinted};
use crate::error::Result;

/// Prints the batches of one relation.
pub(in crate::cli) struct Printer {
    schema: SchemaRef,
    output: Output,
    /// What a table or an array waits for the end with.
    kept: Vec<RecordBatch>,
    printed: usize,
}

impl Printer {
    pub(in crate::cli) fn new(schema: SchemaRef, output: Output) -> Printer {
        Printer {
            schema,
            output,
            kept: Vec::new(),
            printed: 0,
        }
    }

    /// Takes a batch; `false` when nobody reads on.
    pub(in crate::cli) fn print(&mut self, batch: RecordBatch) -> Result<bool> {
        let rows = batch.num_rows();
        let written = match self.output {
            Output::Text | Output::Json => {
                self.kept.push(batch);
                Ok(())
            }
            Output::Csv => print_csv(&batch, self.printed == 0),
            Output::Ndjson => print_lines(&batch),
        };
        self.printed += rows;
        goes_on(written)
    }

    /// Prints what was kept for the end.
    pub(in crate::cli) fn finish(self) -> Result<()> {
        let written = match self.output {
            Output::Text => print_table(&self.schema, &self.kept),
            Output::Json => print_array(&self.kept),
            Output::Csv if self.printed == 0 => {
                print_csv(&RecordBatch::new_empty(self.schema), true)
            }
            Output::Csv | Output::Ndjson => Ok(()),
        };
        goes_on(written).map(drop)
    }
}

/// Turns a pipe that closed early into success: its reader has read all it wanted.
fn goes_on(written: Result<(), ArrowError>) -> Result<bool> {
    let closed = |error: &ArrowError| match error {
        ArrowError::IoError(_, error) => error.kind() == io::ErrorKind::BrokenPipe,
        other => other.to_string().contains("Broken pipe"),
    };
    match written {
        Ok(()) => Ok(true),
        Err(error) if closed(&error) => Ok(false),
        Err(error) => Err(unprinted(io::Error::other(error)).into()),
    }
}

fn print_table(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<(), ArrowError> {
    let table = pretty_format_batches_with_schema(schema.clone(), batches)?;
    Ok(writeln!(io::stdout().lock(), "{table}")?)
}

fn print_csv(batch: &RecordBatch, header: bool) -> Result<(), ArrowError> {
    let mut writer = WriterBuilder::new()
        .with_header(header)
        .build(io::stdout().lock());
    writer.write(&flat(batch)?)
}

/// Returns the batch with its lists and structs as JSON text, which CSV can hold.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| {
        let column = match field.data_type().is_nested() {
            true => json_texts(column)?,
            false => column.clone(),
        };
        Ok((field.name(), column, true))
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Result<Vec<_>, ArrowError>>()?)
}

fn json_texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let builder = JsonBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    writer.write(&RecordBatch::try_from_iter([("value", column.clone())])?)?;
    writer.finish()?;
    let lines = writer.into_inner();
    let texts = lines.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
    let text = |line: &[u8]| match serde_json::from_slice::<serde_json::Value>(line) {
        Ok(line) => Ok(line
            .get("value")
            .filter(|v| !v.is_null())
            .map(ToString::to_string)),
        Err(error) => Err(ArrowError::JsonError(error.to_string())),
    };
    let texts = texts
        .map(text)
        .collect::<Result<StringArray, ArrowError>>()?;
    Ok(Arc::new(texts))
}

fn print_lines(batch: &RecordBatch) -> Result<(), ArrowError> {
    let builder = JsonBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, LineDelimited>(io::stdout().lock());
    writer.write(batch)?;
    writer.finish()
}

fn print_array(batches: &[RecordBatch]) -> Result<(), ArrowError> {
    let builder = JsonBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, JsonArray>(io::stdout().lock());
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(writeln!(io::stdout().lock())?)
}
