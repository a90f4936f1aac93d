//! Durable changes to local files and folders.
//!
//! What must outlive the process is written here and nowhere else: a file under a hidden
//! temporary name first, synced, moved into place, and its folder synced; so it is there
//! as a whole or not at all, also after a power cut. In go paths and bytes; nothing here
//! knows what they are for. `.clippy.toml` keeps `std::fs`'s own writers out elsewhere.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where files are written and removed"
)]

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// What a temporary file's name begins with; such names are never listed.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// A temporary file that was written to since then may not have its lock yet.
const YOUNG: Duration = Duration::from_secs(60);

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file on its way into a folder; removed again unless it is published.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    at: PathBuf,
    target: PathBuf,
}

impl Temporary {
    /// Makes an empty file beside `target`, with the folders above it.
    pub(super) fn beside(target: &Path) -> io::Result<Temporary> {
        let folder = target.parent().unwrap_or(Path::new("/"));
        make_folders(folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let at = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let file = File::create(&at)?;
        // Shows `sweep` that somebody is at work. A file system without locks has none
        // for the sweeper to take either.
        let _ = file.try_lock();
        Ok(Temporary {
            file,
            at,
            target: target.to_owned(),
        })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Appends all that a reader has.
    pub(super) fn copy(&mut self, source: &mut impl Read) -> io::Result<()> {
        io::copy(source, &mut self.file)?;
        Ok(())
    }

    /// Syncs the file, moves it to its name, syncs the folder. With `create` it is an
    /// error that something has the name.
    pub(super) fn publish(self, create: bool) -> io::Result<()> {
        self.file.sync_all()?;
        move_into_place(&self.at, &self.target, create)?;
        // The lock goes with the file, and nobody may take it before.
        sync_above(&self.target)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when it was published.
        let _ = fs::remove_file(&self.at);
    }
}

/// Renames; with `create` only when nothing has the name, on any file system.
fn move_into_place(from: &Path, to: &Path, create: bool) -> io::Result<()> {
    if !create {
        return fs::rename(from, to);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::hard_link(from, to),
        done => Ok(done?),
    }
}

/// Writes a file, or replaces it, as a whole or not at all.
///
/// # Errors
/// The file system's; the file is then as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = Temporary::beside(path)?;
    file.write(bytes)?;
    file.publish(false)
}

/// Opens a file to append to, made if it is not there. Its name is durable; what is
/// appended is once the caller syncs it.
///
/// # Errors
/// The file system's.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    sync_above(path)?;
    Ok(file)
}

/// Makes a folder and those above it, each synced into the one above.
///
/// # Errors
/// The file system's.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folders(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(above)?,
        }
    }
    Ok(())
}

/// Removes a file.
///
/// # Errors
/// The file system's; also that the file is not there.
pub(super) fn remove_file(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    sync_above(file)
}

/// Removes a folder with all that is in it; one that does not exist is not an error.
///
/// # Errors
/// The file system's; some of it may be gone then.
pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_above(folder),
    }
}

/// Removes a folder if it is empty.
pub(crate) fn remove_if_empty(folder: &Path) {
    // Another one stays: only an empty folder can be removed so.
    let _ = fs::remove_dir(folder);
}

/// Removes the temporary files below a folder that a killed run left: old enough, and
/// with nobody's lock on them. What cannot be removed is left to the next sweep.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        let temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        match kind {
            Ok(kind) if kind.is_dir() => sweep(&path),
            Ok(kind) if kind.is_file() && temporary && is_left(&path) => {
                let _ = fs::remove_file(&path);
            }
            _ => {}
        }
    }
}

fn is_left(file: &Path) -> bool {
    let left = || -> io::Result<bool> {
        let file = File::open(file)?;
        let age = SystemTime::now().duration_since(file.metadata()?.modified()?);
        Ok(age.is_ok_and(|age| age > YOUNG) && file.try_lock().is_ok())
    };
    left().unwrap_or(false)
}

fn sync_above(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // The parent of a relative name is the working directory.
    let here = folder.as_os_str().is_empty().then_some(Path::new("."));
    File::open(here.unwrap_or(folder))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        for text in ["one", "two"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(names.count(), 1);
    }

    #[test]
    fn what_is_not_published_is_removed_and_the_target_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"one").unwrap();
        let mut file = Temporary::beside(&path).unwrap();
        file.write(b"tw").unwrap();
        drop(file);
        let file = Temporary::beside(&path).unwrap();
        let taken = file.publish(true).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_removed_already() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        make_folders(&below.join("deep")).unwrap();
        for _ in 0..2 {
            remove_folder(&below).unwrap();
            assert!(!below.exists());
        }
    }
}
