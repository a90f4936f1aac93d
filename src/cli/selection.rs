//! Which pipelines are meant: names, and the flags that the project's pipelines have.
//!
//! `show` and `query` have the flags of parameters alone; their help lists those of what is
//! read.
//!
//! `generate bargains`, `generate --bargains` and `generate --param min_ratio=2` or
//! `generate --min-ratio 2`: the flags come from the project's manifests.

use std::{collections::BTreeSet, ffi::OsString};

use clap::{Arg, ArgAction, ArgMatches};

use crate::{
    pipeline::Project,
    workbench::{Needs, select_all},
};

/// Which pipelines, and their parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    /// Names, by position and by flag.
    pub(super) names: Vec<String>,
    /// `key=value`, by `--param` and by a parameter's own flag.
    pub(super) params: Vec<String>,
}

const PIPELINES: &str = "pipelines";
const PARAM: &str = "param";

/// Returns every long flag of a command, the aliases among them.
pub(super) fn longs(command: &clap::Command) -> BTreeSet<String> {
    let built_in = ["help", "version"].map(str::to_owned);
    let own = command.get_arguments().flat_map(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases)
    });
    own.map(str::to_owned).chain(built_in).collect()
}

/// Adds the pipelines, by name and by flag, and their parameters to a command.
pub(super) fn with_pipelines(
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
    let names = names.help("Pipelines, by name [default: all]");
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
    for (name, aliases, help) in flags(project) {
        if !taken.insert(name.to_owned()) {
            continue;
        }
        let mut aliases = aliases.to_vec();
        aliases.retain(|alias| taken.insert(alias.clone()));
        let flag = Arg::new(format!("pipeline:{name}"))
            .long(name.to_owned())
            .visible_aliases(aliases)
            .action(ArgAction::SetTrue)
            .help_heading("Pipelines")
            .help(help);
        command = command.arg(of_pipelines(flag));
    }
    if params {
        with_parameters(command, project, taken, None)
    } else {
        command
    }
}

/// Returns the name, the aliases and the description of each pipeline; those that cannot
/// run are last, and lose an alias that another has.
fn flags(project: &Project) -> impl Iterator<Item = (&str, &[String], String)> {
    let sound = project.pipelines.values().map(|pipeline| {
        let description = pipeline.description.trim_end_matches('.').to_owned();
        (pipeline.name.as_str(), &*pipeline.aliases, description)
    });
    let broken = project.broken.iter().map(|broken| {
        let description = "Cannot run: `pricemill check` says why".to_owned();
        (broken.name.as_str(), &*broken.aliases, description)
    });
    sound.chain(broken)
}

/// Adds the parameters of pipelines, each by its flag, to a command that reads relations.
/// Its help lists those of `at_hand`; all where nothing is.
pub(super) fn with_flags(
    command: clap::Command,
    project: Option<&Project>,
    at_hand: Option<&BTreeSet<String>>,
    global: &BTreeSet<String>,
) -> clap::Command {
    let Some(project) = project else {
        return command;
    };
    let mut taken = longs(&command);
    taken.extend(global.iter().cloned());
    with_parameters(command, project, taken, at_hand)
}

/// Returns the pipelines that the words of a command line read, if it is one of those that
/// read relations and they name any.
pub(super) fn at_hand(arguments: &[OsString], project: &Project) -> Option<BTreeSet<String>> {
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    let command = words.find(|word| ["show", "preview", "query"].contains(word))?;
    let mut found = None;
    for word in words.filter(|word| !word.starts_with('-')) {
        let needs = match command {
            "query" => Needs::of(project, word),
            _ => Needs::of(project, &select_all(word, None)),
        };
        if needs != Needs::default() {
            let all: &mut BTreeSet<String> = found.get_or_insert_default();
            all.extend(needs.pipelines);
        }
    }
    found
}

fn with_parameters(
    mut command: clap::Command,
    project: &Project,
    mut taken: BTreeSet<String>,
    at_hand: Option<&BTreeSet<String>>,
) -> clap::Command {
    let has_schema = command.get_arguments().any(|it| it.get_id() == "schema");
    // The flag of a name that several pipelines have is described as one at hand has it.
    let is_at_hand = |name: &str| at_hand.is_none_or(|names| names.contains(name));
    let (first, then): (Vec<_>, Vec<_>) = project
        .pipelines
        .values()
        .partition(|pipeline| is_at_hand(&pipeline.name));
    for pipeline in first.into_iter().chain(then) {
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
                .hide(!is_at_hand(&pipeline.name))
                .help_heading("Parameters")
                .help(default);
            command = command.arg(match has_schema {
                true => flag.conflicts_with("schema"),
                false => flag,
            });
        }
    }
    command
}

/// Returns what was selected.
pub(super) fn selected(matches: &ArgMatches, project: Option<&Project>) -> Selection {
    let many = |id: &str| {
        let found = matches.try_get_many::<String>(id).ok().flatten();
        found.into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let mut selection = Selection {
        names: many(PIPELINES),
        params: many(PARAM),
    };
    for (name, ..) in project.into_iter().flat_map(flags) {
        if let Ok(Some(true)) = matches.try_get_one::<bool>(&format!("pipeline:{name}")) {
            selection.names.push(name.to_owned());
        }
    }
    selection.params.extend(flagged(matches, project));
    selection
}

/// Returns what the flags of parameters say, as `name=value`, each once.
pub(super) fn flagged(matches: &ArgMatches, project: Option<&Project>) -> Vec<String> {
    let pipelines = project.into_iter().flat_map(|it| it.pipelines.values());
    let names = pipelines.flat_map(|pipeline| pipeline.params.keys());
    let names: BTreeSet<&String> = names.collect();
    let given = names.into_iter().filter_map(|name| {
        let value = matches.try_get_one::<String>(&format!("param:{name}"));
        value.ok().flatten().map(|value| format!("{name}={value}"))
    });
    given.collect()
}
