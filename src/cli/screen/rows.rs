//! Rows on stdout: as a table for people, or as data.
//!
//! In come batches, out goes text. Values have the forms that artifacts have, except that
//! decimals are numbers in JSON; so they are documented in `docs output`.

use std::io::{self, Stdout, Write};

use datafusion::arrow::{datatypes::SchemaRef, error::ArrowError, record_batch::RecordBatch};

use super::{
    output::{Output, unprinted},
    table::{Table, push_line},
};
use crate::{
    artifact::csv,
    error::Result,
    json::{self, Forms, Layout},
    report::Sample,
};

/// Prints the batches of one relation.
pub(in crate::cli) struct Printer {
    schema: SchemaRef,
    output: Output,
    /// The columns of the terminal.
    room: Option<usize>,
    /// What a table or an array waits for the end with.
    kept: Vec<RecordBatch>,
    csv: Option<csv::Writer<Stdout>>,
    printed: usize,
}

impl Printer {
    pub(in crate::cli) fn new(schema: SchemaRef, output: Output, room: Option<usize>) -> Printer {
        Printer {
            schema,
            output,
            room,
            kept: Vec::new(),
            csv: None,
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
            Output::Csv => self.csv(&batch),
            Output::Ndjson => print_ndjson(&batch),
            Output::Lines => print_lines(&batch, self.printed == 0),
        };
        self.printed += rows;
        goes_on(written)
    }

    /// Prints what was kept for the end, and returns how many rows there were.
    pub(in crate::cli) fn finish(mut self) -> Result<usize> {
        let written = match self.output {
            Output::Text => self.print_table(),
            Output::Json => print_array(&self.kept),
            Output::Csv if self.csv.is_none() => {
                let empty = RecordBatch::new_empty(self.schema.clone());
                self.csv(&empty)
            }
            Output::Csv | Output::Ndjson | Output::Lines => Ok(()),
        };
        goes_on(written)?;
        Ok(self.printed)
    }

    /// Prints rows as CSV, under the header.
    fn csv(&mut self, batch: &RecordBatch) -> Result<(), json::Error> {
        let mut writer = match self.csv.take() {
            Some(writer) => writer,
            None => csv::Writer::with(io::stdout(), &self.schema, Forms::Any)?,
        };
        writer.write(batch)?;
        self.csv = Some(writer);
        Ok(())
    }

    fn print_table(&self) -> Result<(), json::Error> {
        let mut rows = Sample::new(&self.schema);
        for batch in &self.kept {
            rows.add(batch).map_err(other)?;
        }
        let table = Table::grid(rows);
        Ok(io::stdout()
            .lock()
            .write_all(table.text(self.room).as_bytes())?)
    }
}

/// Turns a pipe that closed early into success: its reader has read all it wanted.
fn goes_on(written: Result<(), json::Error>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(json::Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(json::Error::Io(error)) => Err(unprinted(error).into()),
        Err(error) => Err(unprinted(io::Error::other(error)).into()),
    }
}

fn other(error: ArrowError) -> io::Error {
    io::Error::other(error)
}

/// Prints a line per column, and an empty line between rows.
fn print_lines(batch: &RecordBatch, is_first: bool) -> Result<(), json::Error> {
    let mut rows = Sample::new(batch.schema_ref());
    rows.add(batch).map_err(other)?;
    let mut text = String::new();
    for (at, row) in rows.rows.iter().enumerate() {
        if at > 0 || !is_first {
            text.push('\n');
        }
        for (column, value) in rows.columns.iter().zip(row) {
            push_line(&column.name, value.as_deref(), &mut text);
        }
    }
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

fn print_ndjson(batch: &RecordBatch) -> Result<(), json::Error> {
    let mut writer = json::Writer::with(io::stdout().lock(), Layout::Lines, Forms::Any);
    writer.write(batch)?;
    writer.finish().map(drop)
}

fn print_array(batches: &[RecordBatch]) -> Result<(), json::Error> {
    let mut writer = json::Writer::with(io::stdout().lock(), Layout::Array, Forms::Any);
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish().map(drop)
}
