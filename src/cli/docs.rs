//! `docs`: the pages of the documentation, and their list.
//!
//! It reads no project and no settings, so it works where they are broken.

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::screen::{Output, Screen, Table, print_report, print_text};
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
pub(super) fn run(args: &Args, screen: &Screen) -> Result<()> {
    let page = args.page.as_deref().and_then(docs::page);
    match (screen.output(), page) {
        (Output::Text | Output::Lines, Some(page)) => print_text(page.text),
        (Output::Text | Output::Lines, None) => screen.print_table(&list()),
        (output, Some(page)) => print_report(&Docs::of(&[page]), output)?,
        (output, None) => print_report(&Docs::of(PAGES), output)?,
    }
    Ok(())
}

fn list() -> Table {
    let rows = PAGES.iter().map(|page| [page.name, page.title]);
    let rows = rows.map(|row| row.map(|cell| Some(cell.to_owned())).to_vec());
    Table::list(&["page", "title"]).with(rows)
}
