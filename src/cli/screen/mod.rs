//! What a person or a log reads: stderr, colours, the summary line.
#![expect(clippy::print_stderr, reason = "this is where lines are printed")]

mod cost;
mod fit;
mod format;
mod log;
mod output;
mod rows;
mod table;
mod tasks;
mod terminal;

use std::{
    collections::BTreeSet,
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
};

use indicatif::MultiProgress;

pub(super) use cost::{cost_line, operator_lines};
pub(super) use format::{age, grouped, instant, sized, spoken};
pub(super) use log::LogFormat;
pub(super) use output::{Output, print_failure, print_report, print_text};
pub(super) use rows::Printer;
pub(super) use table::Table;
pub(super) use tasks::Tasks;

use terminal::Room;

use crate::{
    config::Environment,
    diagnostics::{Code, Finding, Severity},
    events::Event,
    report::Failure,
};

/// What the command line says about the screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) output: Output,
    pub(super) log_format: LogFormat,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
}

/// One line for people, or a few that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// Text as it is.
    Say(String),
    /// Text in bold.
    Title(String),
    /// `warning: …`
    Warn(String),
    /// `error: …`
    Fail(String),
    /// `help: …`
    Help(String),
    /// A finding in the user's own files.
    Finding(Box<Finding>),
    /// A table.
    Table(Box<Table>),
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Level {
    #[default]
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

impl Line {
    fn level(&self) -> Level {
        match self {
            Line::Say(_) | Line::Title(_) | Line::Help(_) | Line::Table(_) => Level::Info,
            Line::Warn(_) => Level::Warn,
            Line::Fail(_) => Level::Error,
            Line::Finding(finding) => match finding.severity {
                Severity::Warning => Level::Warn,
                Severity::Error => Level::Error,
            },
        }
    }

    /// Returns the line without colours.
    fn text(&self) -> String {
        match self {
            Line::Say(text) | Line::Title(text) | Line::Warn(text) | Line::Fail(text) => {
                text.clone()
            }
            Line::Help(text) => format!("help: {text}"),
            Line::Finding(finding) => finding.render(false),
            Line::Table(table) => table.text(None),
        }
    }

    /// Returns the lines of a failure: its findings, else the error and what to do.
    pub(super) fn of_failure(failure: &Failure) -> Vec<Line> {
        if !failure.findings.is_empty() {
            let findings = failure.findings.iter().cloned();
            return findings.map(|it| Line::Finding(Box::new(it))).collect();
        }
        let hint = failure.hint.clone().map(Line::Help);
        let error = Line::Fail(failure.message.clone());
        [error].into_iter().chain(hint).collect()
    }
}

/// The screen of one command.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    options: Options,
    color: bool,
    /// The bars, where there is a terminal to draw them on.
    bars: Option<MultiProgress>,
    /// The columns of the terminals that stdout and stderr are, if they are.
    room: Room,
    /// The codes of the errors that were shown.
    errors: Arc<Mutex<BTreeSet<Code>>>,
}

impl Screen {
    pub(super) fn new(options: Options, environment: &Environment) -> Screen {
        let terminal = std::io::stderr().is_terminal();
        let is_text = options.log_format == LogFormat::Text;
        let has_bars = terminal && !options.quiet && is_text;
        Screen {
            options,
            color: terminal && environment.get("NO_COLOR").is_none() && is_text,
            bars: has_bars.then(MultiProgress::new),
            room: Room::of(environment),
            errors: Arc::default(),
        }
    }

    /// Turns the log on: warnings, and with -v what is done.
    pub(super) fn start_log(&self) {
        log::start(self.options, self.color);
    }

    /// Returns the format that data is written in.
    pub(super) fn output(&self) -> Output {
        self.options.output
    }

    /// Returns the columns that a table on stdout may take; any number without a terminal.
    pub(super) fn room(&self) -> Option<usize> {
        self.room.stdout
    }

    /// Prints a table to stdout, in the form that was asked for.
    pub(super) fn print_table(&self, table: &Table) {
        print_text(&match self.options.output {
            Output::Lines => table.lines(),
            _ => table.text(self.room.stdout),
        });
    }

