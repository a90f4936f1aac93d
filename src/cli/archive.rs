//! `generate --archive` and `update --archive`: the whole database to Parquet, and back.
#![expect(
    clippy::print_stderr,
    reason = "a question is asked where it is answered"
)]

use std::io::{BufRead, IsTerminal, Write};

use super::{
    args::UpdateArgs,
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    archive::{self, Archived},
    config,
    error::Result,
    storage::Location,
};

/// Backs the database up into a new dated folder.
pub(crate) async fn archive(context: &Context) -> Result<Ending> {
    let database = context.database()?;
    let archived = archive::archive(database.as_ref(), &place(context), context.now).await?;
    tell(context, &archived, "archived as");
    Ok(one())
}

/// Puts the newest archive back, or the one named, after asking.
pub(crate) async fn restore(context: &Context, args: &UpdateArgs) -> Result<Ending> {
    let place = place(context);
    let id = match &args.artifact {
        Some(id) => id.clone(),
        None => archive::latest(&place).await?,
    };
    if args.dry_run {
        context
            .screen
            .say(format!("{} would be put back", place.display(&id)));
        return Ok(one());
    }
    if !args.yes && !confirmed(&format!("replace every table by {}?", place.display(&id))) {
        return Err(config::Error::NotConfirmed.into());
    }
    let database = context.database()?;
    let archived = archive::restore(database.as_ref(), &place, &id).await?;
    tell(context, &archived, "put back from");
    Ok(one())
}

fn place(context: &Context) -> Location {
    context.data.child("archive/database")
}

fn one() -> Ending {
    let mut ending = Ending::default();
    ending.passed(0);
    ending
}

fn tell(context: &Context, archived: &Archived, what: &str) {
    let rows = archived.tables.iter().map(|table| table.rows).sum::<u64>();
    let tables = archived.tables.len();
    let rows_said = grouped(rows);
    context.screen.say(format!(
        "{tables} tables, {rows_said} rows, {what} {}",
        archived.id
    ));
    context.step(
        "archive",
        [("id", archived.id.as_str().into()), ("rows", rows.into())],
    );
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
