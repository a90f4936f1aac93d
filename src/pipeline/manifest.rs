//! Reads `pipelines/*.toml` and `sql/`.

use std::path::Path;

use super::Project;
use crate::diagnostics::Findings;

pub(super) fn load(root: &Path) -> Result<Project, Findings> {
    let _ = root;
    todo!()
}
