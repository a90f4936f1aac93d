//! `fetch`: the exports → a new snapshot.

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
};
use crate::{error::Result, events::Event, fetch, report::Dataset};

/// The arguments of `fetch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Datasets, such as prices and stores [default: all that the pipelines read]
    pub(super) datasets: Vec<String>,
}

/// Fetches the datasets named, or all that the pipelines read.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    context.finish(&fetch::run(&context.env, &args.datasets).await?)
}

/// Returns what a reader of a fetched dataset should know.
pub(super) fn dataset(dataset: &Dataset) -> Vec<Line> {
    let mut notes = Vec::new();
    if dataset.duplicates > 0 {
        let rows = grouped(dataset.duplicates);
        notes.push(format!("{rows} duplicate rows removed"));
    }
    if dataset.conflicts > 0 {
        let rows = grouped(dataset.conflicts);
        notes.push(format!(
            "{rows} rows removed: same key as another row, different values"
        ));
    }
    for (reference, rows) in &dataset.missing_references {
        if let (Some((_, parent)), 1..) = (reference.split_once(" → "), *rows) {
            let rows = grouped(*rows);
            notes.push(format!("{rows} rows reference missing {parent}"));
        }
    }
    for (field, count) in &dataset.unknown_fields {
        let count = grouped(*count);
        notes.push(format!("unknown field `{field}` ignored {count} times"));
    }
    if dataset.cross_origin_links > 0 {
        notes.push("`next` pointed to another origin; only its query was used".to_owned());
    }
    let name = &dataset.dataset;
    let warn = |note: String| Line::Warn(format!("{name}: {note}"));
    notes.into_iter().map(warn).collect()
}

/// Returns what is to be known of a snapshot.
pub(super) fn lines(event: &Event) -> Vec<Line> {
    let line = match event {
        Event::SnapshotCommitted { snapshot } => Line::Say(format!("snapshot {snapshot}")),
        Event::DatasetMissing { dataset, snapshot } => Line::Warn(format!(
            "{dataset}: not in snapshot {snapshot}, treated as empty"
        )),
        Event::PreviousOpened {
            previous: Some(previous),
            ..
        } => Line::Say(format!("previous: snapshot {previous}")),
        Event::PreviousOpened {
            previous: None,
            snapshot,
            source,
            datasets,
        } => Line::Say(format!(
            "previous: no snapshot of {source} before {snapshot} has {}; treated as empty",
            datasets.join(", ")
        )),
        Event::HistoryOpened {
            dataset,
            days,
            from: Some(from),
            ..
        } => Line::Say(format!(
            "history: {dataset} of {days} earlier days, since {from}"
        )),
        Event::HistoryOpened {
            dataset,
            from: None,
            snapshot,
            source,
            ..
        } => Line::Say(format!(
            "history: no snapshot of {source} from a day before {snapshot} has {dataset}; treated as empty"
        )),
        _ => return Vec::new(),
    };
    vec![line]
}
