//! How stages tell what they are doing, without printing it.

use std::{fmt, sync::Arc};

/// Receives progress; `cli` draws it as bars or lines.
pub trait Sink: Send + Sync {
    /// A task began; `total` in `unit`s when it is known.
    fn begin(&self, task: &str, total: Option<u64>, unit: &str);
    /// A task has come to `done`; its total may have become known.
    fn at(&self, task: &str, done: u64, total: Option<u64>);
    /// A task waits, and why (`throttled, 7 s`).
    fn note(&self, task: &str, note: &str);
    /// A task ended, with one line about it.
    fn end(&self, task: &str, summary: &str);
}

/// A handle on a sink, cheap to clone.
#[derive(Clone)]
pub struct Progress(Arc<dyn Sink>);

impl Progress {
    /// Wraps a sink.
    pub fn new(sink: impl Sink + 'static) -> Progress {
        Progress(Arc::new(sink))
    }

    /// Returns progress that nobody watches.
    pub fn silent() -> Progress {
        Progress::new(Silent)
    }
}

impl std::ops::Deref for Progress {
    type Target = dyn Sink;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

struct Silent;

impl Sink for Silent {
    fn begin(&self, _: &str, _: Option<u64>, _: &str) {}
    fn at(&self, _: &str, _: u64, _: Option<u64>) {}
    fn note(&self, _: &str, _: &str) {}
    fn end(&self, _: &str, _: &str) {}
}

/// Returns a size as people read it: `7 B`, `34.0 MiB`.
pub(crate) fn sized(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB"];
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in units {
        if size < 1000.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    match unit {
        "B" => format!("{bytes} B"),
        unit => format!("{size:.1} {unit}"),
    }
}

/// Returns a number with a comma between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
