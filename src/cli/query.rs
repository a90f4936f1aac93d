//! `show` and `query`: rows of the snapshot, through the project's models.

use futures::TryStreamExt;

use super::{
    args::{QueryArgs, ShowArgs},
    context::{Context, Ending},
    cost, table,
};
use crate::{
    engine::{self, Query, Rows},
    error::Result,
    snapshot::{self, Snapshot},
};

/// Shows rows of one relation.
pub(crate) async fn show(context: &Context, args: &ShowArgs) -> Result<Ending> {
    let snapshot = snapshot(context, &args.relation, &args.snapshot).await?;
    let filter = args.filter.as_deref();
    let limit = usize::try_from(args.limit).ok();
    with(context, &snapshot, async |job| {
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
    let snapshot = snapshot(context, &args.sql, &args.snapshot).await?;
    let limit = usize::try_from(args.limit).ok();
    with(context, &snapshot, async |job| {
        print(context, engine::query(job, &args.sql, limit).await?).await
    })
    .await?;
    Ok(Ending::silent())
}

/// Runs a query over the latest snapshot and prints at most `limit` rows.
pub(crate) async fn print_query(context: &Context, sql: &str, limit: usize) -> Result<()> {
    let snapshot = snapshot(context, sql, "latest").await?;
    with(context, &snapshot, async |job| {
        print(context, engine::query(job, sql, Some(limit)).await?).await
    })
    .await
}

async fn with(
    context: &Context,
    snapshot: &Snapshot,
    run: impl AsyncFnOnce(Query<'_>) -> Result<()>,
) -> Result<()> {
    let project = context.project()?;
    let bindings = project.bind(&[], &[])?;
    let config = &context.config.engine;
    run(Query {
        project,
        bindings: &bindings,
        snapshot,
        config,
    })
    .await
}

/// Returns the snapshot named. `latest` is the newest that has what the text speaks
/// of: a dataset by its name, or all that a pipeline reads by the pipeline's.
async fn snapshot(context: &Context, text: &str, named: &str) -> Result<Snapshot> {
    let project = context.project()?;
    let words = |c: char| !c.is_alphanumeric() && c != '_' && c != '-';
    let spoken = text.split(words).collect::<std::collections::BTreeSet<_>>();
    let pipelines = project.pipelines.values().filter(|pipeline| {
        let models = pipeline
            .models
            .keys()
            .any(|model| spoken.contains(model.as_str()));
        models || spoken.contains(pipeline.name.as_str()) || spoken.contains(&*pipeline.relation())
    });
    let pipelines = pipelines.collect::<Vec<_>>();
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
    let needed = read.chain(direct).collect::<Vec<_>>();
    Ok(snapshot::open(&context.snapshots(), named, &needed).await?)
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
