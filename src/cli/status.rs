//! `status`: each pipeline at each hop, and the newest runs.

use chrono::{DateTime, Utc};

use super::{
    args::{Output, StatusArgs},
    context::{Context, Ending},
    generate::instant,
    screen::spoken,
    table,
};
use crate::{
    database::{Database, LedgerEntry},
    error::Result,
    inbox::{Fate, Received},
    pipeline::Pipeline,
    runs::Run,
};

/// Shows where everything stands.
pub(crate) async fn status(context: &Context, args: &StatusArgs) -> Result<Ending> {
    let pipelines = context.select(&args.selection)?;
    let database = context.database()?;
    let mut rows = Vec::new();
    for pipeline in pipelines {
        rows.push(hops(context, database.as_ref(), pipeline).await?);
    }
    print(context, &HOPS, rows)?;
    if context.screen.output == Output::Table && args.runs > 0 {
        let runs = Run::latest(&context.runs(), args.runs).await?;
        if !runs.is_empty() {
            context.screen.say("");
            print(context, &RUNS, runs.iter().map(run).collect())?;
        }
    }
    Ok(Ending::silent())
}

const HOPS: [&str; 10] = [
    "pipeline",
    "generated",
    "rows",
    "age",
    "uploaded",
    "received",
    "received_rows",
    "fate",
    "applied",
    "applied_rows",
];

async fn hops(
    context: &Context,
    database: &dyn Database,
    pipeline: &Pipeline,
) -> Result<Vec<String>> {
    let latest = context.outbox().latest(&pipeline.name).await?;
    let received = newest(context, pipeline).await?;
    let applied = database.applied(&pipeline.name).await?;
    let none = || "-".to_owned();
    let manifest = latest.as_ref().map(|latest| &latest.manifest);
    let uploaded = latest.as_ref().map(|latest| match latest.receipts.last() {
        Some(receipt) if receipt.verified => "verified",
        Some(_) => "yes",
        None => "no",
    });
    Ok(vec![
        pipeline.name.clone(),
        manifest.map_or_else(none, |manifest| manifest.id()),
        manifest.map_or_else(none, |manifest| manifest.rows.to_string()),
        manifest.map_or_else(none, |manifest| age(context.now, manifest.snapshot_at)),
        uploaded.map_or_else(none, str::to_owned),
        received.as_ref().map_or_else(none, Received::id),
        received
            .as_ref()
            .map_or_else(none, |received| received.rows.to_string()),
        received
            .as_ref()
            .map_or_else(none, |received| fate(received).to_owned()),
        applied.as_ref().map_or_else(none, artifact),
        applied
            .as_ref()
            .map_or_else(none, |entry| rows(entry).to_string()),
    ])
}

/// Returns the last that came, wherever it has gone.
async fn newest(context: &Context, pipeline: &Pipeline) -> Result<Option<Received>> {
    let inbox = context.inbox()?;
    let mut all = inbox.pending(&pipeline.name).await?;
    all.extend(inbox.refused(&pipeline.name).await?);
    all.extend(inbox.archived(&pipeline.name).await?);
    Ok(all.into_iter().max_by_key(|received| received.seq))
}

/// Returns what became of an artifact that was received.
fn fate(received: &Received) -> &'static str {
    match received.fate {
        Fate::Pending => "waits",
        Fate::Refused { .. } => "refused",
        Fate::Applied { .. } => "applied",
        Fate::Superseded { .. } => "overtaken",
    }
}

fn artifact(entry: &LedgerEntry) -> String {
    format!(
        "{:06}-{}",
        entry.seq,
        entry.sha256.get(..16).unwrap_or(&entry.sha256)
    )
}

/// Returns the rows that the first table holds of the artifact.
fn rows(entry: &LedgerEntry) -> u64 {
    entry.counts.first().map_or(0, |counts| {
        counts.inserted + counts.changed + counts.unchanged
    })
}

/// Returns the age of the data, not of the file: since its snapshot.
fn age(now: DateTime<Utc>, then: DateTime<Utc>) -> String {
    match (now - then).num_seconds().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

const RUNS: [&str; 5] = ["run", "command", "took", "exit", "error"];

fn run(run: &Run) -> Vec<String> {
    vec![
        instant(run.began_at),
        run.command.join(" "),
        spoken(std::time::Duration::from_secs_f64(run.seconds.max(0.0))),
        run.exit.to_string(),
        run.error
            .clone()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect(),
    ]
}

fn print(context: &Context, header: &[&'static str], rows: Vec<Vec<String>>) -> Result<()> {
    table::print_records(header, rows, context.screen.output)
}
