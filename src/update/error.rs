//! Why an artifact was not applied.

use super::decode;
use crate::{database, diagnostics::Finding, engine, env, inbox, kind::Kind, storage};

/// Why an artifact was not applied. The tables are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// No artifact of the pipelines has that name.
    #[error("there is no artifact `{id}` in the inbox or its archive")]
    UnknownArtifact {
        /// What was asked for.
        id: String,
    },
    /// More than one pipeline has an artifact of that name.
    #[error("`{id}` is an artifact of more than one pipeline")]
    AmbiguousArtifact {
        /// What was asked for.
        id: String,
    },
    /// A pipeline that is to be applied fills no table.
    #[error("{pipeline} has no [[update]]: it fills no table")]
    NoTables {
        /// The pipeline's name, not an alias.
        pipeline: String,
    },
    /// The pipeline would fill a table that is the database's own.
    #[error("{pipeline} must not fill `{table}`, which is one of pricemill's own tables")]
    OwnTable {
        /// The pipeline's name, not an alias.
        pipeline: String,
        /// The table's name.
        table: String,
    },
    /// The inbox could not be read, or its file is not what was received.
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    /// The content is not the pipeline's.
    #[error(transparent)]
    Decode(#[from] decode::Error),
    /// The SQL does not suit, or failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The rejected rows could not be written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A temporary file could not be made.
    #[error("could not make a temporary folder")]
    Temp(#[from] std::io::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. } => Kind::Usage,
            Error::Inbox(inbox::Error::Changed { .. }) => Kind::Data,
            Error::Env(error) => error.kind(),
            Error::Inbox(error) => error.kind(),
            Error::Decode(error) => error.kind(),
            Error::Engine(error) => error.kind(),
            Error::Database(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::Temp(_) => Kind::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownArtifact { .. } => Some(
                "`pricemill status` lists artifacts by id, such as 000001-0123456789abcdef"
                    .to_owned(),
            ),
            Error::AmbiguousArtifact { .. } => Some("name the pipeline too".to_owned()),
            Error::Env(error) => error.hint(),
            Error::Inbox(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::OwnTable { .. } => Some("name another table in `[[update]]`".to_owned()),
            Error::NoTables { .. } | Error::Decode(_) | Error::Temp(_) => None,
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Engine(error) => error.findings(),
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. }
            | Error::Inbox(_)
            | Error::Decode(_)
            | Error::Database(_)
            | Error::Storage(_)
            | Error::Temp(_) => &[],
        }
    }

    /// Returns the guard that refused, as `--accept` waives it.
    pub(crate) fn guard(&self) -> Option<&'static str> {
        match self {
            Error::Database(error) => error.guard(),
            Error::UnknownArtifact { .. }
            | Error::AmbiguousArtifact { .. }
            | Error::NoTables { .. }
            | Error::OwnTable { .. }
            | Error::Env(_)
            | Error::Inbox(_)
            | Error::Decode(_)
            | Error::Engine(_)
            | Error::Storage(_)
            | Error::Temp(_) => None,
        }
    }

    /// Whether the artifact itself is at fault, and so would be the next time.
    pub(super) fn is_of_the_artifact(&self) -> bool {
        self.kind() == Kind::Data
    }

    /// Whether its content is not what was received: nobody can judge it.
    pub(super) fn is_of_the_content(&self) -> bool {
        matches!(
            self,
            Error::Inbox(inbox::Error::Changed { .. } | inbox::Error::Missing { .. })
        )
    }
}
