//! Command lines that run nothing: those that ask for the version or for help, and those
//! that were not understood.
//!
//! There are no parsed options here: what format was asked for is read from the words.

use std::{ffi::OsString, process::ExitCode};

use clap::{ValueEnum, error::ErrorKind};

use super::{
    line,
    screen::{LogFormat, Options, Output, Screen, print_failure},
};
use crate::{
    config::Environment, diagnostics::Findings, error::Error, kind::Kind, report::Failure,
};

/// Returns whether the first word asks for the version, which no project changes.
pub(super) fn asks_for_version(arguments: &[OsString]) -> bool {
    let first = arguments.get(1);
    first.is_some_and(|first| first == "--version" || first == "-V")
}

/// Prints the version, without a look at any file.
pub(super) fn print_version(arguments: Vec<OsString>) -> ExitCode {
    let bare = clap::Command::new("pricemill").version(env!("CARGO_PKG_VERSION"));
    match bare.try_get_matches_from(arguments.into_iter().take(2)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(version) => print(&version),
    }
}

/// Prints why a command line was not understood; help is no failure.
pub(super) fn refuse(
    error: &clap::Error,
    invalid: Option<Findings>,
    arguments: &[OsString],
    environment: &Environment,
) -> ExitCode {
    if !error.use_stderr() {
        return print(error);
    }
    let (command, output) = (command(arguments), output(arguments));
    // The flags of what cannot be read are not known.
    let is_flag = error.kind() == ErrorKind::UnknownArgument
        && command.as_deref().is_none_or(line::has_flags_of_pipelines);
    match invalid.filter(|_| is_flag) {
        Some(findings) => {
            let options = Options {
                output,
                log_format: LogFormat::Text,
                quiet: false,
                verbose: 0,
            };
            let failure = Error::Invalid(findings).failure();
            Screen::new(options, environment).failure(command.as_deref(), &failure);
            ExitCode::from(Kind::Usage.exit_code())
        }
        None => {
            print_failure(command.as_deref(), &failure(error), output);
            print(error)
        }
    }
}

fn print(error: &clap::Error) -> ExitCode {
    // A pipe that closed early has read all it wanted.
    let _ = error.print();
    ExitCode::from(match error.use_stderr() {
        true => Kind::Usage.exit_code(),
        false => 0,
    })
}

/// Returns what the parser says: its first paragraph, and its tips as the hint.
fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text.split("\n\n").next().unwrap_or(text);
    let words: Vec<&str> = message.split_whitespace().collect();
    let tips = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    let tips: Vec<&str> = tips.collect();
    Failure {
        hint: (!tips.is_empty()).then(|| tips.join("; ")),
        ..Failure::of_message(Kind::Usage, words.join(" "))
    }
}

/// Returns the command that is named, by its own name.
fn command(arguments: &[OsString]) -> Option<String> {
    let all = line::command(None);
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let found = words.find_map(|word| all.find_subcommand(word));
    found.map(|command| command.get_name().to_owned())
}

/// Returns the format that is asked for, if it is one.
fn output(arguments: &[OsString]) -> Output {
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    let mut asked = Output::Text;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--output") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        let format = value.and_then(|value| Output::from_str(value, false).ok());
        asked = format.unwrap_or(asked);
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_format_and_the_command_are_read_from_the_words() {
        for (line, format, name) in [
            ("pricemill", Output::Text, None),
            (
                "pricemill generate --bargans",
                Output::Text,
                Some("generate"),
            ),
            (
                "pricemill --output=json validate x",
                Output::Json,
                Some("check"),
            ),
            ("pricemill genrate --output ndjson", Output::Ndjson, None),
            ("pricemill check --output jsn", Output::Text, Some("check")),
            ("pricemill check --output", Output::Text, Some("check")),
        ] {
            assert_eq!(output(&words(line)), format, "{line}");
            assert_eq!(command(&words(line)).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn the_first_paragraph_is_the_message_and_tips_are_the_hint() {
        let error = line::parse(words("pricemill genrate"), None).unwrap_err();
        let failure = failure(&error);
        assert_eq!(failure.message, "unrecognized subcommand 'genrate'");
        let hint = "a similar subcommand exists: 'generate'";
        assert_eq!(failure.hint.as_deref(), Some(hint));
    }
}
