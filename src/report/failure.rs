//! Why something failed, in one value; and the one way to print an error's causes.

use std::error::Error;

use serde::Serialize;

use crate::{diagnostics::Finding, kind::Kind};

/// Why a part of a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of failure, which decides the exit code.
    pub kind: Kind,
    /// The error with its causes, on one line.
    pub message: String,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The findings in the user's own files, where the error is some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Failure {
    /// Describes an error.
    pub fn new(error: &dyn Error, kind: Kind, hint: Option<String>, findings: &[Finding]) -> Self {
        Failure {
            kind,
            message: chain(error),
            hint,
            findings: findings.to_vec(),
        }
    }
}

/// Returns an error with its causes on one line, each stated once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let says = without_wrappers(&error.to_string());
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
        cause = error.source();
    }
    text
}

/// Drops the words that DataFusion and Parquet put before another's error.
fn without_wrappers(says: &str) -> String {
    says.replace("External error: ", "")
        .replace("External: ", "")
}

#[cfg(test)]
mod tests {
    use datafusion::{error::DataFusionError, parquet::errors::ParquetError};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not")]
    struct CouldNot(#[source] DataFusionError);

    #[test]
    fn an_error_is_said_once_and_without_its_wrappers() {
        let full = || Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let is = full().to_string();
        let external = DataFusionError::External(full());
        assert_eq!(chain(&CouldNot(external)), format!("could not: {is}"));
        let parquet = ParquetError::External(full());
        let parquet = DataFusionError::ParquetError(Box::new(parquet));
        let said = format!("could not: Parquet error: {is}");
        assert_eq!(chain(&CouldNot(parquet)), said);
    }
}
