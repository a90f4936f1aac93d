//! Which files are loaded, and in which order.

use std::path::{Path, PathBuf};

use super::{Error, Result, reader::Format};
use crate::{
    database::{self, Table},
    diagnostics::nearest,
};

/// A file that is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) table: String,
    pub(super) format: Format,
}

/// Returns the files that a path means, parents before children.
pub(super) fn find(path: &Path, tables: &[Table], notes: &mut Vec<String>) -> Result<Vec<File>> {
    let read = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(read)?.is_dir() {
        return Ok(vec![one(path, tables)?]);
    }
    let mut paths = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(read)
        .map(|mut paths: Vec<PathBuf>| {
            paths.sort();
            paths
        })?;
    paths.retain(|path| path.is_file());
    let mut files: Vec<File> = Vec::new();
    for path in paths {
        match one(&path, tables) {
            Ok(file) => push(&mut files, file)?,
            Err(_) => notes.push(format!(
                "{}: skipped, no table has that name",
                path.display()
            )),
        }
    }
    if files.is_empty() {
        let path = path.to_owned();
        return Err(Error::NothingToLoad { path });
    }
    files.sort_by_key(|file| (database::depth(&file.table, tables), file.table.clone()));
    Ok(files)
}

fn push(files: &mut Vec<File>, file: File) -> Result<()> {
    match files.iter().find(|other| other.table == file.table) {
        None => files.push(file),
        Some(other) => {
            return Err(Error::TwoFiles {
                first: other.path.clone(),
                second: file.path,
            });
        }
    }
    Ok(())
}

fn one(path: &Path, tables: &[Table]) -> Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, extension) = name.split_once('.').unwrap_or((&name, ""));
    let known = tables.iter().map(|table| table.name.as_str());
    let mut known = known.filter(|name| !database::is_own(name));
    match (Format::of(extension), known.any(|name| name == stem)) {
        (Some(format), true) => Ok(File {
            path: path.to_owned(),
            table: stem.to_owned(),
            format,
        }),
        (None, true) => Err(Error::Columns {
            path: path.to_owned(),
            reason: format!("files of type `.{extension}` cannot be loaded"),
            hint: Some("use .csv, .jsonl (both also .gz) or .parquet".to_owned()),
        }),
        (_, false) => Err(Error::UnknownTable {
            path: path.to_owned(),
            nearest: nearest(stem, tables.iter().map(|table| table.name.as_str()))
                .map(str::to_owned),
        }),
    }
}