    /// Returns how often more was asked for.
    pub(super) fn verbose(&self) -> u8 {
        self.options.verbose
    }

    /// Shows a line.
    pub(super) fn show(&self, line: &Line) {
        match line {
            Line::Say(text) => self.say(text),
            Line::Title(text) => self.title(text),
            Line::Warn(text) => self.warn(text),
            Line::Fail(text) => self.fail(text),
            Line::Help(text) => {
                let help = self.painted("help:", "36");
                self.write(Level::Info, &format!("{help} {text}"));
            }
            Line::Finding(finding) => self.finding(line, finding),
            Line::Table(table) => self.say(table.text(self.room.stderr).trim_end()),
        }
    }

    /// Shows an event as these lines; in a log of JSON as one object, with the event
    /// itself.
    pub(super) fn show_event(&self, event: &Event, lines: &[Line]) {
        if self.options.log_format == LogFormat::Text {
            lines.iter().for_each(|line| self.show(line));
            return;
        }
        let level = lines.iter().map(Line::level).max().unwrap_or_default();
        if self.options.quiet && level < Level::Error {
            return;
        }
        lines.iter().for_each(|line| self.note_code(line));
        let texts: Vec<String> = lines.iter().map(Line::text).collect();
        log::print_json(level.name(), &texts.join("\n"), Some(event));
    }

    /// Prints a line.
    pub(super) fn say(&self, line: impl AsRef<str>) {
        if !self.options.quiet {
            self.write(Level::Info, line.as_ref());
        }
    }

    /// Writes to stderr, as text or as an object of the log, above the bars.
    fn write(&self, level: Level, text: &str) {
        let write = || match self.options.log_format {
            LogFormat::Json => log::print_json(level.name(), text, None),
            LogFormat::Text => eprintln!("{text}"),
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn title(&self, line: &str) {
        match self.color {
            true => self.say(format!("\u{1b}[1m{line}\u{1b}[0m")),
            false => self.say(line),
        }
    }

    /// Warns.
    pub(super) fn warn(&self, line: impl AsRef<str>) {
        if !self.options.quiet {
            let warning = self.painted("warning:", "33");
            self.write(Level::Warn, &format!("{warning} {}", line.as_ref()));
        }
    }

    fn fail(&self, line: &str) {
        let error = self.painted("error:", "31");
        self.write(Level::Error, &format!("{error} {line}"));
    }

    /// Shows a finding in the user's own files.
    fn finding(&self, line: &Line, finding: &Finding) {
        self.note_code(line);
        self.write(line.level(), &format!("{}\n", finding.render(self.color)));
    }

    /// Shows what is probably not meant by SQL that runs.
    pub(super) fn doubt(&self, finding: &Finding) {
        if !self.options.quiet {
            self.show(&Line::Finding(Box::new(finding.clone())));
        }
    }

    fn note_code(&self, line: &Line) {
        if let Line::Finding(finding) = line
            && finding.severity == Severity::Error
        {
            let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
            errors.insert(finding.code);
        }
    }

    /// Says where the errors that were shown are explained, if any were.
    pub(super) fn point_to_explain(&self) {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = where_explained(&errors) {
            self.say(line);
        }
    }

    /// Shows why a command failed: its causes once, then what to do. It goes to stdout
    /// as well, where a form of JSON was asked for.
    pub(super) fn failure(&self, command: Option<&str>, failure: &Failure) {
        for line in Line::of_failure(failure) {
            self.show(&line);
        }
        self.point_to_explain();
        print_failure(command, failure, self.output());
    }

    fn painted(&self, text: &str, color: &str) -> String {
        match self.color {
            true => format!("\u{1b}[1;{color}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// Returns where codes are explained, in one line.
fn where_explained(codes: &BTreeSet<Code>) -> Option<String> {
    let ids: Vec<&str> = codes.iter().map(|code| code.id()).collect();
    match ids.as_slice() {
        [] => None,
        [id] => Some(format!(
            "for more about this error, try `pricemill explain {id}`"
        )),
        ids => Some(format!(
            "for more about these errors, try `pricemill explain <code>`: {}",
            ids.join(", ")
        )),
    }
}
