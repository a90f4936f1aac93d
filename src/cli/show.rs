//! `show`: rows of one relation, or its columns.

use super::{
    context::Context,
    ending::Ending,
    query::{Over, print, rows},
    screen::{Output, print_report, print_text, text_table},
};
use crate::{
    error::Result,
    report::Schema,
    workbench::{About, schema},
};

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A dataset (prices), a model (extremes, bargains.extremes) or an output (bargains)
    pub(super) relation: String,
    /// Only rows that match this SQL condition
    #[arg(long = "where", value_name = "SQL")]
    pub(super) filter: Option<String>,
    /// Maximum number of rows; -1 for all
    #[arg(
        long,
        default_value_t = 10,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        value_name = "N"
    )]
    pub(super) limit: i64,
    /// Show the columns instead: types, units and descriptions
    #[arg(long, conflicts_with_all = ["filter", "limit", "snapshot", "files", "params"])]
    pub(super) schema: bool,
    #[command(flatten)]
    pub(super) over: Over,
}

/// Shows rows of one relation.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    if args.schema {
        return print_schema(context, &schema(&context.env, &args.relation).await?);
    }
    let about = About::Relation {
        name: args.relation,
        filter: args.filter,
    };
    let rows = rows(context, about, args.limit, args.over).await?;
    print(context, rows).await?;
    context.say_left_out()?;
    Ok(Ending::silent())
}

/// Prints the columns of a relation.
pub(super) fn print_schema(context: &Context, schema: &Schema) -> Result<Ending> {
    match context.screen.output() {
        Output::Text => print_text(&table(schema)),
        output => print_report(schema, output)?,
    }
    context.say_left_out()?;
    Ok(Ending::silent())
}

fn table(schema: &Schema) -> String {
    let rows = schema.columns.iter().map(|column| {
        let not_null = if column.nullable { "" } else { " not null" };
        let data_type = format!("{}{not_null}", column.data_type);
        vec![
            Some(column.name.clone()),
            Some(data_type),
            column.unit.clone(),
            column.doc.clone(),
        ]
    });
    text_table(&["column", "type", "unit", "doc"], rows)
}
