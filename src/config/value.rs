//! The types of values, and how people write them: `768MiB`, `60%`, `36h`.

use std::{borrow::Cow, num::NonZeroUsize, time::Duration};

use bytesize::ByteSize;
use serde_json::json;

/// A text; borrowed where it is a default.
pub(super) type Text = Cow<'static, str>;

/// A value as it is written, before its type is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// A text in quotes.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// True or false.
    Boolean(bool),
    /// The text of an environment variable.
    Variable(String),
    /// Something that no setting is: a list, a date, a table.
    Other,
}

impl Raw {
    /// Returns a text, of the file or of a variable.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Raw::Text(text) | Raw::Variable(text) => Some(text),
            Raw::Integer(_) | Raw::Boolean(_) | Raw::Other => None,
        }
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Raw::Integer(number) => Some(*number),
            Raw::Variable(text) => text.trim().parse().ok(),
            Raw::Text(_) | Raw::Boolean(_) | Raw::Other => None,
        }
    }
}

/// A type that a setting's value can have.
pub(super) trait Value: Clone + Sync {
    /// What it is, with its article.
    const WHAT: &'static str;

    /// Reads what is written, if it is one.
    fn read(raw: &Raw) -> Option<Self>;

    /// Returns the value as TOML, if there is one.
    fn as_toml(&self) -> Option<String>;

    /// Returns the JSON schema of what is written.
    fn schema() -> serde_json::Value;

    /// Returns how to write it instead.
    fn help(raw: &Raw, example: &str) -> String {
        let example = match raw {
            Raw::Variable(_) => example.trim_matches('"'),
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::Other => example,
        };
        format!("write it like {example}")
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

/// A share of the machine's memory, or a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Memory {
    Percent(f64),
    Bytes(u64),
}

impl Value for Text {
    const WHAT: &'static str = "a string";

    fn read(raw: &Raw) -> Option<Text> {
        raw.text().map(|text| text.to_owned().into())
    }

    fn as_toml(&self) -> Option<String> {
        Some(quoted(self))
    }

    fn schema() -> serde_json::Value {
        json!({"type": "string"})
    }
}

impl Value for bool {
    const WHAT: &'static str = "true or false";

    fn read(raw: &Raw) -> Option<bool> {
        match raw {
            Raw::Boolean(value) => Some(*value),
            Raw::Variable(text) => text.trim().parse().ok(),
            Raw::Text(_) | Raw::Integer(_) | Raw::Other => None,
        }
    }

    fn as_toml(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn schema() -> serde_json::Value {
        json!({"type": "boolean"})
    }
}

impl Value for NonZeroUsize {
    const WHAT: &'static str = "a whole number of at least 1";

    fn read(raw: &Raw) -> Option<NonZeroUsize> {
        NonZeroUsize::new(usize::try_from(raw.integer()?).ok()?)
    }

    fn as_toml(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn schema() -> serde_json::Value {
        json!({"type": "integer", "minimum": 1})
    }
}

impl Value for u32 {
    const WHAT: &'static str = "a whole number";

    fn read(raw: &Raw) -> Option<u32> {
        u32::try_from(raw.integer()?).ok()
    }

    fn as_toml(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn schema() -> serde_json::Value {
        json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
    }
}

impl Value for Duration {
    const WHAT: &'static str = "a duration";

    fn read(raw: &Raw) -> Option<Duration> {
        duration(raw.text()?)
    }

    fn as_toml(&self) -> Option<String> {
        Some(quoted(&humantime::format_duration(*self).to_string()))
    }

    fn schema() -> serde_json::Value {
        json!({"type": "string", "examples": ["30s", "10m", "36h"]})
    }
}

impl Value for Size {
    const WHAT: &'static str = "a size";

    fn read(raw: &Raw) -> Option<Size> {
        bytes(raw.text()?).map(Size)
    }

    fn as_toml(&self) -> Option<String> {
        Some(quoted(&shown_bytes(self.0)))
    }

