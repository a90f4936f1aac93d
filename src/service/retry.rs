//! When a request is repeated, and when it is given up.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, NaiveDateTime, Utc};

use super::{Cause, Error, Result};
use crate::{chain::causes, clock::Clock, events::lasting};

/// The first wait between two attempts; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a server on this machine may take to come up.
const GRACE: Duration = Duration::from_secs(3);
/// The longest wait that a server's word is taken for.
const MAX_ASKED_WAIT: Duration = Duration::from_secs(366 * 24 * 3600);

/// An attempt that failed, though another may succeed.
#[derive(Debug)]
pub struct Again {
    /// Why it failed.
    pub cause: Cause,
    /// How long the server asks to wait.
    pub wait: Option<Duration>,
}

impl From<Cause> for Again {
    fn from(cause: Cause) -> Again {
        Again { cause, wait: None }
    }
}

/// A wait before the next attempt. Its text says where, why, when and how long still,
/// for whoever watches.
#[derive(Debug)]
pub struct Pause {
    server: String,
    time: Duration,
    cause: Cause,
    is_throttled: bool,
    /// The attempt that comes next, from 1.
    attempt: u32,
    /// When no more is tried, from now.
    left: Duration,
}

impl Pause {
    /// Returns how long it is.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Returns whether the server asks for it.
    pub fn is_throttled(&self) -> bool {
        self.is_throttled
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.is_throttled {
            true => format!("throttled, {}", self.cause),
            false => shown(&self.cause),
        };
        write!(
            f,
            "{}: {why}; attempt {} in {}, giving up in {}",
            self.server,
            self.attempt,
            lasting(self.time),
            lasting(self.left)
        )
    }
}

/// Returns a cause with what is at the root of it.
fn shown(cause: &Cause) -> String {
    let root = causes(cause).last().map(ToString::to_string);
    let said = cause.to_string();
    match root {
        Some(root) if !said.contains(&root) => format!("{said} ({root})"),
        _ => said,
    }
}

/// How long one request may still be tried.
#[derive(Debug)]
pub struct Patience {
    server: String,
    until: Duration,
    waits: ExponentialBackoff,
    tries: u32,
}

impl Patience {
    pub(super) fn new(server: String, limit: Duration, clock: &dyn Clock) -> Patience {
        let waits = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .without_max_times()
            .with_jitter();
        Patience {
            server,
            until: clock.monotonic().saturating_add(limit),
            waits: waits.build(),
            tries: 0,
        }
    }

    /// Returns whether the request was tried before.
    pub fn is_retrying(&self) -> bool {
        self.tries > 0
    }

    /// Shortens the time to what a server on this machine may take to come up.
    pub(super) fn shorten(&mut self, clock: &dyn Clock) {
        self.until = self.until.min(clock.monotonic().saturating_add(GRACE));
    }

    /// Ends the time: nothing is tried again.
    pub(super) fn end(&mut self) {
        self.until = Duration::ZERO;
    }

    /// Counts an attempt that failed, and returns the wait before the next.
    pub(super) fn pause(&mut self, again: Again, clock: &dyn Clock) -> Result<Pause> {
        let Again { cause, wait } = again;
        let time = match wait {
            Some(wait) => wait,
            None => self.waits.next().unwrap_or(LONGEST_WAIT),
        };
        self.tries += 1;
        let throttling = throttling(&cause, wait);
        let left = self.until.saturating_sub(clock.monotonic());
        if time <= left {
            return Ok(Pause {
                server: self.server.clone(),
                time,
                cause,
                is_throttled: throttling.is_some(),
                attempt: self.tries + 1,
                left,
            });
        }
        Err(match throttling {
            Some(status) => Error::Throttled { status, wait: time },
            None => Error::Unavailable {
                tries: self.tries,
                source: cause,
            },
        })
    }
}

/// Returns the status of a server that asks for patience.
fn throttling(cause: &Cause, wait: Option<Duration>) -> Option<u16> {
    match cause {
        Cause::Status { status, .. } if wait.is_some() || *status == 429 => Some(*status),
        Cause::Status { .. }
        | Cause::Network(_)
        | Cause::NotListening(_)
        | Cause::Slow
        | Cause::CutShort => None,
    }
}

/// Closed while the server wants not to be asked.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Duration>);

impl Gate {
    /// Closes the gate until that moment of the clock, or leaves it closed for longer.
    pub(super) fn close(&self, until: Duration) {
        let mut closed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = until.max(*closed);
    }

    /// Waits until the gate is open.
    pub(super) async fn pass(&self, clock: &dyn Clock) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match until.saturating_sub(clock.monotonic()) {
                Duration::ZERO => return,
                rest => clock.sleep(rest).await,
            }
        }
    }
}

