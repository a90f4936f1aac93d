//! `docs`: the pages of the documentation, and their list.
//!
//! It reads no project and no settings, so it works where they are broken.

use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use super::screen::{Output, print_text};
use crate::docs::{self, PAGES, Page};

/// The arguments of `docs`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Page to print [default: a list of all pages]
    #[arg(value_parser = names())]
    pub(super) page: Option<String>,
}

fn names() -> PossibleValuesParser {
    let pages = PAGES.iter();
    PossibleValuesParser::new(pages.map(|page| PossibleValue::new(page.name).help(page.title)))
}

/// Prints a page, or the list of all.
pub(super) fn run(args: &Args, output: Output) -> ExitCode {
    let page = args.page.as_deref().and_then(docs::page);
    let pages = page.as_slice();
    let pages = if pages.is_empty() { PAGES } else { pages };
    let text = match (output, page) {
        (Output::Text, Some(page)) => page.text.to_owned(),
        (Output::Text, None) => list(),
        (Output::Csv, _) => rows(pages),
        (Output::Json, _) => array(pages),
        (Output::Ndjson, _) => lines(pages),
    };
    print_text(&text);
    ExitCode::SUCCESS
}

fn list() -> String {
    let width = PAGES.iter().map(|page| page.name.len()).max().unwrap_or(0);
    let lines = PAGES
        .iter()
        .map(|page| format!("{:width$}  {}\n", page.name, page.title));
    lines.collect()
}

/// Returns name and title of each: a page's text is Markdown, not a cell.
fn rows(pages: &[Page]) -> String {
    let rows = pages
        .iter()
        .map(|page| format!("{},\"{}\"\n", page.name, page.title.replace('"', "\"\"")));
    std::iter::once("page,title\n".to_owned())
        .chain(rows)
        .collect()
}

/// Returns one document: `format_version`, and `pages` with `page`, `title` and `text`.
fn array(pages: &[Page]) -> String {
    let pages = pages
        .iter()
        .map(|Page { name, title, text }| json!({"page": name, "title": title, "text": text}));
    let report = json!({"format_version": 1, "pages": pages.collect::<Vec<_>>()});
    format!("{report:#}\n")
}

/// Returns a line per page, with the fields of [`array`].
fn lines(pages: &[Page]) -> String {
    let lines = pages.iter().map(|Page { name, title, text }| {
        let line = json!({"format_version": 1, "page": name, "title": title, "text": text});
        format!("{line}\n")
    });
    lines.collect()
}
