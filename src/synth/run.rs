//! `synth` as a whole: a made-up export → a snapshot, files, or the database.

use std::path::PathBuf;

use super::{Export, Files, Format, Layout, Order, Result, Spec, fill, write};
use crate::{
    dataset::Dataset,
    env::Env,
    events::{Event, grouped},
    report::{self, Made, Step},
    snapshot::{self, Direct},
};

/// What to make up, and where to.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is made up.
    pub spec: Spec,
    /// Where to.
    pub target: Target,
    /// Whether to say only how much it would be.
    pub dry_run: bool,
}

/// Where a made-up export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A new snapshot, as if it had been fetched.
    Snapshot,
    /// Files in a folder.
    Files(Folder),
    /// The database's tables, in one transaction.
    Database {
        /// Whether the tables are emptied first.
        replace: bool,
    },
}

/// A folder of made-up files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is; made if need be.
    pub path: PathBuf,
    /// Whether it holds tables by names, as `load` takes them; else datasets.
    pub is_named: bool,
    /// What the files are.
    pub format: Format,
    /// In which order prices come.
    pub order: Order,
}

/// Makes up an export: the same for the same spec.
///
/// # Errors
///
/// Nothing is left half-written but files: those that are complete stay.
pub async fn run(env: &Env, request: &Request) -> Result<report::Synth> {
    let export = Export::new(&request.spec);
    let mut report = report::Synth {
        spec: export.spec().source(),
        prices: export.prices(),
        products: export.spec().products.into(),
        stores: export.stores(),
        made: Vec::new(),
    };
    env.events.emit(Event::SynthBegun {
        spec: report.spec.clone(),
        prices: report.prices,
        products: report.products,
        stores: report.stores,
    });
    if request.dry_run {
        return Ok(report);
    }
    let made = match &request.target {
        Target::Snapshot => into_snapshot(env, &export).await?,
        Target::Files(folder) => into_files(env, &export, folder).await?,
        Target::Database { replace } => into_database(env, &export, *replace).await?,
    };
    for (made, rows, into) in made {
        let made = Made {
            made,
            rows,
            into,
            spec: report.spec.clone(),
        };
        env.events.step(Step::Synth(made.clone()));
        report.made.push(made);
    }
    Ok(report)
}

/// What was made: its name, its rows, and where it is.
type Parts = Vec<(String, u64, String)>;

async fn into_snapshot(env: &Env, export: &Export) -> Result<Parts> {
    let mut datasets = Vec::new();
    for dataset in env.project()?.datasets.values() {
        let Some(batches) = export.dataset(dataset)? else {
            let name = &dataset.name;
            env.events
                .warn(format!("{name}: no rows are generated for it"));
            continue;
        };
        datasets.push(snapshot::Rows {
            total: (dataset.name == "prices").then_some(export.prices()),
            dataset: dataset.clone(),
            batches,
        });
    }
    let direct = Direct {
        source: export.spec().source(),
        form: "synth",
        location: &env.snapshots(),
        engine: &env.config.engine,
        at: env.now,
        progress: &env.events,
    };
    let snapshot = snapshot::write(direct, datasets).await?;
    if export.spec().dirt {
        env.events
            .say("no row repeats another here: a snapshot has each key once");
    }
    let id = snapshot.manifest.id.0;
    env.events.emit(Event::SnapshotCommitted {
        snapshot: id.clone(),
    });
    let parts = snapshot.manifest.datasets.into_iter();
    Ok(parts
        .map(|(name, part)| (name, part.rows, id.clone()))
        .collect())
}

async fn into_files(env: &Env, export: &Export, folder: &Folder) -> Result<Parts> {
    let datasets: Vec<&Dataset> = match folder.is_named {
        true => Vec::new(),
        false => env.project()?.datasets.values().collect(),
    };
    let files = Files {
        folder: &folder.path,
        layout: match folder.is_named {
            true => Layout::Named,
            false => Layout::Exports(&datasets),
        },
        format: folder.format,
        order: folder.order,
    };
    let made = write(export, files, &env.events).await?.into_iter();
    let part = |file: super::WrittenFile| (file.name, file.rows, file.path.display().to_string());
    Ok(made.map(part).collect())
}

async fn into_database(env: &Env, export: &Export, replace: bool) -> Result<Parts> {
    let database = env.database()?;
    let filled = fill(export, database.as_ref(), replace, &env.events.brief()).await?;
    let mut parts = Parts::new();
    for counts in filled {
        let rows = counts.inserted + counts.changed + counts.unchanged;
        let summary = format!("{} rows", grouped(rows));
        env.events.end(&counts.table, &summary);
        parts.push((counts.table, rows, env.config.database.clone()));
    }
    Ok(parts)
}
