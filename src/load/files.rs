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
    let paths = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(read)
        .map(|mut paths: Vec<PathBuf>| {
            paths.sort();
            paths
        })?;
    let mut files: Vec<File> = Vec::new();
    for path in &paths {
        match one(path, tables) {
            _ if path.is_dir() => notes.push(format!(
                "{}: skipped, folders in folders are not read",
                path.display()
            )),
            Ok(file) => push(&mut files, file)?,
            Err(Error::Columns { reason, .. }) => {
                notes.push(format!("{}: skipped, {reason}", path.display()));
            }
            Err(_) => notes.push(format!(
                "{}: skipped, no table has that name",
                path.display()
            )),
        }
    }
    if files.is_empty() {
        return Err(Error::NothingToLoad {
            path: path.to_owned(),
            found: found(&paths),
        });
    }
    files.sort_by_key(|file| (database::depth(&file.table, tables), file.table.clone()));
    Ok(files)
}

/// Lists what is in a folder: the first few names.
fn found(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let names = paths.iter().filter_map(|path| path.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    match paths.len() {
        0 => "it is empty".to_owned(),
        count if count > SHOWN => format!("it has {shown} and {} more", count - SHOWN),
        _ => format!("it has {shown}"),
    }
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
    let table = known.find(|name| name.eq_ignore_ascii_case(stem));
    match (Format::of(extension), table) {
        (Some(format), Some(table)) => Ok(File {
            path: path.to_owned(),
            table: table.to_owned(),
            format,
        }),
        (None, Some(_)) => Err(Error::Columns {
            path: path.to_owned(),
            reason: match extension {
                "" => "a file without an extension cannot be loaded".to_owned(),
                _ => format!("files of type `.{extension}` cannot be loaded"),
            },
            hint: Some("use .csv, .tsv, .jsonl (each also .gz) or .parquet".to_owned()),
        }),
        (_, None) => Err(Error::UnknownTable {
            path: path.to_owned(),
            nearest: nearest(stem, tables.iter().map(|table| table.name.as_str()))
                .map(str::to_owned),
        }),
    }
}
