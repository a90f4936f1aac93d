//! SQL on DataFusion: sessions, pricemill's own functions, planning, checks, runs.
//!
//! Only this module makes DataFusion sessions, in one function.

pub(crate) mod cost;
mod exact;
mod exhausted;
mod key_order;
mod session;
pub(crate) mod sort_check;
mod sorted_aggregate;

use std::path::PathBuf;

pub use cost::{Cost, Operator};
pub use exhausted::Exhausted;
pub(crate) use key_order::{ascending, key_order};
pub use session::{peak_memory_bytes, session};

use datafusion::error::DataFusionError;

use crate::{
    diagnostics::{Finding, Findings},
    json,
    kind::Kind,
};

/// Why SQL could not be planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A query failed, or a file could not be read or written.
    #[error("{what}")]
    Run {
        /// The file and the model, or what was done.
        what: String,
        /// DataFusion's own error.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// Memory or temporary space ran out: what cannot spill stops.
    #[error("{what}: {exhausted}")]
    Exhausted {
        /// The file and the model, or what was done.
        what: String,
        /// What ran out.
        exhausted: Box<Exhausted>,
    },
    /// A model's value does not fit the contract's type.
    #[error("{what}: column `{column}` does not fit the contract")]
    Value {
        /// The file and the model.
        what: String,
        /// The column's name.
        column: String,
        /// What does not fit.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// The output cannot be written in the artifact's format.
    #[error("{what} cannot be written")]
    Encode {
        /// The artifact's file and the pipeline.
        what: String,
        /// The writer's own error.
        source: Box<json::Error>,
    },
    /// A page or a picture is null.
    #[error("{0} must be one text, but it is null")]
    NoText(String),
    /// A text cannot be drawn.
    #[error("{what} cannot be drawn: {reason}")]
    Draw {
        /// The artifact's file and the pipeline.
        what: String,
        /// What is in the way.
        reason: String,
    },
    /// A file of the engine's own could not be written.
    #[error("could not write {path}")]
    Io {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A file of the project could not be read.
    #[error("could not read {path}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A test asked for a second connection.
    #[error("a test has one connection")]
    OneConnection,
    /// The SQL is wrong; every finding has its place in it.
    #[error(transparent)]
    Invalid(#[from] Findings),
    /// The snapshot lacks a dataset that a pipeline needs.
    #[error("the snapshot has no dataset `{dataset}`, which {pipeline} reads")]
    NotFetched {
        /// The dataset's name.
        dataset: String,
        /// The pipeline's name, not an alias.
        pipeline: String,
    },
    /// Files given in place of a dataset do not fit its contract.
    #[error("{path} does not fit dataset {dataset}: {reason}")]
    Given {
        /// The dataset's name.
        dataset: String,
        /// The file or folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A pipeline's output is not one of its models.
    #[error("{pipeline} has no model `{model}`")]
    NoOutput {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The model it names.
        model: String,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Run { .. }
            | Error::Exhausted { .. }
            | Error::Io { .. }
            | Error::Read { .. }
            | Error::OneConnection => Kind::Failed,
            Error::Value { .. }
            | Error::Encode { .. }
            | Error::Draw { .. }
            | Error::NoText(_)
            | Error::NotFetched { .. }
            | Error::Given { .. } => Kind::Data,
            Error::Invalid(_) | Error::NoOutput { .. } => Kind::Usage,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Exhausted { exhausted, .. } => Some(exhausted.hint()),
            Error::NotFetched { dataset, .. } => Some(format!(
                "fetch `{dataset}`, or declare `optional = [\"{dataset}\"]` if it may be empty"
            )),
            Error::Run { .. }
            | Error::Value { .. }
            | Error::Encode { .. }
            | Error::NoText(_)
            | Error::Draw { .. }
            | Error::Io { .. }
            | Error::Read { .. }
            | Error::OneConnection
            | Error::Invalid(_)
            | Error::Given { .. }
            | Error::NoOutput { .. } => None,
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Invalid(findings) => &findings.0,
            Error::Run { .. }
            | Error::Exhausted { .. }
            | Error::Value { .. }
            | Error::Encode { .. }
            | Error::NoText(_)
            | Error::Draw { .. }
            | Error::Io { .. }
            | Error::Read { .. }
            | Error::OneConnection
            | Error::NotFetched { .. }
            | Error::Given { .. }
            | Error::NoOutput { .. } => &[],
        }
    }

    /// Wraps what DataFusion says of something that runs.
    pub(crate) fn run(what: &str, source: DataFusionError) -> Error {
        let what = what.to_owned();
        match Exhausted::of(&source) {
            Some(exhausted) => Error::Exhausted {
                what,
                exhausted: Box::new(exhausted),
            },
            None => Error::Run {
                what,
                source: Box::new(source),
            },
        }
    }

    pub(crate) fn invalid(findings: Vec<Finding>) -> Error {
        Error::Invalid(Findings(findings))
    }
}
