//! What became of a pipeline, as a plain value.

use std::{path::PathBuf, time::Duration};

use indexmap::IndexMap;

use super::CheckResult;
use crate::{
    artifact::id::Sha256,
    embedding::Embedded,
    engine::{Cost, Error},
};

/// One pipeline and what became of it.
#[derive(Debug)]
pub struct Generated {
    /// The pipeline's name.
    pub pipeline: String,
    /// Whether it was asked for, and not only read by one that was.
    pub selected: bool,
    /// What was computed, in order, whatever came after.
    pub steps: Vec<Step>,
    /// What was embedded for it.
    pub embedded: Embedded,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a pipeline.
#[derive(Debug)]
pub enum Outcome {
    /// The artifact's file is there and may be committed.
    Done(Box<Output>),
    /// A check with severity `error` failed.
    Refused(Vec<CheckResult>),
    /// Its SQL is invalid or failed; the error names file and model.
    Failed(Error),
    /// A pipeline that it reads has no output.
    Skipped {
        /// That pipeline.
        because: String,
    },
}

/// An artifact's file before its commit.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file, in the work folder.
    pub file: PathBuf,
    /// Its name, such as `bargains.json`.
    pub name: String,
    /// The hash of its bytes, in hex.
    pub sha256: Sha256,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Every check, the warnings among them.
    pub checks: Vec<CheckResult>,
    /// The hash of manifest, SQL and seeds, in hex.
    pub sql_sha256: String,
    /// The parameters, as text.
    pub params: IndexMap<String, String>,
    /// The model that texts were embedded with, if the SQL embeds any.
    pub embedding: Option<String>,
    /// How long it took to write the file from the output's rows.
    pub written_in: Duration,
    /// The files beside it, in the order of the manifest.
    pub also: Vec<Also>,
    /// The typed rows, as the next pipeline reads them.
    pub parquet: PathBuf,
}

/// A file beside an artifact's, in the same folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Also {
    /// Its name, such as `map.svg`.
    pub name: String,
    /// The hash of its bytes, in hex.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub bytes: u64,
}

/// One model that was computed and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The model's name, without the pipeline's.
    pub model: String,
    /// The models that its plan computes along with it, as only it reads them, in the
    /// order of the pipeline.
    pub inlined: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// What it took, its inlined models included.
    pub cost: Cost,
}

impl Outcome {
    /// Returns one line about the outcome.
    pub fn summary(&self) -> String {
        match self {
            Outcome::Done(output) => format!("{} rows, {} bytes", output.rows, output.bytes),
            Outcome::Refused(checks) => {
                let failed: Vec<_> = checks.iter().filter(|check| check.refuses()).collect();
                let names: Vec<_> = failed.iter().map(|check| check.name.as_str()).collect();
                format!("refused by {}", names.join(", "))
            }
            Outcome::Failed(error) => error.to_string(),
            Outcome::Skipped { because } => format!("skipped: {because} has no output"),
        }
    }
}
