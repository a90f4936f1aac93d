//! Why something failed, in one value.

use std::error::Error;

use serde::Serialize;

use crate::{
    chain::{causes, chain, words::plain},
    diagnostics::Finding,
    kind::Kind,
};

/// Why a command or a part of it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of failure, which decides the exit code.
    pub kind: Kind,
    /// The error with its causes, on one line.
    pub message: String,
    /// The causes alone, from the outside in, in plain words.
    pub causes: Vec<String>,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// The findings in the user's own files, where the error is some.
    pub findings: Vec<Finding>,
}

impl Failure {
    /// Describes an error.
    pub fn new(error: &dyn Error, kind: Kind, hint: Option<String>, findings: &[Finding]) -> Self {
        let causes = error.source().into_iter().flat_map(causes);
        let mut causes: Vec<String> = causes.map(|it| plain(&it.to_string())).collect();
        causes.dedup();
        Failure {
            kind,
            message: chain(error),
            causes,
            hint,
            findings: findings.to_vec(),
        }
    }

    /// Describes a failure that no error stands for.
    pub fn of_message(kind: Kind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            findings: Vec::new(),
        }
    }
}
