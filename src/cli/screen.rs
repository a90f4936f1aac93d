//! What a person or a log reads: stderr, colours, the summary line.
#![expect(clippy::print_stderr, reason = "this is where what is told is printed")]

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use tracing_subscriber::EnvFilter;

use super::{
    args::{Global, LogFormat, Output},
    bars::{Bars, Ends, Lines},
};
pub(crate) use crate::events::{grouped, sized};
use crate::{
    config::Environment,
    diagnostics::{Finding, Findings, Severity},
    error::Error,
    events::Progress,
};

/// The screen of one command.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    /// The form data is written in.
    pub(crate) output: Output,
    quiet: bool,
    verbose: u8,
    color: bool,
    bars: bool,
    json: bool,
}

impl Screen {
    pub(crate) fn new(global: &Global, environment: &Environment) -> Screen {
        let terminal = std::io::stderr().is_terminal();
        Screen {
            output: global.output,
            quiet: global.quiet,
            verbose: global.verbose,
            color: terminal
                && environment.get("NO_COLOR").is_none()
                && global.log_format == LogFormat::Text,
            bars: terminal && !global.quiet && global.log_format == LogFormat::Text,
            json: global.log_format == LogFormat::Json,
        }
    }

    /// Turns the log on: warnings, and with -v what is done.
    pub(crate) fn trace(&self, global: &Global) {
        let level = match (global.quiet, global.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "warn,pricemill=info",
            (false, _) => "info,pricemill=debug",
        };
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(std::io::stderr)
            .with_ansi(self.color);
        // A second start in one process (a test's) keeps the first one's log.
        let _ = match global.log_format {
            LogFormat::Text => log.without_time().with_target(false).try_init(),
            LogFormat::Json => log.json().try_init(),
        };
    }

    /// Returns progress as bars on a terminal, as lines elsewhere.
    pub(crate) fn progress(&self) -> Progress {
        self.progress_with(Ends::Told)
    }

    /// Returns progress of tasks whose end the command tells itself.
    pub(crate) fn progress_of_steps(&self) -> Progress {
        self.progress_with(Ends::Silent)
    }

    fn progress_with(&self, ends: Ends) -> Progress {
        match (self.quiet, self.bars) {
            (true, _) => Progress::silent(),
            (false, true) => Progress::new(Bars::new(ends)),
            (false, false) => Progress::new(Lines::new(ends, self.json)),
        }
    }

    /// Returns whether more was asked for.
    pub(crate) fn verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Returns whether everything was asked for.
    pub(crate) fn very_verbose(&self) -> bool {
        self.verbose > 1
    }

    /// Says a line.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            self.write("INFO", line.as_ref());
        }
    }

    /// Writes to stderr, as text or as an object of the log.
    fn write(&self, level: &str, text: &str) {
        match self.json {
            true => tell_json(level, text),
            false => eprintln!("{text}"),
        }
    }

    /// Says a line in bold.
    pub(crate) fn title(&self, line: &str) {
        match self.color {
            true => self.say(format!("\u{1b}[1m{line}\u{1b}[0m")),
            false => self.say(line),
        }
    }

    /// Warns.
    pub(crate) fn warn(&self, line: impl AsRef<str>) {
        if !self.quiet {
            let warning = self.painted("warning:", "33");
            self.write("WARN", &format!("{warning} {}", line.as_ref()));
        }
    }

    /// Tells what failed, and has no more to it.
    pub(crate) fn fail(&self, line: impl AsRef<str>) {
        let error = self.painted("error:", "31");
        self.write("ERROR", &format!("{error} {}", line.as_ref()));
    }

    /// Shows findings in the user's own files.
    pub(crate) fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            let level = match finding.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARN",
            };
            self.write(level, &format!("{}\n", finding.render(self.color)));
        }
    }

    /// Tells an error: the chain once, then what to do.
    pub(crate) fn error(&self, error: &Error) {
        if !error.findings().is_empty() {
            return self.findings(error.findings());
        }
        self.complain(error, error.hint().as_deref());
    }

    /// Tells any error with its causes, and a hint.
    pub(crate) fn complain(&self, error: &dyn std::error::Error, hint: Option<&str>) {
        self.fail(chain(error));
        if let Some(hint) = hint {
            let help = self.painted("help:", "36");
            self.write("INFO", &format!("{help} {hint}"));
        }
    }

    fn painted(&self, text: &str, color: &str) -> String {
        match self.color {
            true => format!("\u{1b}[1;{color}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    /// Tells why nothing could even begin.
    pub(crate) fn give_up(&self, error: &std::io::Error) -> ExitCode {
        self.complain(error, None);
        ExitCode::from(70)
    }
}

/// Writes a line of the log as the tracing log writes its own; nothing for a blank one.
pub(crate) fn tell_json(level: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let line = serde_json::json!({
        "timestamp": chrono::Utc::now(),
        "level": level,
        "fields": { "message": text.trim() },
        "target": "pricemill",
    });
    eprintln!("{line}");
}

/// Returns an error with its causes on one line, none said twice.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let says = without_wrappers(&error.to_string());
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
        cause = error.source();
    }
    text
}

/// Leaves out what DataFusion and Parquet say of an error that is not their own: nothing.
fn without_wrappers(says: &str) -> String {
    says.replace("External error: ", "")
        .replace("External: ", "")
}

/// Shows findings before there is a screen.
pub(crate) fn print_findings(findings: &Findings) {
    let color = std::io::stderr().is_terminal();
    for finding in &findings.0 {
        eprintln!("{}\n", finding.render(color));
    }
}

/// Returns a time as people read it: `1.9 s`, `2 min 5 s`.
pub(crate) fn spoken(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 100.0 => format!("{seconds:.1} s"),
        seconds => format!("{} min {} s", seconds as u64 / 60, seconds as u64 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(856_502), "856,502");
        assert_eq!(sized(999), "999 B");
        assert_eq!(sized(34 << 20), "34.0 MiB");
        assert_eq!(sized(1 << 30), "1.0 GiB");
        assert_eq!(spoken(Duration::from_millis(1_940)), "1.9 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn an_error_is_told_once_and_without_its_wrappers() {
        use datafusion::{error::DataFusionError, parquet::errors::ParquetError};
        let full = || Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let told = |error: DataFusionError| {
            chain(&crate::engine::Error::Run {
                what: "could not".to_owned(),
                source: Box::new(error),
            })
        };
        let is = full().to_string();
        let external = DataFusionError::External(full());
        assert_eq!(told(external), format!("could not: {is}"));
        let parquet = ParquetError::External(full());
        let parquet = DataFusionError::ParquetError(Box::new(parquet));
        let parquet_error = format!("could not: Parquet error: {is}");
        assert_eq!(told(parquet), parquet_error);
    }
}
