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

use super::args::Output;
use crate::{error::Result, storage};

/// Prints the batches of one relation.
pub(crate) struct Printer {
    schema: SchemaRef,
    output: Output,
    /// What a table or an array waits for the end with.
    kept: Vec<RecordBatch>,
    printed: usize,
}

impl Printer {
    pub(crate) fn new(schema: SchemaRef, output: Output) -> Printer {
        Printer {
            schema,
            output,
            kept: Vec::new(),
            printed: 0,
        }
    }

    /// Takes a batch; `false` when nobody reads on.
    pub(crate) fn print(&mut self, batch: RecordBatch) -> Result<bool> {
        let rows = batch.num_rows();
        let written = match self.output {
            Output::Table | Output::Json => {
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
    pub(crate) fn finish(self) -> Result<()> {
        let written = match self.output {
            Output::Table => print_table(&self.schema, &self.kept),
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
        Err(error) => Err(unprinted(error).into()),
    }
}

fn unprinted(error: ArrowError) -> storage::Error {
    storage::Error::Io {
        action: "write",
        path: "stdout".to_owned(),
        source: io::Error::other(error),
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

/// Prints rows of text in the form asked for; `-` is null in data.
pub(crate) fn print_records(
    header: &[&'static str],
    rows: Vec<Vec<String>>,
    output: Output,
) -> Result<()> {
    if output == Output::Table {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        print_columns(&[vec![header], rows].concat());
        return Ok(());
    }
    let column = |at: usize| -> ArrayRef {
        let cells = rows
            .iter()
            .map(|row| row.get(at).filter(|cell| *cell != "-"));
        Arc::new(cells.collect::<StringArray>())
    };
    let columns = header
        .iter()
        .enumerate()
        .map(|(at, name)| (*name, column(at)));
    let batch = RecordBatch::try_from_iter(columns).map_err(unprinted)?;
    let mut printer = Printer::new(batch.schema(), output);
    printer.print(batch)?;
    printer.finish()
}

/// Prints columns of text, aligned; the first row is the header.
fn print_columns(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = (0..columns).map(width).collect::<Vec<_>>();
    let mut out = io::stdout().lock();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        if writeln!(out, "{}", line.trim_end()).is_err() {
            return;
        }
    }
}

/// Prints text as it is.
pub(crate) fn print_text(text: &str) {
    // A pipe that closed early has read all it wanted.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
