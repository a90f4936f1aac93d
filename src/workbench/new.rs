//! `new` as a whole: an analyst's own project, in a new folder.

use std::path::Path;

use crate::{config, env::Result, pipeline, storage};

/// What a new project's `pricemill.toml` says: what this one's does.
const SETTINGS: &str = include_str!("../../pricemill.toml");

/// Writes the settings and the embedded definitions into a folder that must be new
/// or empty.
///
/// # Errors
///
/// The folder holds something, or cannot be written.
pub fn new_project(folder: &Path) -> Result<()> {
    if let Some(holds) = first_entry(folder)? {
        return Err(config::Error::NotEmpty {
            folder: folder.to_owned(),
            holds,
        }
        .into());
    }
    for file in pipeline::embedded() {
        write(&folder.join(file.path()), file.bytes())?;
    }
    write(&folder.join(config::FILE), SETTINGS.as_bytes())?;
    write(&folder.join(".gitignore"), b"/data\n")?;
    Ok(())
}

/// Returns the name of something in a folder, if it is there and holds anything.
fn first_entry(folder: &Path) -> Result<Option<String>> {
    let failed = |source| storage::Error::Io {
        action: "open",
        path: folder.display().to_string(),
        source,
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(entry) => {
                let name = entry.map_err(failed)?.file_name();
                Ok(Some(name.to_string_lossy().into_owned()))
            }
            None => Ok(None),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error).into()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a power cut takes of a new project can be made again"
)]
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
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
