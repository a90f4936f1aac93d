//! `load`: CSV, JSON Lines or Parquet → database tables.

use std::path::PathBuf;

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
};
use crate::{error::Result, load, report::LoadedTable};

/// The arguments of `load`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files such as prices.csv.gz, or folders of them; a file's name is its table
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
}

/// Loads files or folders, in the order named, each whole or not at all.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let paths = args.paths.iter().map(|path| {
        let path = context.from.join(path);
        // As errors print it, without the dots in between.
        std::path::absolute(&path).unwrap_or(path)
    });
    let paths: Vec<PathBuf> = paths.collect();
    context.finish(&load::run(&context.env, &paths).await?)
}

/// Returns what became of a table.
pub(super) fn table(table: &LoadedTable) -> Vec<Line> {
    vec![Line::Say(format!(
        "{}: {} inserted, {} changed, {} unchanged",
        table.table,
        grouped(table.inserted),
        grouped(table.changed),
        grouped(table.unchanged),
    ))]
}
