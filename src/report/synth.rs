//! What `synth` did.

use serde::Serialize;

use super::{Report, Summary};

/// A made-up export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synth {
    /// What was made up: size and seed, which give the same rows again.
    pub spec: String,
    /// About how many prices there are.
    pub prices: u64,
    /// How many products.
    pub products: u64,
    /// How many stores.
    pub stores: u64,
    /// What was written, in order; nothing in a dry run.
    pub made: Vec<Made>,
}

/// A dataset, file or table that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The dataset, file or table.
    pub made: String,
    /// How many rows it has.
    pub rows: u64,
    /// The snapshot, file or database it is in.
    pub into: String,
    /// What was made up: size and seed.
    pub spec: String,
}

impl Report for Synth {
    const COMMAND: &'static str = "synth";
    const COLUMNS: &'static [&'static str] = &["made", "rows", "into", "spec"];
    type Item = Made;

    fn items(&self) -> Vec<&Made> {
        self.made.iter().collect()
    }

    fn summary(&self) -> Summary {
        Summary::all("made", self.made.len(), "dataset")
    }
}
