//! The page that explains a code: Markdown with prose, and fenced examples.
//!
//! The first line of a fence says what the example is and which file of a project it
//! stands for: ```` ```sql wrong sql/cheapest/cheapest.sql ````. A test lays each over a
//! sound project and checks it.

use serde::Serialize;

/// What a code means and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// What it means, why it is refused, and how to fix it; paragraphs of Markdown.
    pub explanation: String,
    /// Files that have the fault.
    pub wrong: Vec<Example>,
    /// The same files without it.
    pub right: Vec<Example>,
}

/// A file of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its path in a project, such as `sql/cheapest/cheapest.sql`.
    pub file: String,
    /// Its whole text.
    pub text: String,
}

impl Page {
    /// Reads a page; a fence that is neither wrong nor right stays with the prose.
    pub(super) fn parse(text: &str) -> Page {
        let mut page = Page::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let words: Vec<&str> = line.split(' ').collect();
            let (examples, file) = match words.as_slice() {
                [fence, "wrong", file] if fence.starts_with("```") => (&mut page.wrong, file),
                [fence, "right", file] if fence.starts_with("```") => (&mut page.right, file),
                // A heading of the examples that follow.
                ["Wrong:" | "Right:"] => continue,
                _ => {
                    page.explanation.push_str(line);
                    page.explanation.push('\n');
                    continue;
                }
            };
            let inside = lines.by_ref().take_while(|line| *line != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            let file = (*file).to_owned();
            examples.push(Example { file, text });
        }
        page.explanation.truncate(page.explanation.trim_end().len());
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_prose_and_examples_by_file() {
        let page = Page::parse(
            "A fault.\n\nFix it.\n\nWrong:\n\n```sql wrong a.sql\nselect\n```\n\n```sql right a.sql\nselect 1\n```\n",
        );
        assert_eq!(page.explanation, "A fault.\n\nFix it.");
        let example = |text: &str| Example {
            file: "a.sql".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(page.wrong, [example("select\n")]);
        assert_eq!(page.right, [example("select 1\n")]);
    }
}
