//! Rows on their way from a source to the disk.
//!
//! ```text
//!  pages ─► waiting ─► one batch ─┬─► partial: durable, where a later fetch goes on
//!                                 └─► written: Parquet, while they come in key order
//! ```
//!
//! One batch is written on a thread of its own while the pages of the next come in.
//! The first row out of key order makes void what is written; such rows are sorted
//! once all have come. Rows in key order are never read again.

use std::time::Duration;

use datafusion::{
    arrow::{compute::concat_batches, record_batch::RecordBatch},
    error::DataFusionError,
};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{
    Error, Result,
    order::Order,
    partial::Partial,
    writer::{Written, rows_failed},
};
use crate::{
    clock::Stopwatch,
    dataset::Dataset,
    source::{FetchStats, Mark},
};

/// How much waits before it is written.
const FLUSH_ROWS: usize = 131_072;
const FLUSH_BYTES: usize = 32 << 20;
/// How long a page waits before it is written.
pub(super) const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// The rows of a dataset that comes in.
pub(super) struct Arrival {
    dataset: String,
    waiting: Waiting,
    rows: u64,
    /// The work under way, which holds what is on the disk; none after an error.
    work: Option<JoinHandle<Result<Disk>>>,
}

/// A dataset that has come in.
pub(super) struct Complete {
    pub(super) partial: Partial,
    /// What is written already, if the rows came in key order.
    pub(super) written: Option<Written>,
}

/// Pages that are not yet on the disk.
struct Waiting {
    marks: Vec<Mark>,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    since: Stopwatch,
}

struct Disk {
    dataset: String,
    order: Order,
    partial: Partial,
    written: Option<Written>,
}

impl Arrival {
    /// Goes on after the rows that a partial fetch left.
    pub(super) fn after(partial: Partial, dataset: &Dataset) -> Arrival {
        let (name, order) = (dataset.name.clone(), Order::of(dataset));
        Arrival {
            dataset: name.clone(),
            waiting: Waiting::new(),
            rows: partial.rows(),
            work: Some(spawn_blocking(move || Disk::read(name, order, partial))),
        }
    }

    /// Returns how many rows came so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a page in; it is durable at the next flush.
    pub(super) async fn append(&mut self, mark: Mark, rows: RecordBatch) -> Result<()> {
        self.rows += rows.num_rows() as u64;
        self.waiting.add(mark, rows);
        if self.waiting.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Starts to write the pages that wait, once those before are written.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.waiting.batches.is_empty() {
            return Ok(());
        }
        let disk = self.settled().await?;
        let waiting = std::mem::replace(&mut self.waiting, Waiting::new());
        self.work = Some(spawn_blocking(move || disk.write(waiting)));
        Ok(())
    }

    /// Forgets all pages: they come again.
    pub(super) async fn restart(&mut self) -> Result<()> {
        let disk = self.settled().await?;
        self.waiting = Waiting::new();
        self.rows = 0;
        self.work = Some(spawn_blocking(move || disk.restart()));
        Ok(())
    }

    /// Waits until all that came is durable.
    pub(super) async fn settle(mut self) -> Result<()> {
        self.flush().await?;
        self.settled().await.map(drop)
    }

    /// Notes that no more pages come.
    pub(super) async fn finish(mut self, stats: FetchStats) -> Result<Complete> {
        self.flush().await?;
        let mut disk = self.settled().await?;
        let finished = spawn_blocking(move || {
            disk.partial.finish(stats)?;
            disk.complete()
        });
        self.joined(finished).await
    }

    /// Returns what came, of a dataset that was complete before.
    pub(super) async fn complete(mut self) -> Result<Complete> {
        let disk = self.settled().await?;
        self.joined(spawn_blocking(move || disk.complete())).await
    }

    async fn settled(&mut self) -> Result<Disk> {
        match self.work.take() {
            Some(work) => self.joined(work).await,
            None => Err(self.failed("its writer stopped".into())),
        }
    }

    async fn joined<T>(&self, work: JoinHandle<Result<T>>) -> Result<T> {
        work.await
            .unwrap_or_else(|error| Err(self.failed(error.into())))
    }

    fn failed(&self, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
        rows_failed(&self.dataset, DataFusionError::External(source))
    }
}

impl Waiting {
    fn new() -> Waiting {
        Waiting {
            marks: Vec::new(),
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
            since: Stopwatch::start(),
        }
    }

    fn add(&mut self, mark: Mark, rows: RecordBatch) {
        self.rows += rows.num_rows();
        self.bytes += rows.get_array_memory_size();
        self.marks.push(mark);
        self.batches.push(rows);
    }

    fn is_full(&self) -> bool {
        self.rows >= FLUSH_ROWS || self.bytes >= FLUSH_BYTES || self.since.elapsed() >= FLUSH_AFTER
    }
}

impl Disk {
    /// Looks at the rows that are there already.
    fn read(dataset: String, order: Order, partial: Partial) -> Result<Disk> {
        let mut disk = Disk {
            dataset,
            order,
            partial,
            written: None,
        };
        disk.written = Some(disk.begin()?);
        for batch in disk.partial.batches()? {
            if disk.written.is_none() {
                break;
            }
            let batch = batch.map_err(|error| rows_failed(&disk.dataset, error.into()))?;
            disk.accept(&batch)?;
        }
        Ok(disk)
    }

    fn begin(&self) -> Result<Written> {
        Written::new(&self.order, self.partial.workspace())
            .map_err(|error| rows_failed(&self.dataset, error))
    }

    fn write(mut self, waiting: Waiting) -> Result<Disk> {
        let rows = match waiting.batches.as_slice() {
            [rows] => rows.clone(),
            batches => concat_batches(self.order.schema(), batches)
                .map_err(|error| rows_failed(&self.dataset, error.into()))?,
        };
        drop(waiting.batches);
        self.partial.write(waiting.marks, &rows)?;
        self.accept(&rows)?;
        Ok(self)
    }

    fn accept(&mut self, rows: &RecordBatch) -> Result<()> {
        if let Some(written) = self.written.take() {
            let accepted = written.accept(rows);
            self.written = accepted.map_err(|error| rows_failed(&self.dataset, error))?;
        }
        Ok(())
    }

    fn restart(mut self) -> Result<Disk> {
        self.partial.restart()?;
        self.written = Some(self.begin()?);
        Ok(self)
    }

    fn complete(self) -> Result<Complete> {
        let written = self.written.map(Written::finish).transpose();
        Ok(Complete {
            partial: self.partial,
            written: written.map_err(|error| rows_failed(&self.dataset, error))?,
        })
    }
}
