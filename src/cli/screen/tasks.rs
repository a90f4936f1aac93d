//! Tasks as bars on a terminal, and as lines elsewhere.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Screen, grouped, spoken};
use crate::clock::Stopwatch;

/// The tasks at work, by name.
pub(in crate::cli) struct Tasks {
    screen: Screen,
    kind: Kind,
}

enum Kind {
    Bars(MultiProgress, Mutex<HashMap<String, ProgressBar>>),
    Lines(Mutex<HashMap<String, Task>>),
}

/// A task that is shown as lines: one every ten seconds while it lasts.
#[derive(Debug)]
struct Task {
    began: Stopwatch,
    shown: Stopwatch,
    waited: Option<Stopwatch>,
    unit: String,
}

const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// A service that throttles does so again and again.
const BETWEEN_WAITS: Duration = Duration::from_secs(5);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tasks {
    pub(in crate::cli) fn new(screen: &Screen) -> Tasks {
        let kind = match &screen.bars {
            Some(bars) => Kind::Bars(bars.clone(), Mutex::default()),
            None => Kind::Lines(Mutex::default()),
        };
        Tasks {
            screen: screen.clone(),
            kind,
        }
    }

    pub(in crate::cli) fn begin(&self, task: &str, total: Option<u64>, unit: &str) {
        match &self.kind {
            Kind::Bars(all, bars) => {
                let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
                bar.set_style(style(total));
                bar.set_prefix(task.to_owned());
                bar.set_message(unit.to_owned());
                let bar = all.add(bar);
                bar.enable_steady_tick(Duration::from_millis(120));
                locked(bars).insert(task.to_owned(), bar);
            }
            Kind::Lines(tasks) => {
                let begun = Task {
                    began: Stopwatch::start(),
                    shown: Stopwatch::start(),
                    waited: None,
                    unit: unit.to_owned(),
                };
                locked(tasks).insert(task.to_owned(), begun);
            }
        }
    }

    pub(in crate::cli) fn advance(&self, task: &str, done: u64, total: Option<u64>) {
        match &self.kind {
            Kind::Bars(_, bars) => {
                if let Some(bar) = locked(bars).get(task) {
                    if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                        bar.set_style(style(Some(total)));
                        bar.set_length(total);
                    }
                    bar.set_position(done);
                }
            }
            Kind::Lines(tasks) => {
                if let Some(line) = locked(tasks)
                    .get_mut(task)
                    .and_then(|known| known.line(task, done, total))
                {
                    self.screen.say(line);
                }
            }
        }
    }

    pub(in crate::cli) fn wait(&self, task: &str, reason: &str) {
        match &self.kind {
            Kind::Bars(_, bars) => {
                if let Some(bar) = locked(bars).get(task) {
                    bar.set_message(reason.to_owned());
                }
            }
            Kind::Lines(tasks) => {
                if let Some(known) = locked(tasks).get_mut(task) {
                    let before = known.waited.replace(Stopwatch::start());
                    if before
                        .as_ref()
                        .is_some_and(|before| before.elapsed() < BETWEEN_WAITS)
                    {
                        known.waited = before;
                        return;
                    }
                }
                self.screen.say(format!("{task}: {reason}"));
            }
        }
    }

    pub(in crate::cli) fn end(&self, task: &str, summary: Option<&str>) {
        match &self.kind {
            Kind::Bars(_, bars) => {
                if let Some(bar) = locked(bars).remove(task) {
                    bar.finish_and_clear();
                }
            }
            Kind::Lines(tasks) => drop(locked(tasks).remove(task)),
        }
        if let Some(summary) = summary {
            self.screen.say(format!("{task}: {summary}"));
        }
    }
}

impl Task {
    /// Returns a line about the task, if the last is long enough ago.
    fn line(&mut self, task: &str, done: u64, total: Option<u64>) -> Option<String> {
        if self.shown.elapsed() < BETWEEN_LINES {
            return None;
        }
        self.shown = Stopwatch::start();
        let of = total.map(|total| format!(" of {}", grouped(total)));
        let (done, of) = (grouped(done), of.unwrap_or_default());
        let time = spoken(self.began.elapsed());
        Some(format!("{task}: {done}{of} {} after {time}", self.unit))
    }
}

fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{prefix:<24} {bar:24} {human_pos} / {human_len} {msg} {per_sec}",
        None => "{prefix:<24} {spinner} {human_pos} {msg} {per_sec}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
