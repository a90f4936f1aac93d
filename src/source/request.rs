//! One request, until it is answered or patience ends.
//!
//! Time-outs, lost connections, 5xx and 429 are tried again; while the server
//! asks to wait, nobody sends anything. Redirects are errors, proxies of the
//! environment are not used, and the key goes to the configured origin alone.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, Utc};
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, sleep_until};
use url::Url;

use super::{Error, Notes, Place, Result};
use crate::{config::FetchConfig, events::Progress};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-internal-api-key");
/// A body that comes slower than this, after the idle time as a head start, is given up.
const MIN_BYTES_PER_SECOND: u64 = 1024;
const MAX_WAIT: Duration = Duration::from_secs(366 * 24 * 3600);
/// The most room made for a body on its own word.
const ROOM_BYTES: u64 = 1 << 20;
/// The longest piece of a strange answer that is shown.
const SHOWN_CHARS: usize = 120;

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The server is in trouble.
    #[error("the server answers {0}")]
    Status(u16),
    /// The connection could not be made, was silent for too long, or broke.
    #[error("the connection failed")]
    Network(#[source] reqwest::Error),
    /// The body came too slowly.
    #[error("the answer came too slowly")]
    Slow,
    /// The body ended too early.
    #[error("the answer was cut short")]
    CutShort,
}

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum BodyFault {
    Cause(Cause),
    TooLarge,
}

/// A client of one service, whose requests share one gate.
#[derive(Debug)]
pub(super) struct Requests {
    client: Client,
    key: Option<SecretString>,
    pub(super) config: FetchConfig,
    gate: Gate,
}

impl Requests {
    pub(super) fn new(key: Option<SecretString>, config: FetchConfig) -> Result<Requests> {
        let client = Client::builder()
            .default_headers(key_headers(key.as_ref())?)
            .user_agent(concat!("pricemill/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(config.idle_timeout.min(Duration::from_secs(10)))
            .read_timeout(config.idle_timeout)
            .build()
            .map_err(|error| client_error("could not make an HTTP client", error))?;
        Ok(Requests {
            client,
            key,
            config,
            gate: Gate::default(),
        })
    }

    /// Starts to count the time and the tries of one request.
    pub(super) fn patience(&self, progress: &Progress) -> Patience {
        Patience::new(self.config.patience, progress.clone())
    }

    /// Asks until there is an answer: 200, 404, 406 or 415.
    pub(super) async fn send(
        &self,
        place: &Place,
        url: &Url,
        accept: &'static str,
        notes: &Notes,
        patience: &mut Patience,
    ) -> Result<Response> {
        loop {
            self.gate.pass().await;
            notes.note(|told| {
                told.requests += 1;
                told.retries += u64::from(patience.tries > 0);
            });
            let request = self.client.get(url.clone()).header(ACCEPT, accept);
            match request.send().await {
                Ok(response) => {
                    if let Some(response) = self.judge(place, response, patience).await? {
                        return Ok(response);
                    }
                }
                Err(error) if is_certificate(&error) => {
                    let what = format!("{place}: the server could not prove who it is");
                    return Err(client_error(&what, error.without_url()));
                }
                Err(error) => {
                    let cause = Cause::Network(error.without_url());
                    self.pause(place, cause, patience).await?;
                }
            }
        }
    }

    /// Returns the answer if it is one, nothing if it is to be tried again.
    async fn judge(
        &self,
        place: &Place,
        response: Response,
        patience: &mut Patience,
    ) -> Result<Option<Response>> {
        let place = || place.clone();
        let status = response.status();
        match status {
            StatusCode::OK
            | StatusCode::NOT_FOUND
            | StatusCode::NOT_ACCEPTABLE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE => Ok(Some(response)),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Denied {
                place: place(),
                status: status.as_u16(),
            }),
            StatusCode::TOO_MANY_REQUESTS => {
                self.throttled(place(), retry_after(response.headers()), patience)?;
                Ok(None)
            }
            _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                if let Some(wait) = retry_after(response.headers()) {
                    self.throttled(place(), Some(wait), patience)?;
                } else {
                    let cause = Cause::Status(status.as_u16());
                    self.pause(&place(), cause, patience).await?;
                }
                Ok(None)
            }
            _ if status.is_redirection() => Err(Error::Redirected {
                place: place(),
                to: self.redacted(&target(&response)),
            }),
            _ => Err(Error::Refused {
                place: place(),
                status: status.as_u16(),
                answer: self.shown(
                    &read_body(response, self.limits(4096))
                        .await
                        .unwrap_or_default(),
                ),
            }),
        }
    }

    /// Closes the gate for everyone until the server wants to be asked again.
    fn throttled(
        &self,
        place: Place,
        wait: Option<Duration>,
        patience: &mut Patience,
    ) -> Result<()> {
        let wait = wait.unwrap_or_else(|| patience.next_pause());
        patience.tries += 1;
        if wait > patience.left() {
            return Err(Error::Throttled { place, wait });
        }
        let note = format!("throttled, {} s", wait.as_secs().max(1));
        patience.progress.note(&place.dataset, &note);
        tracing::info!(dataset = %place.dataset, wait_seconds = wait.as_secs(), "throttled");
        self.gate.close(Instant::now() + wait);
        Ok(())
    }

