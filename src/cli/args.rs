//! The command line, in two passes: the pipelines' own flags come from the project.

use std::{
    collections::BTreeSet, ffi::OsString, num::NonZeroUsize, path::PathBuf, process::ExitCode,
    time::Duration,
};

use clap::{
    Arg, ArgAction, ArgGroup, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    ValueEnum,
};

use super::{docs::DocsArgs, explain::ExplainArgs, screen};
use crate::{catalog::Given, config, diagnostics::Findings, pipeline::Project};

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

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work with this profile of pricemill.toml
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "dev")]
    pub(crate) profile: Option<String>,
    /// Work with the profile `dev`: http://127.0.0.1:8000 unless configured
    #[arg(long, global = true)]
    pub(crate) dev: bool,
    /// Write data in this form
    #[arg(long, global = true, value_name = "FORM", default_value = "table")]
    pub(crate) output: Output,
    /// Use so many threads
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Wait so long for another run to end [default: 0s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,
    /// Write the log in this form
    #[arg(long, global = true, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice, everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The forms data is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
}

/// The forms the log is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one whole turn of the loop on made-up data, in a new folder
    Demo(DemoArgs),
    /// Start an analyst's own project: pricemill.toml, pipelines/, sql/, tests/sql/
    New(NewArgs),
    /// Fetch the exports into a new snapshot
    Fetch(FetchArgs),
    /// Generate artifacts from a fresh snapshot (or an older one) into the outbox
    Generate(GenerateArgs),
    /// Upload what waits in the outbox to the profile's server or inbox
    Upload(UploadArgs),
    /// Update the database from the inbox
    Update(UpdateArgs),
    /// Generate, then upload or update, whichever the profile has
    Run(GenerateArgs),
    /// Check everything that can be known without data
    #[command(visible_alias = "validate")]
    Check(CheckArgs),
    /// Show rows of a dataset, a model or an output
    #[command(visible_alias = "preview")]
    Show(ShowArgs),
    /// Run one SQL query over a snapshot
    Query(QueryArgs),
    /// Run the .slt tests of the SQL
    Test(TestArgs),
    /// Explain a code of an error or a warning, such as unknown-column
    Explain(ExplainArgs),
    /// Show what reads what
    Lineage(CheckArgs),
    /// Show each pipeline at each hop: generated, uploaded, received, applied
    Status(StatusArgs),
    /// Load CSV, JSON Lines or Parquet into the database; a file's name is its table
    Load(LoadArgs),
    /// Make up an export of any size: the same for the same seed
    Synth(SynthArgs),
    /// Serve the exports, the uploads and /healthz
    Serve(ServeArgs),
    /// Print a page of the documentation
    Docs(DocsArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The new folder
    #[arg(default_value = "pricemill-demo")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The new folder
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// The datasets, such as prices and stores; all that the pipelines read unless named
    pub(crate) datasets: Vec<String>,
}

