//! `new`: an analyst's own project, or a pipeline in it.

use std::path::PathBuf;

use super::{context::Context, ending::Ending, screen::Line};
use crate::{error::Result, workbench};

/// The arguments of `new`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(super) struct Args {
    /// New folder [default with --empty: this one]
    #[arg(required_unless_present = "empty")]
    pub(super) dir: Option<PathBuf>,
    /// Leave out the example pipelines
    #[arg(long)]
    pub(super) empty: bool,
    #[command(subcommand)]
    pub(super) part: Option<Part>,
}

/// A part of a project.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Part {
    /// Add a pipeline to this project: a manifest, a model and a test
    Pipeline {
        /// Name, such as cheap-milk
        name: String,
    },
}

/// Creates a project in a new folder, or a pipeline in the project.
pub(super) fn run(context: &Context, args: Args) -> Result<Ending> {
    match args.part {
        Some(Part::Pipeline { name }) => pipeline(context, &name)?,
        None => project(context, args.dir, args.empty)?,
    }
    Ok(Ending::silent())
}

fn project(context: &Context, dir: Option<PathBuf>, is_empty: bool) -> Result<()> {
    let folder = dir.unwrap_or_else(|| PathBuf::from("."));
    workbench::new_project(&context.from.join(&folder), is_empty)?;
    let enter = match folder.components().next() {
        None | Some(std::path::Component::CurDir) => String::new(),
        Some(_) => format!("cd {} && ", folder.display()),
    };
    let (what, next) = match is_empty {
        true => ("an empty project", "pricemill new pipeline NAME"),
        false => ("a new project", "pricemill check && pricemill test"),
    };
    let screen = &context.screen;
    screen.say(format!("created {what} in {}", folder.display()));
    screen.say(format!("try: {enter}{next}"));
    Ok(())
}

fn pipeline(context: &Context, name: &str) -> Result<()> {
    for file in workbench::new_pipeline(&context.env, name)? {
        let line = format!("created {}", file.display());
        context.screen.show(&Line::Say(line));
    }
    let next = format!("try: pricemill check {name} && pricemill test {name}");
    context.screen.say(next);
    Ok(())
}
