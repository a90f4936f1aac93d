//! The pipelines that a command went on without.

use serde::Serialize;

use super::Summary;
use crate::{diagnostics::Finding, kind::Kind};

/// A pipeline that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The pipeline's name, not an alias.
    pub pipeline: String,
    /// The pipeline that it reads and that cannot be used; then its own files may be sound.
    pub because: Option<String>,
    /// The errors in its own files.
    pub findings: Vec<Finding>,
}

impl Summary {
    /// Counts pipelines that were asked for and left out: errors of their own as failures,
    /// those of others as skipped.
    pub(super) fn left_out(&mut self, left_out: &[LeftOut]) {
        for one in left_out {
            match one.because {
                None => self.failed(Kind::Usage),
                Some(_) => self.skip += 1,
            }
        }
    }
}
