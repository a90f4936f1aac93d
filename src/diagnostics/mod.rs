//! What is wrong in a user's own files, and where.
//!
//! ```text
//!  code    one of the table in `codes`, each with a page that explains it
//!  place   file and bytes, with a label; one finding may have several
//!  render  as a compiler shows it: source lines, carets, help
//! ```
//!
//! In go the words and the places of whoever finds something; out come values that can
//! be rendered, serialised and compared. Nothing here reads a file or prints.

mod codes;
mod page;
mod place;
mod render;
mod suggest;

use std::fmt;

use serde::Serialize;

pub use codes::Code;
pub use page::{Example, Page};
pub use place::{Annotation, Place};
pub use suggest::{did_you_mean, nearest, suggestion};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project cannot run.
    Error,
    /// It can, and probably should not.
    Warning,
}

/// One finding.
///
/// It serialises as `code`, `severity`, `message`, `places` and `help`; the version of
/// the format is the one of the report that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of fault it is; `pricemill explain` knows it.
    pub code: Code,
    /// How bad it is, as the table of codes says.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where: first the place that is wrong, then those that show why. Empty where no
    /// file can be shown.
    pub places: Vec<Annotation>,
    /// What to do, a sentence each.
    pub help: Vec<String>,
}

/// The findings that keep a project from running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", finding.message)?;
        }
        Ok(())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

impl Finding {
    /// Starts a finding; its code says how bad it is.
    pub fn new(code: Code, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: code.severity(),
            message: message.into(),
            places: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Says what is wrong: the first place, where the caret points.
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Finding {
        self.places.insert(0, Annotation::new(place, label));
        self
    }

    /// Adds a place that shows why, such as the line that declares what is broken.
    pub fn see(mut self, place: Place, label: impl Into<String>) -> Finding {
        self.places.push(Annotation::new(place, label));
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help.push(help.into());
        self
    }

    /// Asks whether the known name nearest to `name` is meant. Where none is near, the
    /// help is `otherwise`, if that says anything.
    pub fn suggest<N: AsRef<str>>(
        self,
        name: &str,
        known: impl IntoIterator<Item = N>,
        otherwise: impl Into<String>,
    ) -> Finding {
        match suggestion(name, known).unwrap_or_else(|| otherwise.into()) {
            nothing if nothing.is_empty() => self,
            help => self.help(help),
        }
    }

    /// Returns the place that is wrong.
    pub fn place(&self) -> Option<&Place> {
        self.places.first().map(|first| &first.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: std::ops::Range<usize>) -> Place {
        Place {
            file: "sql/a/a.sql".into(),
            text: text.into(),
            span,
        }
    }

    fn finding() -> Finding {
        let text = "select\n  é, prise";
        Finding::new(Code::UnknownColumn, "there is no column `prise`")
            .see(place("price = \"text\"", 0..5), "declared here")
            .at(place(text, 13..18), "unknown column")
            .suggest("prise", ["price", "store_id"], "no such column")
    }

    #[test]
    fn a_finding_serialises_with_all_its_places() {
        let json = serde_json::to_string_pretty(&finding()).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "code": "unknown-column",
          "severity": "error",
          "message": "there is no column `prise`",
          "places": [
            {
              "file": "sql/a/a.sql",
              "line": 2,
              "column": 6,
              "end_line": 2,
              "end_column": 11,
              "start_byte": 13,
              "end_byte": 18,
              "label": "unknown column"
            },
            {
              "file": "sql/a/a.sql",
              "line": 1,
              "column": 1,
              "end_line": 1,
              "end_column": 6,
              "start_byte": 0,
              "end_byte": 5,
              "label": "declared here"
            }
          ],
          "help": [
            "did you mean `price`?"
          ]
        }
        "#);
    }

    #[test]
    fn a_suggestion_is_the_nearest_name_or_what_is_said_otherwise() {
        let help = |name: &str, otherwise: &str| {
            let finding = Finding::new(Code::UnknownModel, "there is no such model");
            finding.suggest(name, ["bargains"], otherwise).help
        };
        assert_eq!(help("bargans", "write it"), ["did you mean `bargains`?"]);
        assert_eq!(help("prices", "write it"), ["write it"]);
        assert!(help("prices", "").is_empty());
    }
}
