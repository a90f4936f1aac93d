//! The record of a run, `runs/<id>/run.json`, and the lock of those that write.
//!
//! The lock is the operating system's, on `data/.lock`: it goes with the process,
//! however that ends, so there is no stale one. On an object store there is none;
//! there create-only puts and the database decide.

use std::{
    fs::{File, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Clock,
    events::{Event, Sink},
    kind::Kind,
    storage::{self, Format, Location},
};

/// How often another run is asked whether it still holds the lock.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A run's record at rest.
pub(crate) const FORMAT: Format = Format::version(1);

/// Why a run could not begin or be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another run writes to the same data.
    #[error("{holder} is using {data}")]
    Busy {
        /// The data folder.
        data: String,
        /// Who holds the lock, since when.
        holder: String,
    },
    /// Nothing can be written to the data folder.
    #[error("the data folder {data} is read-only for this user")]
    ReadOnly {
        /// The data folder.
        data: String,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The lock's file could not be used.
    #[error("could not lock {path}")]
    Lock {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The record could not be written or read.
    #[error("could not record the run")]
    Record(#[from] storage::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Busy { .. } => Kind::Busy,
            Error::ReadOnly { .. } | Error::Lock { .. } => Kind::Failed,
            Error::Record(error) => error.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Busy { .. } => Some("wait for it with --wait 10m".to_owned()),
            Error::ReadOnly { data, .. } => Some(format!(
                "give this user write access to {data}, or set `data` to another folder"
            )),
            Error::Lock { .. } => None,
            Error::Record(error) => error.hint(),
        }
    }
}

/// The name of a run: `<utc>-<process>`, which sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// Returns the name of the run that `process` began at that instant.
    pub fn new(at: DateTime<Utc>, process: u32) -> RunId {
        RunId(format!(
            "{}-{process:05}",
            at.format("%Y-%m-%dT%H%M%S%.3fZ")
        ))
    }
}

/// What a run was and did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, under which its record is: `runs/<id>/run.json`.
    pub id: RunId,
    /// The command with its flags; no secret can be given there.
    pub command: Vec<String>,
    /// The profile's name.
    pub profile: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
    /// The exit code.
    pub exit: u8,
    /// The error's first line, if it failed.
    pub error: Option<String>,
    /// The most memory the process held, in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// What each step did: inputs, outputs, rows, timings, by step in order.
    pub steps: Vec<IndexMap<String, Value>>,
}

/// The steps of a run as they end: a sink of its events.
#[derive(Debug, Default)]
pub struct Steps(Mutex<Vec<IndexMap<String, Value>>>);

impl Steps {
    /// Returns the steps so far, in order.
    pub fn so_far(&self) -> Vec<IndexMap<String, Value>> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.clone()
    }
}

impl Sink for Steps {
    fn receive(&self, event: &Event) {
        let Event::StepEnded(step) = event else {
            return;
        };
        // Through text, which keeps the order of the fields.
        let fields = serde_json::to_string(step).and_then(|text| serde_json::from_str(&text));
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.extend(fields.ok());
    }
}

impl Run {
    /// Writes the record, `runs/<id>/run.json`, replacing an earlier one of the run.
    ///
    /// # Errors
    ///
    /// The record cannot be written.
    pub async fn record(&self, runs: &Location) -> Result<()> {
        // Cannot fail: a record consists of texts and numbers.
        let text = FORMAT.write(self).unwrap_or_default();
        Ok(runs.put(&format!("{}/run.json", self.id.0), text).await?)
    }

    /// Returns the newest runs, newest first, at most `limit`. What cannot be read
    /// is left out.
    ///
    /// # Errors
    ///
    /// The folder of runs cannot be listed, or the store fails; a record that is not valid is
    /// no error.
    pub async fn latest(runs: &Location, limit: usize) -> Result<Vec<Run>> {
        let mut ids = runs.folders().await?;
        ids.sort_by(|a, b| b.cmp(a));
        let mut found = Vec::new();
        for id in ids.iter().take(limit) {
            if let Some(text) = runs.read(&format!("{id}/run.json")).await? {
                found.extend(FORMAT.read::<Run>(&text).ok());
            }
        }
        Ok(found)
    }
}

/// Returns the most memory this process has held, in bytes.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The right to write to a data folder, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Takes the lock of `data`, waiting for at most `wait`.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another process still holds the lock after `wait`,
    /// [`Error::ReadOnly`] if the folder cannot be written to, and [`Error::Lock`] if the
    /// file cannot be opened, locked or written for another reason.
    pub async fn take(
        data: &Location,
        holder: &str,
        wait: Duration,
        clock: &dyn Clock,
    ) -> Result<Lock> {
        let Some(folder) = data.local() else {
            return Ok(Lock { _file: None });
        };
        let path = folder.join(".lock");
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Error::ReadOnly {
                data: folder.display().to_string(),
                source,
            },
            _ => Error::Lock {
                path: path.clone(),
                source,
            },
        };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = options.map_err(failed)?;
        let until = clock.monotonic().saturating_add(wait);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if clock.monotonic() < until => {
                    clock.sleep(BETWEEN_TRIES).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy {
                        data: folder.display().to_string(),
                        holder: holder_of(&mut file),
                    });
                }
            }
        }
        sign(&mut file, holder).map_err(failed)?;
        Ok(Lock { _file: Some(file) })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the signature is for people who look at the lock"
)]
fn sign(file: &mut File, holder: &str) -> std::io::Result<()> {
    let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    file.set_len(0)?;
    file.rewind()?;
    write!(
        file,
        "`{holder}` (process {}, since {since})",
        std::process::id()
    )
}

fn holder_of(file: &mut File) -> String {
    let mut text = String::new();
    match file
        .rewind()
        .and_then(|()| file.take(1000).read_to_string(&mut text))
    {
        Ok(_) if !text.is_empty() => text,
        _ => "another run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    #[tokio::test]
    async fn the_lock_is_held_by_one_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let data = Location::folder(folder.path()).unwrap();
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let take = |holder: &'static str, wait| Lock::take(&data, holder, wait, clock.as_ref());
        let held = take("pricemill generate", Duration::ZERO).await.unwrap();
        let minute = Duration::from_secs(60);
        let error = take("pricemill update", minute).await.unwrap_err();
        assert!(clock.monotonic() >= minute);
        assert_eq!(error.kind(), Kind::Busy);
        assert!(
            error.to_string().contains("`pricemill generate` (process "),
            "{error}"
        );
        drop(held);
        take("pricemill update", Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn runs_read_back_newest_first() {
        let runs = Location::in_memory();
        for (second, exit) in [(1, 0), (2, 75)] {
            let began_at = DateTime::from_timestamp(second, 0).unwrap();
            let run = Run {
                id: RunId::new(began_at, 7),
                command: vec!["generate".to_owned()],
                profile: "dev".to_owned(),
                began_at,
                seconds: 0.5,
                exit,
                error: None,
                peak_memory_bytes: peak_memory_bytes(),
                steps: Vec::new(),
            };
            run.record(&runs).await.unwrap();
        }
        let exits = Run::latest(&runs, 5)
            .await
            .unwrap()
            .iter()
            .map(|run| run.exit)
            .collect::<Vec<_>>();
        assert_eq!(exits, [75, 0]);
    }
}
