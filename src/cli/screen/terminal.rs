//! How wide the terminal is.
//!
//! In come the variable `COLUMNS` and the terminals that stdout and stderr are; out come
//! their columns. What is not a terminal has no width: nothing is cut there.

use std::{io, os::fd::AsFd};

use rustix::termios::{isatty, tcgetwinsize};

use crate::config::Environment;

/// The columns of terminals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) stdout: Option<usize>,
    pub(super) stderr: Option<usize>,
}

impl Room {
    pub(super) fn of(environment: &Environment) -> Room {
        let columns = environment.get("COLUMNS");
        Room {
            stdout: room(columns, io::stdout()),
            stderr: room(columns, io::stderr()),
        }
    }
}

/// What a terminal has that does not say how wide it is.
const USUAL: usize = 80;

/// Returns the columns of a terminal: those that `COLUMNS` says, else its own.
fn room(columns: Option<&str>, stream: impl AsFd) -> Option<usize> {
    if !isatty(&stream) {
        return None;
    }
    let said = columns.and_then(|columns| columns.trim().parse().ok());
    let own = || Some(usize::from(tcgetwinsize(&stream).ok()?.ws_col));
    let known = said.filter(|said| *said > 0).or_else(own);
    known.filter(|known| *known > 0).or(Some(USUAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_terminal_has_no_width() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(room(Some("80"), file), None);
    }
}
