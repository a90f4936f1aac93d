//! A clock whose sleeps end when the test says so.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use pricemill::clock::Clock;
use tokio::sync::watch;

/// A clock that moves by [`HeldClock::advance`] alone.
#[derive(Debug)]
pub(crate) struct HeldClock(watch::Sender<Duration>);

impl HeldClock {
    pub(crate) fn new() -> Arc<HeldClock> {
        Arc::new(HeldClock(watch::Sender::new(Duration::ZERO)))
    }

    /// Waits until so many sleep, then lets time pass.
    pub(crate) async fn advance(&self, sleepers: usize, time: Duration) {
        while self.0.receiver_count() < sleepers {
            tokio::task::yield_now().await;
        }
        self.0.send_modify(|now| *now += time);
    }
}

#[async_trait]
impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.borrow()
    }

    async fn sleep(&self, time: Duration) {
        let mut now = self.0.subscribe();
        let until = *now.borrow() + time;
        // The clock outlives who sleeps by it.
        let _ = now.wait_for(|now| *now >= until).await;
    }
}