/// Which pipelines; read from the second pass.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Names, by position and by flag.
    pub(crate) names: Vec<String>,
    /// `key=value`, by `--param` and by a parameter's own flag.
    pub(crate) params: Vec<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct GenerateArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
    /// Use this snapshot instead of fetching: its id, or `latest`
    #[arg(long, value_name = "ID|latest")]
    pub(crate) snapshot: Option<String>,
    /// Back the whole database up into a dated folder of Parquet
    #[arg(long)]
    pub(crate) archive: bool,
    /// Do everything but commit
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop at the first pipeline that fails
    #[arg(long)]
    pub(crate) fail_fast: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct UpdateArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
    /// Count what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop at the first pipeline that fails
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Apply this artifact: a refused one, or an older one to go back to
    #[arg(long, value_name = "ID")]
    pub(crate) artifact: Option<String>,
    /// Waive these guards
    #[arg(long, value_name = "GUARD", value_delimiter = ',')]
    pub(crate) accept: Vec<Guard>,
    /// Put a whole archive back: the newest, or the one named by --artifact
    #[arg(long)]
    pub(crate) archive: bool,
    /// Answer yes to what would be asked
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// The guards of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Guard {
    /// Too many rows rejected
    Change,
    /// Fewer than half the table's rows
    Shrink,
    /// No rows at all
    Empty,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A dataset (prices), a model (extremes, bargains.extremes) or an output (bargains)
    pub(crate) relation: String,
    /// Only rows for which this SQL holds
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) filter: Option<String>,
    /// At most so many rows; -1 for all
    #[arg(
        long,
        default_value_t = 10,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        value_name = "N"
    )]
    pub(crate) limit: i64,
    /// Look at this snapshot: its id, or `latest`
    #[arg(long, value_name = "ID|latest", default_value = "latest")]
    pub(crate) snapshot: String,
    /// Read this dataset from a Parquet file, or from a folder's, instead of from the
    /// snapshot; its columns are checked against the contract
    #[arg(long = "file", value_name = "DATASET=PATH", value_parser = given)]
    pub(crate) files: Vec<Given>,
    /// Set a parameter of a pipeline that is read; the others have their defaults
    #[arg(long = "param", value_name = "[PIPELINE.]NAME=VALUE")]
    pub(crate) params: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The query
    pub(crate) sql: String,
    /// At most so many rows; -1 for all
    #[arg(
        long,
        default_value_t = -1,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        value_name = "N"
    )]
    pub(crate) limit: i64,
    /// Look at this snapshot: its id, or `latest`
    #[arg(long, value_name = "ID|latest", default_value = "latest")]
    pub(crate) snapshot: String,
    /// Read this dataset from a Parquet file, or from a folder's, instead of from the
    /// snapshot; its columns are checked against the contract
    #[arg(long = "file", value_name = "DATASET=PATH", value_parser = given)]
    pub(crate) files: Vec<Given>,
    /// Set a parameter of a pipeline that is read; the others have their defaults
    #[arg(long = "param", value_name = "[PIPELINE.]NAME=VALUE")]
    pub(crate) params: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
    /// Rewrite the expected rows to what came
    #[arg(long)]
    pub(crate) accept: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[arg(skip)]
    pub(crate) selection: Selection,
    /// Show so many of the newest runs
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) runs: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// A file such as prices.csv.gz, or a folder of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["snapshot", "out", "database"])))]
pub(crate) struct SynthArgs {
    /// How large: about 1, 10, 100 or 1,000 million prices
    #[arg(long, value_name = "SIZE", default_value = "s")]
    pub(crate) preset: Size,
    /// About so many prices, instead of a preset's
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "preset",
        value_parser = clap::value_parser!(u64).range(1_000..=10_000_000_000),
    )]
    pub(crate) prices: Option<u64>,
    /// Where the randomness begins
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// With nulls, prices of zero, rows that repeat others, and text beyond ASCII
    #[arg(long)]
    pub(crate) dirt: bool,
    /// Write a new snapshot, as if it had been fetched
    #[arg(long, help_heading = "Where to")]
    pub(crate) snapshot: bool,
    /// Write files into this folder
    #[arg(long, value_name = "DIR", help_heading = "Where to")]
    pub(crate) out: Option<PathBuf>,
    /// Fill the tables of the database, in one transaction
    #[arg(long, help_heading = "Where to")]
    pub(crate) database: bool,
    /// What the files are
    #[arg(long, value_name = "FORM", default_value = "parquet", conflicts_with_all = ["snapshot", "database"])]
    pub(crate) format: FileFormat,
    /// What the files hold
    #[arg(long, value_name = "LAYOUT", default_value = "exports", conflicts_with_all = ["snapshot", "database"])]
    pub(crate) layout: FileLayout,
    /// In which order prices come
    #[arg(long, value_name = "ORDER", default_value = "key", conflicts_with_all = ["snapshot", "database"])]
    pub(crate) order: PriceOrder,
    /// Empty the tables that are filled first
    #[arg(long, requires = "database")]
    pub(crate) replace: bool,
    /// Say how much it would be, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// About 1 million prices: 571 stores, 3,270 products
    S,
    /// About 10 million prices: 1,803 stores, 10,341 products
    M,
    /// About 100 million prices: 5,701 stores, 32,700 products
    L,
    /// About 1,000 million prices: 18,028 stores, 103,406 products
    Xl,
}

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Parquet
    Parquet,
    /// Comma-separated values with a header; lists as JSON
    Csv,
}

