//! `explain`: what a code of a finding means, and how to fix it.
//!
//! It reads no project and no settings, so it works where they are broken.

use std::fmt::Write as _;

use super::screen::{Output, Screen, Table, print_report, print_text};
use crate::{
    diagnostics::{Code, Example, suggestion},
    error::Result,
    report::Explain,
};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Code, such as unknown-column [default: a list of all codes]
    #[arg(value_parser = code)]
    pub(super) code: Option<Code>,
}

fn code(id: &str) -> Result<Code, String> {
    let ids = Code::ALL.iter().map(|code| code.id());
    let help = || suggestion(id, ids).unwrap_or("`pricemill explain` lists all codes".to_owned());
    Code::of(id).ok_or_else(|| format!("there is no such code; {}", help()))
}

/// Prints the page of a code, or the list of all.
pub(super) fn run(args: &Args, screen: &Screen) -> Result<()> {
    match (screen.output(), args.code) {
        (Output::Text | Output::Lines, Some(code)) => print_text(&page(code)),
        (Output::Text | Output::Lines, None) => screen.print_table(&list()),
        (output, Some(code)) => print_report(&Explain::of(&[code]), output)?,
        (output, None) => print_report(&Explain::of(Code::ALL), output)?,
    }
    Ok(())
}

fn list() -> Table {
    let rows = Code::ALL.iter().map(|code| {
        let severity = code.severity().to_string();
        let cells = [code.id().to_owned(), severity, code.title().to_owned()];
        cells.map(Some).to_vec()
    });
    Table::list(&["code", "severity", "title"]).with(rows)
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
