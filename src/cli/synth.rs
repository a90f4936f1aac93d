//! `synth`: a made-up export of any size → a snapshot, files, or the database.

use std::path::PathBuf;

use clap::{ArgGroup, ValueEnum};

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
};
use crate::{
    error::Result,
    events::Event,
    synth::{self, Folder, Format, Order, Preset, Request, Spec, Target},
};

/// The arguments of `synth`.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("target").required(true).args(["snapshot", "out", "database"])))]
pub(super) struct Args {
    /// Size: about 1, 10, 100 or 1,000 million prices
    #[arg(long, value_name = "SIZE", default_value = "s")]
    pub(super) preset: Size,
    /// About this many prices, instead of a preset's
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "preset",
        value_parser = clap::value_parser!(u64).range(1_000..=10_000_000_000),
    )]
    pub(super) prices: Option<u64>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Add nulls, prices of zero, duplicate rows, and text beyond ASCII
    #[arg(long)]
    pub(super) dirt: bool,
    /// Write a new snapshot, as if it had been fetched
    #[arg(long, help_heading = "Target")]
    pub(super) snapshot: bool,
    /// Write files into this folder
    #[arg(long, value_name = "DIR", help_heading = "Target")]
    pub(super) out: Option<PathBuf>,
    /// Fill the tables of the database, in one transaction
    #[arg(long, help_heading = "Target")]
    pub(super) database: bool,
    /// File format
    #[arg(long, value_name = "FORMAT", default_value = "parquet", conflicts_with_all = ["snapshot", "database"])]
    pub(super) format: FileFormat,
    /// File layout
    #[arg(long, value_name = "LAYOUT", default_value = "exports", conflicts_with_all = ["snapshot", "database"])]
    pub(super) layout: FileLayout,
    /// Order of the prices
    #[arg(long, value_name = "ORDER", default_value = "key", conflicts_with_all = ["snapshot", "database"])]
    pub(super) order: PriceOrder,
    /// Empty the tables before filling them
    #[arg(long, requires = "database")]
    pub(super) replace: bool,
    /// Print the size, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Size {
    /// About 1 million prices: 571 stores, 3,270 products
    S,
    /// About 10 million prices: 1,803 stores, 10,341 products
    M,
    /// About 100 million prices: 5,701 stores, 32,700 products
    L,
    /// About 1,000 million prices: 18,028 stores, 103,406 products
    Xl,
}

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    /// Parquet
    Parquet,
    /// Comma-separated values with a header; lists as JSON
    Csv,
}

/// The layouts of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileLayout {
    /// One file per dataset, as a service exports them
    Exports,
    /// Stores, products and prices by name, as `load` takes them
    Named,
}

/// The orders of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PriceOrder {
    /// By product, then by store
    Key,
    /// By store, as scrapers deliver them
    Arrival,
}

/// Makes up an export.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let request = Request {
        spec: spec(&args),
        dry_run: args.dry_run,
        target: target(context, args),
    };
    let made = synth::run(&context.env, &request).await?;
    let ending = context.finish(&made)?;
    match request.dry_run {
        true => Ok(Ending::silent()),
        false => Ok(ending),
    }
}

fn spec(args: &Args) -> Spec {
    let preset = match args.preset {
        Size::S => Preset::S,
        Size::M => Preset::M,
        Size::L => Preset::L,
        Size::Xl => Preset::Xl,
    };
    let spec = match args.prices {
        Some(prices) => Spec::with_prices(prices, args.seed),
        None => Spec::preset(preset, args.seed),
    };
    Spec {
        dirt: args.dirt,
        ..spec
    }
}

fn target(context: &Context, args: Args) -> Target {
    let replace = args.replace;
    match args.out {
        Some(folder) => Target::Files(Folder {
            path: context.from.join(folder),
            is_named: args.layout == FileLayout::Named,
            format: match args.format {
                FileFormat::Parquet => Format::Parquet,
                FileFormat::Csv => Format::Csv,
            },
            order: match args.order {
                PriceOrder::Key => Order::Key,
                PriceOrder::Arrival => Order::Arrival,
            },
        }),
        None if args.database => Target::Database { replace },
        None => Target::Snapshot,
    }
}

/// Returns what is being made up.
pub(super) fn begun(event: &Event) -> Vec<Line> {
    let Event::SynthBegun {
        spec,
        prices,
        products,
        stores,
    } = event
    else {
        return Vec::new();
    };
    let [prices, products, stores] = [*prices, *products, *stores].map(grouped);
    vec![Line::Say(format!(
        "{spec}: {prices} prices of {products} products in {stores} stores"
    ))]
}
