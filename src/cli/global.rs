//! The options that every command takes.

use std::{num::NonZeroUsize, time::Duration};

use clap::{ArgAction, Args};

use super::screen::{LogFormat, Options, Output};
use crate::config::{self, Overrides};

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Use this profile of pricemill.toml
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "dev")]
    pub(super) profile: Option<String>,
    /// Use the profile `dev`: http://127.0.0.1:8000 unless configured
    #[arg(long, global = true)]
    pub(super) dev: bool,
    /// Output format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) output: Output,
    /// Number of threads to use
    #[arg(long, global = true, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// How long to wait for another run to finish [default: 0s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub(super) wait: Option<Duration>,
    /// Log format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Print more; repeat for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

fn time(text: &str) -> Result<Duration, String> {
    config::duration(text).ok_or_else(|| format!("write it like `10m`, not `{text}`"))
}

impl Global {
    /// Returns what the screen is to know of the options.
    pub(super) fn screen_options(&self) -> Options {
        Options {
            output: self.output,
            log_format: self.log_format,
            quiet: self.quiet,
            verbose: self.verbose,
        }
    }

    /// Returns what the options say about settings.
    pub(super) fn overrides(&self) -> Overrides {
        let dev = self.dev.then(|| "dev".to_owned());
        Overrides {
            profile: self.profile.clone().or(dev),
            threads: self.threads,
        }
    }
}
