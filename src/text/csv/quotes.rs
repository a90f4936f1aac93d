//! Where the rows of a CSV text end, and what is wrong with its quotes.
//!
//! A quoted field is in quotes as a whole (RFC 4180). In go lines one after another; out
//! come whether the row goes on, and its first fault. What a stray quote was meant to
//! be is never guessed.

/// Where in a field the last byte was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Blanks only so far.
    Blanks,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first of a doubled one.
    Closed,
}

/// The quotes of one row.
#[derive(Debug)]
pub(super) struct Quotes {
    separator: u8,
    state: State,
    /// The field, from 1.
    field: usize,
    /// Bytes of the row that were seen.
    seen: usize,
    /// Where the last quoted field opens, in bytes of the row.
    pub(super) opened: usize,
    /// What is wrong with the row.
    pub(super) fault: Option<String>,
    /// Whether a field without quotes has one within.
    pub(super) has_literal: bool,
}

impl Quotes {
    pub(super) fn new(separator: u8) -> Quotes {
        Quotes {
            separator,
            state: State::Start,
            field: 1,
            seen: 0,
            opened: 0,
            fault: None,
            has_literal: false,
        }
    }

    /// Returns whether a quoted field is still open.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Looks at the next line of the row.
    pub(super) fn look(&mut self, line: &[u8]) {
        for byte in line {
            self.state = self.after(*byte);
            self.seen += 1;
        }
    }

    fn after(&mut self, byte: u8) -> State {
        if byte == self.separator && self.state != State::Quoted {
            self.field += 1;
            return State::Start;
        }
        match (self.state, byte) {
            (State::Start, b'"') => {
                self.opened = self.seen;
                State::Quoted
            }
            (State::Quoted, b'"') => State::Closed,
            (State::Closed, b'"') | (State::Quoted, _) => State::Quoted,
            (State::Blanks, b'"') => self.broken("blanks before the opening quote"),
            (State::Plain, b'"') => {
                self.has_literal = true;
                State::Plain
            }
            (_, b'\n' | b'\r') => State::Start,
            (State::Closed, _) => self.broken("text after the closing quote"),
            (State::Start | State::Blanks, b' ' | b'\t') => State::Blanks,
            (State::Start | State::Blanks | State::Plain, _) => State::Plain,
        }
    }

    fn broken(&mut self, what: &str) -> State {
        let field = self.field;
        self.fault
            .get_or_insert_with(|| format!("field {field} has {what}"));
        State::Plain
    }
}
