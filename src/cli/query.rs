//! `show` and `query`: rows of the snapshot, through the project's models.

use std::collections::BTreeSet;

use futures::TryStreamExt;

use super::{
    args::{QueryArgs, ShowArgs},
    context::{Context, Ending},
    cost, fetch, table,
};
use crate::{
    catalog::Given,
    dataset::Dataset,
    engine,
    error::Result,
    pipeline::{Pipeline, Project, sql::references},
    snapshot::{self, Snapshot},
    workbench::{self, Query, Rows},
};

/// Shows rows of one relation.
pub(crate) async fn show(context: &Context, args: &ShowArgs) -> Result<Ending> {
    let filter = args.filter.as_deref();
    let sql = format!(
        "select * from {} where {}",
        args.relation,
        filter.unwrap_or("true")
    );
    let data = Data::open(context, &sql, &args.snapshot, &args.files).await?;
    let limit = usize::try_from(args.limit).ok();
    let asked = (sql.as_str(), args.params.as_slice());
    with(context, &data, asked, async |job| {
        print(
            context,
            workbench::show(job, &args.relation, filter, limit).await?,
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
        print(context, workbench::query(job, &args.sql, limit).await?).await
    })
    .await?;
    Ok(Ending::silent())
}

/// Runs a query over the latest snapshot and prints at most `limit` rows.
pub(crate) async fn print_query(context: &Context, sql: &str, limit: usize) -> Result<()> {
    let data = Data::open(context, sql, "latest", &[]).await?;
    with(context, &data, (sql, &[]), async |job| {
        print(context, workbench::query(job, sql, Some(limit)).await?).await
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
        let spoken = Spoken::of(project, text);
        let is_given = |name: &str| given.iter().any(|given| given.dataset == name);
        let (mut needed, mut optional) = (spoken.needed, spoken.optional);
        needed.retain(|name| !is_given(name));
        optional.retain(|name| !is_given(name));
        if needed.is_empty() && !given.is_empty() {
            return Ok(Data {
                snapshot: None,
                previous: None,
                history: Vec::new(),
                given,
            });
        }
        let snapshot = fetch::open(context, named, &needed, &optional).await?;
        let (snapshots, manifest) = (context.snapshots(), &snapshot.manifest);
        let previous = match spoken.previous.is_empty() {
            true => None,
            false => snapshot::before(&snapshots, manifest, &spoken.previous).await?,
        };
        let history = match spoken.history.is_empty() {
            true => Vec::new(),
            false => snapshot::history(&snapshots, manifest, &spoken.history).await?,
        };
        Ok(Data {
            snapshot: Some(snapshot),
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

/// The datasets that a text speaks of: by their names, or all that a pipeline reads by the
/// pipeline's or a model's.
struct Spoken<'a> {
    /// Those that a `latest` snapshot must have.
    needed: Vec<&'a str>,
    /// Those that count as empty where it lacks them.
    optional: Vec<&'a str>,
    previous: Vec<&'a str>,
    history: Vec<&'a Dataset>,
}

impl<'a> Spoken<'a> {
    fn of(project: &'a Project, text: &str) -> Spoken<'a> {
        let spoken = words(text);
        let pipelines = spoken_pipelines(project, &spoken);
        let read = project.datasets_of(&pipelines).into_iter();
        let read = read.map(|dataset| dataset.name.as_str());
        let (optional, read): (Vec<_>, Vec<_>) =
            read.partition(|name| project.is_optional(&pipelines, name));
        let names = project.datasets.keys().map(String::as_str);
        let direct = names.filter(|name| spoken.contains(name));
        let earlier = |schema: &str, read: Vec<&'a str>| -> Vec<&'a Dataset> {
            let direct = of_schema(project, text, schema).into_iter();
            let read = read.into_iter().map(|name| &project.datasets[name]);
            read.chain(direct).collect()
        };
        let previous = earlier("previous", project.previous_of(&pipelines)).into_iter();
        Spoken {
            needed: read.into_iter().chain(direct).collect(),
            optional,
            previous: previous.map(|dataset| dataset.name.as_str()).collect(),
            history: earlier("history", project.history_of(&pipelines)),
        }
    }
}

/// Returns the datasets that SQL names in a schema.
fn of_schema<'a>(project: &'a Project, sql: &str, schema: &str) -> Vec<&'a Dataset> {
    let names = references(sql).into_iter();
    let names = names.filter(|name| name.schema() == Some(schema));
    names
        .filter_map(|name| project.datasets.get(name.table()))
        .collect()
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
