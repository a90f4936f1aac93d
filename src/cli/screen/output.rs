//! Reports on stdout, in the format asked for.
//!
//! `json` is one object with `format_version`, `command`, the report's own fields and
//! `summary`. `ndjson` is one object per item, each with `format_version`. `csv` is a
//! row per item under a header. `text` writes nothing here: commands that have data for
//! people print a table of their own.
//!
//! A command that fails before it has a report writes one object in both forms of JSON:
//! `format_version`, `command` and `error`.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets::NOTHING};
use serde::Serialize;
use serde_json::Value;

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
        Output::Text | Output::Csv => return,
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
    }
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
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Returns rows under a header, aligned, with `-` where there is nothing.
pub(in crate::cli) fn text_table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<Option<String>>>,
) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    for row in rows {
        let cells = row
            .into_iter()
            .map(|cell| cell.unwrap_or_else(|| "-".into()));
        table.add_row(cells);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
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
    }

    #[test]
    fn a_table_is_aligned_and_says_where_nothing_is() {
        let rows = [
            vec![Some("bargains".to_owned()), Some("7".to_owned())],
            vec![Some("map".to_owned()), None],
        ];
        insta::assert_snapshot!(text_table(&["pipeline", "rows"], rows), @"
        pipeline  rows
        bargains  7
        map       -
        ");
    }
}
