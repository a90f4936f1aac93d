//! A file's columns against those its table knows.

use std::path::Path;

use super::{Error, Result};
use crate::diagnostics::nearest;

/// Where each known column stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    places: Vec<(String, usize)>,
}

/// A column and where it stands in a file, looked up once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) place: Option<usize>,
}

impl Header {
    /// Finds the known columns among a file's; unknown ones are noted.
    ///
    /// # Errors
    ///
    /// A required column is missing, or a column stands twice.
    pub(super) fn new(
        path: &Path,
        names: &[String],
        required: &[&str],
        optional: &[&str],
        notes: &mut Vec<String>,
    ) -> Result<Header> {
        let wrong = |reason: String, hint: Option<String>| Error::Columns {
            path: path.to_owned(),
            reason,
            hint,
        };
        if let Some(name) = twice(names) {
            return Err(wrong(format!("column `{name}` stands twice"), None));
        }
        for name in required {
            if !names.iter().any(|other| other == name) {
                let near = nearest(name, names.iter().map(String::as_str));
                let hint = near.map(|near| format!("it has `{near}`; is that meant?"));
                return Err(wrong(format!("column `{name}` is missing"), hint));
            }
        }
        let mut places = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let known = required.iter().chain(optional);
            if known.clone().any(|known| known == name) {
                places.push((name.clone(), place));
            } else {
                let near = nearest(name, known.copied());
                let near = near.map_or(String::new(), |near| format!(" (is `{near}` meant?)"));
                notes.push(format!(
                    "{}: column `{name}` is not used{near}",
                    path.display()
                ));
            }
        }
        Ok(Header { places })
    }

    /// Returns a column to read rows by, whether the file has it or not.
    pub(super) fn field(&self, name: &str) -> Field {
        Field {
            name: name.to_owned(),
            place: self.place(name),
        }
    }

    /// Returns where a column stands.
    fn place(&self, name: &str) -> Option<usize> {
        let found = self.places.iter().find(|(known, _)| known == name);
        found.map(|(_, place)| *place)
    }

    /// Returns whether the file has the column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }
}

fn twice(names: &[String]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    names
        .iter()
        .map(String::as_str)
        .find(|name| !seen.insert(*name))
}
