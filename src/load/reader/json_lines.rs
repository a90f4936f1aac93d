//! JSON Lines: an object a line, its fields in any order.

use std::{
    borrow::Cow,
    fmt,
    io::{BufRead, BufReader, Read},
};

use csv::StringRecord;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Next, Stop};
use crate::load::bad::Fault;

/// The longest line.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// The rows of a file of JSON Lines.
pub(super) struct JsonLines {
    lines: BufReader<Box<dyn Read + Send>>,
    /// The line that was read last, from 1.
    line: u64,
    names: Vec<String>,
}

impl JsonLines {
    /// Reads objects whose fields have these names.
    pub(super) fn new(file: Box<dyn Read + Send>, names: &[String]) -> JsonLines {
        JsonLines {
            lines: BufReader::new(file),
            line: 0,
            names: names.to_vec(),
        }
    }

    /// Reads the next row into `record`.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Next, Stop> {
        let mut text = String::new();
        while text.trim().is_empty() {
            text.clear();
            self.line += 1;
            let read = (&mut self.lines).take(MAX_LINE_BYTES).read_line(&mut text);
            if read.map_err(|error| Stop::at(self.line, error))? == 0 {
                return Ok(Next::End);
            }
        }
        Ok(match fields(text.trim(), &self.names, record) {
            Ok(()) => Next::Row(self.line),
            Err(fault) => Next::Bad(self.line, fault),
        })
    }
}

/// Puts an object's values into `record`, in the order of the names.
fn fields(text: &str, names: &[String], record: &mut StringRecord) -> Result<(), Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = Fields(names).deserialize(&mut json);
    let fields = fields.and_then(|fields| json.end().map(|()| fields));
    let fields = fields
        .map_err(|error| Fault::row(format!("is not a JSON object: {error}")))?
        .map_err(|name| Fault::at(&name, "there is no such column"))?;
    record.clear();
    for raw in fields {
        match raw {
            Some(raw) => record.push_field(&plain_text(raw)),
            None => record.push_field(""),
        }
    }
    Ok(())
}

/// Reads an object's values, one for each of these names; of a name that comes twice
/// the last. `Err` is the first name that is not among them.
struct Fields<'n>(&'n [String]);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = std::result::Result<Vec<Option<&'de RawValue>>, String>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = std::result::Result<Vec<Option<&'de RawValue>>, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        let mut unknown = None;
        while let Some(name) = object.next_key::<Name<'de>>()? {
            let value = object.next_value::<&RawValue>()?;
            match self.0.iter().position(|known| *known == name.0) {
                Some(place) => values[place] = Some(value),
                None => unknown = unknown.or(Some(name.0.into_owned())),
            }
        }
        Ok(match unknown {
            None => Ok(values),
            Some(name) => Err(name),
        })
    }
}

/// A name, borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns a string's text, nothing for null, and the digits or letters of any other value.
fn plain_text(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    if text == "null" {
        return "".into();
    }
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match quoted {
        None => text.into(),
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(_) => serde_json::from_str::<String>(text)
            .unwrap_or_default()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_a_numbers_digits() {
        let raw: Box<RawValue> = serde_json::from_str("1.10").unwrap();
        assert_eq!(plain_text(&raw), "1.10");
        let raw: Box<RawValue> = serde_json::from_str("\"a\\u0062\"").unwrap();
        assert_eq!(plain_text(&raw), "ab");
    }
}
