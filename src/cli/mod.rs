//! The commands: one a file, and the only place that prints.
//!
//! Data goes to stdout and nothing else does; what is told goes to stderr, with one
//! summary line last. A broken pipe is success.
#![expect(
    clippy::disallowed_methods,
    reason = "a command is where the time and the arguments come in"
)]

mod args;
mod bars;
mod context;
mod cost;
mod screen;
mod table;

mod demo;
mod new;

mod fetch;
mod generate;
mod update;
mod upload;

mod archive;
mod check;
mod explain;
mod lineage;
mod query;
mod run;
mod test;

mod load;
mod serve;
mod status;
mod synth;

mod docs;

use std::{ffi::OsString, path::Path, process::ExitCode};

use args::Command;
use context::{Context, Ending};
use screen::Screen;

use crate::{config::Environment, error::Result, pipeline::Project};

/// Runs one command and returns how it ended.
pub fn run(arguments: Vec<OsString>, environment: &Environment, from: &Path) -> ExitCode {
    if args::asks_for_version(&arguments) {
        return args::tell_version(arguments);
    }
    let project = context::project_of(from);
    let parsed = match args::parse(arguments, project.as_ref().ok()) {
        Ok(parsed) => parsed,
        Err(error) => return args::refuse(&error, project.as_ref().err()),
    };
    if let Command::Docs(args) = &parsed.command {
        return docs::docs(args, parsed.global.output);
    }
    if let Command::Explain(args) = &parsed.command {
        return explain::explain(args, parsed.global.output);
    }
    let screen = Screen::new(&parsed.global, environment);
    screen.trace(&parsed.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return screen.give_up(&error),
    };
    let code = runtime.block_on(context::to_the_end(
        parsed,
        project,
        environment,
        from,
        screen,
    ));
    // What still runs is of no use any more, and may not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Runs the command that was parsed.
async fn dispatch(context: &Context, command: Command) -> Result<Ending> {
    match command {
        Command::Demo(args) => Box::pin(demo::demo(context, args)).await,
        Command::New(args) => new::new(context, &args),
        Command::Fetch(args) => fetch::fetch(context, &args).await,
        Command::Generate(args) => Box::pin(generate::generate(context, &args)).await,
        Command::Upload(args) => upload::upload(context, &args).await,
        Command::Update(args) => Box::pin(update::update(context, &args)).await,
        Command::Run(args) => Box::pin(run::run(context, &args)).await,
        Command::Check(args) => check::check(context, &args).await,
        Command::Show(args) => Box::pin(query::show(context, &args)).await,
        Command::Query(args) => Box::pin(query::query(context, &args)).await,
        Command::Test(args) => Box::pin(test::test(context, &args)).await,
        Command::Lineage(args) => lineage::lineage(context, &args),
        Command::Status(args) => status::status(context, &args).await,
        Command::Load(args) => load::load(context, &args).await,
        Command::Synth(args) => Box::pin(synth::synth(context, &args)).await,
        Command::Serve(args) => Box::pin(serve::serve(context, &args)).await,
        // They ran before there was a context, which they do not need.
        Command::Docs(_) | Command::Explain(_) => Ok(Ending::silent()),
        Command::Completions(args) => {
            args::completions(context.project().ok(), args.shell);
            Ok(Ending::silent())
        }
    }
}

/// What a project is to the commands: read once, faults kept until one needs it.
type Loaded = Result<Project, crate::diagnostics::Findings>;
