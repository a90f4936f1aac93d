//! What a server's answer to an upload means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Response, StatusCode,
    header::{self, HeaderMap},
};
use serde::Deserialize;

use super::{Error, Result};
use crate::outbox::{Manifest, Receipt};

/// The most of an answer that is read.
const MAX_BYTES: usize = 64 << 10;
/// The most of a server's own words that is repeated.
const MAX_WORDS: usize = 300;

/// What an attempt came to.
pub(super) enum Reply {
    /// The receiver has the artifact.
    Done(Receipt),
    /// Another attempt may succeed, after at least the wait the server asks for.
    Again {
        error: Error,
        wait: Option<Duration>,
    },
}

/// What a receiver says. The existing service says the message only.
#[derive(Debug, Deserialize)]
struct Words {
    message: Option<String>,
    error: Option<serde_json::Value>,
    detail: Option<serde_json::Value>,
    sha256: Option<String>,
    bytes: Option<u64>,
}

/// Reads an answer.
///
/// # Errors
///
/// Returns an error for what another attempt would not change.
pub(super) async fn read(target: &str, manifest: &Manifest, response: Response) -> Result<Reply> {
    let (status, wait) = (response.status(), retry_after(response.headers()));
    let target = target.to_owned();
    let words = match body(response).await {
        Ok(text) => serde_json::from_slice::<Words>(&text).ok(),
        Err(source) if status.is_success() => {
            let error = Error::Unreachable { target, source };
            return Ok(Reply::Again { error, wait: None });
        }
        Err(_) => None,
    };
    let code = status.as_u16();
    let reason = words.as_ref().map(Words::reason).unwrap_or_default();
    match status {
        StatusCode::OK | StatusCode::CREATED => receipt(target, manifest, words).map(Reply::Done),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Key {
            target,
            status: code,
        }),
        StatusCode::TOO_MANY_REQUESTS => Ok(Reply::Again {
            error: Error::Throttled {
                target,
                wait: wait.unwrap_or_default(),
            },
            wait,
        }),
        StatusCode::REQUEST_TIMEOUT => Ok(again(target, code, reason, wait)),
        _ if status.is_server_error() => Ok(again(target, code, reason, wait)),
        _ if status.is_redirection() => Err(Error::Redirect {
            target,
            status: code,
        }),
        _ if status.is_success() => Err(Error::Receipt {
            target,
            reason: "with a status that no receiver gives",
        }),
        _ => Err(Error::Refused {
            target,
            status: code,
            reason,
        }),
    }
}

fn again(target: String, status: u16, reason: String, wait: Option<Duration>) -> Reply {
    let error = Error::Server {
        target,
        status,
        reason,
    };
    Reply::Again { error, wait }
}

/// A page of a proxy that says 200 is no receipt; neither is another file's.
fn receipt(target: String, manifest: &Manifest, words: Option<Words>) -> Result<Receipt> {
    let Some((message, words)) = words.and_then(|words| Some((words.message.clone()?, words)))
    else {
        return Err(Error::Receipt {
            target,
            reason: "not as a receiver does, with a message in JSON",
        });
    };
    let same_hash = words.sha256.map(|sha256| sha256 == manifest.sha256);
    let same_length = words.bytes.map(|bytes| bytes == manifest.bytes);
    if same_hash == Some(false) || same_length == Some(false) {
        return Err(Error::Receipt {
            target,
            reason: "tells of another file",
        });
    }
    Ok(Receipt {
        target,
        uploaded_at: Utc::now(),
        verified: same_hash.is_some() && same_length.is_some(),
        message: shortened(&message),
    })
}

async fn body(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BYTES {
            return Ok(Vec::new());
        }
    }
    Ok(body)
}

/// Returns the wait that a server asks for, in seconds or until a date, the date being
/// read by the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let wanted = text(header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let now = text(header::DATE)
        .and_then(date)
        .unwrap_or_else(|| Utc::now().into());
    (date(wanted)? - now).to_std().ok()
}

impl Words {
    fn reason(&self) -> String {
        let said = self.error.as_ref().or(self.detail.as_ref());
        match said {
            Some(serde_json::Value::String(text)) => shortened(text),
            Some(other) => shortened(&other.to_string()),
            None => String::new(),
        }
    }
}

fn shortened(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(MAX_WORDS).collect()
}

/// Returns `: <reason>`, or nothing.
pub(super) fn spoken(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Option<Duration> {
        let date = "Sun, 22 Nov 2026 10:00:00 GMT";
        let headers = [
            (header::RETRY_AFTER, value.parse().unwrap()),
            (header::DATE, date.parse().unwrap()),
        ];
        retry_after(&headers.into_iter().collect())
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date_of_the_servers_clock() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        let later = "Sun, 22 Nov 2026 10:01:00 GMT";
        assert_eq!(asked(later), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_wait_that_makes_no_sense_is_none() {
        for nonsense in ["-1", "soon", "Sun, 22 Nov 2026 09:00:00 GMT", ""] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
