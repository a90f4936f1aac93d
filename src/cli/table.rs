//! Rows on stdout: as a table for people, or as data.
#![expect(clippy::print_stdout, reason = "this is where data is printed")]

use std::{
    io::{self, Write},
    sync::Arc,
};

use datafusion::arrow::{
    array::{ArrayRef, StringArray},
    csv::WriterBuilder,
    record_batch::RecordBatch,
    util::pretty::pretty_format_batches,
};

use super::args::Output;
use crate::{
    error::Result,
    json::{Layout, Writer},
    storage,
};

/// Prints batches of one schema. A pipe that closed early is success.
pub(crate) fn print(batches: &[RecordBatch], output: Output) -> Result<()> {
    let printed = match output {
        Output::Table => print_table(batches),
        Output::Csv => print_csv(batches),
        Output::Json => print_json(batches, Layout::Array),
        Output::Ndjson => print_json(batches, Layout::Lines),
    };
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed.map_err(unprinted)?),
    }
}

fn print_table(batches: &[RecordBatch]) -> io::Result<()> {
    let table = pretty_format_batches(batches).map_err(io::Error::other)?;
    writeln!(io::stdout().lock(), "{table}")
}

fn print_csv(batches: &[RecordBatch]) -> io::Result<()> {
    let mut writer = WriterBuilder::new().with_header(true).build(io::stdout().lock());
    for batch in batches {
        writer.write(batch).map_err(io::Error::other)?;
    }
    Ok(())
}

fn print_json(batches: &[RecordBatch], layout: Layout) -> io::Result<()> {
    let mut writer = Writer::new(io::stdout().lock(), layout).map_err(io::Error::other)?;
    for batch in batches {
        writer.write(batch).map_err(io::Error::other)?;
    }
    writer.finish().map_err(io::Error::other)?.flush()
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
        let cells = rows.iter().map(|row| row.get(at).filter(|cell| *cell != "-"));
        Arc::new(cells.collect::<StringArray>())
    };
    let columns = header.iter().enumerate().map(|(at, name)| (*name, column(at)));
    let batch = RecordBatch::try_from_iter(columns).map_err(io::Error::other);
    print(&[batch.map_err(unprinted)?], output)
}

fn unprinted(source: io::Error) -> storage::Error {
    storage::Error::Io { action: "write", path: "stdout".to_owned(), source }
}

/// Prints columns of text, aligned; the first line is the header.
fn print_columns(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = (0..columns).map(width).collect::<Vec<_>>();
    let mut out = io::stdout().lock();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        if writeln!(out, "{}", line.trim_end()).is_err() {
            return;
        }
    }
}

/// Prints text as it is.
pub(crate) fn print_text(text: &str) {
    print!("{text}");
}
