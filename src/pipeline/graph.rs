//! What reads what, read from the SQL itself.

use super::{Pipeline, Project};
use crate::dataset::Dataset;

pub(super) fn upstream<'a>(project: &'a Project, pipeline: &Pipeline) -> Vec<&'a Pipeline> {
    let _ = (project, pipeline);
    todo!()
}

pub(super) fn datasets_of<'a>(project: &'a Project, pipelines: &[&Pipeline]) -> Vec<&'a Dataset> {
    let _ = (project, pipelines);
    todo!()
}
