//! Templates that models fill: `sql/<pipeline>/<model>.html` or `.svg` beside `<model>.sql`.
//!
//! `{{ name }}` is a slot: the model's column of that name, escaped for HTML; after
//! `{{ name | safe }}` it is written as it is. There are no loops and no conditions: SQL
//! decides. In comes the file; out come its parts, with the place of each slot. Whether
//! the columns are there is found where the model is planned.

use std::ops::Range;

use indexmap::IndexMap;

use super::{SourceFile, names};
use crate::{
    diagnostics::{Code, Finding},
    text::has_extension,
};

/// What the names of templates end in; their column is called the same.
const EXTENSIONS: [&str; 2] = ["html", "svg"];

/// A page's text, with slots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template {
    source: SourceFile,
    parts: Vec<Part>,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text, by its bytes.
    Text(Range<usize>),
    /// The value of a column.
    Slot(Slot),
}

/// A place that a column fills.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The column.
    pub name: String,
    /// The name's bytes.
    pub span: Range<usize>,
    /// Whether the value is markup already, and not escaped.
    pub is_safe: bool,
}

impl Template {
    /// Reads a page, and finds what is wrong with its slots.
    pub(super) fn parse(source: SourceFile) -> (Template, Vec<Finding>) {
        let text = source.text.clone();
        let (mut parts, mut findings) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(found) = text[at..].find("{{") {
            let start = at + found;
            let rest = &text[start + 2..];
            let end = rest.find("}}").filter(|end| !rest[..*end].contains('\n'));
            parts.push(Part::Text(at..start));
            let Some(end) = end else {
                let finding = bad(&source, "a slot is not closed", start..start + 2, "opened");
                findings.push(finding.help("write it in one line: `{{ name }}`"));
                at = text.len();
                break;
            };
            match slot(&rest[..end], start + 2) {
                Some(slot) => parts.push(Part::Slot(slot)),
                None => {
                    let what = format!("`{}` is no slot", rest[..end].trim());
                    let finding = bad(&source, what, start..start + end + 4, "not a column");
                    findings.push(finding.help("write `{{ name }}` or `{{ name | safe }}`"));
                }
            }
            at = start + end + 4;
        }
        parts.push(Part::Text(at..text.len()));
        (Template { source, parts }, findings)
    }

    /// Returns the file.
    pub fn source(&self) -> &SourceFile {
        &self.source
    }

    /// Returns the name of the column that the page is: `html` or `svg`.
    pub fn column(&self) -> &str {
        let mut known = EXTENSIONS.into_iter();
        let own = known.find(|end| has_extension(&self.source.path, end));
        own.unwrap_or("html")
    }

    /// Returns the pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Text(_) => None,
        })
    }
}

/// Reads what is between the braces.
fn slot(inside: &str, start: usize) -> Option<Slot> {
    let (name, filter) = match inside.split_once('|') {
        Some((name, filter)) => (name, Some(filter.trim())),
        None => (inside, None),
    };
    let start = start + name.len() - name.trim_start().len();
    let name = name.trim();
    let is_known = matches!(filter, None | Some("safe"));
    (is_known && names::is_identifier(name)).then(|| Slot {
        name: name.to_owned(),
        span: start..start + name.len(),
        is_safe: filter.is_some(),
    })
}

fn bad(source: &SourceFile, what: impl Into<String>, span: Range<usize>, label: &str) -> Finding {
    Finding::new(Code::BadTemplate, what).at(source.place(span), label)
}

/// Takes the pages of models out of the seeds.
pub(super) fn of_models(
    models: &IndexMap<String, SourceFile>,
    seeds: &mut IndexMap<String, SourceFile>,
    findings: &mut Vec<Finding>,
) -> IndexMap<String, Template> {
    let is_page = |file: &SourceFile| {
        let mut known = EXTENSIONS.into_iter();
        known.any(|end| has_extension(&file.path, end))
    };
    let mut templates = IndexMap::new();
    seeds.retain(|name, file| {
        if !models.contains_key(name) || !is_page(file) {
            return true;
        }
        let (template, found) = Template::parse(file.clone());
        findings.extend(found);
        templates.insert(name.clone(), template);
        false
    });
    templates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Template, Vec<Finding>) {
        Template::parse(SourceFile {
            path: "sql/a/page.html".into(),
            text: text.into(),
        })
    }

    #[test]
    fn slots_are_columns_and_all_else_is_text() {
        let text = "<p>{{ title }}</p>{{body|safe}}\na { b }";
        let (template, findings) = parsed(text);
        assert!(findings.is_empty());
        assert_eq!(template.column(), "html");
        let parts = template.parts().iter().map(|part| match part {
            Part::Text(span) => text[span.clone()].to_owned(),
            Part::Slot(slot) => {
                assert_eq!(&text[slot.span.clone()], slot.name);
                format!("{}:{}", slot.name, slot.is_safe)
            }
        });
        let parts: Vec<_> = parts.collect();
        assert_eq!(
            parts,
            ["<p>", "title:false", "</p>", "body:true", "\na { b }"]
        );
    }

    #[test]
    fn what_is_no_column_is_found_where_it_is() {
        for (text, column) in [
            ("ab {{ if x }}", 4),
            ("ab {{ x | upper }}", 4),
            ("ab {{}}", 4),
            ("é {{ Name }}", 3),
            ("ab {{ x\n}}", 4),
            ("ab {{ x", 4),
        ] {
            let (_, findings) = parsed(text);
            assert_eq!(findings.len(), 1, "{text}");
            assert_eq!(findings[0].code, Code::BadTemplate);
            assert_eq!(findings[0].place().unwrap().line_column(), (1, column));
        }
    }

    #[test]
    fn a_page_that_no_model_has_is_a_seed() {
        let file = |path: &str| SourceFile {
            path: path.into(),
            text: "{{ x }}".into(),
        };
        let models = IndexMap::from([("page".to_owned(), file("sql/a/page.sql"))]);
        let mut seeds = IndexMap::from([
            ("page".to_owned(), file("sql/a/page.html")),
            ("other".to_owned(), file("sql/a/other.html")),
        ]);
        let templates = of_models(&models, &mut seeds, &mut Vec::new());
        assert_eq!(templates.keys().collect::<Vec<_>>(), ["page"]);
        assert_eq!(seeds.keys().collect::<Vec<_>>(), ["other"]);
    }
}
