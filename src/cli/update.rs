//! `update`: the inbox → the database.

use super::{
    archive,
    args::{Guard, UpdateArgs},
    context::{Context, Ending},
    screen::grouped,
};
use crate::{
    database::{Accept, TableCounts},
    error::{Error, Result},
    update::{self, Outcome, Update, Updated},
};

/// Applies what waits in the inbox, each artifact in one transaction.
pub(crate) async fn update(context: &Context, args: &UpdateArgs) -> Result<Ending> {
    if args.archive {
        return archive::restore(context, args).await;
    }
    let pipelines = context.select(&args.selection)?;
    let database = context.database()?;
    let inbox = context.inbox()?;
    let rejects = context.runs().child(&context.run.0).child("rejects");
    let updated = update::update(
        Update {
            pipelines: &pipelines,
            inbox: &inbox,
            database: &database,
            artifact: args.artifact.as_deref(),
            accept: accept(&args.accept),
            dry_run: args.dry_run,
            fail_fast: args.fail_fast,
            engine: &context.config.engine,
            rejects: &rejects,
            at: context.now,
        },
        &context.screen.progress_of_steps(),
    )
    .await?;
    let mut ending = Ending::default();
    for pipeline in pipelines
        .iter()
        .filter(|pipeline| pipeline.update.is_empty())
    {
        say(context, &pipeline.name, "fills no table".to_owned());
        ending.skip += 1;
    }
    for updated in updated {
        settle(context, args, updated, &mut ending);
    }
    Ok(ending)
}

fn accept(guards: &[Guard]) -> Accept {
    Accept {
        change: guards.contains(&Guard::Change),
        shrink: guards.contains(&Guard::Shrink),
        empty: guards.contains(&Guard::Empty),
    }
}

fn settle(context: &Context, args: &UpdateArgs, updated: Updated, ending: &mut Ending) {
    let name = updated.pipeline;
    for older in &updated.superseded {
        say(
            context,
            &name,
            format!("{older} was overtaken, and is archived"),
        );
    }
    for error in updated.unreadable {
        fail(context, error, ending);
    }
    for file in &updated.rejects {
        let told = format!("{name}: the rejected rows are in {file}");
        context.screen.warn(told);
    }
    let id = updated.artifact.unwrap_or_default();
    let outcome = outcome(context, args, (&name, &id), updated.outcome, ending);
    context.step(
        "update",
        [
            ("pipeline", name.into()),
            ("artifact", id.into()),
            ("outcome", outcome.into()),
        ],
    );
}

/// Tells what became of an artifact, counts it, and returns the word for it.
fn outcome(
    context: &Context,
    args: &UpdateArgs,
    (name, id): (&str, &str),
    outcome: Outcome,
    ending: &mut Ending,
) -> &'static str {
    let say = |told: String| say(context, name, told);
    match outcome {
        Outcome::Applied(tables) => {
            let would = if args.dry_run { "would be " } else { "" };
            say(format!("{id} {would}applied"));
            tables.iter().for_each(|counts| tell(context, name, counts));
            ending.passed(tables.iter().filter(|counts| counts.rejected > 0).count());
            "applied"
        }
        Outcome::Already => {
            say(format!("{id} is already applied; nothing to do"));
            ending.passed(0);
            "already"
        }
        Outcome::Left { tables, error } => {
            fail(context, error, ending);
            say(format!(
                "{id} is applied, and still in the inbox; the next update moves it"
            ));
            tables.iter().for_each(|counts| tell(context, name, counts));
            "left"
        }
        Outcome::Nothing { refused } => {
            say("nothing waits in the inbox".to_owned());
            if let Some((id, reason)) = refused {
                say(format!("{id} was refused before: {reason}"));
            }
            ending.skip += 1;
            "nothing"
        }
        Outcome::Skipped { after } => {
            say(format!("skipped, as {after} failed"));
            ending.skip += 1;
            "skipped"
        }
        Outcome::Failed(error) => {
            refused(context, (name, id), error, ending);
            say(format!("{id} was not applied; the tables are as they were"));
            "failed"
        }
    }
}

fn say(context: &Context, name: &str, told: String) {
    context.screen.say(format!("{name}: {told}"));
}

/// Tells an error and counts it.
fn fail(context: &Context, error: impl Into<Error>, ending: &mut Ending) {
    let error = error.into();
    context.screen.error(&error);
    ending.failed(error.kind());
}

/// Tells why an artifact was refused, and the command that takes it all the same.
fn refused(context: &Context, (name, id): (&str, &str), error: update::Error, ending: &mut Ending) {
    // It lies in `refused/` now: only its name finds it there.
    let Some(guard) = error.guard() else {
        return fail(context, error, ending);
    };
    let waive =
        format!("if that is meant: pricemill update {name} --artifact {id} --accept {guard}");
    let error = Error::from(error);
    context.screen.complain(&error, Some(&waive));
    ending.failed(error.kind());
}

fn tell(context: &Context, name: &str, counts: &TableCounts) {
    let said = [
        ("inserted", counts.inserted),
        ("changed", counts.changed),
        ("unchanged", counts.unchanged),
        ("deleted", counts.deleted),
        ("rejected", counts.rejected),
    ];
    let said = said.map(|(what, rows)| format!("{} {what}", grouped(rows)));
    context
        .screen
        .say(format!("  {}: {}", counts.table, said.join(", ")));
    context.step(
        "update",
        [
            ("pipeline", name.into()),
            ("table", counts.table.as_str().into()),
            ("inserted", counts.inserted.into()),
            ("changed", counts.changed.into()),
            ("unchanged", counts.unchanged.into()),
            ("deleted", counts.deleted.into()),
            ("rejected", counts.rejected.into()),
        ],
    );
}
