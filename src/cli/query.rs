//! `show` and `query`: rows of the snapshot, through the project's models.

use std::collections::BTreeSet;

use futures::TryStreamExt;

use super::{
    args::{QueryArgs, ShowArgs},
    context::{Context, Ending},
    cost, fetch, table,
};
use crate::{
    engine::{self, Given, Query, Rows},
    error::Result,
    pipeline::{Pipeline, Project},
    snapshot::{self, Snapshot},
};

/// Shows rows of one relation.
pub(crate) async fn show(context: &Context, args: &ShowArgs) -> Result<Ending> {
    let data = Data::open(context, &args.relation, &args.snapshot, &args.files).await?;
    let filter = args.filter.as_deref();
    let limit = usize::try_from(args.limit).ok();
    let asked = (args.relation.as_str(), args.params.as_slice());
    with(context, &data, asked, async |job| {
        print(
            context,
            engine::show(job, &args.relation, filter, limit).await?,
        )
        .await
    })
    .await?;
    Ok(Ending::silent())
}

/// Runs one query.
pub(crate) async fn query(context: &Context, args: &QueryArgs) -> Result<Ending> {
    let data = Data::open(context, &args.sql, &args.snapshot, &args.files).await?;
    let limit = usize::try_from(args.limit).ok();
    let asked = (args.sql.as_str(), args.params.as_slice());
    with(context, &data, asked, async |job| {
        print(context, engine::query(job, &args.sql, limit).await?).await
    })
    .await?;
    Ok(Ending::silent())
}

/// Runs a query over the latest snapshot and prints at most `limit` rows.
pub(crate) async fn print_query(context: &Context, sql: &str, limit: usize) -> Result<()> {
    let data = Data::open(context, sql, "latest", &[]).await?;
    with(context, &data, (sql, &[]), async |job| {
        print(context, engine::query(job, sql, Some(limit)).await?).await
    })
    .await
}

/// Where the rows of the datasets are.
struct Data {
    snapshot: Option<Snapshot>,
    previous: Option<Snapshot>,
    history: Vec<Snapshot>,
    given: Vec<Given>,
}

impl Data {
    /// Opens the snapshot named, unless files stand for all that the text speaks of.
    async fn open(context: &Context, text: &str, named: &str, files: &[Given]) -> Result<Data> {
        let project = context.project()?;
        let mut given = Vec::new();
        for file in files {
            given.push(Given {
                dataset: fetch::named(context, &file.dataset)?.name.clone(),
                path: context.from.join(&file.path),
            });
        }
        let spoken = spoken(project, text);
        let is_given = |name: &str| given.iter().any(|given| given.dataset == name);
        let needed: Vec<&str> = spoken.into_iter().filter(|name| !is_given(name)).collect();
        let (previous, history) = (
            spoken_previous(project, text),
            spoken_history(project, text),
        );
        let snapshot = match needed.is_empty() && !given.is_empty() {
            true => None,
            false => Some(snapshot::open(&context.snapshots(), named, &needed).await?),
        };
        let previous = match &snapshot {
            Some(snapshot) if !previous.is_empty() => {
                snapshot::before(&context.snapshots(), &snapshot.manifest, &previous).await?
            }
            _ => None,
        };
        let history = match &snapshot {
            Some(snapshot) if !history.is_empty() => {
                snapshot::history(&context.snapshots(), &snapshot.manifest, &history).await?
            }
            _ => Vec::new(),
        };
        Ok(Data {
            snapshot,
            previous,
            history,
            given,
        })
    }
}

async fn with(
    context: &Context,
    data: &Data,
    (text, params): (&str, &[String]),
    run: impl AsyncFnOnce(Query<'_>) -> Result<()>,
) -> Result<()> {
    let project = context.project()?;
    let pipelines = spoken_pipelines(project, &words(text));
    let bindings = project.bind(&pipelines, params)?;
    let config = &context.config.engine;
    run(Query {
        project,
        bindings: &bindings,
        snapshot: data.snapshot.as_ref(),
        previous: data.previous.as_ref(),
        history: &data.history,
        given: &data.given,
        now: context.now,
        config,
    })
    .await
}

/// Returns the datasets that a text speaks of, which a `latest` snapshot must have: by
/// their names, or all that a pipeline reads by the pipeline's.
fn spoken<'a>(project: &'a Project, text: &str) -> Vec<&'a str> {
    let spoken = words(text);
    let pipelines = spoken_pipelines(project, &spoken);
    let read = project
        .datasets_of(&pipelines)
        .into_iter()
        .map(|dataset| dataset.name.as_str());
    let read = read.filter(|name| !project.is_optional(&pipelines, name));
    let direct = project
        .datasets
        .keys()
        .map(String::as_str)
        .filter(|name| spoken.contains(name));
    read.chain(direct).collect()
}

/// Returns the datasets that a text speaks of as those of the snapshot before.
fn spoken_previous<'a>(project: &'a Project, text: &str) -> Vec<&'a str> {
    let pipelines = spoken_pipelines(project, &words(text));
    let names = project.datasets.keys().map(String::as_str);
    let direct = names.filter(|name| text.contains(&format!("previous.{name}")));
    let read = project.previous_of(&pipelines).into_iter();
    read.chain(direct).collect()
}

/// Returns the datasets that a text speaks of as those of all snapshots before.
fn spoken_history<'a>(project: &'a Project, text: &str) -> Vec<&'a str> {
    let pipelines = spoken_pipelines(project, &words(text));
    let names = project.datasets.keys().map(String::as_str);
    let direct = names.filter(|name| text.contains(&format!("history.{name}")));
    let read = project.history_of(&pipelines).into_iter();
    read.chain(direct).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .collect()
}

fn spoken_pipelines<'a>(project: &'a Project, spoken: &BTreeSet<&str>) -> Vec<&'a Pipeline> {
    let is_spoken = |pipeline: &&Pipeline| {
        let mut models = pipeline.models.keys();
        models.any(|model| spoken.contains(model.as_str()))
            || spoken.contains(pipeline.name.as_str())
            || spoken.contains(&*pipeline.relation())
    };
    project.pipelines.values().filter(is_spoken).collect()
}

/// Prints rows. A table is laid out as a whole; data goes out as it comes.
async fn print(context: &Context, mut rows: Rows) -> Result<()> {
    let failed = |source| engine::Error::run("the query", source);
    let mut printer = table::Printer::new(rows.schema.clone(), context.screen.output);
    let mut count = 0;
    while let Some(batch) = rows.stream.try_next().await.map_err(failed)? {
        count += batch.num_rows() as u64;
        if !printer.print(batch)? {
            return Ok(());
        }
    }
    printer.finish()?;
    if context.screen.verbose() {
        context.screen.say(cost::line(count, &rows.cost()));
    }
    if context.screen.very_verbose() {
        cost::tell_operators(&context.screen, &rows.cost());
    }
    Ok(())
}
