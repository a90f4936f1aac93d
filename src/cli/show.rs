//! `show`: rows of one relation, or its columns.

use super::{
    context::Context,
    ending::Ending,
    query::{Over, print, rows},
    screen::{Output, Table, print_report},
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
        name: args.relation.clone(),
        filter: args.filter.clone(),
    };
    let rows = rows(context, about, args.limit, args.over).await?;
    if print(context, rows).await? == Some(0) && args.limit != 0 {
        say_empty(context, &args.relation, args.filter.is_some())?;
    }
    context.say_left_out()?;
    Ok(Ending::silent())
}

/// Says that there are no rows, and where to look next.
fn say_empty(context: &Context, relation: &str, is_filtered: bool) -> Result<()> {
    let dataset = relation.rsplit_once('.').map_or(relation, |(_, name)| name);
    let is_dataset = context.env.project()?.datasets.contains_key(dataset);
    let (found, next) = match (is_filtered, is_dataset) {
        (true, _) => (
            format!("no row of `{relation}` matches --where"),
            format!("`pricemill show {relation}` shows rows without it"),
        ),
        (false, true) => (
            format!("`{relation}` has no rows"),
            format!("`pricemill fetch {dataset}` fetches it again"),
        ),
        (false, false) => (
            format!("`{relation}` has no rows"),
            "`pricemill lineage` shows what it reads".to_owned(),
        ),
    };
    context.env.events.nothing(found, next);
    Ok(())
}

/// Prints the columns of a relation.
pub(super) fn print_schema(context: &Context, schema: &Schema) -> Result<Ending> {
    match context.screen.output() {
        Output::Text | Output::Lines => context.screen.print_table(&table(schema)),
        output => print_report(schema, output)?,
    }
    context.say_left_out()?;
    Ok(Ending::silent())
}

fn table(schema: &Schema) -> Table {
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
    Table::plain(&["column", "type", "unit", "doc"]).with(rows)
}
