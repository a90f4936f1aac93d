//! How a command ended: its counts, as data and in words.
//!
//! The words say what was done, `generated 3, skipped 2, failed 0; 1 unchanged`, never that
//! something is over.

use serde::Serialize;

use crate::kind::Kind;

/// How a command ended: one count a pipeline, dataset, file or test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Those that came through.
    pub pass: usize,
    /// The warnings on the way.
    pub warn: usize,
    /// Those that failed.
    pub fail: usize,
    /// Those that were not tried.
    pub skip: usize,
    /// What kinds of failures there were.
    #[serde(skip)]
    pub kinds: Vec<Kind>,
    /// What was done.
    #[serde(skip)]
    pub(super) done: Vec<Done>,
    /// What else is to be known of it, and of how many.
    #[serde(skip)]
    pub(super) notes: Vec<(&'static str, usize)>,
    /// What each failure is; without a name, one of those that were tried.
    #[serde(skip)]
    pub(super) failures: Option<&'static str>,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    verb: &'static str,
    count: usize,
    /// What was counted, where that is not clear.
    unit: Option<&'static str>,
}

impl Summary {
    /// Starts the summary of a command that does this, to none so far.
    pub fn of(verb: &'static str) -> Summary {
        let mut summary = Summary::default();
        summary.done(verb, None, 0);
        summary
    }

    /// Returns the summary of a command that did this to all.
    pub fn all(verb: &'static str, count: usize, unit: &'static str) -> Summary {
        let mut summary = Summary {
            pass: count,
            ..Summary::default()
        };
        summary.done(verb, Some(unit), count);
        summary
    }

    /// Names what each failure is.
    #[must_use]
    pub fn with_failures(self, failures: &'static str) -> Summary {
        Summary {
            failures: Some(failures),
            ..self
        }
    }

    /// Counts a success, with warnings or without.
    pub fn passed(&mut self, warnings: usize) {
        self.pass += 1;
        self.warn += warnings;
    }

    /// Counts a failure.
    pub fn failed(&mut self, kind: Kind) {
        self.fail += 1;
        self.kinds.push(kind);
    }

    /// Counts something that was done.
    pub fn did(&mut self, verb: &'static str) {
        self.done(verb, None, 1);
    }

    /// Mentions what was to be done, even where it is done to none.
    pub fn does(&mut self, verb: &'static str) {
        self.done(verb, None, 0);
    }

    /// Counts something else that is to be known.
    pub fn note(&mut self, what: &'static str) {
        self.noted(what, 1);
    }

    fn done(&mut self, verb: &'static str, unit: Option<&'static str>, count: usize) {
        match self.done.iter_mut().find(|done| done.verb == verb) {
            Some(done) => done.count += count,
            None => self.done.push(Done { verb, count, unit }),
        }
    }

    fn noted(&mut self, what: &'static str, count: usize) {
        match self.notes.iter_mut().find(|(known, _)| *known == what) {
            Some((_, noted)) => *noted += count,
            None => self.notes.push((what, count)),
        }
    }

    /// Returns both together.
    #[must_use]
    pub fn and(mut self, other: Summary) -> Summary {
        self.pass += other.pass;
        self.warn += other.warn;
        self.fail += other.fail;
        self.skip += other.skip;
        self.kinds.extend(other.kinds);
        for Done { verb, unit, count } in other.done {
            self.done(verb, unit, count);
        }
        for (what, count) in other.notes {
            self.noted(what, count);
        }
        self
    }

    /// Returns what was done, in words; nothing of a command that only looks.
    pub fn words(&self) -> Option<String> {
        let done = self.done.iter().map(|done| match done.unit {
            Some(unit) => format!("{} {}", done.verb, counted(done.count, unit)),
            None => format!("{} {}", done.verb, done.count),
        });
        let mut words: Vec<String> = done.collect();
        if words.is_empty() {
            return None;
        }
        let is_tried = self.done.iter().any(|done| done.unit.is_none());
        if is_tried || self.skip > 0 {
            words.push(format!("skipped {}", self.skip));
        }
        match self.failures {
            Some(name) if self.fail > 0 => words.push(counted(self.fail, name)),
            None if is_tried || self.fail > 0 => words.push(format!("failed {}", self.fail)),
            _ => {}
        }
        let mut notes = self.notes.clone().into_iter();
        let mut notes: Vec<String> = notes
            .by_ref()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        if self.warn > 0 {
            notes.push(counted(self.warn, "warning"));
        }
        let words = words.join(", ");
        Some(match notes.is_empty() {
            true => words,
            false => format!("{words}; {}", notes.join(", ")),
        })
    }

    /// Returns the exit code: the first of 130, 70, 1, 3, 75, 4, 2 that occurred.
    pub fn exit_code(&self) -> u8 {
        use Kind::{Busy, Data, Failed, Internal, Interrupted, Unavailable, Usage};
        let order = [
            Interrupted,
            Internal,
            Failed,
            Data,
            Unavailable,
            Busy,
            Usage,
        ];
        let worst = order.into_iter().find(|kind| self.kinds.contains(kind));
        worst.map_or(0, Kind::exit_code)
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_kind_decides_the_exit_code() {
        let mut summary = Summary::default();
        assert_eq!(summary.exit_code(), 0);
        summary.failed(Kind::Usage);
        summary.failed(Kind::Data);
        assert_eq!(summary.exit_code(), 3);
        summary.failed(Kind::Failed);
        let passes = Summary::all("loaded", 2, "table");
        assert_eq!(summary.and(passes).exit_code(), 1);
    }

    #[test]
    fn the_words_say_what_was_done() {
        let mut summary = Summary::of("generated");
        assert_eq!(summary.words().unwrap(), "generated 0, skipped 0, failed 0");
        for _ in 0..3 {
            summary.passed(0);
            summary.did("generated");
        }
        summary.note("unchanged");
        summary.skip = 2;
        assert_eq!(
            summary.words().unwrap(),
            "generated 3, skipped 2, failed 0; 1 unchanged"
        );
        let both = Summary::all("fetched", 1, "dataset").and(summary);
        assert_eq!(
            both.words().unwrap(),
            "fetched 1 dataset, generated 3, skipped 2, failed 0; 1 unchanged"
        );
        let loaded = Summary {
            warn: 2,
            ..Summary::all("loaded", 4, "table")
        };
        assert_eq!(loaded.words().unwrap(), "loaded 4 tables; 2 warnings");
        let checked = Summary::all("checked", 2, "pipeline").with_failures("error");
        let checked = Summary { fail: 1, ..checked };
        assert_eq!(checked.words().unwrap(), "checked 2 pipelines, 1 error");
        assert_eq!(Summary::default().words(), None);
    }
}
