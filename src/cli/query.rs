//! `query`: one SQL query over a snapshot, through the project's models.

use futures::TryStreamExt;

use super::{
    context::Context,
    ending::Ending,
    screen::{Printer, cost_line, operator_lines},
    show::print_schema,
};
use crate::{
    catalog::Given,
    error::Result,
    workbench::{About, Question, Rows, ask, describe, described, relations},
};

/// The arguments of `query`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// SQL query; or `describe RELATION`, which prints its columns
    pub(super) sql: String,
    /// Maximum number of rows; -1 for all
    #[arg(
        long,
        default_value_t = -1,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        value_name = "N"
    )]
    pub(super) limit: i64,
    #[command(flatten)]
    pub(super) over: Over,
}

/// What rows are read from.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Over {
    /// Read this snapshot: its id, or `latest`
    #[arg(long, value_name = "ID|latest", default_value = "latest")]
    pub(super) snapshot: String,
    /// Read this dataset from a Parquet file or a folder of them instead of the
    /// snapshot; its columns are checked against the contract
    #[arg(long = "file", value_name = "DATASET=PATH", value_parser = given)]
    pub(super) files: Vec<Given>,
    /// Set a parameter of a pipeline that is read; the others keep their defaults
    #[arg(long = "param", value_name = "[PIPELINE.]NAME=VALUE")]
    pub(super) params: Vec<String>,
}

impl Default for Over {
    fn default() -> Over {
        Over {
            snapshot: "latest".to_owned(),
            files: Vec::new(),
            params: Vec::new(),
        }
    }
}

fn given(text: &str) -> Result<Given, String> {
    match text.split_once('=') {
        Some((dataset, path)) if !dataset.is_empty() && !path.is_empty() => Ok(Given {
            dataset: dataset.to_owned(),
            path: path.into(),
        }),
        _ => Err("write it like `prices=export.parquet`".to_owned()),
    }
}

/// Runs one query.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    if let Some(what) = described(&args.sql) {
        return print_schema(context, &describe(&context.env, what).await?);
    }
    let names = relations(&args.sql);
    let rows = rows(context, About::Sql(args.sql), args.limit, args.over).await?;
    if print(context, rows).await? == Some(0) && args.limit != 0 {
        let next = match names.first() {
            Some(name) => format!("`pricemill show {name}` shows rows of what it reads"),
            None => "`pricemill docs sql` says what SQL means here".to_owned(),
        };
        context
            .env
            .events
            .nothing("the query returned no rows", next);
    }
    context.say_left_out()?;
    Ok(Ending::silent())
}

/// Returns the rows that answer a question; a limit below zero is none.
pub(super) async fn rows(context: &Context, about: About, limit: i64, over: Over) -> Result<Rows> {
    let files = over.files.into_iter().map(|given| Given {
        path: context.from.join(given.path),
        ..given
    });
    let question = Question {
        about,
        limit: usize::try_from(limit).ok(),
        snapshot: over.snapshot,
        files: files.collect(),
        params: over.params,
    };
    Ok(ask(&context.env, &question).await?)
}

/// Prints rows, and returns how many; not if nobody read to the end. A table is laid out as
/// a whole; data goes out as it comes.
pub(super) async fn print(context: &Context, mut rows: Rows) -> Result<Option<usize>> {
    let screen = &context.screen;
    rows.doubts.iter().for_each(|finding| screen.doubt(finding));
    let mut printer = Printer::new(rows.schema.clone(), screen.output(), screen.room());
    loop {
        let batch = match rows.stream.try_next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => break,
            Err(error) => return Err(rows.failed(error).await.into()),
        };
        if !printer.print(batch)? {
            return Ok(None);
        }
    }
    let count = printer.finish()?;
    let verbose = context.screen.verbose();
    if verbose > 0 {
        context.screen.say(cost_line(count as u64, &rows.cost()));
    }
    if verbose > 1 {
        for line in operator_lines(&rows.cost()) {
            context.screen.show(&line);
        }
    }
    Ok(Some(count))
}