    fn schema() -> serde_json::Value {
        json!({"type": "string", "examples": ["768MiB", "2GB"]})
    }
}

impl Value for Memory {
    const WHAT: &'static str = "a size or a percentage";

    fn read(raw: &Raw) -> Option<Memory> {
        let text = raw.text()?;
        let percent = percent(text).map(Memory::Percent);
        percent.or_else(|| bytes(text).map(Memory::Bytes))
    }

    fn as_toml(&self) -> Option<String> {
        Some(quoted(&match self {
            Memory::Percent(percent) => format!("{percent}%"),
            Memory::Bytes(bytes) => shown_bytes(*bytes),
        }))
    }

    fn schema() -> serde_json::Value {
        json!({"type": "string", "examples": ["60%", "768MiB"]})
    }
}

impl<T: Value> Value for Option<T> {
    const WHAT: &'static str = T::WHAT;

    fn read(raw: &Raw) -> Option<Option<T>> {
        T::read(raw).map(Some)
    }

    fn as_toml(&self) -> Option<String> {
        self.as_ref()?.as_toml()
    }

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn help(raw: &Raw, example: &str) -> String {
        T::help(raw, example)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Returns the largest unit that leaves no fraction: `64MiB`.
fn shown_bytes(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = |(shift, _): &(u32, &str)| bytes != 0 && bytes.is_multiple_of(1 << shift);
    match units.into_iter().find(whole) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => format!("{bytes}B"),
    }
}

/// Returns the bytes that `768MiB`, `2 GB` or `1048576` mean, in any case.
pub fn bytes(text: &str) -> Option<u64> {
    text.trim().parse::<ByteSize>().ok().map(|size| size.0)
}

/// Returns the time that `90s`, `10m`, `36h`, `2 d` or `1h 30m` mean.
pub fn duration(text: &str) -> Option<Duration> {
    // In humantime `M` is a month of 30.44 days, which is not what `10M` means to people.
    let text = text.trim();
    match text.contains('M') {
        true => None,
        false => humantime::parse_duration(text).ok(),
    }
}

/// Returns the percent that `60%` means.
fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim().parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Returns the memory this process may use: the machine's, or its cgroup's.
pub(super) fn machine_memory() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        });
    let total = total.map_or(4 << 30, |kib| kib * 1024);
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse::<u64>().ok());
    group.map_or(total, |limit| limit.min(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, size) in [
            ("768MiB", Some(768 << 20)),
            (" 2 GB ", Some(2_000_000_000)),
            ("1.5gib", Some(3 << 29)),
            ("64", Some(64)),
            ("16 k", Some(16_000)),
            ("many", None),
            ("-1", None),
            ("1 mile", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            (" 10m ", 600),
            ("10 min", 600),
            ("36h", 36 * HOUR),
            ("2 d", 48 * HOUR),
            ("1.5h", HOUR * 3 / 2),
            ("1h 30m", HOUR * 3 / 2),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for bad in [
            "36",
            "h",
            "",
            "-1h",
            "10M",
            "10 miles",
            "99999999999999999999h",
        ] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_share_of_the_memory_needs_its_sign() {
        assert_eq!(percent("60%"), Some(60.0));
        assert_eq!(percent("60"), None);
        assert_eq!(percent("-1%"), None);
    }

    #[test]
    fn a_value_reads_back_as_it_is_written() {
        fn reads_back<T: Value + PartialEq + std::fmt::Debug>(value: T) {
            let toml = value.as_toml().unwrap();
            let raw = match toml.strip_prefix('"') {
                Some(text) => Raw::Text(text.trim_end_matches('"').to_owned()),
                None => Raw::Variable(toml),
            };
            assert_eq!(T::read(&raw), Some(value));
        }
        for bytes in [0, 1, 1 << 10, 3 << 20, (64 << 20) + 1, 100 << 30] {
            reads_back(Size(bytes));
            reads_back(Memory::Bytes(bytes));
        }
        reads_back(Memory::Percent(12.5));
        reads_back(Duration::from_secs(5_430));
        reads_back(true);
        reads_back(7u32);
    }
}
