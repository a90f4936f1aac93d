//! Why the settings could not be resolved.

use std::path::PathBuf;

use super::FILE;
use crate::diagnostics::{Finding, Findings};

/// Why the settings could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `pricemill.toml` or a variable `PRICEMILL_…` is wrong.
    #[error(transparent)]
    Invalid(Findings),
    /// `pricemill.toml` could not be read.
    #[error("could not read {path}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A value names a variable that is not set.
    #[error("{key} needs the environment variable {variable}, which is not set")]
    Unset {
        /// The key that names it.
        key: String,
        /// The environment variable's name.
        variable: String,
    },
    /// What was asked was not answered with yes.
    #[error("not confirmed; nothing was done")]
    NotConfirmed,
    /// A new project's folder is not new.
    #[error("{folder} is not empty: it contains {holds}")]
    NotEmpty {
        /// The folder's path.
        folder: PathBuf,
        /// Something in it.
        holds: String,
    },
    /// A command needs what the profile does not have.
    #[error("the profile `{profile}` has no {missing}")]
    Lacks {
        /// The profile's name.
        profile: String,
        /// What it lacks.
        missing: &'static str,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns the findings in the settings.
    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Invalid(findings) => &findings.0,
            Error::Read { .. }
            | Error::Unset { .. }
            | Error::NotConfirmed
            | Error::NotEmpty { .. }
            | Error::Lacks { .. } => &[],
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Unset { variable, .. } => Some(format!("export {variable}=…")),
            Error::Lacks { profile, missing } => Some(format!(
                "add `{missing} = \"…\"` to [profile.{profile}] in {FILE}, or use --dev"
            )),
            Error::NotConfirmed => Some("answer y, or pass --yes".to_owned()),
            Error::NotEmpty { .. } => Some("name a folder that does not exist yet".to_owned()),
            Error::Invalid(_) | Error::Read { .. } => None,
        }
    }
}
