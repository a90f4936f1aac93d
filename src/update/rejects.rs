//! The rows that were turned away, as JSON Lines beside the run:
//! `<pipeline>.<table>.jsonl`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    database::Reject,
    storage::{self, Location, Put},
};

/// Takes rejected rows while an artifact is validated.
#[derive(Debug, Clone)]
pub(super) struct Rejects {
    folder: PathBuf,
    files: Arc<Mutex<BTreeMap<String, io::Result<BufWriter<File>>>>>,
}

impl Rejects {
    /// Keeps the rows in a local folder first.
    pub(super) fn new(folder: PathBuf) -> Rejects {
        Rejects {
            folder,
            files: Arc::default(),
        }
    }

    /// Returns what takes the rows. An error is kept for the end.
    pub(super) fn sink(&self) -> Box<dyn FnMut(Reject) + Send> {
        let rejects = self.clone();
        Box::new(move |reject| {
            let mut files = rejects.files.lock().unwrap_or_else(PoisonError::into_inner);
            let file = files.entry(reject.table.clone()).or_insert_with(|| {
                storage::create_passing(&rejects.folder.join(&reject.table)).map(BufWriter::new)
            });
            if let Ok(out) = file
                && let Err(error) = write(out, &reject)
            {
                *file = Err(error);
            }
        })
    }

    /// Writes one file a table to `place`; returns where they are.
    pub(super) async fn store(
        self,
        place: &Location,
        pipeline: &str,
    ) -> storage::Result<Vec<String>> {
        let files = std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner));
        let mut stored = Vec::new();
        for (table, file) in files {
            let path = self.folder.join(&table);
            let failed = |source| storage::Error::Io {
                action: "write",
                path: path.display().to_string(),
                source,
            };
            let mut file = file.map_err(failed)?;
            file.flush().map_err(failed)?;
            let name = format!("{pipeline}.{table}.jsonl");
            if place.put_new_file(&name, &path).await? == Put::Different {
                place.delete(&name).await?;
                place.put_new_file(&name, &path).await?;
            }
            stored.push(place.display(&name));
        }
        Ok(stored)
    }
}

fn write(out: &mut impl Write, reject: &Reject) -> io::Result<()> {
    serde_json::to_writer(&mut *out, reject)?;
    out.write_all(b"\n")
}
