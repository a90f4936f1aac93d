//! What stages report while they work, as typed values.
//!
//! ```text
//!  stage ─► Events ─┬─► the screen: bars, lines, warnings
//!                   ├─► the log
//!                   └─► the record of the run
//! ```
//!
//! In come facts, each once; out go the same facts to every sink. Nothing here prints,
//! formats or stores.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::{
    diagnostics::Finding,
    report::{CheckResult, Embedded, Model, Step, TestFile},
};

mod format;

pub(crate) use format::{grouped, lasting, sized};

/// A fact about the work that goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A task began.
    TaskBegun {
        /// The task: a dataset's, pipeline's or table's name.
        task: String,
        /// How many units it has, where that is known.
        total: Option<u64>,
        /// What is counted: `rows`, `bytes`.
        unit: String,
    },
    /// A task has come so far.
    TaskAdvanced {
        /// What is worked on: a dataset, a pipeline, a file or a table.
        task: String,
        /// Units done.
        done: u64,
        /// How many units it has, where that has become known.
        total: Option<u64>,
    },
    /// A task waits.
    TaskWaiting {
        /// What is worked on: a dataset, a pipeline, a file or a table.
        task: String,
        /// Where, why and for how long: `http://127.0.0.1:8000: the response was cut short;
        /// attempt 2 in 0.4 s, giving up in 9 min 58 s`.
        reason: String,
    },
    /// A task ended.
    TaskEnded {
        /// What is worked on: a dataset, a pipeline, a file or a table.
        task: String,
        /// One line about it; none where a later event says more.
        summary: Option<String>,
    },
    /// A title above what follows.
    Title {
        /// Its text, without the mark-up of a terminal.
        text: String,
    },
    /// Something worth knowing.
    Note {
        /// What, in a sentence.
        message: String,
    },
    /// Something that is probably not meant.
    Warning {
        /// What, in a sentence.
        message: String,
    },
    /// There is nothing to work on.
    Nothing {
        /// What was found, in a sentence.
        found: String,
        /// What to do next, with the command to type.
        next: String,
    },
    /// Something in the user's own files.
    Found {
        /// What and where.
        finding: Box<Finding>,
    },
    /// An export is being made up.
    SynthBegun {
        /// What: size and seed.
        spec: String,
        /// About how many prices.
        prices: u64,
        /// How many products.
        products: u64,
        /// How many stores.
        stores: u64,
    },
    /// A snapshot is complete.
    SnapshotCommitted {
        /// Its id.
        snapshot: String,
    },
    /// The snapshot in use lacks a dataset that may be lacking: it is empty.
    DatasetMissing {
        /// The dataset's name.
        dataset: String,
        /// The snapshot's id.
        snapshot: String,
    },
    /// The pipelines read the snapshot before the one in use.
    PreviousOpened {
        /// Its name; without one, what is read of it is empty.
        previous: Option<String>,
        /// The snapshot in use.
        snapshot: String,
        /// Where the rows came from.
        source: String,
        /// The datasets that it must have.
        datasets: Vec<String>,
    },
    /// The pipelines read the snapshots of earlier days.
    HistoryOpened {
        /// The dataset's name.
        dataset: String,
        /// How many days there are; none: what is read of them is empty.
        days: usize,
        /// The first of these days.
        from: Option<chrono::NaiveDate>,
        /// The snapshot in use.
        snapshot: String,
        /// Where the rows came from.
        source: String,
    },
    /// A model was computed.
    ModelComputed {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The model and its cost.
        #[serde(flatten)]
        model: Model,
    },
    /// Texts were embedded for a pipeline.
    TextsEmbedded {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// How many, and how long it took.
        #[serde(flatten)]
        embedded: Embedded,
    },
    /// A check of an output was made.
    Checked {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The check and what it found.
        #[serde(flatten)]
        result: CheckResult,
    },
    /// An output's file was written.
    OutputWritten {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The file's name, such as `bargains.json`.
        file: String,
        /// Its size in bytes.
        bytes: u64,
        /// How long it took.
        seconds: f64,
    },
    /// A test file was run.
    Tested(TestFile),
    /// A step of the command is done: what the record of the run keeps.
    StepEnded(Box<Step>),
}

/// Receives events.
pub trait Sink: Send + Sync {
    /// Takes one. Sinks are quick: the work waits for them.
    fn receive(&self, event: &Event);
}

/// A handle on the sinks, cheap to clone.
#[derive(Clone, Default)]
pub struct Events {
    sinks: Arc<[Arc<dyn Sink>]>,
    /// Whether the ends of tasks have no summary, as a later event says more.
    is_brief: bool,
}

impl Events {
    /// Reports to these sinks.
    pub fn new(sinks: Vec<Arc<dyn Sink>>) -> Events {
        Events {
            sinks: sinks.into(),
            is_brief: false,
        }
    }

    /// Returns events that nobody receives.
    pub fn silent() -> Events {
        Events::default()
    }

    /// Returns the same sinks for tasks whose end a later event describes.
    #[must_use]
    pub fn brief(&self) -> Events {
        Events {
            sinks: self.sinks.clone(),
            is_brief: true,
        }
    }

    /// Reports an event.
    pub fn emit(&self, event: Event) {
        for sink in self.sinks.iter() {
            sink.receive(&event);
        }
    }

    /// Reports that a step is done.
    pub fn step(&self, step: Step) {
        self.emit(Event::StepEnded(Box::new(step)));
    }

    /// Reports something worth knowing.
    pub fn say(&self, message: impl Into<String>) {
        self.emit(Event::Note {
            message: message.into(),
        });
    }

    /// Reports something that is probably not meant.
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warning {
            message: message.into(),
        });
    }

    /// Reports that there is nothing to work on, and what to do next.
    pub fn nothing(&self, found: impl Into<String>, next: impl Into<String>) {
        self.emit(Event::Nothing {
            found: found.into(),
            next: next.into(),
        });
    }

    /// Reports that a task began; `total` in `unit`s when it is known.
    pub fn begin(&self, task: &str, total: Option<u64>, unit: &str) {
        self.emit(Event::TaskBegun {
            task: task.to_owned(),
            total,
            unit: unit.to_owned(),
        });
    }

    /// Reports that a task has come to `done`; its total may have become known.
    pub fn at(&self, task: &str, done: u64, total: Option<u64>) {
        self.emit(Event::TaskAdvanced {
            task: task.to_owned(),
            done,
            total,
        });
    }

    /// Reports that a task waits, and why.
    pub fn note(&self, task: &str, reason: &str) {
        self.emit(Event::TaskWaiting {
            task: task.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Reports that a task ended, with one line about it.
    pub fn end(&self, task: &str, summary: &str) {
        self.emit(Event::TaskEnded {
            task: task.to_owned(),
            summary: (!self.is_brief).then(|| summary.to_owned()),
        });
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events to {} sinks", self.sinks.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<Event>>);

    impl Sink for Seen {
        fn receive(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    #[test]
    fn every_sink_receives_the_same_events_in_order() {
        let sinks = [Arc::new(Seen::default()), Arc::new(Seen::default())];
        let events = Events::new(sinks.iter().map(|sink| sink.clone() as _).collect());
        events.begin("prices", None, "rows");
        events.brief().end("prices", "7 rows");
        events.end("stores", "2 rows");
        let [first, second] = sinks.map(|sink| sink.0.lock().unwrap().clone());
        assert_eq!(first, second);
        let ends = first.into_iter().filter_map(|event| match event {
            Event::TaskEnded { summary, .. } => Some(summary),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [None, Some("2 rows".to_owned())]);
    }
}
