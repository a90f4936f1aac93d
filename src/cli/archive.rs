//! `generate --archive` and `update --archive`: the whole database to Parquet, and back.
#![expect(
    clippy::print_stderr,
    reason = "a question is asked where it is answered"
)]

use std::io::{BufRead, IsTerminal, Write};

use super::{
    context::Context,
    ending::Ending,
    screen::{Line, grouped},
};
use crate::{
    archive, config,
    error::Result,
    report::{Archive, ArchiveAction},
};

/// Backs the database up into a new dated folder.
pub(super) async fn back_up(context: &Context) -> Result<Ending> {
    context.finish(&archive::back_up(&context.env).await?)
}

/// Which archive to put back, and how.
#[derive(Debug)]
pub(super) struct PutBack {
    /// The archive's id; the newest if none.
    pub(super) archive: Option<String>,
    /// Only say what would be restored.
    pub(super) dry_run: bool,
    /// Do not ask.
    pub(super) yes: bool,
}

/// Puts the newest archive back, or the one named, after asking.
pub(super) async fn put_back(context: &Context, request: &PutBack) -> Result<Ending> {
    let wanted = archive::wanted(&context.env, request.archive.as_deref()).await?;
    if request.dry_run {
        context
            .screen
            .say(format!("{} would be restored", wanted.location));
        return context.finish(&wanted);
    }
    if !request.yes && !confirmed(&format!("replace every table with {}?", wanted.location)) {
        return Err(config::Error::NotConfirmed.into());
    }
    context.finish(&archive::put_back(&context.env, &wanted).await?)
}

/// Returns what was done with an archive.
pub(super) fn archive(archive: &Archive) -> Vec<Line> {
    let what = match archive.action {
        ArchiveAction::Archived => "archived as",
        ArchiveAction::Restored => "restored from",
        ArchiveAction::DryRun => "dry run; would be restored from",
    };
    let (tables, rows) = (archive.tables.len(), grouped(archive.rows()));
    let id = &archive.archive;
    vec![Line::Say(format!(
        "{tables} tables, {rows} rows, {what} {id}"
    ))]
}

/// Asks on the terminal; without one the answer is no.
fn confirmed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stderr()
        .flush()
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}
