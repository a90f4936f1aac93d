//! Rows of a dataset become files of a snapshot.
//!
//! ```text
//!  batches in key order ─► each key once ─► Parquet in a passing folder ─► put, durably
//! ```
//!
//! Holds one batch and one row group. Nobody sees the files before the snapshot's
//! manifest is written, which is not done here.

use std::{path::Path, sync::Arc};

use datafusion::{
    arrow::record_batch::RecordBatch, error::DataFusionError, execution::SendableRecordBatchStream,
};
use futures::StreamExt;

use super::{
    Error, File, Part, Result,
    order::Order,
    partial::PARTS_PREFIX,
    parts::{self, Parts},
    rows::{Disorder, Unique},
};
use crate::{artifact::sealed::Unsealed, dataset::Dataset, source::FetchStats, storage};

/// What is written of a dataset.
pub(super) struct Written {
    pub(super) unique: Unique,
    parts: Parts,
}

impl Written {
    /// Writes into a passing folder below `workspace`, first.
    pub(super) fn new(order: &Order, workspace: &Path) -> Result<Written, DataFusionError> {
        let folder = tempfile::Builder::new()
            .prefix(PARTS_PREFIX)
            .tempdir_in(workspace)?;
        Ok(Written {
            unique: Unique::new(order)?,
            parts: Parts::new(order, folder)?,
        })
    }

    fn push(self, batch: &RecordBatch) -> Result<Written, DataFusionError> {
        let written = self.accept(batch)?;
        written.ok_or_else(|| DataFusionError::Internal(Disorder::Unsorted.to_string()))
    }

    /// Appends rows, if they are in key order; else all that was written is void.
    pub(super) fn accept(
        mut self,
        batch: &RecordBatch,
    ) -> Result<Option<Written>, DataFusionError> {
        match self.unique.filter(batch) {
            Ok(kept) => self.parts.push(&kept)?,
            Err(Disorder::Unsorted) => return Ok(None),
            Err(Disorder::Arrow(error)) => return Err(error.into()),
        }
        Ok(Some(self))
    }

    pub(super) fn finish(mut self) -> Result<Written, DataFusionError> {
        self.parts.finish()?;
        Ok(self)
    }
}

/// Files of a snapshot that has no manifest yet.
pub(super) struct Files<'d, 'a> {
    unsealed: Unsealed<'a>,
    dataset: &'d Dataset,
    /// Those that are put, in key order.
    files: Vec<File>,
}

impl<'d, 'a> Files<'d, 'a> {
    /// Begins with no files of the dataset.
    pub(super) fn of(dataset: &'d Dataset, unsealed: Unsealed<'a>) -> Files<'d, 'a> {
        Files {
            unsealed,
            dataset,
            files: Vec::new(),
        }
    }

    /// Writes rows, which come in key order, to the end.
    pub(super) async fn write(
        mut self,
        mut written: Written,
        mut rows: SendableRecordBatchStream,
    ) -> Result<(Files<'d, 'a>, Unique)> {
        let name = self.dataset.name.clone();
        let failed = |source| rows_failed(&name, source);
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(failed)?;
            written = blocking(move || written.push(&batch))
                .await
                .map_err(failed)?;
            self = self.put_ready(&mut written).await?;
        }
        let written = blocking(move || written.finish()).await.map_err(failed)?;
        self.finish(written).await
    }

    /// Puts what is written of all rows.
    pub(super) async fn finish(mut self, mut written: Written) -> Result<(Files<'d, 'a>, Unique)> {
        self = self.put_ready(&mut written).await?;
        Ok((self, written.unique))
    }

    /// Returns what the manifest says of the dataset, and the content to which the next
    /// dataset's files are added.
    pub(super) fn done(self, unique: Unique, fetch: FetchStats) -> (Part, Unsealed<'a>) {
        let part = Part {
            contract: self.dataset.contract.clone(),
            key: self.dataset.key.clone(),
            rows: unique.rows,
            files: self.files,
            duplicates: unique.duplicates,
            conflicts: unique.conflicts,
            dangling: Default::default(),
            fetch,
        };
        (part, self.unsealed)
    }

    /// Returns the names of the files that are put.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// Returns the dataset.
    pub(super) fn dataset(&self) -> &'d Dataset {
        self.dataset
    }

    async fn put_ready(mut self, written: &mut Written) -> Result<Files<'d, 'a>> {
        while let Some(part) = written.parts.ready.pop_front() {
            self = self.put(part).await?;
        }
        Ok(self)
    }

    async fn put(mut self, part: parts::Part) -> Result<Files<'d, 'a>> {
        let name = format!("{}/part-{:03}.parquet", self.dataset.name, self.files.len());
        self.unsealed = self.unsealed.put(&name, &part.path).await?;
        // The copy is durable; the folder goes at the end in any case.
        let _ = storage::remove_passing(&part.path);
        self.files.push(File {
            name,
            rows: part.rows,
            bytes: part.bytes,
            sha256: part.sha256,
            bounds: part.bounds,
        });
        Ok(self)
    }
}

/// Returns the error of rows that could not be put in order and written.
pub(super) fn rows_failed(dataset: &str, source: DataFusionError) -> Error {
    Error::Rows {
        dataset: dataset.to_owned(),
        source: Box::new(source),
    }
}

/// Works away from the threads that wait for others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DataFusionError> + Send + 'static,
) -> Result<T, DataFusionError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| DataFusionError::External(Arc::new(error).to_string().into()))?
}
