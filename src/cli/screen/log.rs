//! The log, on stderr: lines for people, or one JSON object a line.
#![expect(clippy::print_stderr, reason = "the log goes to stderr")]

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::Options;
use crate::{
    clock::{Clock, SystemClock},
    events::Event,
};

/// The formats of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

/// Turns the log on: warnings, and with -v what is done.
pub(super) fn start(options: Options, color: bool) {
    let level = match (options.quiet, options.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,pricemill=info",
        (false, _) => "info,pricemill=debug",
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(color);
    // A second start in one process (a test's) keeps the first one's log.
    let _ = match options.log_format {
        LogFormat::Text => log.without_time().with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

/// Writes a line as the log writes its own, with the event that it is about; nothing for
/// a blank one.
pub(super) fn print_json(level: &str, text: &str, event: Option<&Event>) {
    if text.trim().is_empty() {
        return;
    }
    let mut fields = serde_json::json!({ "message": text.trim() });
    if let Some(event) = event {
        fields["event"] = serde_json::json!(event);
    }
    let line = serde_json::json!({
        "timestamp": SystemClock::new().now(),
        "level": level,
        "fields": fields,
        "target": "pricemill",
    });
    eprintln!("{line}");
}
