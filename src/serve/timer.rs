//! hyper's timer over the server's clock: in come deadlines on hyper's own scale, out come
//! waits by the clock, so that a test decides when they are over. It reads no other time.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

use crate::clock::SharedClock;

/// A timer that waits by a clock.
#[derive(Debug, Clone)]
pub(super) struct ClockTimer {
    clock: SharedClock,
    /// The clock's zero on hyper's scale.
    zero: Instant,
}

impl ClockTimer {
    #[expect(
        clippy::disallowed_methods,
        reason = "any moment will be the zero of hyper's scale; the clock says what has passed since"
    )]
    pub(super) fn new(clock: SharedClock) -> ClockTimer {
        ClockTimer {
            clock,
            zero: Instant::now(),
        }
    }
}

impl Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        let clock = self.clock.clone();
        let wait = async move { clock.sleep(duration).await };
        Box::pin(Wait(Mutex::new(Box::pin(wait))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> Instant {
        self.zero + self.clock.monotonic()
    }
}

/// A wait; hyper wants it to be `Sync`, so it is behind a lock that nobody contends for.
struct Wait(Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let wait = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        wait.as_mut().poll(context)
    }
}

impl Sleep for Wait {}
