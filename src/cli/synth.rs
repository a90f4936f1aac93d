//! `synth`: a made-up export of any size → a snapshot, files, or the database.

use super::{
    args::{Size, SynthArgs},
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    error::Result,
    snapshot::{self, Direct, Snapshot},
    synth::{Export, Preset, Spec},
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
    let snapshot = into_snapshot(context, &export, prices).await?;
    let mut ending = Ending::default();
    let datasets = snapshot.manifest.datasets.values();
    datasets.for_each(|_| ending.passed(0));
    context
        .screen
        .say(format!("snapshot {}", snapshot.manifest.id.0));
    Ok(ending)
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

async fn into_snapshot(context: &Context, export: &Export, prices: u64) -> Result<Snapshot> {
    let mut datasets = Vec::new();
    for dataset in context.project()?.datasets.values() {
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
    Ok(snapshot::write(direct, datasets).await?)
}
