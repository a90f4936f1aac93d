//! An answer, and its body within limits of time and size.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, header};

use super::{Cause, retry};
use crate::clock::SharedClock;

/// A body that comes slower than this, after the idle time as a head start, is given up.
const MIN_BYTES_PER_SECOND: u64 = 1024;
/// The most room made for a body on its own word.
const ROOM_BYTES: u64 = 1 << 20;
/// The most of a body that is read for its words.
const WORDS_BYTES: usize = 4096;

/// An answer whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    pace: Pace,
    clock: SharedClock,
}

/// Why a body could not be read.
#[derive(Debug)]
pub enum BodyFault {
    /// It may come whole when it is asked for again.
    Cause(Cause),
    /// It is longer than is allowed.
    TooLarge,
}

impl Answer {
    pub(super) fn new(response: Response, idle_timeout: Duration, clock: SharedClock) -> Answer {
        Answer {
            response,
            pace: Pace {
                start: clock.monotonic(),
                idle_timeout,
                bytes: 0,
            },
            clock,
        }
    }

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns a header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Returns how long the server asks to wait, if it asks for a wait that makes sense.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let now = self
            .header(header::DATE.as_str())
            .and_then(retry::http_date);
        let asked = self.header(header::RETRY_AFTER.as_str())?;
        retry::asked_wait(asked, now.unwrap_or_else(|| self.clock.now()))
    }

    /// Returns the next bytes of the body, or `None` after the last.
    ///
    /// # Errors
    ///
    /// The connection broke, or the bytes come too slowly.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Cause> {
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|error| Cause::Network(error.without_url().into()))?;
        match chunk {
            Some(chunk) if !self.pace.admits(chunk.len(), self.clock.monotonic()) => {
                Err(Cause::Slow)
            }
            chunk => Ok(chunk),
        }
    }

    /// Reads the whole body, decoded.
    ///
    /// # Errors
    ///
    /// It is longer than `max_bytes`, too slow, or cut off.
    pub async fn body(mut self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        let announced = self.response.content_length().unwrap_or(0).min(ROOM_BYTES);
        let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = self.chunk().await.map_err(BodyFault::Cause)? {
            if (body.len() + chunk.len()) as u64 > max_bytes {
                return Err(BodyFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Reads the beginning of the body, or what comes of it in the idle time.
    pub(super) async fn beginning(mut self) -> Vec<u8> {
        let mut beginning = Vec::new();
        let idle_timeout = self.pace.idle_timeout;
        let reading = async {
            while let (true, Ok(Some(chunk))) =
                (beginning.len() < WORDS_BYTES, self.response.chunk().await)
            {
                beginning.extend_from_slice(&chunk);
            }
        };
        // What came until then is enough.
        let _ = tokio::time::timeout(idle_timeout, reading).await;
        beginning.truncate(WORDS_BYTES);
        beginning
    }
}

/// How fast a body comes.
#[derive(Debug)]
struct Pace {
    start: Duration,
    idle_timeout: Duration,
    bytes: u64,
}

impl Pace {
    /// Takes more bytes in, and returns whether they are in time.
    fn admits(&mut self, bytes: usize, now: Duration) -> bool {
        self.bytes += bytes as u64;
        let earned = Duration::from_secs(self.bytes / MIN_BYTES_PER_SECOND);
        now.saturating_sub(self.start) <= self.idle_timeout + earned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_drips_is_given_up_and_a_long_one_has_longer() {
        let second = Duration::from_secs(1);
        let pace = || Pace {
            start: second,
            idle_timeout: 30 * second,
            bytes: 0,
        };
        assert!(pace().admits(1, 31 * second));
        assert!(!pace().admits(1, 32 * second));
        assert!(pace().admits(2 * 1024, 33 * second));
    }
}
