//! Why the settings could not be resolved.

use std::path::PathBuf;

use super::FILE;
use crate::diagnostics::{Findings, did_you_mean, nearest};

/// Why the settings could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `pricemill.toml` is wrong.
    #[error(transparent)]
    File(Findings),
    /// `pricemill.toml` could not be read.
    #[error("could not read {path}")]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// A value cannot be used.
    #[error("{key}: {reason}")]
    Value {
        /// The key, as in `pricemill.toml`, or the variable.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable has our prefix and names no key.
    #[error("unknown setting {name}")]
    UnknownVariable {
        /// The environment variable's name.
        name: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
    /// No profile has that name.
    #[error("unknown profile `{name}`")]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// The profiles there are.
        known: Vec<String>,
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
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownVariable {
                nearest: Some(near),
                ..
            } => Some(did_you_mean(near)),
            Error::UnknownProfile { name, known } => {
                let near = nearest(name, known.iter().map(String::as_str));
                Some(match near {
                    Some(near) => did_you_mean(near),
                    None => format!("add [profile.{name}] with a `server` to {FILE}"),
                })
            }
            Error::Unset { variable, .. } => Some(format!("export {variable}=…")),
            Error::Lacks { profile, missing } => Some(format!(
                "add `{missing} = \"…\"` to [profile.{profile}] in {FILE}, or use --dev"
            )),
            Error::NotConfirmed => Some("answer y, or pass --yes".to_owned()),
            Error::NotEmpty { .. } => Some("name a folder that does not exist yet".to_owned()),
            Error::File(_)
            | Error::Read { .. }
            | Error::Value { .. }
            | Error::UnknownVariable { nearest: None, .. } => None,
        }
    }
}
