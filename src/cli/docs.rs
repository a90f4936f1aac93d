//! `docs`: the pages of the documentation, and their list.
//!
//! It reads no project and no settings, so it works where they are broken.

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::screen::{Output, print_report, print_text};
use crate::{
    docs::{self, PAGES},
    error::Result,
    report::Docs,
};

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
pub(super) fn run(args: &Args, output: Output) -> Result<()> {
    let page = args.page.as_deref().and_then(docs::page);
    match (output, page) {
        (Output::Text, Some(page)) => print_text(page.text),
        (Output::Text, None) => print_text(&list()),
        (output, Some(page)) => print_report(&Docs::of(&[page]), output)?,
        (output, None) => print_report(&Docs::of(PAGES), output)?,
    }
    Ok(())
}

fn list() -> String {
    let width = PAGES.iter().map(|page| page.name.len()).max().unwrap_or(0);
    let lines = PAGES
        .iter()
        .map(|page| format!("{:width$}  {}\n", page.name, page.title));
    lines.collect()
}
