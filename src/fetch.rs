//! `fetch`: the exports → a new snapshot; and which snapshots a command reads.
//!
//! In come the names of datasets, or pipelines and the name of a snapshot; out comes a
//! snapshot that is complete. `source` fetches rows, `snapshot` writes them.

use crate::{
    dataset::{self, Dataset},
    diagnostics::nearest,
    env::{self, Env},
    events::Event,
    kind::passes_on,
    pipeline::{Pipeline, Project},
    report::{self, Step},
    snapshot::{self, Snapshot},
};

/// Why there is no snapshot to work on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project, the source or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// The project has no such dataset.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// The snapshot could not be made or opened.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

passes_on!(Env; Dataset, Snapshot);

/// Fetches the datasets named, or, when none is, all that the pipelines read.
///
/// # Errors
///
/// No snapshot was made; what came is kept for a while, so that the same call goes on
/// where this one stopped.
pub async fn run(env: &Env, datasets: &[String]) -> Result<report::Fetch> {
    let project = env.project()?;
    let (all, _) = env.sound(&[])?;
    let wanted = match datasets {
        [] => project.datasets_of(&all),
        names => names
            .iter()
            .map(|name| named(project, name))
            .collect::<Result<_>>()?,
    };
    if wanted.is_empty() && project.pipelines.is_empty() {
        return Err(env::Error::NothingToFetch.into());
    }
    let optional = |name: &str| datasets.is_empty() && project.is_optional(&all, name);
    let snapshot = fresh(env, &wanted, optional).await?;
    let manifest = &snapshot.manifest;
    env.events.emit(Event::SnapshotCommitted {
        snapshot: manifest.id.0.clone(),
    });
    Ok(report::Fetch {
        snapshot: manifest.id.0.clone(),
        source: manifest.source.clone(),
        fetched_at: manifest.fetched_at,
        datasets: described(&snapshot),
        left_out: match datasets {
            [] => env.left_out(&[])?,
            _ => Vec::new(),
        },
    })
}

/// Returns the project's dataset of that name.
pub(crate) fn named<'a>(project: &'a Project, name: &str) -> Result<&'a Dataset> {
    let datasets = &project.datasets;
    Ok(datasets.get(name).ok_or_else(|| dataset::Error::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, datasets.keys().map(String::as_str)).map(str::to_owned),
    })?)
}

/// Returns the snapshot to work on: the one named, or a fresh one of what the
/// pipelines read.
pub(crate) async fn snapshot(
    env: &Env,
    project: &Project,
    pipelines: &[&Pipeline],
    named: Option<&str>,
) -> Result<Snapshot> {
    let datasets = project.datasets_of(pipelines);
    let optional = |name: &str| project.is_optional(pipelines, name);
    let Some(named) = named else {
        return fresh(env, &datasets, optional).await;
    };
    let names = datasets.iter().map(|dataset| dataset.name.as_str());
    let (optional, needed): (Vec<_>, Vec<_>) = names.partition(|name| optional(name));
    open(env, named, &needed, &optional).await
}

/// Returns the snapshot that the pipelines read as `previous`, if they do: the newest of
/// the same source before the one in use.
pub(crate) async fn previous(
    env: &Env,
    project: &Project,
    pipelines: &[&Pipeline],
    snapshot: &Snapshot,
) -> Result<Option<Snapshot>> {
    let needed = project.previous_of(pipelines);
    if needed.is_empty() {
        return Ok(None);
    }
    let manifest = &snapshot.manifest;
    let found = snapshot::before(&env.snapshots(), manifest, &needed).await?;
    env.events.emit(Event::PreviousOpened {
        previous: found.as_ref().map(|found| found.manifest.id.0.clone()),
        snapshot: manifest.id.0.clone(),
        source: manifest.source.clone(),
        datasets: needed.into_iter().map(str::to_owned).collect(),
    });
    Ok(found)
}

/// Returns the snapshots of earlier days that the pipelines read as `history`, if they do.
pub(crate) async fn history(
    env: &Env,
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
    let found = snapshot::history(&env.snapshots(), manifest, &datasets).await?;
    for dataset in datasets {
        let days = snapshot::days(&found, dataset);
        let first = days.last();
        env.events.emit(Event::HistoryOpened {
            dataset: dataset.name.clone(),
            days: days.len(),
            from: first.map(|first| first.manifest.fetched_at.date_naive()),
            snapshot: manifest.id.0.clone(),
            source: manifest.source.clone(),
        });
    }
    Ok(found)
}

/// Opens the snapshot of that name; for `latest` the newest that has what is optional as
/// well, else the newest that has what is needed.
pub(crate) async fn open(
    env: &Env,
    named: &str,
    needed: &[&str],
    optional: &[&str],
) -> Result<Snapshot> {
    let snapshots = env.snapshots();
    let all = [needed, optional].concat();
    if let Ok(snapshot) = snapshot::open(&snapshots, named, &all).await {
        return Ok(snapshot);
    }
    let snapshot = snapshot::open(&snapshots, named, needed).await?;
    for name in optional {
        if !snapshot.manifest.datasets.contains_key(*name) {
            env.events.emit(Event::DatasetMissing {
                dataset: (*name).to_owned(),
                snapshot: snapshot.manifest.id.0.clone(),
            });
        }
    }
    Ok(snapshot)
}

async fn fresh(
    env: &Env,
    datasets: &[&Dataset],
    optional: impl Fn(&str) -> bool,
) -> Result<Snapshot> {
    let source = env.source()?;
    let wanted = datasets.iter().map(|dataset| snapshot::Wanted {
        dataset: (*dataset).clone(),
        optional: optional(&dataset.name),
    });
    let snapshot = snapshot::fetch(snapshot::Fetch {
        source: source.as_ref(),
        wanted: wanted.collect(),
        location: &env.snapshots(),
        engine: &env.config.engine,
        at: env.now,
        progress: &env.events,
    })
    .await?;
    let datasets = described(&snapshot);
    let is_empty = !datasets.is_empty() && datasets.iter().all(|dataset| dataset.rows == 0);
    for dataset in datasets {
        env.events.step(Step::Fetch(dataset));
    }
    if is_empty {
        say_empty(env);
    }
    Ok(snapshot)
}

/// Reports that the exports have no rows, and where rows come from.
fn say_empty(env: &Env) {
    let next = match &env.config.profile.server {
        None => "`pricemill load FILES` fills the database",
        Some(_) => "`pricemill load FILES`, where the server runs, fills its database",
    };
    env.events.nothing("the exports have no rows", next);
}

/// Describes the datasets of a snapshot, in order.
fn described(snapshot: &Snapshot) -> Vec<report::Dataset> {
    let datasets = snapshot.manifest.datasets.iter();
    let described = datasets.map(|(name, part)| report::Dataset {
        dataset: name.clone(),
        snapshot: snapshot.manifest.id.0.clone(),
        form: part.fetch.form.clone(),
        rows: part.rows,
        duplicates: part.duplicates,
        conflicts: part.conflicts,
        requests: part.fetch.requests,
        retries: part.fetch.retries,
        missing_references: part.dangling.clone(),
        unknown_fields: part.fetch.unknown_fields.clone(),
        cross_origin_links: part.fetch.cross_origin_links,
    });
    described.collect()
}
