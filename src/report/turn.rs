//! A command's steps: what `run` did, and what the record of any run keeps.

use serde::Serialize;

use super::{Archive, Dataset, Generated, LoadedTable, Made, Report, Summary, Updated, Uploaded};

/// What one step of a command did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// A dataset was fetched.
    Fetch(Dataset),
    /// A pipeline was generated.
    Generate(Generated),
    /// A pipeline's artifact was uploaded.
    Upload(Uploaded),
    /// A pipeline's artifact was applied.
    Update(Updated),
    /// The database was archived, or an archive put back.
    Archive(Archive),
    /// A table was loaded.
    Load(LoadedTable),
    /// A dataset, file or table was made up.
    Synth(Made),
}

/// One turn: generate, then upload and update as far as the profile goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Turn {
    /// Each pipeline at each step, in the order in which they were done.
    pub steps: Vec<Step>,
}

impl Report for Turn {
    const COMMAND: &'static str = "run";
    const COLUMNS: &'static [&'static str] = &["step", "pipeline", "outcome", "artifact", "rows"];
    type Item = Step;

    fn items(&self) -> Vec<&Step> {
        self.steps.iter().collect()
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::of("generated");
        for step in &self.steps {
            match step {
                Step::Generate(generated) => generated.count(&mut summary),
                Step::Upload(uploaded) => {
                    summary.does("uploaded");
                    uploaded.count(&mut summary);
                }
                Step::Update(updated) => {
                    summary.does("applied");
                    updated.count(&mut summary);
                }
                Step::Fetch(_) | Step::Archive(_) | Step::Load(_) | Step::Synth(_) => {
                    summary.passed(0);
                }
            }
        }
        summary
    }
}
