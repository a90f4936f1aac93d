//! `new`: an analyst's own project.

use std::path::PathBuf;

use super::{context::Context, ending::Ending};
use crate::{error::Result, workbench};

/// The arguments of `new`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// New folder
    pub(super) dir: PathBuf,
}

/// Creates a project in a new folder.
pub(super) fn run(context: &Context, args: &Args) -> Result<Ending> {
    workbench::new_project(&context.from.join(&args.dir))?;
    let dir = args.dir.display();
    context
        .screen
        .say(format!("created a new project in {dir}"));
    context.screen.say(format!(
        "try: cd {dir} && pricemill check && pricemill test"
    ));
    Ok(Ending::silent())
}
