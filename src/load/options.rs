//! What a load may be asked for.

use std::sync::Arc;

use crate::{
    database::Accept,
    diagnostics::Findings,
    pipeline::{self, Project},
    text::Units,
};

/// What a load may be asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The tables that the files are all of: rows that they lack are deleted.
    pub replace: Vec<String>,
    /// The company, by name, that the files are all of: its rows that they lack are
    /// deleted from the tables that they are for.
    pub replace_company: Option<String>,
    /// The guards that the user has waived.
    pub accept: Accept,
    /// The units of sizes, which a product's normalized name is without; or what is
    /// wrong with the project that has them.
    pub(super) units: Result<Arc<Units>, Findings>,
}

impl Default for Options {
    fn default() -> Self {
        Options::with(Ok(Arc::new(Units::usual().clone())))
    }
}

impl Options {
    /// Takes the units of a project. What is wrong with it matters only to a load that
    /// needs them.
    pub fn of(project: Result<&Project, Findings>) -> Options {
        Options::with(project.and_then(pipeline::units).map(Arc::new))
    }

    fn with(units: Result<Arc<Units>, Findings>) -> Options {
        Options {
            replace: Vec::new(),
            replace_company: None,
            accept: Accept::default(),
            units,
        }
    }
}
