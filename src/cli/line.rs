//! The command line, in two passes: the pipelines' own flags come from the project.

use std::{collections::BTreeSet, ffi::OsString};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{
    check, completions,
    context::Nature,
    demo, docs, explain, fetch, generate,
    global::Global,
    lineage, load, new, query, schema,
    selection::{Selection, at_hand, flagged, longs, selected, with_flags, with_pipelines},
    serve, show, status, synth, test, update, upload,
};
use crate::pipeline::Project;

/// A dataflow engine for retail prices
///
/// Fetches a service's exports into Parquet snapshots, runs SQL pipelines over them,
/// and carries the results back into a database.
#[derive(Debug, Parser)]
#[command(
    name = "pricemill",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Line {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole loop once on made-up data, in a new folder
    Demo(demo::Args),
    /// Create a project: pricemill.toml, pipelines/, sql/, tests/sql/
    New(new::Args),
    /// Fetch the exports into a new snapshot
    Fetch(fetch::Args),
    /// Generate artifacts from a snapshot into the outbox
    Generate(generate::Args),
    /// Upload pending artifacts to the profile's server or inbox
    Upload(upload::Args),
    /// Apply pending artifacts from the inbox to the database
    Update(update::Args),
    /// Generate, then upload or update, depending on the profile
    Run(generate::Args),
    /// Check the project without data
    #[command(visible_alias = "validate")]
    Check(check::Args),
    /// Show rows of a dataset, a model or an output
    #[command(visible_alias = "preview")]
    Show(show::Args),
    /// Run a SQL query over a snapshot
    Query(query::Args),
    /// Run the .slt tests of the SQL
    Test(test::Args),
    /// Show what each model reads
    Lineage(lineage::Args),
    /// Show each pipeline's state: generated, uploaded, received, applied
    Status(status::Args),
    /// Load CSV, JSON Lines or Parquet files into the database
    Load(load::Args),
    /// Generate made-up exports of any size; the same seed gives the same rows
    Synth(synth::Args),
    /// Serve the exports, the uploads and /healthz
    Serve(serve::Args),
    /// Explain the code of an error or a warning, such as unknown-column
    Explain(explain::Args),
    /// Print a page of the documentation, or list the pages
    Docs(docs::Args),
    /// Print the JSON schema of pricemill.toml, of manifests or of sources.toml, for editors
    Schema(schema::Args),
    /// Print shell completions
    Completions(completions::Args),
}

/// A command line that was understood.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The command's name.
    pub(super) name: String,
    pub(super) global: Global,
    pub(super) command: Command,
}

/// The commands that take pipelines, and whether they take parameters.
const WITH_PIPELINES: [(&str, bool); 8] = [
    ("generate", true),
    ("run", true),
    ("upload", false),
    ("update", false),
    ("check", false),
    ("test", false),
    ("status", false),
    ("lineage", false),
];

/// Says whether a command has flags that come from the manifests.
pub(super) fn has_flags_of_pipelines(command: &str) -> bool {
    WITH_PIPELINES.iter().any(|(name, _)| *name == command)
}

/// The commands that read relations, and so take the parameters of pipelines.
const WITH_FLAGS: [&str; 2] = ["show", "query"];

/// Returns the whole command line with the pipelines' own flags.
pub(super) fn command(project: Option<&Project>) -> clap::Command {
    command_for(project, None)
}

/// Returns the same, with the help of those that read relations for these pipelines.
fn command_for(project: Option<&Project>, at_hand: Option<&BTreeSet<String>>) -> clap::Command {
    let line = Line::command();
    let global = longs(&line);
    let taking = WITH_PIPELINES.into_iter();
    let line = taking.fold(line, |line, (name, params)| {
        line.mut_subcommand(name, |command| {
            with_pipelines(command, project, params, &global)
        })
    });
    WITH_FLAGS.into_iter().fold(line, |line, name| {
        line.mut_subcommand(name, |command| {
            with_flags(command, project, at_hand, &global)
        })
    })
}

/// Parses a command line, with the project's flags where there is one.
pub(super) fn parse(
    arguments: Vec<OsString>,
    project: Option<&Project>,
) -> Result<Parsed, clap::Error> {
    let at_hand = project.and_then(|project| at_hand(&arguments, project));
    let line = command_for(project, at_hand.as_ref());
    let matches = line.try_get_matches_from(arguments)?;
    let Line {
        global,
        mut command,
    } = Line::from_arg_matches(&matches)?;
    if let Some((_, matches)) = matches.subcommand()
        && let Some(selection) = command.selection()
    {
        *selection = selected(matches, project);
    }
    if let Some((_, matches)) = matches.subcommand()
        && let Some(params) = command.params()
    {
        params.extend(flagged(matches, project));
    }
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    Ok(Parsed {
        name,
        global,
        command,
    })
}

impl Command {
    fn selection(&mut self) -> Option<&mut Selection> {
        match self {
            Command::Generate(args) | Command::Run(args) => Some(&mut args.selection),
            Command::Upload(args) => Some(&mut args.selection),
            Command::Update(args) => Some(&mut args.selection),
            Command::Check(args) => Some(&mut args.selection),
            Command::Lineage(args) => Some(&mut args.selection),
            Command::Test(args) => Some(&mut args.selection),
            Command::Status(args) => Some(&mut args.selection),
            Command::Demo(_)
            | Command::New(_)
            | Command::Fetch(_)
            | Command::Show(_)
            | Command::Query(_)
            | Command::Load(_)
            | Command::Synth(_)
            | Command::Serve(_)
            | Command::Explain(_)
            | Command::Docs(_)
            | Command::Schema(_)
            | Command::Completions(_) => None,
        }
    }

    /// Returns the parameters of a command that reads relations.
    fn params(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Command::Show(args) => Some(&mut args.over.params),
            Command::Query(args) => Some(&mut args.over.params),
            _ => None,
        }
    }

    /// Returns what the command is to whoever runs it.
    pub(super) fn nature(&self) -> Nature {
        Nature {
            writes: self.writes(),
            // The server ends gracefully.
            hears_signals: matches!(self, Command::Serve(_)),
        }
    }

    fn writes(&self) -> bool {
        match self {
            Command::Fetch(_) | Command::Load(_) => true,
            Command::Generate(args) | Command::Run(args) => {
                !args.dry_run || args.snapshot.is_none()
            }
            Command::Upload(args) => !args.dry_run,
            Command::Synth(args) => !args.dry_run,
            Command::Update(args) => !args.dry_run,
            Command::Demo(_)
            | Command::New(_)
            | Command::Check(_)
            | Command::Show(_)
            | Command::Query(_)
            | Command::Test(_)
            | Command::Lineage(_)
            | Command::Status(_)
            | Command::Serve(_)
            | Command::Explain(_)
            | Command::Docs(_)
            | Command::Schema(_)
            | Command::Completions(_) => false,
        }
    }
}
