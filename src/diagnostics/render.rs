//! Findings as a compiler shows them.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Annotation, Finding, Severity};

impl Finding {
    /// Renders the finding with its source lines, carets and help; `color` for a
    /// terminal. Places in one file share their lines; the first file is the one of the
    /// fault.
    pub fn render(&self, color: bool) -> String {
        let renderer = match color {
            true => Renderer::styled(),
            false => Renderer::plain(),
        };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&self.message).id(self.code.id());
        let mut group = Group::with_title(title);
        for places in by_file(&self.places) {
            group = group.element(self.snippet(&places));
        }
        let helps = self.help.iter().map(|help| Level::HELP.message(help));
        renderer.render(&[group.elements(helps)])
    }

    fn snippet<'a>(
        &'a self,
        places: &[&'a Annotation],
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let place = &places[0].place;
        let mut snippet = Snippet::source(&*place.text).path(place.file.to_string_lossy());
        for annotation in places {
            let is_first = self
                .places
                .first()
                .is_some_and(|first| std::ptr::eq(first, *annotation));
            let kind = match is_first {
                true => AnnotationKind::Primary,
                false => AnnotationKind::Context,
            };
            let span = kind.span(annotation.place.shown_span());
            snippet = snippet.annotation(span.label(&annotation.label));
        }
        snippet
    }
}

/// Groups places by their files, in the order the files come.
fn by_file(places: &[Annotation]) -> Vec<Vec<&Annotation>> {
    let mut files: Vec<Vec<&Annotation>> = Vec::new();
    for annotation in places {
        let same = files
            .iter_mut()
            .find(|file| file[0].place.file == annotation.place.file);
        match same {
            Some(file) => file.push(annotation),
            None => files.push(vec![annotation]),
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Place};
    use super::*;

    fn place(file: &str, text: &str, after: &str) -> Place {
        let at = text.find(after).unwrap() + after.len();
        Place {
            file: file.into(),
            text: text.into(),
            span: at..at + 2,
        }
    }

    #[test]
    fn every_place_is_shown_with_its_label() {
        let sql = "select\n    id,\n    id\nfrom prices";
        let toml = "[contract]\nid = \"bigint\"";
        let finding = Finding::new(Code::DuplicateColumn, "two columns are named `id`")
            .at(place("a.sql", sql, "id,\n    "), "the second")
            .see(place("a.sql", sql, "select\n    "), "the first")
            .see(place("a.toml", toml, "[contract]\n"), "declared once")
            .help("give one of them another name with `as`");
        insta::assert_snapshot!(finding.render(false), @r#"
        error[duplicate-column]: two columns are named `id`
         --> a.sql:3:5
          |
        2 |     id,
          |     -- the first
        3 |     id
          |     ^^ the second
          |
         ::: a.toml:2:1
          |
        2 | id = "bigint"
          | -- declared once
          |
          = help: give one of them another name with `as`
        "#);
    }

    #[test]
    fn a_finding_without_a_place_is_its_title_and_help() {
        let finding = Finding::new(Code::MissingFile, "there is no pipelines/sources.toml");
        let finding = finding.help("`pricemill new DIR` writes one");
        insta::assert_snapshot!(finding.render(false), @"
        error[missing-file]: there is no pipelines/sources.toml
         |
         = help: `pricemill new DIR` writes one
        ");
    }
}
