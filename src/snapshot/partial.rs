//! Pages of a fetch in progress, durable as they come.
//!
//! ```text
//!  .partial/<source hash>/<dataset>/head.json    whose pages these are, and since when
//!                                  /rows.arrows  Arrow streams, one after another
//!                                  /marks.jsonl  the pages that are whole in rows.arrows
//!                                  /done.json    the dataset is complete
//! ```
//!
//! Rows are synced before their marks are written, so there is never a mark for rows
//! that are lost; what follows the last mark is cut off. Local disk only: for
//! snapshots on an object store it is in the temporary folder.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    mem,
    ops::Range,
    path::{Path, PathBuf},
    vec,
};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::{
    error::ArrowError,
    ipc::{reader::StreamReader, writer::StreamWriter},
    record_batch::RecordBatch,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Error, Result, SnapshotId};
use crate::{
    config::EngineConfig,
    dataset::{Contract, Dataset},
    source::{FetchStats, Mark},
    storage::{Format, Location, local},
};

/// How long pages may be used again.
pub(super) const MAX_AGE: TimeDelta = TimeDelta::hours(6);
/// Rows a batch of what is read back.
const BATCH_ROWS: usize = 16_384;
const LENGTH_BYTES: usize = 8;
/// What temporary files begin with.
pub(super) const PARTS_PREFIX: &str = "parts-";

/// The head and the end at rest. Version 1 said `told` for `stats`. Pages of a version
/// that is not read are of no use, and come again.
pub(crate) const FORMAT: Format = Format::version(2);

const HEAD: &str = "head.json";
const ROWS: &str = "rows.arrows";
const MARKS: &str = "marks.jsonl";
const DONE: &str = "done.json";

/// Whose pages these are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    source: String,
    endpoint: String,
    contract: Contract,
    begun_at: DateTime<Utc>,
}

/// A complete dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// The length of the rows.
    end: u64,
    /// How many rows there are.
    pub(super) rows: u64,
    /// What the source noticed.
    #[serde(alias = "told")]
    pub(super) stats: FetchStats,
    /// The snapshot that was made of it; once that has a manifest, this is of no more use.
    pub(super) used_by: Option<SnapshotId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    end: u64,
    mark: Mark,
}

/// The pages of one dataset that came so far.
#[derive(Debug)]
pub(super) struct Partial {
    folder: PathBuf,
    head: Head,
    /// The pages that are durable, if a fetch can go on after them.
    pub(super) marks: Vec<Mark>,
    /// Set once the dataset is complete.
    pub(super) done: Option<Done>,
    rows: File,
    log: File,
    end: u64,
    total_rows: u64,
    keeps_marks: bool,
    /// The bytes written last, kept for their room.
    buffer: Vec<u8>,
}

impl Partial {
    /// Opens what an earlier fetch left, if it is young enough and of the same source
    /// and contract; else begins from the start.
    pub(super) fn open(
        folder: PathBuf,
        source: &str,
        dataset: &Dataset,
        now: DateTime<Utc>,
    ) -> Result<Partial> {
        let head = Head {
            source: source.to_owned(),
            endpoint: dataset.endpoint.clone(),
            contract: dataset.contract.clone(),
            begun_at: now,
        };
        match left(&folder).filter(|left| left.may_go_on_as(&head)) {
            Some(head) => resume(folder, head),
            None => begin(folder, head),
        }
    }

    /// Returns when the first page was asked for.
    pub(super) fn begun_at(&self) -> DateTime<Utc> {
        self.head.begun_at
    }

    /// Returns how many rows came so far.
    pub(super) fn rows(&self) -> u64 {
        self.total_rows
    }

    /// Returns a folder for temporary files.
    pub(super) fn workspace(&self) -> &Path {
        &self.folder
    }

    /// Appends pages; they are durable when this returns, if they are marked.
    pub(super) fn write(&mut self, marks: Vec<Mark>, rows: &RecordBatch) -> Result<()> {
        self.write_pages(marks, rows)
            .map_err(|source| self.failed("write", source))
    }

