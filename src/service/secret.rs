//! The key, and texts of the server without it.
//!
//! A server, or a proxy before it, may repeat what was sent to it. So whatever it says
//! passes here before it appears in an error, a log or a receipt.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Error, Result};

/// The longest piece of the server's words that is shown.
const SHOWN_CHARS: usize = 300;

/// The key, if there is one.
#[derive(Debug)]
pub(super) struct Secret(Option<SecretString>);

impl Secret {
    /// Takes the key; an empty one counts for nothing.
    pub(super) fn new(key: Option<SecretString>) -> Secret {
        Secret(key.filter(|key| !key.expose_secret().is_empty()))
    }

    /// Returns the value of the key's header.
    pub(super) fn header(&self) -> Result<Option<HeaderValue>> {
        let Some(key) = &self.0 else {
            return Ok(None);
        };
        let value = HeaderValue::from_str(key.expose_secret());
        let mut value = value.map_err(|_| Error::Key)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Returns a text without the key.
    pub(super) fn redacted(&self, text: &str) -> String {
        match &self.0 {
            Some(key) => text.replace(key.expose_secret(), "[redacted]"),
            None => text.to_owned(),
        }
    }

    /// Returns a text without the key, on one line, shortened.
    pub(super) fn shown(&self, text: &str) -> String {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let clean: String = words.chars().filter(|c| !c.is_control()).collect();
        let clean = self.redacted(&clean);
        let mut short: String = clean.chars().take(SHOWN_CHARS).collect();
        if short.len() < clean.len() {
            short.push('…');
        }
        short
    }
}

/// Returns the message in a body: what a JSON object says under `error`, `detail` or
/// `message`, else the whole text.
pub(super) fn message(body: &[u8]) -> String {
    let object = serde_json::from_slice::<serde_json::Map<String, Value>>(body).ok();
    let said = object.as_ref().and_then(|object| {
        let names = ["error", "detail", "message"];
        names.into_iter().find_map(|name| object.get(name))
    });
    match said {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::from_utf8_lossy(body).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Secret::new(Some("hunter2".into())).shown(text)
    }

    #[test]
    fn what_the_server_repeats_of_the_key_is_not_shown() {
        assert_eq!(shown("key hunter2 is wrong"), "key [redacted] is wrong");
        // Nor if the text was cut off in the middle of it.
        let long = format!("{} hunter2", "x".repeat(SHOWN_CHARS - 4));
        assert!(!shown(&long).contains("hun"), "{}", shown(&long));
        assert!(!format!("{:?}", Secret::new(Some("hunter2".into()))).contains("hunter2"));
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(
            shown("<html>\n\t<b>down</b>\u{1b}[0m"),
            "<html> <b>down</b>[0m"
        );
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), SHOWN_CHARS + 1);
    }

    #[test]
    fn a_message_is_found_in_json_and_any_other_text_is_one() {
        for (body, said) in [
            (r#"{"detail":"no","x":1}"#, "no"),
            (
                r#"{"error":{"id":["is missing"]}}"#,
                r#"{"id":["is missing"]}"#,
            ),
            (r#"{"other":1}"#, r#"{"other":1}"#),
            ("<html>", "<html>"),
            ("", ""),
        ] {
            assert_eq!(message(body.as_bytes()), said);
        }
    }

    #[test]
    fn without_a_key_nothing_is_replaced() {
        let none = Secret::new(Some("".into()));
        assert_eq!(none.shown("a b"), "a b");
        assert!(none.header().unwrap().is_none());
    }
}
