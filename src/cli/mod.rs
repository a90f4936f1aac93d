//! The commands: one a file, and the only place that prints.
//!
//! `<command>.rs` holds the command's arguments, calls its use case, and renders its
//! events and its report. Data goes to stdout and nothing else does; all else goes to
//! stderr, with one summary line last. A broken pipe is success.

mod context;
mod ending;
mod global;
mod left_out;
mod line;
mod refusal;
mod screen;
mod selection;
mod sink;

mod completions;
mod demo;
mod new;

mod fetch;
mod generate;
mod run;
mod update;
mod upload;

mod archive;
mod check;
mod docs;
mod explain;
mod lineage;
mod query;
mod schema;
mod show;
mod test;

mod load;
mod serve;
mod status;
mod synth;

use std::{ffi::OsString, path::Path, process::ExitCode, sync::Arc};

use context::{Context, Start};
use ending::Ending;
use line::Command;
use screen::Screen;
use sink::ScreenSink;

use crate::{
    config::Environment, error::Result, events::Events, kind::Kind, report::Failure, runs::Steps,
};

/// Runs one command and returns how it ended.
pub fn run(arguments: Vec<OsString>, environment: &Environment, from: &Path) -> ExitCode {
    if refusal::asks_for_version(&arguments) {
        return refusal::print_version(arguments);
    }
    let project = context::project_of(from);
    let words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    let words = words.map(|word| word.into_owned()).collect();
    let parsed = match line::parse(arguments.clone(), project.as_ref().ok()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let faults = context::faults(project);
            return refusal::refuse(&error, faults, &arguments, environment);
        }
    };
    let screen = Screen::new(parsed.global.screen_options(), environment);
    if let Some(printed) = without_project(&parsed.command, &screen) {
        return match printed {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                screen.failure(Some(&parsed.name), &error.failure());
                ExitCode::from(error.kind().exit_code())
            }
        };
    }
    screen.start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(&error, Kind::Internal, None, &[]);
            screen.failure(Some(&parsed.name), &failure);
            return ExitCode::from(failure.kind.exit_code());
        }
    };
    let steps = Arc::new(Steps::default());
    let start = Start {
        words,
        name: parsed.name,
        overrides: parsed.global.overrides(),
        wait: parsed.global.wait.unwrap_or_default(),
        project,
        environment: environment.clone(),
        from: from.to_owned(),
        events: Events::new(vec![
            Arc::new(ScreenSink::new(screen.clone())),
            steps.clone(),
        ]),
        screen,
        steps,
    };
    let nature = parsed.command.nature();
    let command = async |context: &Context| dispatch(context, parsed.command).await;
    let code = runtime.block_on(start.run_to_end(nature, command));
    // What still runs is no longer needed, and must not keep the process alive.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Runs a command that reads neither project nor settings.
fn without_project(command: &Command, screen: &Screen) -> Option<Result<()>> {
    match command {
        Command::Explain(args) => Some(explain::run(args, screen)),
        Command::Docs(args) => Some(docs::run(args, screen)),
        Command::Schema(args) => {
            schema::run(args);
            Some(Ok(()))
        }
        _ => None,
    }
}

/// Runs the command that was parsed.
async fn dispatch(context: &Context, command: Command) -> Result<Ending> {
    match command {
        Command::Demo(args) => Box::pin(demo::run(context, args)).await,
        Command::New(args) => new::run(context, args),
        Command::Fetch(args) => fetch::run(context, args).await,
        Command::Generate(args) => Box::pin(generate::run(context, args)).await,
        Command::Upload(args) => upload::run(context, args).await,
        Command::Update(args) => Box::pin(update::run(context, args)).await,
        Command::Run(args) => Box::pin(run::run(context, args)).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Show(args) => Box::pin(show::run(context, args)).await,
        Command::Query(args) => Box::pin(query::run(context, args)).await,
        Command::Test(args) => Box::pin(test::run(context, args)).await,
        Command::Lineage(args) => lineage::run(context, args),
        Command::Status(args) => status::run(context, args).await,
        Command::Load(args) => load::run(context, args).await,
        Command::Synth(args) => Box::pin(synth::run(context, args)).await,
        Command::Serve(args) => Box::pin(serve::run(context, args)).await,
        // They ran before there was a context, which they do not need.
        Command::Explain(_) | Command::Docs(_) | Command::Schema(_) => Ok(Ending::silent()),
        Command::Completions(args) => {
            completions::run(line::command(context.env.project().ok()), args.shell);
            // Shells need completions even where the whole project is wrong.
            context.say_left_out().unwrap_or_default();
            Ok(Ending::silent())
        }
    }
}
