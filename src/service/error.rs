//! Why a service gave no answer.

use std::{io, time::Duration};

use crate::{chain::causes, kind::Kind};

/// The client's own error, of a type that is not ours to name.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a service gave no answer. Callers say of what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No client could be made.
    #[error("could not make an HTTP client")]
    Client(#[source] Source),
    /// The server's address is not one of HTTP.
    #[error("the server's address must begin with http:// or https://, not {scheme}:")]
    Address {
        /// What it begins with instead.
        scheme: String,
    },
    /// The key holds characters that no header may hold.
    #[error("INTERNAL_API_KEY contains characters that are not allowed in an HTTP header")]
    Key,
    /// The server could not prove who it is.
    #[error("the server's certificate is not valid")]
    Certificate(#[source] Source),
    /// The key is missing or wrong.
    #[error("the server rejected the key (status {status})")]
    Denied {
        /// 401 or 403.
        status: u16,
    },
    /// The server points elsewhere, where neither key nor trust reaches.
    #[error("the server redirects to {to} (status {status})")]
    Redirected {
        /// 3xx.
        status: u16,
        /// Where to.
        to: String,
    },
    /// The server refuses the request; the same again would be refused again.
    #[error("the server responded with {status}{}", after_colon(.words))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's own words, shortened; may be empty.
        words: String,
    },
    /// The server asks to wait for longer than patience lasts.
    #[error("the server asks to wait {} s (status {status})", wait.as_secs())]
    Throttled {
        /// 429, or another that came with a wait.
        status: u16,
        /// How long.
        wait: Duration,
    },
    /// Nothing listens at an address of this machine.
    #[error("nothing is listening at {address} (tried {tries} {})", times(.tries))]
    NotListening {
        /// Host and port.
        address: String,
        /// How often it was tried.
        tries: u32,
        /// Why the last try failed.
        source: Cause,
    },
    /// No sound answer came within the time that patience lasts.
    #[error("no answer after {tries} {}", attempts(.tries))]
    Unavailable {
        /// How often it was tried.
        tries: u32,
        /// Why the last try failed.
        source: Cause,
    },
}

/// Why an attempt failed that may succeed when it is repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The server is in trouble, or throttles.
    #[error("the server responded with {status}{}", after_colon(.words))]
    Status {
        /// 408, 429 or 5xx.
        status: u16,
        /// The server's own words, shortened; may be empty.
        words: String,
    },
    /// The machine is there, and nothing listens at the port.
    #[error("the connection was refused")]
    NotListening(#[source] Source),
    /// The connection could not be made, was silent for too long, or broke.
    #[error("the connection failed")]
    Network(#[source] Source),
    /// The body came too slowly.
    #[error("the response was too slow")]
    Slow,
    /// The body ended too early.
    #[error("the response was cut short")]
    CutShort,
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Address { .. } | Error::Key => Kind::Usage,
            Error::Client(_)
            | Error::Certificate(_)
            | Error::Denied { .. }
            | Error::Redirected { .. }
            | Error::Refused { .. } => Kind::Failed,
            Error::Throttled { .. } | Error::NotListening { .. } | Error::Unavailable { .. } => {
                Kind::Unavailable
            }
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Denied { .. } | Error::Key => {
                "set INTERNAL_API_KEY to a key that the server accepts"
            }
            Error::Redirected { .. } => {
                "set the profile's `server` to the address that answers without a redirect"
            }
            Error::NotListening { address, .. } => {
                return Some(format!(
                    "is the server running? start it first (`pricemill serve --listen {address}` starts pricemill's own), or choose another with --profile"
                ));
            }
            Error::Throttled { .. } | Error::Unavailable { .. } => {
                "run the same command again later; it continues where it stopped"
            }
            Error::Client(_)
            | Error::Address { .. }
            | Error::Certificate(_)
            | Error::Refused { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// Distinguishes a certificate that is not valid from a connection that may work next time.
pub(super) fn of_connection(error: reqwest::Error) -> super::Failure {
    let (is_certificate, is_refused) = (is_certificate(&error), is_refused(&error));
    let source = without_wrappers(&error.without_url()).into();
    match (is_certificate, is_refused) {
        (true, _) => Error::Certificate(source).into(),
        (false, true) => Cause::NotListening(source).into(),
        (false, false) => Cause::Network(source).into(),
    }
}

/// Returns what the causes say, but for the client's own layers, which say only that a
/// request failed.
fn without_wrappers(error: &reqwest::Error) -> String {
    let is_wrapper = |said: &String| {
        [
            "error sending request",
            "client error (",
            "tcp connect error",
        ]
        .iter()
        .any(|layer| said.starts_with(layer))
    };
    let said: Vec<String> = causes(error)
        .map(ToString::to_string)
        .filter(|said| !is_wrapper(said))
        .collect();
    match said.is_empty() {
        true => error.to_string(),
        false => said.join(": "),
    }
}

fn is_refused(error: &reqwest::Error) -> bool {
    let kinds = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    error.is_connect()
        && kinds
            .map(io::Error::kind)
            .any(|kind| kind == io::ErrorKind::ConnectionRefused)
}

/// The TLS library is not ours to name, so its error is known by its words.
fn is_certificate(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string().contains("certificate"))
}

fn attempts(tries: &u32) -> &'static str {
    match tries {
        1 => "attempt",
        _ => "attempts",
    }
}

fn times(tries: &u32) -> &'static str {
    match tries {
        1 => "time",
        _ => "times",
    }
}

/// Returns `: <words>`, or nothing.
fn after_colon(words: &str) -> String {
    match words {
        "" => String::new(),
        words => format!(": {words}"),
    }
}
