//! The versions of what is at rest.
//!
//! Every JSON file that one run writes and another reads has a `format_version`. In go a
//! value and the version of its format, out comes the file's text, and back. A version
//! grows when a field changes its name or its meaning; a field that is only added does not
//! change it. Read are the version that is written and the one before it, whose names are
//! aliases in the value's own type. A file without the field is of version 1.
//!
//! Nothing here reads or writes a file.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A format at rest, by the version that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    version: u32,
}

/// Why a file's text could not be read as its format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The text is not JSON, or a field is missing or of another type.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A later pricemill wrote it.
    #[error("format version {found} is too new: the newest that this pricemill reads is {newest}")]
    TooNew {
        /// The version that the file states.
        found: u32,
        /// The newest version that is read.
        newest: u32,
    },
    /// A much earlier pricemill wrote it.
    #[error("format version {found} is too old: the oldest that this pricemill reads is {oldest}")]
    TooOld {
        /// The version that the file states.
        found: u32,
        /// The oldest version that is read.
        oldest: u32,
    },
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    #[serde(flatten)]
    value: &'a T,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default = "first")]
    format_version: u32,
}

fn first() -> u32 {
    1
}

impl Format {
    /// Returns the format that is written in that version, from 1.
    pub const fn version(version: u32) -> Format {
        Format { version }
    }

    /// Returns the text of a value: its version, then its fields, a line each.
    ///
    /// # Errors
    /// The value cannot be JSON: it is not a record, or a map's key is not text.
    pub fn write(self, value: &impl Serialize) -> Result<Bytes, Unreadable> {
        let mut text = serde_json::to_vec_pretty(&self.versioned(value))?;
        text.push(b'\n');
        Ok(text.into())
    }

    /// Returns the text of a value on one line, as it is sent.
    ///
    /// # Errors
    /// As [`Format::write`].
    pub fn write_line(self, value: &impl Serialize) -> Result<String, Unreadable> {
        Ok(serde_json::to_string(&self.versioned(value))?)
    }

    fn versioned<T>(self, value: &T) -> Versioned<'_, T> {
        Versioned {
            format_version: self.version,
            value,
        }
    }

    /// Reads a value of this version or the one before it. The version is looked at first:
    /// what a later version holds is not judged.
    ///
    /// # Errors
    /// The version is another, or the text is not such a value.
    pub fn read<T: DeserializeOwned>(self, text: &[u8]) -> Result<T, Unreadable> {
        let Version {
            format_version: found,
        } = serde_json::from_slice(text)?;
        let (oldest, newest) = (self.version.saturating_sub(1).max(1), self.version);
        if found > newest {
            return Err(Unreadable::TooNew { found, newest });
        }
        if found < oldest {
            return Err(Unreadable::TooOld { found, oldest });
        }
        Ok(serde_json::from_slice(text)?)
    }
}

impl Unreadable {
    /// Returns whether the file may be whole, and only another pricemill can read it.
    pub fn is_other_version(&self) -> bool {
        match self {
            Unreadable::TooNew { .. } | Unreadable::TooOld { .. } => true,
            Unreadable::Json(_) => false,
        }
    }

    pub(crate) fn hint(&self, path: &str) -> String {
        match self {
            Unreadable::Json(_) => format!("inspect {path}, and delete it if it is not needed"),
            Unreadable::TooNew { .. } => {
                "it was written by a newer pricemill: install that one, or use another data folder"
                    .to_owned()
            }
            Unreadable::TooOld { .. } => {
                "it was written by an older pricemill: open it with the version before this one first"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Shop {
        #[serde(alias = "title")]
        name: String,
    }

    fn shop() -> Shop {
        Shop {
            name: "Alder".to_owned(),
        }
    }

    fn read(version: u32, text: &str) -> Result<Shop, Unreadable> {
        Format::version(version).read(text.as_bytes())
    }

    #[test]
    fn the_version_comes_first_and_is_read_back() {
        let text = Format::version(2).write(&shop()).unwrap();
        let expected = "{\n  \"format_version\": 2,\n  \"name\": \"Alder\"\n}\n";
        assert_eq!(text, expected);
        assert_eq!(read(2, expected).unwrap(), shop());
    }

    #[test]
    fn a_file_without_a_version_is_of_the_first() {
        for version in [1, 2] {
            assert_eq!(read(version, r#"{"title":"Alder"}"#).unwrap(), shop());
        }
    }

    #[test]
    fn this_version_and_the_one_before_are_read_and_no_other() {
        let of = |version| format!(r#"{{"format_version":{version},"name":"Alder"}}"#);
        assert!(read(3, &of(3)).is_ok() && read(3, &of(2)).is_ok());
        let old = read(3, &of(1)).unwrap_err();
        assert!(matches!(old, Unreadable::TooOld { oldest: 2, .. }));
        // A later version is recognized even if its fields differ.
        let new = read(3, r#"{"format_version":4,"label":"Alder"}"#).unwrap_err();
        assert!(matches!(new, Unreadable::TooNew { newest: 3, .. }));
        assert!(new.is_other_version() && new.to_string().contains("too new"));
    }

    #[test]
    fn a_version_that_is_none_is_an_error() {
        for text in [
            r#"{"format_version":"2"}"#,
            r#"{"format_version":-1}"#,
            "[]",
        ] {
            assert!(matches!(read(2, text), Err(Unreadable::Json(_))), "{text}");
        }
        assert!(matches!(
            read(2, r#"{"format_version":0,"name":"Alder"}"#),
            Err(Unreadable::TooOld { .. })
        ));
    }
}
