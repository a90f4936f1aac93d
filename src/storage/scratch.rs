//! A folder for what is needed only while the process lasts.
//!
//! A killed process cannot clean up after itself: the next one does. Whoever is alive
//! holds a lock within its folder, which the system takes away with the process.
#![expect(
    clippy::disallowed_methods,
    reason = "what is written here need not outlive the process"
)]

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::TempDir;

const PREFIX: &str = "pricemill-run-";
const LOCK: &str = "lock";

/// A process's own temporary folder; removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a folder within that one, or the system's for temporary files, and removes
    /// those there whose process is gone.
    ///
    /// # Errors
    ///
    /// The folder cannot be made, or its lock cannot be taken.
    pub fn open(within: Option<&Path>) -> io::Result<Scratch> {
        let within = within.map_or_else(std::env::temp_dir, Path::to_owned);
        fs::create_dir_all(&within)?;
        sweep(&within);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&within)?;
        // Locked before it has the name that a sweeper looks for.
        let (new, name) = (folder.path().join("lock.new"), folder.path().join(LOCK));
        let lock = File::create_new(&new)?;
        lock.lock()?;
        fs::rename(new, name)?;
        Ok(Scratch {
            folder,
            _lock: lock,
        })
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Has every temporary file of this process made here. Only the first call counts.
    pub fn adopt(&self) {
        let _ = tempfile::env::override_temp_dir(self.path());
    }
}

/// Makes a file of passing use, in a folder that goes with the process. It is not synced.
///
/// # Errors
/// The file system's.
pub(crate) fn create_passing(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Removes a file of passing use.
///
/// # Errors
/// The file system's.
pub(crate) fn remove_passing(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

fn sweep(within: &Path) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let is_one = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        let lock = is_one.then(|| File::open(entry.path().join(LOCK)));
        if let Some(Ok(lock)) = lock
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_removes_what_a_killed_one_left_and_nothing_else() {
        let within = tempfile::tempdir().unwrap();
        let other = within.path().join("other");
        fs::create_dir(&other).unwrap();
        let alive = Scratch::open(Some(within.path())).unwrap();
        let killed = Scratch::open(Some(within.path())).unwrap();
        let left = killed.path().to_owned();
        fs::write(left.join("rows"), "x").unwrap();
        let Scratch { folder, _lock } = killed;
        let _ = folder.keep();
        drop(_lock); // as the system does
        let next = Scratch::open(Some(within.path())).unwrap();
        assert!(!left.exists());
        assert!(alive.path().exists() && next.path().exists() && other.exists());
    }
}