    /// Waits before the next try, or gives up.
    pub(super) async fn pause(
        &self,
        place: &Place,
        cause: Cause,
        patience: &mut Patience,
    ) -> Result<()> {
        let pause = patience.next_pause();
        patience.tries += 1;
        if pause > patience.left() {
            return Err(Error::Unavailable {
                place: place.clone(),
                tries: patience.tries,
                source: cause,
            });
        }
        tracing::debug!(%place, %cause, "trying again");
        patience
            .progress
            .note(&place.dataset, &format!("{cause}, trying again"));
        sleep(pause).await;
        Ok(())
    }

    pub(super) fn limits(&self, max_bytes: u64) -> Limits {
        Limits {
            max_bytes,
            idle: self.config.idle_timeout,
        }
    }

    /// Shows what came, shortened, without the key.
    pub(super) fn shown(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let clean: String = words.chars().filter(|c| !c.is_control()).collect();
        let clean = self.redacted(&clean);
        if clean.is_empty() {
            return "nothing".to_owned();
        }
        let mut short: String = clean.chars().take(SHOWN_CHARS).collect();
        if short.len() < clean.len() {
            short.push('…');
        }
        short
    }

    fn redacted(&self, text: &str) -> String {
        match &self.key {
            Some(key) if !key.expose_secret().is_empty() => {
                text.replace(key.expose_secret(), "[the key]")
            }
            _ => text.to_owned(),
        }
    }
}

fn key_headers(key: Option<&SecretString>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| {
            let what = "INTERNAL_API_KEY cannot be sent";
            client_error(what, "it holds characters that no header may hold")
        })?;
        value.set_sensitive(true);
        headers.insert(KEY_HEADER, value);
    }
    Ok(headers)
}

fn client_error(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Client {
        what: what.to_owned(),
        source: source.into(),
    }
}

/// The TLS library is not ours to name, so its error is known by its words.
fn is_certificate(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.to_string().contains("certificate") {
            return true;
        }
        source = error.source();
    }
    false
}

fn target(response: &Response) -> String {
    let location = response.headers().get(LOCATION);
    let text = location.and_then(|to| to.to_str().ok());
    text.unwrap_or("nowhere")
        .chars()
        .take(SHOWN_CHARS)
        .collect()
}

/// Returns how long the server asks to wait: seconds, or a date by its own clock.
/// What is absent, past or makes no sense asks for nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wait = if is_number {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let now = http_date(headers.get(DATE)).unwrap_or_else(Utc::now);
        (http_date(headers.get(RETRY_AFTER))? - now).to_std().ok()?
    };
    Some(wait.min(MAX_WAIT)).filter(|wait| !wait.is_zero())
}

fn http_date(value: Option<&HeaderValue>) -> Option<DateTime<Utc>> {
    let text = value?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.with_timezone(&Utc))
}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    max_bytes: u64,
    idle: Duration,
}

/// Reads a whole body, decoded, within its limits.
pub(super) async fn read_body(
    mut response: Response,
    limits: Limits,
) -> std::result::Result<Vec<u8>, BodyFault> {
    let mut pace = Pace::new(limits.idle);
    let told = response.content_length().unwrap_or(0).min(ROOM_BYTES);
    let mut body = Vec::with_capacity(usize::try_from(told).unwrap_or(0));
    while let Some(chunk) = pace.chunk(&mut response).await.map_err(BodyFault::Cause)? {
        if (body.len() + chunk.len()) as u64 > limits.max_bytes {
            return Err(BodyFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Watches how fast a body comes.
#[derive(Debug)]
pub(super) struct Pace {
    start: Instant,
    idle: Duration,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(idle: Duration) -> Pace {
        Pace {
            start: Instant::now(),
            idle,
            bytes: 0,
        }
    }

    /// Returns the next bytes, or `None` after the last.
    pub(super) async fn chunk(
        &mut self,
        response: &mut Response,
    ) -> std::result::Result<Option<bytes::Bytes>, Cause> {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| Cause::Network(error.without_url()))?;
        self.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let allowed = self.idle + Duration::from_secs(self.bytes / MIN_BYTES_PER_SECOND);
        if chunk.is_some() && self.start.elapsed() > allowed {
            return Err(Cause::Slow);
        }
        Ok(chunk)
    }
}

/// How long one request may still be tried.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    pauses: ExponentialBackoff,
    tries: u32,
    progress: Progress,
}

impl Patience {
    fn new(patience: Duration, progress: Progress) -> Patience {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(30))
            .without_max_times()
            .with_jitter();
        Patience {
            until: Instant::now() + patience,
            pauses: pauses.build(),
            tries: 0,
            progress,
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(Duration::from_secs(30))
    }
}

/// Closed while the server wants not to be asked.
#[derive(Debug, Default)]
struct Gate(Mutex<Option<Instant>>);

impl Gate {
    fn close(&self, until: Instant) {
        let mut closed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = Some(closed.map_or(until, |closed| closed.max(until)));
    }

    async fn pass(&self) {
        loop {
            let closed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match closed {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(HeaderName, &str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        retry_after(&headers.collect())
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_by_the_servers_clock() {
        assert_eq!(asked(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        let dates = [
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"),
            (DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(asked(&dates), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_wait_that_makes_no_sense_asks_for_nothing_and_a_huge_one_is_clamped() {
        for text in [
            "-5",
            "soon",
            "",
            "0",
            "1.5",
            "Sun, 06 Nov 1994 08:50:37 GMT",
        ] {
            assert_eq!(asked(&[(RETRY_AFTER, text)]), None, "{text}");
        }
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[(RETRY_AFTER, &"9".repeat(30))]), Some(MAX_WAIT));
    }
}
