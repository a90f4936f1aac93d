//! Progress as bars on a terminal, and as lines elsewhere.
#![expect(clippy::print_stderr, reason = "this is where progress is printed")]

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::screen::{grouped, spoken, tell_json};
use crate::events::Sink;

/// What is told when a task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Its summary.
    Told,
    /// Nothing: the command tells it itself, with more.
    Silent,
}

/// Bars, one a task.
#[derive(Debug)]
pub(crate) struct Bars {
    ends: Ends,
    all: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    pub(crate) fn new(ends: Ends) -> Bars {
        Bars {
            ends,
            all: MultiProgress::new(),
            bars: Mutex::default(),
        }
    }

    fn with(&self, task: &str, then: impl FnOnce(&ProgressBar)) {
        let bars = self
            .bars
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(bar) = bars.get(task) {
            then(bar);
        }
    }
}

fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{prefix:<24} {bar:24} {human_pos} / {human_len} {msg} {per_sec}",
        None => "{prefix:<24} {spinner} {human_pos} {msg} {per_sec}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Sink for Bars {
    fn begin(&self, task: &str, total: Option<u64>, unit: &str) {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        bar.set_style(style(total));
        bar.set_prefix(task.to_owned());
        bar.set_message(unit.to_owned());
        let bar = self.all.add(bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut bars = self
            .bars
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        bars.insert(task.to_owned(), bar);
    }

    fn at(&self, task: &str, done: u64, total: Option<u64>) {
        self.with(task, |bar| {
            if let Some(total) = total
                && bar.length() != Some(total)
            {
                bar.set_style(style(Some(total)));
                bar.set_length(total);
            }
            bar.set_position(done);
        });
    }

    fn note(&self, task: &str, note: &str) {
        self.with(task, |bar| bar.set_message(note.to_owned()));
    }

    fn end(&self, task: &str, summary: &str) {
        self.with(task, ProgressBar::finish_and_clear);
        if self.ends == Ends::Told {
            // A screen that is gone has nobody to tell.
            let _ = self.all.println(format!("{task}: {summary}"));
        }
    }
}

/// Lines: one when a task ends, one every ten seconds while it lasts.
#[derive(Debug)]
pub(crate) struct Lines {
    ends: Ends,
    json: bool,
    tasks: Mutex<HashMap<String, Task>>,
}

#[derive(Debug)]
struct Task {
    began: Instant,
    told: Instant,
    noted: Option<Instant>,
    unit: String,
}

impl Lines {
    pub(crate) fn new(ends: Ends, json: bool) -> Lines {
        Lines {
            ends,
            json,
            tasks: Mutex::default(),
        }
    }

    fn say(&self, line: &str) {
        match self.json {
            true => tell_json("INFO", line),
            false => eprintln!("{line}"),
        }
    }
}

impl Sink for Lines {
    fn begin(&self, task: &str, _: Option<u64>, unit: &str) {
        let now = Instant::now();
        let mut tasks = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        tasks.insert(
            task.to_owned(),
            Task {
                began: now,
                told: now,
                noted: None,
                unit: unit.to_owned(),
            },
        );
    }

    fn at(&self, task: &str, done: u64, total: Option<u64>) {
        let mut tasks = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(known) = tasks.get_mut(task) else {
            return;
        };
        if known.told.elapsed() < Duration::from_secs(10) {
            return;
        }
        known.told = Instant::now();
        let of = total
            .map(|total| format!(" of {}", grouped(total)))
            .unwrap_or_default();
        let time = spoken(known.began.elapsed());
        self.say(&format!(
            "{task}: {}{of} {} after {time}",
            grouped(done),
            known.unit
        ));
    }

    fn note(&self, task: &str, note: &str) {
        let mut tasks = self
            .tasks
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // A service that throttles does so again and again; once in a while will do.
        if let Some(known) = tasks.get_mut(task) {
            let recently = Duration::from_secs(5);
            if known.noted.is_some_and(|noted| noted.elapsed() < recently) {
                return;
            }
            known.noted = Some(Instant::now());
        }
        self.say(&format!("{task}: {note}"));
    }

    fn end(&self, task: &str, summary: &str) {
        if self.ends == Ends::Told {
            self.say(&format!("{task}: {summary}"));
        }
    }
}