    fn write_pages(&mut self, marks: Vec<Mark>, rows: &RecordBatch) -> io::Result<()> {
        let bytes = segment(rows, mem::take(&mut self.buffer)).map_err(io::Error::other)?;
        self.rows.write_all(&bytes)?;
        self.end += bytes.len() as u64;
        self.total_rows += rows.num_rows() as u64;
        self.buffer = bytes;
        if self.keeps_marks {
            self.rows.sync_data()?;
            self.write_marks(marks.into_iter())?;
        }
        Ok(())
    }

    fn write_marks(&mut self, marks: impl Iterator<Item = Mark>) -> io::Result<()> {
        let mut lines = Vec::new();
        for mark in marks {
            let entry = Entry {
                end: self.end,
                mark,
            };
            serde_json::to_writer(&mut lines, &entry)?;
            lines.push(b'\n');
            self.marks.push(entry.mark);
        }
        self.log.write_all(&lines)?;
        self.log.sync_data()
    }

    /// Forgets all pages, and marks none from here on: no fetch can go on after them.
    pub(super) fn keep_no_marks(&mut self) -> Result<()> {
        self.keeps_marks = false;
        self.restart()
    }

    /// Forgets all pages: they come again.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.marks.clear();
        (self.end, self.total_rows) = (0, 0);
        let emptied = self.log.set_len(0).and_then(|()| self.rows.set_len(0));
        emptied.map_err(|source| self.failed("empty", source))
    }

    /// Notes that no more pages come.
    pub(super) fn finish(&mut self, stats: FetchStats) -> Result<()> {
        let synced = self.rows.sync_data();
        synced.map_err(|source| self.failed("write", source))?;
        let done = Done {
            end: self.end,
            rows: self.total_rows,
            stats,
            used_by: None,
        };
        self.write_done(done)
    }

    /// Notes which snapshot is made of it.
    pub(super) fn use_for(&mut self, id: &SnapshotId) -> Result<()> {
        let Some(mut done) = self.done.clone() else {
            return Ok(());
        };
        done.used_by = Some(id.clone());
        self.write_done(done)
    }

    fn write_done(&mut self, done: Done) -> Result<()> {
        write_json(&self.folder.join(DONE), &done)
            .map_err(|source| self.failed("write", source))?;
        self.done = Some(done);
        Ok(())
    }

    /// Begins from the start, whatever came so far.
    pub(super) fn restarted(self, now: DateTime<Utc>) -> Result<Partial> {
        let head = Head {
            begun_at: now,
            ..self.head
        };
        begin(self.folder, head)
    }

    /// Returns the rows, in the order they came.
    pub(super) fn batches(&self) -> Result<Batches> {
        let segments = self.segments();
        let path = self.folder.join(ROWS);
        Batches::open(
            &path,
            segments.map_err(|error| failed("read", &path, error))?,
        )
    }

    /// Returns the rows in `count` heaps that can be read side by side.
    pub(super) fn heaps(&self, count: usize) -> Result<Vec<Batches>> {
        let path = self.folder.join(ROWS);
        let segments = self.segments();
        let segments = segments.map_err(|source| failed("read", &path, source))?;
        let heap = |first| {
            segments
                .iter()
                .skip(first)
                .step_by(count)
                .cloned()
                .collect()
        };
        (0..count)
            .map(|first| Batches::open(&path, heap(first)))
            .collect()
    }

    /// Returns where the Arrow streams lie in the rows' file.
    fn segments(&self) -> io::Result<Vec<Range<u64>>> {
        let mut file = File::open(self.folder.join(ROWS))?;
        let mut segments = Vec::new();
        let mut at = 0;
        while at < self.end {
            let mut length = [0; LENGTH_BYTES];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut length)?;
            let start = at + LENGTH_BYTES as u64;
            at = start.saturating_add(u64::from_le_bytes(length));
            segments.push(start..at.min(self.end));
        }
        Ok(segments)
    }

    /// Removes all of it.
    pub(super) fn remove(self) -> Result<()> {
        let path = self.folder;
        local::remove_folder(&path).map_err(|source| failed("remove", &path, source))
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        failed(action, &self.folder, source)
    }
}