/// Returns the wait that a `Retry-After` asks for: seconds, rounded up where there is a
/// fraction, or until a date by the server's own clock, `now`. What is past or makes no
/// sense asks for nothing.
pub(super) fn asked_wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match seconds(text) {
        Some(seconds) => Duration::from_secs(seconds),
        None => (http_date(text)? - now).to_std().ok()?,
    };
    Some(wait.min(MAX_ASKED_WAIT)).filter(|wait| !wait.is_zero())
}

/// Returns the seconds of `7`, and one more of `7.5`. What no number holds is the most.
fn seconds(text: &str) -> Option<u64> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(whole.parse().unwrap_or(u64::MAX).saturating_add(more))
}

/// Reads a date of HTTP, in any of its three forms: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.with_timezone(&Utc));
    }
    let old = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let date = old("%A, %d-%b-%y %H:%M:%S GMT").or_else(|| old("%a %b %e %H:%M:%S %Y"))?;
    Some(date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn asked(text: &str) -> Option<Duration> {
        asked_wait(text, http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap())
    }

    fn server() -> String {
        "http://a:1".to_owned()
    }

    fn status(status: u16, wait: Option<Duration>) -> Again {
        let words = String::new();
        let cause = Cause::Status { status, words };
        Again { cause, wait }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_by_the_servers_clock() {
        assert_eq!(asked("7"), Some(7 * SECOND));
        for date in [
            "Sun, 06 Nov 1994 08:50:37 GMT",
            "Sunday, 06-Nov-94 08:50:37 GMT",
            "Sun Nov  6 08:50:37 1994",
        ] {
            assert_eq!(asked(date), Some(60 * SECOND), "{date}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_is_waited_for_as_a_whole_one() {
        for (text, wait) in [("2.5", 3), ("0.2", 1), ("2.000", 2), (" 1.01 ", 2)] {
            assert_eq!(asked(text), Some(wait * SECOND), "{text}");
        }
    }

    #[test]
    fn a_wait_that_makes_no_sense_asks_for_nothing_and_a_huge_one_is_clamped() {
        let past = "Sun, 06 Nov 1994 08:49:36 GMT";
        for text in [
            "-5", "soon", "", "0", "0.0", "1.", ".5", "1.2.3", "1,5", "2e3", past,
        ] {
            assert_eq!(asked(text), None, "{text}");
        }
        assert_eq!(asked(&"9".repeat(30)), Some(MAX_ASKED_WAIT));
    }

    #[test]
    fn waits_grow_to_a_limit_until_patience_ends() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let mut patience = Patience::new(server(), 600 * SECOND, clock.as_ref());
        let mut waits = Vec::new();
        let error = loop {
            match patience.pause(status(500, None), clock.as_ref()) {
                Ok(pause) => waits.push(pause.time()),
                Err(error) => break error,
            }
            clock.advance(waits[waits.len() - 1]);
        };
        // The jitter adds up to as much again.
        assert!(waits[0] >= FIRST_WAIT && waits[0] <= 2 * FIRST_WAIT);
        assert!(waits.iter().all(|wait| *wait <= 2 * LONGEST_WAIT));
        assert!(waits[waits.len() - 1] >= LONGEST_WAIT);
        let tries = u32::try_from(waits.len()).unwrap() + 1;
        assert!(matches!(error, Error::Unavailable { tries: told, .. } if told == tries));
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_taken_as_it_is_or_refused() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let mut patience = Patience::new(server(), 10 * SECOND, clock.as_ref());
        let pause = patience.pause(status(503, Some(10 * SECOND)), clock.as_ref());
        let pause = pause.unwrap();
        assert_eq!((pause.time(), pause.is_throttled()), (10 * SECOND, true));
        assert_eq!(
            pause.to_string(),
            "http://a:1: throttled, the server responded with 503; attempt 2 in 10 s, giving up in 10 s"
        );
        let refused = patience.pause(status(429, Some(11 * SECOND)), clock.as_ref());
        let refused = refused.unwrap_err().to_string();
        assert_eq!(refused, "the server asks to wait 11 s (status 429)");
    }

    #[test]
    fn a_server_on_this_machine_has_seconds_to_come_up() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let mut patience = Patience::new(server(), 600 * SECOND, clock.as_ref());
        patience.shorten(clock.as_ref());
        let pause = patience.pause(status(500, None), clock.as_ref()).unwrap();
        let shown = pause.to_string();
        assert!(shown.ends_with("giving up in 3 s"), "{shown}");
        clock.advance(GRACE);
        let over = patience.pause(status(500, None), clock.as_ref());
        assert!(matches!(over, Err(Error::Unavailable { .. })));
    }

    #[tokio::test]
    async fn a_closed_gate_is_passed_when_its_time_has_come() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let gate = Gate::default();
        gate.pass(clock.as_ref()).await;
        assert_eq!(clock.monotonic(), Duration::ZERO);
        gate.close(60 * SECOND);
        gate.close(SECOND);
        gate.pass(clock.as_ref()).await;
        assert_eq!(clock.monotonic(), 60 * SECOND);
    }
}
