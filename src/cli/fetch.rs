//! `fetch`: the exports → a new snapshot.

use super::{
    args::FetchArgs,
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    dataset::{self, Dataset},
    diagnostics::nearest,
    error::Result,
    pipeline::{Pipeline, Project},
    snapshot::{self, Snapshot},
};

/// Fetches the datasets named, or all that the pipelines read.
pub(crate) async fn fetch(context: &Context, args: &FetchArgs) -> Result<Ending> {
    let project = context.project()?;
    let all = project.select(&[])?;
    let datasets = match args.datasets.as_slice() {
        [] => project.datasets_of(&all),
        names => names
            .iter()
            .map(|name| named(context, name))
            .collect::<Result<_>>()?,
    };
    let optional = |name: &str| args.datasets.is_empty() && project.is_optional(&all, name);
    let snapshot = fresh(context, &datasets, optional).await?;
    let mut ending = Ending::default();
    snapshot
        .manifest
        .datasets
        .iter()
        .for_each(|_| ending.passed(0));
    context
        .screen
        .say(format!("snapshot {}", snapshot.manifest.id.0));
    Ok(ending)
}

/// Returns the project's dataset of that name.
pub(super) fn named<'a>(context: &'a Context, name: &str) -> Result<&'a Dataset> {
    let datasets = &context.project()?.datasets;
    Ok(datasets.get(name).ok_or_else(|| dataset::Error::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, datasets.keys().map(String::as_str)).map(str::to_owned),
    })?)
}

/// Returns the snapshot to work on: the one named, or a fresh one of what the
/// pipelines read.
pub(crate) async fn snapshot(
    context: &Context,
    project: &Project,
    pipelines: &[&Pipeline],
    named: Option<&str>,
) -> Result<Snapshot> {
    let datasets = project.datasets_of(pipelines);
    let optional = |name: &str| project.is_optional(pipelines, name);
    let Some(named) = named else {
        return fresh(context, &datasets, optional).await;
    };
    let names = datasets.iter().map(|dataset| dataset.name.as_str());
    let (optional, needed): (Vec<_>, Vec<_>) = names.partition(|name| optional(name));
    open(context, named, &needed, &optional).await
}

/// Returns the snapshot that the pipelines read as `previous`, if they do: the newest of
/// the same source before the one in use. Where there is none, that is said.
pub(crate) async fn previous(
    context: &Context,
    project: &Project,
    pipelines: &[&Pipeline],
    snapshot: &Snapshot,
) -> Result<Option<Snapshot>> {
    let needed = project.previous_of(pipelines);
    if needed.is_empty() {
        return Ok(None);
    }
    let manifest = &snapshot.manifest;
    let found = snapshot::before(&context.snapshots(), manifest, &needed).await?;
    context.screen.say(match &found {
        Some(found) => format!("previous: the snapshot {}", found.manifest.id.0),
        None => format!(
            "previous: there is no snapshot of {} before {} with {}; what is read of it is empty",
            manifest.source,
            manifest.id.0,
            needed.join(", ")
        ),
    });
    Ok(found)
}

/// Returns the snapshots of earlier days that the pipelines read as `history`, if they do.
pub(crate) async fn history(
    context: &Context,
    project: &Project,
    pipelines: &[&Pipeline],
    snapshot: &Snapshot,
) -> Result<Vec<Snapshot>> {
    let names = project.history_of(pipelines).into_iter();
    let datasets: Vec<&Dataset> = names.map(|name| &project.datasets[name]).collect();
    if datasets.is_empty() {
        return Ok(Vec::new());
    }
    let manifest = &snapshot.manifest;
    let found = snapshot::history(&context.snapshots(), manifest, &datasets).await?;
    for dataset in datasets {
        let (name, days) = (&dataset.name, snapshot::days(&found, dataset));
        context.screen.say(match days.last() {
            Some(first) => format!(
                "history: {name} of {} earlier days, from {} on",
                days.len(),
                first.manifest.fetched_at.date_naive()
            ),
            None => format!(
                "history: there is no snapshot of {} from a day before {} with {name}; what is read of it is empty",
                manifest.source, manifest.id.0
            ),
        });
    }
    Ok(found)
}

/// Opens the snapshot of that name; of the newest that will do, the newest that has what is
/// optional as well. What it lacks is told.
pub(super) async fn open(
    context: &Context,
    named: &str,
    needed: &[&str],
    optional: &[&str],
) -> Result<Snapshot> {
    let snapshots = context.snapshots();
    let all = [needed, optional].concat();
    if let Ok(snapshot) = snapshot::open(&snapshots, named, &all).await {
        return Ok(snapshot);
    }
    let snapshot = snapshot::open(&snapshots, named, needed).await?;
    let id = &snapshot.manifest.id.0;
    for name in optional {
        if !snapshot.manifest.datasets.contains_key(*name) {
            context.screen.warn(format!(
                "{name}: not in the snapshot {id}, and taken as empty"
            ));
        }
    }
    Ok(snapshot)
}

async fn fresh(
    context: &Context,
    datasets: &[&Dataset],
    optional: impl Fn(&str) -> bool,
) -> Result<Snapshot> {
    let source = context.source()?;
    let wanted = datasets.iter().map(|dataset| snapshot::Wanted {
        dataset: (*dataset).clone(),
        optional: optional(&dataset.name),
    });
    let snapshot = snapshot::fetch(snapshot::Fetch {
        source: source.as_ref(),
        wanted: wanted.collect(),
        location: &context.snapshots(),
        engine: &context.config.engine,
        at: context.now,
        progress: &context.screen.progress(),
    })
    .await?;
    tell(context, &snapshot);
    Ok(snapshot)
}

/// Tells what a snapshot's reader should know, and keeps it for the run's record.
fn tell(context: &Context, snapshot: &Snapshot) {
    for (name, part) in &snapshot.manifest.datasets {
        context.step(
            "fetch",
            [
                ("dataset", name.as_str().into()),
                ("snapshot", snapshot.manifest.id.0.as_str().into()),
                ("form", part.told.form.as_str().into()),
                ("rows", part.rows.into()),
                ("duplicates", part.duplicates.into()),
                ("conflicts", part.conflicts.into()),
                ("requests", part.told.requests.into()),
                ("retries", part.told.retries.into()),
            ],
        );
        let mut notes = Vec::new();
        if part.duplicates > 0 {
            notes.push(format!("{} equal rows are one", grouped(part.duplicates)));
        }
        if part.conflicts > 0 {
            notes.push(format!(
                "{} rows of one key differed",
                grouped(part.conflicts)
            ));
        }
        for (ids, rows) in part.dangling.iter().filter(|(_, rows)| **rows > 0) {
            notes.push(format!("{} rows point nowhere: {ids}", grouped(*rows)));
        }
        for (field, count) in &part.told.unknown_fields {
            notes.push(format!(
                "unknown field `{field}` ignored {} times",
                grouped(*count)
            ));
        }
        if part.told.foreign_next > 0 {
            notes.push("`next` named another origin; only its query was used".to_owned());
        }
        for note in notes {
            context.screen.warn(format!("{name}: {note}"));
        }
    }
}
