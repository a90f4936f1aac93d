//! The one HTTP client of a price service: `source` fetches with it, `upload` sends.
//!
//! ```text
//!             ┌────────────── wait: back-off, or as long as the server asks ◄──┐
//!             ▼                                                                │
//! request ─► gate ─► attempt ─► answer ─► body, within its limits              │
//!                       │                   │                                  │
//!                       └─ it may help to try again: patience left? ───────────┘
//! ```
//!
//! An address and a key go in, responses come out. A caller builds a request, attempts
//! it, and gives what may pass (time-outs, lost connections, 5xx, 429) to
//! [`Client::plan`], which returns the wait before the next attempt, or the error when
//! the caller's patience runs out.
//!
//! It never follows a redirect, never uses a proxy of the environment, and never sends
//! the key anywhere but to the configured origin: addresses are made here only. No
//! error holds the key, also where the server repeats it. Time is a [`Clock`]'s.
//!
//! [`Clock`]: crate::clock::Clock

mod answer;
mod error;
mod retry;
mod secret;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use secrecy::SecretString;
use url::{Host, Url};

pub use answer::{Answer, BodyFault};
pub use error::{Cause, Error, Result};
pub use retry::{Again, Patience, Pause};

use crate::clock::SharedClock;
use retry::Gate;
use secret::Secret;

/// The header that carries the key.
pub const KEY_HEADER: &str = "x-internal-api-key";
/// A connection that takes longer to be made is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one service. Its requests share one gate: while the server asks to
/// wait, none of them is sent.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    key: Secret,
    idle_timeout: Duration,
    gate: Gate,
    /// Whether nothing listens there, of which another request need not be sure again.
    is_absent: AtomicBool,
    clock: SharedClock,
}

/// An address below the service's own, without a query.
#[derive(Debug, Clone)]
pub struct Endpoint(Url);

/// Why an attempt came to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The same request would fail again.
    Final(Error),
    /// Another attempt may succeed.
    Again(Again),
}

