//! A file's columns against those its table knows.

use std::path::Path;

use super::{Error, Result};
use crate::diagnostics::{nearest, suggestion};

/// The known columns that a file has, each with its index there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    positions: Vec<(String, usize)>,
}

/// A column and its index in a file, looked up once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) index: Option<usize>,
}

impl Header {
    /// Finds the known columns among a file's; unknown ones are noted.
    ///
    /// # Errors
    ///
    /// A required column is missing, or a column appears twice.
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
        if let Some(name) = repeated(names) {
            return Err(wrong(format!("column `{name}` appears twice"), None));
        }
        for name in required {
            if !names.iter().any(|other| other == name) {
                let near = nearest(name, names.iter().map(String::as_str));
                let hint = near.map(|near| {
                    format!("the file has `{near}`: rename it to `{name}` if that is the column")
                });
                return Err(wrong(format!("column `{name}` is missing"), hint));
            }
        }
        let mut positions = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let known = required.iter().chain(optional);
            if known.clone().any(|known| known == name) {
                positions.push((name.clone(), index));
            } else {
                let near = suggestion(name, known);
                let near = near.map_or(String::new(), |question| format!(" ({question})"));
                notes.push(format!(
                    "{}: column `{name}` is ignored{near}",
                    path.display()
                ));
            }
        }
        Ok(Header { positions })
    }

    /// Returns a column to read rows by, whether the file has it or not.
    pub(super) fn field(&self, name: &str) -> Field {
        Field {
            name: name.to_owned(),
            index: self.index(name),
        }
    }

    /// Returns a column's index in the file.
    fn index(&self, name: &str) -> Option<usize> {
        let found = self.positions.iter().find(|(known, _)| known == name);
        found.map(|(_, index)| *index)
    }

    /// Returns whether the file has the column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.index(name).is_some()
    }
}

fn repeated(names: &[String]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    names
        .iter()
        .map(String::as_str)
        .find(|name| !seen.insert(*name))
}
