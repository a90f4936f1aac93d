//! `update`: the inbox → the database.

use clap::ValueEnum;

use super::{
    archive,
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
    selection::Selection,
};
use crate::{
    database::Accept,
    error::Result,
    report::{TableRows, UpdateOutcome, Updated},
    update::{self, Request},
};

/// The arguments of `update`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
    /// Count what would change, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Stop at the first pipeline that fails
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Apply this artifact: a refused one, or an older one to roll back to
    #[arg(long, value_name = "ID")]
    pub(super) artifact: Option<String>,
    /// Waive this guard; can be repeated
    #[arg(long, value_name = "GUARD", value_delimiter = ',')]
    pub(super) accept: Vec<Guard>,
    /// Restore a whole archive: the newest, or the one named by --artifact
    #[arg(long)]
    pub(super) archive: bool,
    /// Answer yes to every question
    #[arg(short, long)]
    pub(super) yes: bool,
}

/// The guards of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Guard {
    /// Too many rows rejected
    Change,
    /// Fewer than half the table's rows
    Shrink,
    /// No rows at all
    Empty,
}

/// Applies what is pending in the inbox, each artifact in one transaction.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    if args.archive {
        let request = archive::PutBack {
            archive: args.artifact,
            dry_run: args.dry_run,
            yes: args.yes,
        };
        return archive::put_back(context, &request).await;
    }
    let accept = Accept {
        change: args.accept.contains(&Guard::Change),
        shrink: args.accept.contains(&Guard::Shrink),
        empty: args.accept.contains(&Guard::Empty),
    };
    let request = Request {
        pipelines: args.selection.names,
        artifact: args.artifact,
        accept,
        dry_run: args.dry_run,
        fail_fast: args.fail_fast,
    };
    context.finish(&update::run(&context.env, &request).await?)
}

/// Returns what became of a pipeline's artifact.
pub(super) fn updated(updated: &Updated) -> Vec<Line> {
    let name = &updated.pipeline;
    let say = |what: String| Line::Say(format!("{name}: {what}"));
    let older = updated.superseded.iter();
    let mut lines: Vec<Line> = older
        .map(|older| say(format!("{older} superseded, and archived")))
        .collect();
    lines.extend(updated.unreadable.iter().flat_map(Line::of_failure));
    for file in &updated.rejects {
        lines.push(Line::Warn(format!("{name}: rejected rows are in {file}")));
    }
    lines.extend(updated.error.iter().flat_map(Line::of_failure));
    let id = updated.artifact.as_deref().unwrap_or_default();
    lines.push(say(match updated.outcome {
        UpdateOutcome::Applied if updated.dry_run => format!("{id} would be applied"),
        UpdateOutcome::Applied => format!("{id} applied"),
        UpdateOutcome::AlreadyApplied => format!("{id} is already applied"),
        UpdateOutcome::AppliedNotArchived => {
            format!("{id} applied, not archived: the next update moves it out of the inbox")
        }
        UpdateOutcome::Nothing => match &updated.reason {
            Some(reason) => format!("nothing pending in the inbox; {reason}"),
            None => "nothing pending in the inbox".to_owned(),
        },
        UpdateOutcome::Skipped => match &updated.reason {
            Some(reason) => format!("skipped, because {reason}"),
            None => "skipped".to_owned(),
        },
        UpdateOutcome::Refused => format!("{id} refused; the tables are unchanged"),
        UpdateOutcome::Failed => format!("{id} failed; the tables are unchanged"),
    }));
    lines.extend(updated.tables.iter().map(table));
    if let Some((id, reason)) = &updated.refused_before {
        lines.push(say(format!("{id} was refused before: {reason}")));
    }
    lines
}

fn table(counts: &TableRows) -> Line {
    let counted = [
        ("inserted", counts.inserted),
        ("changed", counts.changed),
        ("unchanged", counts.unchanged),
        ("deleted", counts.deleted),
        ("rejected", counts.rejected),
    ];
    let counted = counted.map(|(what, rows)| format!("{} {what}", grouped(rows)));
    Line::Say(format!("  {}: {}", counts.table, counted.join(", ")))
}
