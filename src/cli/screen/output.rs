//! Reports on stdout, in the format asked for.
//!
//! `json` is one object with `format_version`, `command`, the report's own fields and
//! `summary`. `ndjson` is one object per item, each with `format_version`. `csv` is a
//! row per item under a header, `lines` a line per column of it. `text` writes nothing
//! here: commands that have data for people print a table of their own.
//!
//! A command that fails before it has a report writes one object in both forms of JSON:
//! `format_version`, `command` and `error`.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::table::push_line;
use crate::{
    report::{FORMAT_VERSION, Failure, Report, Summary},
    storage,
};

/// The formats of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Output {
    /// Tables and lines for people
    #[value(alias = "table")]
    Text,
    /// One JSON document
    Json,
    /// One JSON object per line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// A line `name: value` per column, nothing cut or hidden
    Lines,
}

#[derive(Serialize)]
struct Document<'a, R> {
    format_version: u32,
    command: &'static str,
    #[serde(flatten)]
    report: &'a R,
    summary: Summary,
}

#[derive(Serialize)]
struct Item<'a, T> {
    format_version: u32,
    #[serde(flatten)]
    item: &'a T,
}

/// Writes a report to stdout.
pub(in crate::cli) fn print_report<R: Report>(report: &R, output: Output) -> storage::Result<()> {
    let written = write_report(report, output, io::stdout().lock());
    match written {
        // A pipe that closed early has read all it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(unprinted),
    }
}

/// A command that failed before it had a report.
#[derive(Serialize)]
struct Failed<'a> {
    format_version: u32,
    command: Option<&'a str>,
    error: &'a Failure,
}

/// Writes why a command failed to stdout, where a form of JSON was asked for.
pub(in crate::cli) fn print_failure(command: Option<&str>, error: &Failure, output: Output) {
    let failed = Failed {
        format_version: FORMAT_VERSION,
        command,
        error,
    };
    let text = match output {
        Output::Json => serde_json::to_string_pretty(&failed),
        Output::Ndjson => serde_json::to_string(&failed),
        Output::Text | Output::Csv | Output::Lines => return,
    };
    // Texts and numbers: there is nothing that JSON cannot hold.
    print_text(&(text.unwrap_or_default() + "\n"));
}

/// Describes a failure of stdout.
pub(super) fn unprinted(source: io::Error) -> storage::Error {
    storage::Error::Io {
        action: "write",
        path: "stdout".to_owned(),
        source,
    }
}

fn write_report<R: Report>(report: &R, output: Output, mut out: impl Write) -> io::Result<()> {
    match output {
        Output::Text => Ok(()),
        Output::Json => {
            let document = Document {
                format_version: FORMAT_VERSION,
                command: R::COMMAND,
                report,
                summary: report.summary(),
            };
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)
        }
        Output::Ndjson => {
            for item in report.items() {
                let item = Item {
                    format_version: FORMAT_VERSION,
                    item,
                };
                serde_json::to_writer(&mut out, &item)?;
                writeln!(out)?;
            }
            Ok(())
        }
        Output::Csv => write_csv(report, out),
        Output::Lines => write_lines(report, out),
    }
}

fn write_lines<R: Report>(report: &R, mut out: impl Write) -> io::Result<()> {
    let mut text = String::new();
    for item in report.items() {
        let item = serde_json::to_value(item)?;
        if !text.is_empty() {
            text.push('\n');
        }
        for column in R::COLUMNS {
            let value = R::cell(&item, column).filter(|value| !value.is_null());
            push_line(column, value.map(spelled).as_deref(), &mut text);
        }
    }
    out.write_all(text.as_bytes())
}

fn write_csv<R: Report>(report: &R, out: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(R::COLUMNS)?;
    for item in report.items() {
        let item = serde_json::to_value(item)?;
        let cells = R::COLUMNS.iter().map(|column| cell(R::cell(&item, column)));
        writer.write_record(cells)?;
    }
    writer.flush()
}

/// Returns a value as CSV holds it: null is empty, a list or an object is JSON.
fn cell(value: Option<&Value>) -> String {
    let value = value.filter(|value| !value.is_null());
    value.map(spelled).unwrap_or_default()
}

fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Prints text as it is.
pub(in crate::cli) fn print_text(text: &str) {
    // A pipe that closed early has read all it wanted.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Load, LoadedTable};

    fn written(output: Output) -> String {
        let table = |table: &str, inserted| LoadedTable {
            path: "export, all".to_owned(),
            table: table.to_owned(),
            inserted,
            changed: 0,
            unchanged: 1,
            deleted: 0,
        };
        let report = Load {
            paths: 1,
            tables: vec![table("stores", 3), table("prices", 7)],
            warnings: Vec::new(),
        };
        let mut out = Vec::new();
        write_report(&report, output, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_report_is_one_document_or_a_line_or_a_row_per_item() {
        assert_eq!(written(Output::Text), "");
        insta::assert_snapshot!(written(Output::Json), @r#"
        {
          "format_version": 1,
          "command": "load",
          "paths": 1,
          "tables": [
            {
              "path": "export, all",
              "table": "stores",
              "inserted": 3,
              "changed": 0,
              "unchanged": 1,
              "deleted": 0
            },
            {
              "path": "export, all",
              "table": "prices",
              "inserted": 7,
              "changed": 0,
              "unchanged": 1,
              "deleted": 0
            }
          ],
          "warnings": [],
          "summary": {
            "pass": 1,
            "warn": 0,
            "fail": 0,
            "skip": 0
          }
        }
        "#);
        insta::assert_snapshot!(written(Output::Ndjson), @r#"
        {"format_version":1,"path":"export, all","table":"stores","inserted":3,"changed":0,"unchanged":1,"deleted":0}
        {"format_version":1,"path":"export, all","table":"prices","inserted":7,"changed":0,"unchanged":1,"deleted":0}
        "#);
        insta::assert_snapshot!(written(Output::Csv), @r#"
        path,table,inserted,changed,unchanged,deleted
        "export, all",stores,3,0,1,0
        "export, all",prices,7,0,1,0
        "#);
        insta::assert_snapshot!(written(Output::Lines), @"
        path: export, all
        table: stores
        inserted: 3
        changed: 0
        unchanged: 1
        deleted: 0

        path: export, all
        table: prices
        inserted: 7
        changed: 0
        unchanged: 1
        deleted: 0
        ");
    }
}