impl Client {
    /// Makes a client of the service at `server`, which gives up a connection that is
    /// silent for `idle_timeout`. Time is `clock`'s.
    ///
    /// # Errors
    ///
    /// The address is not one of HTTP, or the key cannot be a header's value.
    pub fn new(
        server: &Url,
        key: Option<SecretString>,
        idle_timeout: Duration,
        clock: SharedClock,
    ) -> Result<Client> {
        if server.cannot_be_a_base() || !matches!(server.scheme(), "http" | "https") {
            return Err(Error::Address {
                scheme: server.scheme().to_owned(),
            });
        }
        let key = Secret::new(key);
        let mut headers = HeaderMap::new();
        if let Some(value) = key.header()? {
            headers.insert(KEY_HEADER, value);
        }
        #[expect(clippy::disallowed_methods, reason = "this is the one client")]
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("pricemill/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(idle_timeout.min(CONNECT_TIMEOUT))
            .read_timeout(idle_timeout)
            .build()
            .map_err(|error| Error::Client(error.into()))?;
        Ok(Client {
            http,
            server: server.clone(),
            key,
            idle_timeout,
            gate: Gate::default(),
            is_absent: AtomicBool::new(false),
            clock,
        })
    }

    /// Returns the clock.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Returns the service's address as manifests name it: without user, password and query.
    pub fn name(&self) -> String {
        let mut url = self.server.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Both fail only for a URL without a host, which has neither.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.to_string()
    }

    /// Returns the service's origin, `https://prices.example`.
    pub fn origin(&self) -> String {
        self.server.origin().ascii_serialization()
    }

    /// Returns the address `<server>/api/<group>/<name>/`.
    pub fn endpoint(&self, group: &str, name: &str) -> Endpoint {
        let mut url = self.server.clone();
        url.set_fragment(None);
        url.set_query(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", group, name, ""]);
        }
        Endpoint(url)
    }

    /// Starts a request with the key.
    pub fn request(
        &self,
        method: Method,
        endpoint: &Endpoint,
        query: Option<&str>,
    ) -> RequestBuilder {
        let mut url = endpoint.0.clone();
        url.set_query(query);
        self.http.request(method, url)
    }

    /// Sends a request once, as soon as the gate is open. `handled` are the statuses
    /// beside success that the caller understands: they are answers too.
    ///
    /// # Errors
    ///
    /// Returns why there is no answer, and whether another attempt may help.
    pub async fn attempt(
        &self,
        request: RequestBuilder,
        handled: &[u16],
    ) -> Result<Answer, Failure> {
        self.gate.pass(self.clock.as_ref()).await;
        let response = request.send().await.map_err(error::of_connection)?;
        let answer = Answer::new(response, self.idle_timeout, self.clock.clone());
        let status = answer.status();
        if (200..300).contains(&status) || handled.contains(&status) {
            return Ok(answer);
        }
        Err(self.judged(answer).await)
    }

    async fn judged(&self, answer: Answer) -> Failure {
        let status = answer.status();
        let wait = answer.retry_after();
        match status {
            401 | 403 => Failure::Final(Error::Denied { status }),
            300..=399 => Failure::Final(Error::Redirected {
                status,
                to: self
                    .key
                    .shown(answer.header("location").unwrap_or("nowhere")),
            }),
            408 | 429 | 500.. => {
                let words = self.words(answer).await;
                let cause = Cause::Status { status, words };
                Failure::Again(Again { cause, wait })
            }
            _ => Failure::Final(Error::Refused {
                status,
                words: self.words(answer).await,
            }),
        }
    }

    async fn words(&self, answer: Answer) -> String {
        self.words_of(&answer.beginning().await)
    }

    /// Returns what the server says in a body, shortened and without the key: the
    /// message of a JSON object that has one, else the text itself.
    pub fn words_of(&self, body: &[u8]) -> String {
        self.key.shown(&secret::message(body))
    }

    /// Returns a text of the server without the key.
    pub fn redacted(&self, text: &str) -> String {
        self.key.redacted(text)
    }

    /// Returns a text of the server on one line, shortened and without the key.
    pub fn shown(&self, text: &str) -> String {
        self.key.shown(text)
    }

    /// Starts to count the time and the attempts of one request.
    pub fn patience(&self, limit: Duration) -> Patience {
        Patience::new(self.origin(), limit, self.clock.as_ref())
    }

    /// Returns the wait before another attempt. If the server asks for it, nobody
    /// sends anything until it is over. A server on this machine that is not there is
    /// waited for no longer than it takes to start one.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Throttled`], [`Error::NotListening`] or [`Error::Unavailable`] if
    /// the wait would outlast the patience.
    pub fn plan(&self, again: Again, patience: &mut Patience) -> Result<Pause> {
        let is_absent = matches!(again.cause, Cause::NotListening(_)) && self.is_loopback();
        if is_absent {
            match self.is_absent.load(Ordering::Relaxed) {
                true => patience.end(),
                false => patience.shorten(self.clock.as_ref()),
            }
        }
        let pause = patience.pause(again, self.clock.as_ref());
        let pause = pause.map_err(|error| match error {
            Error::Unavailable { tries, source } if is_absent => self.absent(tries, source),
            other => other,
        })?;
        if pause.is_throttled() {
            self.gate.close(self.clock.monotonic() + pause.time());
        }
        Ok(pause)
    }

    fn absent(&self, tries: u32, source: Cause) -> Error {
        self.is_absent.store(true, Ordering::Relaxed);
        let host = self.server.host_str().unwrap_or_default();
        let port = self.server.port_or_known_default().unwrap_or_default();
        Error::NotListening {
            address: format!("{host}:{port}"),
            tries,
            source,
        }
    }

    /// Returns whether the server is on this machine.
    fn is_loopback(&self) -> bool {
        match self.server.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
            None => false,
        }
    }

    /// Waits until a pause is over.
    pub async fn wait(&self, pause: Pause) {
        self.clock.sleep(pause.time()).await;
    }
}

impl Endpoint {
    /// Returns the address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Final(error)
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        Failure::Again(Again::from(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn new(server: &str, key: &str) -> Result<Client> {
        let (second, clock) = (Duration::from_secs(1), SystemClock::shared());
        Client::new(&server.parse().unwrap(), Some(key.into()), second, clock)
    }

    fn client(server: &str) -> Client {
        new(server, "hunter2").unwrap()
    }

    #[test]
    fn an_endpoint_is_below_the_servers_own_path() {
        for (server, wanted) in [
            ("http://a:1", "http://a:1/api/export/prices/"),
            ("http://a/x/?q#f", "http://a/x/api/export/prices/"),
        ] {
            let endpoint = client(server).endpoint("export", "prices");
            assert_eq!(endpoint.url().as_str(), wanted);
        }
    }

    #[test]
    fn an_endpoint_cannot_leave_the_origin() {
        for name in ["//elsewhere.example", "../../x", "@elsewhere.example"] {
            let url = client("http://a:1").endpoint("export", name).0;
            assert_eq!(url.origin().ascii_serialization(), "http://a:1");
            assert!(url.path().starts_with("/api/export/"), "{url}");
        }
    }

    #[test]
    fn a_name_shows_no_password_and_a_client_no_key() {
        let client = client("https://user:secret@shop.example/");
        assert_eq!(client.name(), "https://shop.example/");
        assert!(!format!("{client:?}").contains("hunter2"));
    }

    #[test]
    fn an_address_of_another_protocol_and_a_key_that_no_header_holds_are_refused() {
        let refused = |server: &str, key: &str| new(server, key).unwrap_err();
        assert!(matches!(refused("ftp://a", "key"), Error::Address { .. }));
        assert!(matches!(refused("http://a", "two\nlines"), Error::Key));
    }
}
