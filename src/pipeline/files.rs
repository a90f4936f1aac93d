//! Where definitions come from: a project's folder, or the copies in the binary.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;

use super::{SourceFile, Template};
use crate::{
    diagnostics::{Code, Finding},
    text::without_mark,
};

/// The help for a file that belongs to nothing and has nearly no other's name.
pub(super) const DELETE: &str = "delete the file, or declare what it is for";

static PIPELINES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pipelines");
static SQL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql");
static TESTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/sql");

/// A file of the definitions that are embedded in the binary.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    folder: &'static str,
    file: &'static include_dir::File<'static>,
}

impl Embedded {
    /// Returns the path below a project's folder: `sql/bargains/bargains.sql`.
    pub fn path(&self) -> PathBuf {
        Path::new(self.folder).join(self.file.path())
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &'static [u8] {
        self.file.contents()
    }
}

/// Returns the embedded definitions, `pipelines/`, `sql/` and `tests/sql/`, by path.
pub fn embedded() -> Vec<Embedded> {
    let mut found = Vec::new();
    collect("pipelines", &PIPELINES, &mut found);
    collect("sql", &SQL, &mut found);
    collect("tests/sql", &TESTS, &mut found);
    found.sort_by_key(Embedded::path);
    found
}

fn collect(folder: &'static str, dir: &'static Dir<'static>, found: &mut Vec<Embedded>) {
    found.extend(dir.files().map(|file| Embedded { folder, file }));
    for below in dir.dirs() {
        collect(folder, below, found);
    }
}

/// The files of `sql/<pipeline>/`.
pub(super) struct OwnFiles {
    pub(super) models: IndexMap<String, SourceFile>,
    pub(super) seeds: IndexMap<String, SourceFile>,
    /// The templates that models fill, by model.
    pub(super) templates: IndexMap<String, Template>,
    pub(super) rules: IndexMap<String, SourceFile>,
    pub(super) updates: IndexMap<String, SourceFile>,
}

/// The files of `pipelines/`, `sql/` and `tests/sql/`, by path, with `/` between the
/// parts.
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Returns the definitions in the binary.
    pub(super) fn embedded() -> Files {
        let texts = embedded()
            .into_iter()
            .map(|file| (slashed(&file.path()), file.bytes().to_vec()));
        Files(texts.collect())
    }

    /// Reads the definitions of a project's folder. What is hidden is left out.
    pub(super) fn read(root: &Path) -> Result<Files, Box<Finding>> {
        let mut files = BTreeMap::new();
        for folder in ["pipelines", "sql", "tests/sql"] {
            read_folder(root, Path::new(folder), &mut files)?;
        }
        Ok(Files(files))
    }

    /// Returns the names and the bytes of the files right in `folder` that end in
    /// `.extension`, by name, without the extension.
    pub(super) fn with_extension<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> + 'a {
        self.0.iter().filter_map(move |(path, bytes)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            let (stem, end) = name.rsplit_once('.')?;
            let is_one = end.eq_ignore_ascii_case(extension) && !stem.contains('/');
            is_one.then_some((stem, path.as_str(), bytes.as_slice()))
        })
    }

    /// Returns the paths of all files below `folder`, relative to it.
    pub(super) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let below = move |path: &'a String| path.strip_prefix(folder)?.strip_prefix('/');
        self.0.keys().filter_map(below)
    }

    /// Returns the folders right below `folder` that hold a file.
    pub(super) fn folders<'a>(&'a self, folder: &'a str) -> Vec<&'a str> {
        let mut names: Vec<_> = self
            .0
            .keys()
            .filter_map(|path| {
                path.strip_prefix(folder)?
                    .strip_prefix('/')?
                    .split_once('/')
            })
            .map(|(name, _)| name)
            .collect();
        names.dedup();
        names
    }

    /// Returns the file as text, without a byte-order mark.
    pub(super) fn text(path: &str, bytes: &[u8]) -> Result<SourceFile, Box<Finding>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let what = format!("{path}, line {line}, is not UTF-8");
            Box::new(Finding::new(Code::NotText, what).help("save the file as UTF-8"))
        })?;
        Ok(SourceFile {
            path: PathBuf::from(path),
            text: Arc::from(without_mark(text)),
        })
    }
}

fn read_folder(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Box<Finding>> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            read_folder(root, &path, files)?;
        } else {
            let bytes = std::fs::read(entry.path()).map_err(|error| unreadable(&path, &error))?;
            files.insert(slashed(&path), bytes);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Box<Finding> {
    let what = format!("{} cannot be read: {error}", path.display());
    Box::new(Finding::new(Code::UnreadableFile, what))
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