/// The layouts of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileLayout {
    /// One file a dataset, as a service exports them
    Exports,
    /// Stores, products and prices by names, as `load` takes them
    Named,
}

/// The orders of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PriceOrder {
    /// By product, then by store
    Key,
    /// As scrapers bring them, store by store
    Arrival,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) global: Global,
    pub(crate) command: Command,
}

/// The commands that take pipelines, and whether they take parameters.
const WITH_PIPELINES: [(&str, bool); 7] = [
    ("generate", true),
    ("run", true),
    ("upload", false),
    ("update", false),
    ("check", false),
    ("test", false),
    ("status", false),
];

const PIPELINES: &str = "pipelines";
const PARAM: &str = "param";

fn time(text: &str) -> Result<Duration, String> {
    config::duration(text).ok_or_else(|| format!("write it like `10m`, not `{text}`"))
}

fn given(text: &str) -> Result<Given, String> {
    match text.split_once('=') {
        Some((dataset, path)) if !dataset.is_empty() && !path.is_empty() => Ok(Given {
            dataset: dataset.to_owned(),
            path: path.into(),
        }),
        _ => Err("write it like `prices=export.parquet`".to_owned()),
    }
}

/// Returns the whole command line with the pipelines' own flags.
fn command(project: Option<&Project>) -> clap::Command {
    let taking = WITH_PIPELINES.into_iter().chain([("lineage", false)]);
    let line = Line::command();
    let global = longs(&line);
    taking.fold(line, |line, (name, params)| {
        line.mut_subcommand(name, |command| {
            with_pipelines(command, project, params, &global)
        })
    })
}

/// Returns every long flag of a command, the aliases among them.
fn longs(command: &clap::Command) -> BTreeSet<String> {
    let built_in = ["help", "version"].map(str::to_owned);
    let own = command.get_arguments().flat_map(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases)
    });
    own.map(str::to_owned).chain(built_in).collect()
}

fn with_pipelines(
    mut command: clap::Command,
    project: Option<&Project>,
    params: bool,
    global: &BTreeSet<String>,
) -> clap::Command {
    // An archive is the whole database, whatever the pipelines.
    let archives = command
        .get_arguments()
        .any(|argument| argument.get_id() == "archive");
    let of_pipelines = |argument: Arg| match archives {
        true => argument.conflicts_with("archive"),
        false => argument,
    };
    let names = Arg::new(PIPELINES).value_name("PIPELINE").num_args(0..);
    let names = names.help("The pipelines, by name; all unless named");
    command = command.arg(of_pipelines(names));
    if params {
        let param = Arg::new(PARAM)
            .long(PARAM)
            .value_name("[PIPELINE.]NAME=VALUE");
        let param = param.action(ArgAction::Append).help("Set a parameter");
        command = command.arg(param);
    }
    let Some(project) = project else {
        return command;
    };
    let mut taken = longs(&command);
    taken.extend(global.iter().cloned());
    for pipeline in project.pipelines.values() {
        let flag = Arg::new(format!("pipeline:{}", pipeline.name))
            .long(pipeline.name.clone())
            .visible_aliases(pipeline.aliases.clone())
            .action(ArgAction::SetTrue)
            .help_heading("Pipelines")
            .help(pipeline.description.trim_end_matches('.').to_owned());
        if taken.insert(pipeline.name.clone()) {
            taken.extend(pipeline.aliases.iter().cloned());
            command = command.arg(of_pipelines(flag));
        }
    }
    if params {
        with_parameters(command, project, taken)
    } else {
        command
    }
}

