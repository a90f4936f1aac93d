//! Time, passed in: the system's in a run, a test's own in a test.
//!
//! What decides by time (a retry, a quota, a time stamp) takes a [`Clock`]. What only
//! measures how long something took has a [`Stopwatch`]. Nothing else reads the time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// A clock that threads share.
pub type SharedClock = Arc<dyn Clock>;

/// Gives the time, and waits.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the date and the time of day, which somebody may set back.
    fn now(&self) -> DateTime<Utc>;

    /// Returns the time since some fixed moment; it never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits for `time`.
    async fn sleep(&self, time: Duration);
}

/// Returns what comes of `work`, if that comes within `time`.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    time: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = clock.sleep(time) => None,
    }
}

/// The system's clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    started: Stopwatch,
}

impl SystemClock {
    /// Returns the system's clock, whose monotonic time starts now.
    pub fn new() -> SystemClock {
        SystemClock {
            started: Stopwatch::start(),
        }
    }

    /// Returns the system's clock, to share.
    pub fn shared() -> SharedClock {
        Arc::new(SystemClock::new())
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the system's clock")]
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        #[expect(clippy::disallowed_methods, reason = "this is the system's clock")]
        tokio::time::sleep(time).await;
    }
}

/// A clock for tests. It does not move until someone sleeps: then it jumps to the end
/// of that sleep, so a wait of a day takes no time.
#[derive(Debug)]
pub struct FakeClock {
    start: DateTime<Utc>,
    passed: Mutex<Duration>,
}

impl FakeClock {
    /// Returns a clock that shows `start`.
    pub fn at(start: DateTime<Utc>) -> Arc<FakeClock> {
        Arc::new(FakeClock {
            start,
            passed: Mutex::default(),
        })
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let until = self.monotonic().saturating_add(time);
        self.jump(until);
    }

    /// Moves on to a moment, unless it is past already: of two sleeps at once the
    /// longer counts, not their sum.
    fn jump(&self, until: Duration) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = until.max(*passed);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, time: Duration) {
        let until = self.monotonic().saturating_add(time);
        tokio::task::yield_now().await;
        self.jump(until);
    }
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    pub fn start() -> Stopwatch {
        #[expect(
            clippy::disallowed_methods,
            reason = "it measures, and decides nothing"
        )]
        Stopwatch(Instant::now())
    }

    /// Returns the time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test]
    async fn a_sleep_of_a_day_takes_no_time_and_a_day_has_passed() {
        let start = "2026-11-22T10:00:00Z".parse().unwrap();
        let clock = FakeClock::at(start);
        clock.sleep(DAY).await;
        assert_eq!((clock.now(), clock.monotonic()), (start + DAY, DAY));
    }

    #[tokio::test]
    async fn of_sleeps_at_once_the_longest_counts() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        tokio::join!(clock.sleep(DAY), clock.sleep(DAY / 2), clock.sleep(DAY));
        assert_eq!(clock.monotonic(), DAY);
    }
}
