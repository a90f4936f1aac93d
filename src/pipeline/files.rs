//! Where definitions come from: a project's folder, or the copies in the binary.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    str::Utf8Error,
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

/// The folder of the tests.
const TESTS_FOLDER: &str = "tests/sql";

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
    collect(TESTS_FOLDER, &TESTS, &mut found);
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
/// parts; with what is wrong in place of what cannot be read.
pub(super) struct Files(BTreeMap<String, Result<Vec<u8>, Box<Finding>>>);

impl Files {
    /// Returns the definitions in the binary.
    pub(super) fn embedded() -> Files {
        let texts = embedded()
            .into_iter()
            .map(|file| (slashed(&file.path()), Ok(file.bytes().to_vec())));
        Files(texts.collect())
    }

    /// Reads the definitions of a project's folder. What is hidden is left out, and of the
    /// tests, which are read when they run, only the names are taken.
    pub(super) fn read(root: &Path) -> Files {
        let mut files = Files(BTreeMap::new());
        for folder in ["pipelines", "sql", TESTS_FOLDER] {
            read_folder(root, Path::new(folder), &mut files);
        }
        files
    }

    /// Keeps what is wrong with a path. Tests say so themselves when they run.
    fn fault(&mut self, path: &Path, error: &io::Error) {
        if !path.starts_with(TESTS_FOLDER) {
            self.0.insert(slashed(path), Err(unreadable(path, error)));
        }
    }

    /// Returns what cannot be read, each with its path as its place.
    pub(super) fn faults(&self) -> impl Iterator<Item = Finding> {
        let faults = self.0.values().filter_map(|file| file.as_ref().err());
        faults.map(|finding| (**finding).clone())
    }

    /// Says whether there is something at a path, readable or not.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Returns the names and the paths of the files right in `folder` that end in
    /// `.extension`, by name, without the extension.
    pub(super) fn named<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let found = self.with_extension(folder, extension);
        found.map(|(name, path, _)| (name, path))
    }

    /// Returns the names, the paths and the bytes of those that can be read.
    pub(super) fn readable<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> + 'a {
        let found = self.with_extension(folder, extension);
        found.filter_map(|(name, path, file)| Some((name, path, file.as_ref().ok()?.as_slice())))
    }

    fn with_extension<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Result<Vec<u8>, Box<Finding>>)> + 'a {
        self.0.iter().filter_map(move |(path, file)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            let (stem, end) = name.rsplit_once('.')?;
            let is_one = end.eq_ignore_ascii_case(extension) && !stem.contains('/');
            is_one.then_some((stem, path.as_str(), file))
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
        let text = std::str::from_utf8(bytes).map_err(|error| not_text(path, bytes, &error))?;
        Ok(SourceFile {
            path: PathBuf::from(path),
            text: Arc::from(without_mark(text)),
        })
    }
}

/// Finds that a file is not text. It is shown up to its first byte that is not.
fn not_text(path: &str, bytes: &[u8], error: &Utf8Error) -> Box<Finding> {
    let at = error.valid_up_to();
    let text = String::from_utf8_lossy(&bytes[..at]) + "\u{fffd}";
    let file = SourceFile {
        path: PathBuf::from(path),
        text: Arc::from(text),
    };
    let place = file.place(at..file.text.len());
    let finding = Finding::new(Code::NotText, format!("{path} is not UTF-8"));
    let finding = finding.at(place, "not a letter in UTF-8");
    Box::new(finding.help("save the file as UTF-8"))
}

/// Reads what is below a folder. Only the names of tests are taken.
fn read_folder(root: &Path, folder: &Path, files: &mut Files) {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return files.fault(folder, &error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return files.fault(folder, &error),
        };
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() && !is_definition(&path) {
            read_folder(root, &path, files);
        } else if path.starts_with(TESTS_FOLDER) {
            files.0.insert(slashed(&path), Ok(Vec::new()));
        } else {
            match std::fs::read(entry.path()) {
                Ok(bytes) => drop(files.0.insert(slashed(&path), Ok(bytes))),
                Err(error) => files.fault(&path, &error),
            }
        }
    }
}

/// Says whether a path has the name of a manifest or of SQL, which a folder must not have.
fn is_definition(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let manifest = path.starts_with("pipelines") && extension == "toml";
    manifest || (path.starts_with("sql") && extension == "sql")
}

fn unreadable(path: &Path, error: &io::Error) -> Box<Finding> {
    let what = format!("{} cannot be read: {error}", path.display());
    let file = SourceFile {
        path: path.to_owned(),
        text: Arc::from(""),
    };
    Box::new(Finding::new(Code::UnreadableFile, what).at(file.place(0..0), "this file"))
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
