//! `explain`: what a code of a finding means, and how to fix it.
//!
//! It reads no project and no settings, so it works where they are broken.
#![expect(
    clippy::print_stderr,
    reason = "it speaks before there is a screen of a project"
)]

use std::{
    fmt::Write as _,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use super::screen::Output;
use crate::{
    diagnostics::{Code, Example, Page, Severity, did_you_mean, nearest},
    kind::Kind,
};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Code, such as unknown-column [default: a list of all codes]
    pub(super) code: Option<String>,
}

/// What `--output json` writes.
#[derive(Serialize)]
struct Report {
    /// The version of this format.
    format_version: u32,
    /// The codes asked for.
    codes: Vec<Explained>,
}

/// A code; `--output ndjson` writes one a line.
#[derive(Serialize)]
struct Explained {
    /// The code.
    code: Code,
    /// `error` or `warning`.
    severity: Severity,
    /// What it means, in a few words.
    title: &'static str,
    /// `explanation`, and `wrong` and `right`: lists of `file` and `text`.
    #[serde(flatten)]
    page: Page,
}

/// Prints the page of a code, or the list of all.
pub(super) fn run(args: &Args, output: Output) -> ExitCode {
    let codes = match &args.code {
        None => Code::ALL.to_vec(),
        Some(id) => match Code::of(id) {
            Some(code) => vec![code],
            None => return unknown(id),
        },
    };
    let text = match (output, args.code.is_some()) {
        (Output::Text, true) => page(codes[0]),
        (Output::Text, false) => list(&codes),
        (Output::Csv, _) => rows(&codes),
        (Output::Json, _) => json(&codes),
        (Output::Ndjson, _) => lines(&codes),
    };
    // A pipe that closed early has read all it wanted.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn unknown(id: &str) -> ExitCode {
    eprintln!("error: unknown code `{id}`");
    match nearest(id, Code::ALL.iter().map(|code| code.id())) {
        Some(near) => eprintln!("help: {}", did_you_mean(near)),
        None => eprintln!("help: `pricemill explain` lists all codes"),
    }
    ExitCode::from(Kind::Usage.exit_code())
}

fn list(codes: &[Code]) -> String {
    let width = codes.iter().map(|code| code.id().len()).max().unwrap_or(0);
    let lines = codes.iter().map(|code| {
        let severity = code.severity().to_string();
        format!("{:width$}  {severity:7}  {}\n", code.id(), code.title())
    });
    lines.collect()
}

fn page(code: Code) -> String {
    let page = code.page();
    let mut text = format!("{}[{code}]: {}\n\n", code.severity(), code.title());
    text.push_str(&page.explanation);
    text.push('\n');
    for (title, examples) in [("Wrong", &page.wrong), ("Right", &page.right)] {
        for example in examples {
            text.push_str(&shown(title, example));
        }
    }
    text
}

fn shown(title: &str, example: &Example) -> String {
    let mut text = format!("\n{title}, in {}:\n\n", example.file);
    for line in example.text.lines() {
        // A `String` takes whatever is written to it.
        let _ = match line.is_empty() {
            true => writeln!(text),
            false => writeln!(text, "    {line}"),
        };
    }
    text
}

fn rows(codes: &[Code]) -> String {
    let rows = codes.iter().map(|code| {
        let title = code.title().replace('"', "\"\"");
        format!("{code},{},\"{title}\"\n", code.severity())
    });
    let header = "code,severity,title\n".to_owned();
    std::iter::once(header).chain(rows).collect()
}

fn json(codes: &[Code]) -> String {
    let report = Report {
        format_version: 1,
        codes: codes.iter().copied().map(explained).collect(),
    };
    // Strings and numbers: there is nothing that JSON cannot hold.
    let text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text + "\n"
}

fn lines(codes: &[Code]) -> String {
    let lines = codes.iter().copied().map(|code| {
        let line = serde_json::to_string(&explained(code)).unwrap_or_default();
        line + "\n"
    });
    lines.collect()
}

fn explained(code: Code) -> Explained {
    Explained {
        code,
        severity: code.severity(),
        title: code.title(),
        page: code.page(),
    }
}
