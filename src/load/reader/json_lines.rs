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
            if self.line == 1 && text.starts_with('\u{feff}') {
                text.remove(0);
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
        .map_err(|error| Fault::row(no_object(&error)))?
        .map_err(|(name, reason)| Fault::at(&name, reason))?;
    record.clear();
    for (name, raw) in names.iter().zip(fields) {
        let text = raw.map_or(Ok(Cow::from("")), plain_text);
        record.push_field(&text.map_err(|reason| Fault::at(name, reason))?);
    }
    Ok(())
}

/// Says why a line is no object, and where in it: it is the first line of its own text.
fn no_object(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let why = said.strip_suffix(&place).unwrap_or(&said);
    match error.column() {
        0 => format!("is not a JSON object: {why}"),
        column => format!("is not a JSON object: {why}, at character {column}"),
    }
}

/// The values of an object, or the name at fault and what is wrong with it.
type Values<'de> = std::result::Result<Vec<Option<&'de RawValue>>, (String, &'static str)>;

/// Reads an object's values, one for each of these names. A name that is not among them,
/// and one that comes twice, are faults.
struct Fields<'n>(&'n [String]);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Values<'de>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        let mut fault = None;
        while let Some(Name(name)) = object.next_key()? {
            let value = object.next_value::<&RawValue>()?;
            let wrong = match place(self.0, &name) {
                Some(place) if values[place].is_none() => {
                    values[place] = Some(value);
                    continue;
                }
                Some(_) => "appears twice in the object",
                None => "there is no such column",
            };
            fault.get_or_insert((name.into_owned(), wrong));
        }
        Ok(fault.map_or(Ok(values), Err))
    }
}

/// A name, borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the column that a name means: the one spelled so, else in any case.
fn place(names: &[String], name: &str) -> Option<usize> {
    let exact = names.iter().position(|known| known == name);
    exact.or_else(|| {
        names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Returns a string's text, nothing for null, and the digits or letters of any other value.
fn plain_text(raw: &RawValue) -> Result<Cow<'_, str>, String> {
    let text = raw.get();
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    Ok(match quoted {
        None if text == "null" => "".into(),
        None if text.starts_with(['{', '[']) => {
            return Err("must be one value, not an object or a list".to_owned());
        }
        None => text.into(),
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(_) => serde_json::from_str::<String>(text)
            .map_err(|_| format!("must be valid text, not {text}"))?
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, (Option<String>, String)> {
        let names = ["id".to_owned(), "name".to_owned()];
        let mut record = StringRecord::new();
        let read = fields(text, &names, &mut record);
        let fields = record.iter().map(str::to_owned).collect();
        read.map(|()| fields)
            .map_err(|fault| (fault.column, fault.reason))
    }

    #[test]
    fn json_keeps_a_numbers_digits() {
        let fields = |id: &str, name: &str| Ok(vec![id.to_owned(), name.to_owned()]);
        assert_eq!(
            read(r#"{"id":1.10,"name":"a\u0062 \ud83d\ude00"}"#),
            fields("1.10", "ab 😀")
        );
        assert_eq!(read(r#"{"NAME":null,"Id":"7"}"#), fields("7", ""));
    }

    #[test]
    fn what_has_no_one_value_is_refused() {
        let fault = |text: &str| {
            let (column, reason) = read(text).unwrap_err();
            format!("{}: {reason}", column.unwrap_or_default())
        };
        assert_eq!(
            fault(r#"{"id":1,"name":"half \ud83d"}"#),
            r#"name: must be valid text, not "half \ud83d""#
        );
        for twice in [
            r#"{"id":1,"id":1}"#,
            r#"{"id":null,"ID":1}"#,
            r#"{"id":1,"\u0069d":2}"#,
        ] {
            assert!(
                fault(twice).ends_with("appears twice in the object"),
                "{twice}"
            );
        }
        assert_eq!(fault(r#"{"colour":1}"#), "colour: there is no such column");
        assert_eq!(
            fault(r#"{"name":["a"]}"#),
            "name: must be one value, not an object or a list"
        );
        assert!(fault(r#"{"\ud83d":1}"#).contains("is not a JSON object"));
        assert!(fault("[1]").contains("is not a JSON object"));
        assert_eq!(
            fault(r#"{"id":1"#),
            ": is not a JSON object: EOF while parsing an object, at character 7"
        );
    }
}
