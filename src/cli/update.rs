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
        context
            .screen
            .say(format!("{name}: {older} was overtaken, and is archived"));
    }
    for error in updated.unreadable {
        let error = Error::from(error);
        context.screen.error(&error);
        ending.failed(error.kind());
    }
    let id = updated.artifact.unwrap_or_default();
    let done = if args.dry_run {
        "would be applied"
    } else {
        "applied"
    };
    let outcome = match updated.outcome {
        Outcome::Applied(tables) => {
            context.screen.say(format!("{name}: {id} {done}"));
            tables
                .iter()
                .for_each(|counts| tell(context, &name, counts));
            let warnings = tables.iter().filter(|counts| counts.rejected > 0).count();
            for file in &updated.rejects {
                context
                    .screen
                    .warn(format!("{name}: the rejected rows are in {file}"));
            }
            ending.passed(warnings);
            "applied"
        }
        Outcome::Already => {
            context
                .screen
                .say(format!("{name}: {id} is already applied; nothing to do"));
            ending.passed(0);
            "already"
        }
        Outcome::Left { tables, error } => {
            let error = Error::from(error);
            context.screen.error(&error);
            context.screen.say(format!(
                "{name}: {id} is applied, and still in the inbox; the next update moves it"
            ));
            tables
                .iter()
                .for_each(|counts| tell(context, &name, counts));
            ending.failed(error.kind());
            "left"
        }
        Outcome::Nothing { refused } => {
            context
                .screen
                .say(format!("{name}: nothing waits in the inbox"));
            if let Some((id, reason)) = refused {
                context
                    .screen
                    .say(format!("{name}: {id} was refused before: {reason}"));
            }
            ending.skip += 1;
            "nothing"
        }
        Outcome::Skipped { after } => {
            context
                .screen
                .say(format!("{name}: skipped, as {after} failed"));
            ending.skip += 1;
            "skipped"
        }
        Outcome::Failed(error) => {
            // It lies in `refused/` now: only its name finds it there.
            let waive = error.guard().map(|guard| {
                format!(
                    "if that is meant: pricemill update {name} --artifact {id} --accept {guard}"
                )
            });
            let error = Error::from(error);
            match waive {
                Some(waive) => context.screen.complain(&error, Some(&waive)),
                None => context.screen.error(&error),
            }
            context.screen.say(format!(
                "{name}: {id} was not applied; the tables are as they were"
            ));
            ending.failed(error.kind());
            "failed"
        }
    };
    context.step(
        "update",
        [
            ("pipeline", name.into()),
            ("artifact", id.into()),
            ("outcome", outcome.into()),
        ],
    );
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
