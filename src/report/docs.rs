//! What `docs` prints.

use serde::Serialize;

use super::{Report, Summary};
use crate::docs::Page;

/// Pages of the documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Docs {
    /// The pages, in reading order.
    pub pages: Vec<DocsPage>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocsPage {
    /// Its name, such as `how-to`.
    pub page: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Its Markdown.
    pub text: &'static str,
}

impl Docs {
    /// Returns these pages.
    pub fn of(pages: &[Page]) -> Docs {
        let pages = pages.iter().map(|page| DocsPage {
            page: page.name,
            title: page.title,
            text: page.text,
        });
        Docs {
            pages: pages.collect(),
        }
    }
}

impl Report for Docs {
    const COMMAND: &'static str = "docs";
    const COLUMNS: &'static [&'static str] = &["page", "title"];
    type Item = DocsPage;

    fn items(&self) -> Vec<&DocsPage> {
        self.pages.iter().collect()
    }

    fn summary(&self) -> Summary {
        Summary::default()
    }
}