impl Head {
    fn may_go_on_as(&self, now: &Head) -> bool {
        let age = now.begun_at - self.begun_at;
        let same = Head {
            begun_at: now.begun_at,
            ..self.clone()
        };
        age >= TimeDelta::zero() && age < MAX_AGE && same == *now
    }
}

/// Returns the folder of all fetches in progress, on the local disk.
pub(super) fn folder(snapshots: &Location, engine: &EngineConfig) -> PathBuf {
    let local = snapshots.local().map(|folder| folder.join(".partial"));
    local.unwrap_or_else(|| {
        let temp = engine.temp.clone().unwrap_or_else(std::env::temp_dir);
        temp.join("pricemill-partial")
    })
}

/// Removes what no fetch may use any more, below the folder of all partial fetches.
pub(super) fn sweep(partials: &Path, now: DateTime<Utc>) -> Result<()> {
    for source in folders(partials) {
        for dataset in folders(&source) {
            let age = left(&dataset).map(|head| now - head.begun_at);
            if age.is_none_or(|age| age >= MAX_AGE) {
                local::remove_folder(&dataset)
                    .map_err(|source| failed("remove", &dataset, source))?;
            }
        }
        local::remove_if_empty(&source);
    }
    Ok(())
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

fn left(folder: &Path) -> Option<Head> {
    read_json(&folder.join(HEAD))
}

fn begin(folder: PathBuf, head: Head) -> Result<Partial> {
    let begun = || -> io::Result<(File, File)> {
        local::remove_folder(&folder)?;
        local::make_folders(&folder)?;
        let files = (
            local::append(&folder.join(ROWS))?,
            local::append(&folder.join(MARKS))?,
        );
        write_json(&folder.join(HEAD), &head)?;
        Ok(files)
    };
    let (rows, log) = begun().map_err(|source| failed("write", &folder, source))?;
    Ok(Partial {
        folder,
        head,
        marks: Vec::new(),
        done: None,
        rows,
        log,
        end: 0,
        total_rows: 0,
        keeps_marks: true,
        buffer: Vec::new(),
    })
}

fn resume(folder: PathBuf, head: Head) -> Result<Partial> {
    let opened = || -> io::Result<Partial> {
        for left in folders(&folder) {
            local::remove_folder(&left)?;
        }
        let rows = local::append(&folder.join(ROWS))?;
        let log = local::append(&folder.join(MARKS))?;
        let length = rows.metadata()?.len();
        let done: Option<Done> = read_json(&folder.join(DONE));
        let done = done.filter(|done| done.end <= length);
        let (entries, log_end) = read_marks(&folder.join(MARKS), length)?;
        let marked = entries.iter().map(|entry| entry.mark.rows).sum();
        let marked_end = entries.last().map_or(0, |entry| entry.end);
        let (end, total_rows) = match &done {
            Some(done) => (done.end, done.rows),
            None => (marked_end, marked),
        };
        log.set_len(log_end)?;
        rows.set_len(end)?;
        Ok(Partial {
            folder: folder.clone(),
            head: head.clone(),
            marks: entries.into_iter().map(|entry| entry.mark).collect(),
            done,
            rows,
            log,
            end,
            total_rows,
            keeps_marks: true,
            buffer: Vec::new(),
        })
    };
    opened().map_err(|source| failed("read", &folder, source))
}

/// Returns the marks whose rows are there, and where the last of them ends.
fn read_marks(path: &Path, rows_bytes: u64) -> io::Result<(Vec<Entry>, u64)> {
    let text = fs::read(path)?;
    let mut end = 0;
    let mut entries = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) if line.ends_with(b"\n") && entry.end <= rows_bytes => entries.push(entry),
            _ => break,
        }
        end += line.len() as u64;
    }
    Ok((entries, end))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    FORMAT.read(&fs::read(path).ok()?).ok()
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    local::replace(path, &FORMAT.write(value).map_err(io::Error::other)?)
}

