//! `load`: CSV, JSON Lines or Parquet → database tables.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
};
use crate::{
    database::Accept,
    error::Result,
    load::{self, Request},
    report::LoadedTable,
};

/// The arguments of `load`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rows are inserted, or changed by key. Rows that the files lack stay, unless \
                  --replace or --replace-company is given."
)]
pub(super) struct Args {
    /// Files such as prices.csv.gz, or folders of them; a file's name is its table
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
    /// Delete the rows of this table that its file lacks; can be repeated
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    pub(super) replace: Vec<String>,
    /// Delete this company's rows that the files lack, in each table that has a file
    #[arg(long, value_name = "NAME")]
    pub(super) replace_company: Option<String>,
    /// Waive this guard; can be repeated
    #[arg(long, value_name = "GUARD", value_delimiter = ',')]
    pub(super) accept: Vec<Guard>,
}

/// The guards of rows that are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Guard {
    /// Fewer than half the table's rows
    Shrink,
    /// No rows at all
    Empty,
}

/// Loads files or folders, in the order named, each whole or not at all.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let paths = args.paths.iter().map(|path| {
        let path = context.from.join(path);
        // As errors print it, without the dots in between.
        std::path::absolute(&path).unwrap_or(path)
    });
    let request = Request {
        paths: paths.collect(),
        replace: args.replace,
        replace_company: args.replace_company,
        accept: Accept {
            change: false,
            shrink: args.accept.contains(&Guard::Shrink),
            empty: args.accept.contains(&Guard::Empty),
        },
    };
    context.finish(&load::run(&context.env, &request).await?)
}

/// Returns what became of a table.
pub(super) fn table(table: &LoadedTable) -> Vec<Line> {
    let mut said = format!(
        "{}: {} inserted, {} changed, {} unchanged",
        table.table,
        grouped(table.inserted),
        grouped(table.changed),
        grouped(table.unchanged),
    );
    if table.deleted > 0 {
        said.push_str(&format!(", {} deleted", grouped(table.deleted)));
    }
    vec![Line::Say(said)]
}
