//! What `explain` says of codes.

use serde::Serialize;

use super::{Report, Summary};
use crate::diagnostics::{Code, Page, Severity};

/// Codes with what they mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Explain {
    /// The codes, in the order of their table.
    pub codes: Vec<Explained>,
}

/// A code and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The code.
    pub code: Code,
    /// How bad a finding of it is.
    pub severity: Severity,
    /// What it stands for, in a few words.
    pub title: &'static str,
    /// What it means, and examples of wrong and right files.
    #[serde(flatten)]
    pub page: Page,
}

impl Explain {
    /// Explains these codes.
    pub fn of(codes: &[Code]) -> Explain {
        let codes = codes.iter().map(|code| Explained {
            code: *code,
            severity: code.severity(),
            title: code.title(),
            page: code.page(),
        });
        Explain {
            codes: codes.collect(),
        }
    }
}

impl Report for Explain {
    const COMMAND: &'static str = "explain";
    const COLUMNS: &'static [&'static str] = &["code", "severity", "title"];
    type Item = Explained;

    fn items(&self) -> Vec<&Explained> {
        self.codes.iter().collect()
    }

    fn summary(&self) -> Summary {
        Summary::default()
    }
}
