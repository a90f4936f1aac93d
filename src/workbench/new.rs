//! `new` as a whole: an analyst's own project, in a new folder.

use std::path::Path;

use crate::{config, env::Result, pipeline, storage};

/// What a new project's `pricemill.toml` says: what this one's does.
const SETTINGS: &str = include_str!("../../pricemill.toml");

/// The datasets, without which there is no project.
const SOURCES: &str = "pipelines/sources.toml";

/// What an own repository has in a folder that is otherwise empty.
const REPOSITORY: &str = ".git";

/// Writes the settings and the embedded definitions into a folder that must be new
/// or empty. An empty project has the datasets and no pipelines.
///
/// # Errors
///
/// The folder holds something, or cannot be written.
pub fn new_project(folder: &Path, is_empty: bool) -> Result<()> {
    if let Some(holds) = first_entry(folder)? {
        return Err(config::Error::NotEmpty {
            folder: folder.to_owned(),
            holds,
        }
        .into());
    }
    for file in pipeline::embedded() {
        if !is_empty || file.path() == Path::new(SOURCES) {
            write(&folder.join(file.path()), file.bytes())?;
        }
    }
    write(&folder.join(config::FILE), SETTINGS.as_bytes())?;
    write(&folder.join(".gitignore"), b"/data\n")?;
    Ok(())
}

/// Returns the name of something in a folder, if it is there and holds anything.
pub(super) fn first_entry(folder: &Path) -> Result<Option<String>> {
    let failed = |source| storage::Error::Io {
        action: "open",
        path: folder.display().to_string(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error).into()),
    };
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        if name != REPOSITORY {
            return Ok(Some(name.to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a power cut takes of a new project can be made again"
)]
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| storage::Error::Io {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    Ok(std::fs::write(path, bytes).map_err(failed)?)
}
