//! `synth`: a made-up export of any size → a snapshot, files, or the database.

use std::path::Path;

use super::{
    args::{FileFormat, FileLayout, PriceOrder, Size, SynthArgs},
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    dataset::Dataset,
    error::Result,
    snapshot::{self, Direct},
    synth::{self, Export, Files, Format, Layout, Order, Preset, Spec},
};

/// Makes up an export.
pub(crate) async fn synth(context: &Context, args: &SynthArgs) -> Result<Ending> {
    let export = Export::new(&spec(args));
    let prices = export.prices();
    context.screen.say(format!(
        "{}: {} prices of {} products in {} stores",
        export.spec().source(),
        grouped(prices),
        grouped(u64::from(export.spec().products)),
        grouped(export.stores()),
    ));
    if args.dry_run {
        return Ok(Ending::silent());
    }
    match &args.out {
        Some(folder) => into_files(context, args, &export, folder).await,
        None if args.database => into_database(context, args, &export).await,
        None => into_snapshot(context, &export, prices).await,
    }
}

fn spec(args: &SynthArgs) -> Spec {
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

async fn into_snapshot(context: &Context, export: &Export, prices: u64) -> Result<Ending> {
    let mut datasets = Vec::new();
    for dataset in all(context)? {
        let Some(batches) = export.dataset(dataset)? else {
            let name = &dataset.name;
            context
                .screen
                .warn(format!("{name}: nothing is made up for it"));
            continue;
        };
        datasets.push(snapshot::Rows {
            total: (dataset.name == "prices").then_some(prices),
            dataset: dataset.clone(),
            batches,
        });
    }
    let direct = Direct {
        source: export.spec().source(),
        form: "synth",
        location: &context.snapshots(),
        engine: &context.config.engine,
        at: context.now,
        progress: &context.screen.progress(),
    };
    let snapshot = snapshot::write(direct, datasets).await?;
    if export.spec().dirt {
        let note = "no row repeats another here: a snapshot has each key once";
        context.screen.say(note);
    }
    let id = &snapshot.manifest.id.0;
    context.screen.say(format!("snapshot {id}"));
    let mut ending = Ending::default();
    for (name, part) in &snapshot.manifest.datasets {
        tell(context, export, &mut ending, name, part.rows, id);
    }
    Ok(ending)
}

async fn into_files(
    context: &Context,
    args: &SynthArgs,
    export: &Export,
    folder: &Path,
) -> Result<Ending> {
    let folder = context.from.join(folder);
    let datasets = all(context)?;
    let files = Files {
        folder: &folder,
        layout: match args.layout {
            FileLayout::Exports => Layout::Exports(&datasets),
            FileLayout::Named => Layout::Named,
        },
        format: match args.format {
            FileFormat::Parquet => Format::Parquet,
            FileFormat::Csv => Format::Csv,
        },
        order: match args.order {
            PriceOrder::Key => Order::Key,
            PriceOrder::Arrival => Order::Arrival,
        },
    };
    let made = synth::write(export, files, &context.screen.progress()).await?;
    let mut ending = Ending::default();
    for file in made {
        let path = file.path.display().to_string();
        tell(context, export, &mut ending, &file.name, file.rows, &path);
    }
    Ok(ending)
}

async fn into_database(context: &Context, args: &SynthArgs, export: &Export) -> Result<Ending> {
    let database = context.database()?;
    let progress = context.screen.progress_of_steps();
    let filled = synth::fill(export, database.as_ref(), args.replace, &progress).await?;
    let mut ending = Ending::default();
    for counts in filled {
        let rows = counts.inserted + counts.changed + counts.unchanged;
        let line = format!("{}: {} rows", counts.table, grouped(rows));
        context.screen.say(line);
        let database = &context.config.database;
        tell(context, export, &mut ending, &counts.table, rows, database);
    }
    Ok(ending)
}

/// Returns the project's datasets.
fn all(context: &Context) -> Result<Vec<&Dataset>> {
    Ok(context.project()?.datasets.values().collect())
}

/// Counts what was made, and keeps it for the run's record.
fn tell(
    context: &Context,
    export: &Export,
    ending: &mut Ending,
    made: &str,
    rows: u64,
    into: &str,
) {
    ending.passed(0);
    context.step(
        "synth",
        [
            ("made", made.into()),
            ("rows", rows.into()),
            ("into", into.into()),
            ("spec", export.spec().source().into()),
        ],
    );
}
