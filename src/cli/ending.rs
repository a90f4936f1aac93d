//! How a command ended.

use std::time::Duration;

use super::screen::spoken;
use crate::report::Summary;

/// How a command ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Ending {
    /// The counts, where there is a summary line.
    summary: Option<Summary>,
    /// Whether the counts are not shown.
    is_silent: bool,
}

impl Ending {
    /// Returns the ending of a command that has something to count.
    pub(super) fn counted(summary: Summary) -> Ending {
        Ending {
            summary: Some(summary),
            is_silent: false,
        }
    }

    /// Returns the ending of a command whose counts nobody needs, only the exit code.
    pub(super) fn uncounted(summary: Summary) -> Ending {
        Ending {
            summary: Some(summary),
            is_silent: true,
        }
    }

    /// Returns the ending of a command that has nothing to count.
    pub(super) fn silent() -> Ending {
        Ending::default()
    }

    /// Returns the exit code.
    pub(super) fn exit_code(&self) -> u8 {
        self.summary.as_ref().map_or(0, Summary::exit_code)
    }

    /// Returns the summary line, where there is one.
    pub(super) fn line(&self, time: Duration) -> Option<String> {
        let summary = self.summary.as_ref().filter(|_| !self.is_silent)?;
        let words = summary.words()?;
        Some(format!("{words} in {}", spoken(time)))
    }
}