/// Encodes rows as one Arrow stream, behind its length. Not compressed: they are
/// read again only where they did not come in key order, or after an interruption.
fn segment(rows: &RecordBatch, mut out: Vec<u8>) -> Result<Vec<u8>, ArrowError> {
    out.clear();
    out.resize(LENGTH_BYTES, 0);
    let mut writer = StreamWriter::try_new(out, rows.schema_ref())?;
    for start in (0..rows.num_rows()).step_by(BATCH_ROWS) {
        let length = BATCH_ROWS.min(rows.num_rows() - start);
        writer.write(&rows.slice(start, length))?;
    }
    let mut bytes = writer.into_inner()?;
    let length = (bytes.len() - LENGTH_BYTES) as u64;
    bytes[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Partial {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Rows of a dataset, as they came; one segment is held at a time.
#[derive(Debug)]
pub(super) struct Batches {
    file: File,
    segments: vec::IntoIter<Range<u64>>,
    segment: Option<StreamReader<io::Cursor<Vec<u8>>>>,
}

impl Batches {
    fn open(path: &Path, segments: Vec<Range<u64>>) -> Result<Batches> {
        Ok(Batches {
            file: File::open(path).map_err(|source| failed("read", path, source))?,
            segments: segments.into_iter(),
            segment: None,
        })
    }

    fn next_segment(&mut self) -> Result<bool, ArrowError> {
        let Some(segment) = self.segments.next() else {
            return Ok(false);
        };
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(segment.start))?;
        let length = segment.end - segment.start;
        (&self.file).take(length).read_to_end(&mut bytes)?;
        self.segment = Some(StreamReader::try_new(io::Cursor::new(bytes), None)?);
        Ok(true)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.segment.as_mut().and_then(Iterator::next) {
                return Some(batch);
            }
            match self.next_segment() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of what version 1 left of a fetch that stopped, as if it had begun just now.
    fn left_by_version_1(dataset: &str, now: DateTime<Utc>) -> (tempfile::TempDir, Dataset) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats-v1");
        let golden = golden.join("data/snapshots/.partial/8e7f9f0fa8c89473");
        let golden = golden.join(dataset);
        let copy = tempfile::tempdir().unwrap();
        for name in [ROWS, MARKS, DONE] {
            if let Ok(bytes) = fs::read(golden.join(name)) {
                fs::write(copy.path().join(name), bytes).unwrap();
            }
        }
        let mut head: Head = read_json(&golden.join(HEAD)).unwrap();
        head.begun_at = now;
        let text = serde_json::to_vec(&head).unwrap();
        fs::write(copy.path().join(HEAD), text).unwrap();
        let dataset = Dataset {
            docs: Default::default(),
            name: dataset.to_owned(),
            endpoint: head.endpoint,
            contract: head.contract,
            key: Vec::new(),
            prefer: Vec::new(),
        };
        (copy, dataset)
    }

    fn open(copy: &tempfile::TempDir, dataset: &Dataset, now: DateTime<Utc>) -> Partial {
        let source = "http://127.0.0.1:18123/";
        Partial::open(copy.path().to_owned(), source, dataset, now).unwrap()
    }

    #[test]
    fn pages_of_version_1_are_gone_on_with() {
        let now = Utc::now();
        let (copy, prices) = left_by_version_1("prices", now);
        let partial = open(&copy, &prices, now);
        assert_eq!((partial.rows(), partial.done.as_ref()), (2, None));
        assert!(partial.marks[0].cross_origin_next);
        let rows: usize = partial
            .batches()
            .unwrap()
            .map(|b| b.unwrap().num_rows())
            .sum();
        assert_eq!(rows, 2);

        let (copy, stores) = left_by_version_1("stores", now);
        let done = open(&copy, &stores, now).done.unwrap();
        assert_eq!((done.rows, done.stats.count), (3, Some(3)));
        assert_eq!(done.stats.unknown_fields["was"], 3);
    }

    #[test]
    fn pages_of_a_later_version_come_again() {
        let now = Utc::now();
        let (copy, prices) = left_by_version_1("prices", now);
        let head = fs::read_to_string(copy.path().join(HEAD)).unwrap();
        let later = head.replacen('{', "{\"format_version\":99,", 1);
        fs::write(copy.path().join(HEAD), later).unwrap();
        assert_eq!(open(&copy, &prices, now).rows(), 0);
    }
}
