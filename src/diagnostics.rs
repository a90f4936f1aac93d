//! What is wrong in a user's own file, and where: code, file, line and column,
//! the source line, a caret, and what to do.
//!
//! Findings are values; only `cli` prints them.

use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The project cannot run.
    Error,
    /// It can, and probably should not.
    Warning,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the project's folder.
    pub file: PathBuf,
    /// The file's whole text.
    pub text: Arc<str>,
    /// The bytes meant.
    pub span: Range<usize>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code, such as `unknown-column`; `pricemill explain` knows it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// What stands under the caret.
    pub label: String,
    /// What to do.
    pub help: Vec<String>,
}

/// The findings that keep a project from running.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

impl Place {
    /// Returns the span within the text, on the bounds of characters.
    fn shown_span(&self) -> Range<usize> {
        let floor = |at: usize| {
            let at = at.min(self.text.len());
            (0..=at)
                .rev()
                .find(|at| self.text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let start = floor(self.span.start);
        start..floor(self.span.end).max(start)
    }

    /// Returns the line and the column of the place's start, both from 1, columns
    /// in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.text[..self.span.start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl Finding {
    /// Starts an error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: None,
            label: String::new(),
            help: Vec::new(),
        }
    }

    /// Starts a warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(code, message)
        }
    }

    /// Says where.
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Finding {
        self.place = Some(place);
        self.label = label.into();
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help.push(help.into());
        self
    }

    /// Renders the finding as a compiler would; `color` for a terminal.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&self.message).id(self.code));
        if let Some(place) = &self.place {
            let annotation = AnnotationKind::Primary
                .span(place.shown_span())
                .label(&self.label);
            let snippet = Snippet::source(&*place.text)
                .path(place.file.to_string_lossy())
                .annotation(annotation);
            group = group.element(snippet);
        }
        let helps = self.help.iter().map(|help| Level::HELP.message(help));
        renderer.render(&[group.elements(helps)])
    }
}

/// Returns the known name nearest to `wanted`, if one is near enough to be meant: a
/// third of its letters wrong at most, or one the beginning of the other.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(wrong, name)| near_enough(wanted, name, *wrong))
        .min()
        .map(|(_, name)| name)
}

fn near_enough(wanted: &str, name: &str, wrong: usize) -> bool {
    let letters = wanted.chars().count().max(name.chars().count());
    let shorter = wanted.len().min(name.len());
    let begins = shorter >= 3 && (wanted.starts_with(name) || name.starts_with(wanted));
    wrong <= letters.div_ceil(3) || begins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_may_be_meant() {
        let known = ["bargains", "store_groups", "prices", "id"];
        assert_eq!(nearest("bargans", known), Some("bargains"));
        assert_eq!(nearest("bargain", known), Some("bargains"));
        assert_eq!(nearest("store", known), Some("store_groups"));
        assert_eq!(nearest("di", known), Some("id"));
        assert_eq!(nearest("brands", ["garnis"]), None);
        assert_eq!(nearest("extremes", known), None);
    }
}