fn with_parameters(
    mut command: clap::Command,
    project: &Project,
    mut taken: BTreeSet<String>,
) -> clap::Command {
    for pipeline in project.pipelines.values() {
        for (name, param) in &pipeline.params {
            let long = name.replace('_', "-");
            if !taken.insert(long.clone()) {
                continue;
            }
            let default = format!(
                "{} [default: {}]",
                param.doc.trim_end_matches('.'),
                param.default
            );
            taken.insert(name.clone());
            let flag = Arg::new(format!("param:{name}"))
                .long(long)
                .alias(name.clone())
                .value_name(param.data_type.to_string())
                .allow_negative_numbers(true)
                .help_heading("Parameters")
                .help(default);
            command = command.arg(flag);
        }
    }
    command
}

/// Parses a command line, with the project's flags where there is one.
pub(crate) fn parse(
    arguments: Vec<OsString>,
    project: Option<&Project>,
) -> Result<Parsed, clap::Error> {
    let matches = command(project).try_get_matches_from(arguments)?;
    let Line {
        global,
        mut command,
    } = Line::from_arg_matches(&matches)?;
    if let Some((_, matches)) = matches.subcommand()
        && let Some(selection) = command.selection()
    {
        *selection = selected(matches, project);
    }
    Ok(Parsed { global, command })
}

fn selected(matches: &ArgMatches, project: Option<&Project>) -> Selection {
    let many = |id: &str| {
        let found = matches.try_get_many::<String>(id).ok().flatten();
        found.into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let mut selection = Selection {
        names: many(PIPELINES),
        params: many(PARAM),
    };
    for pipeline in project
        .iter()
        .flat_map(|project| project.pipelines.values())
    {
        let flag = format!("pipeline:{}", pipeline.name);
        if let Ok(Some(true)) = matches.try_get_one::<bool>(&flag) {
            selection.names.push(pipeline.name.clone());
        }
        for name in pipeline.params.keys() {
            let flag = format!("param:{name}");
            if let Ok(Some(value)) = matches.try_get_one::<String>(&flag) {
                selection.params.push(format!("{name}={value}"));
            }
        }
    }
    selection.params.dedup();
    selection
}

impl Command {
    fn selection(&mut self) -> Option<&mut Selection> {
        match self {
            Command::Generate(args) | Command::Run(args) => Some(&mut args.selection),
            Command::Upload(args) => Some(&mut args.selection),
            Command::Update(args) => Some(&mut args.selection),
            Command::Check(args) | Command::Lineage(args) => Some(&mut args.selection),
            Command::Test(args) => Some(&mut args.selection),
            Command::Status(args) => Some(&mut args.selection),
            _ => None,
        }
    }

    /// Returns whether the command writes to the data folder or the database.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Command::Fetch(_) | Command::Load(_) => true,
            Command::Generate(args) | Command::Run(args) => {
                !args.dry_run || args.snapshot.is_none()
            }
            Command::Upload(args) => !args.dry_run,
            Command::Synth(args) => !args.dry_run,
            Command::Update(args) => !args.dry_run,
            _ => false,
        }
    }
}

/// Returns whether the first word asks for the version, which no project changes.
pub(crate) fn asks_for_version(arguments: &[OsString]) -> bool {
    let first = arguments.get(1);
    first.is_some_and(|first| first == "--version" || first == "-V")
}

/// Tells the version, without a look at any file.
pub(crate) fn tell_version(arguments: Vec<OsString>) -> ExitCode {
    let bare = clap::Command::new("pricemill").version(env!("CARGO_PKG_VERSION"));
    match bare.try_get_matches_from(arguments.into_iter().take(2)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(told) => refuse(&told, None),
    }
}

/// Tells why a command line was not understood; help and version are no failure.
pub(crate) fn refuse(error: &clap::Error, invalid: Option<&Findings>) -> ExitCode {
    if error.use_stderr()
        && let Some(findings) = invalid
    {
        // Without a readable project its flags are not known.
        screen::print_findings(findings);
        return ExitCode::from(2);
    }
    // A pipe that closed early has read all it wanted.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints a shell's completions.
pub(crate) fn completions(project: Option<&Project>, shell: clap_complete::Shell) {
    let mut command = command(project);
    clap_complete::generate(shell, &mut command, "pricemill", &mut std::io::stdout());
}
