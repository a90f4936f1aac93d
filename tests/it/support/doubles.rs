//! What the outbox, the server and the upload are tested with: one small project, a
//! database in memory, artifacts of a few rows.

use std::{io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::{
    arrow::{
        array::{Decimal128Array, Int64Array},
        record_batch::RecordBatch,
    },
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use flate2::{Compression, write::GzEncoder};
use indexmap::IndexMap;
use pricemill::{
    artifact::digest::Digest,
    database::{
        self, Applied, Change, Database, Export, Fill, LedgerEntry, Page, Table, TableCounts,
    },
    dataset::{Column, Contract, Dataset},
    inbox::Inbox,
    outbox::Draft,
    pipeline::{Checks, Format, OutputFile, Pipeline, Places, Project, Reads, SourceFile},
    snapshot::SnapshotId,
    storage::Location,
};
use tempfile::NamedTempFile;

/// Two artifacts' content of pipeline `bargains`.
pub(crate) const ONE: &str = "[\n{\"id\":1,\"price\":\"1.50\"}\n]\n";
pub(crate) const TWO: &str = "[\n{\"id\":1,\"price\":\"1.50\"},\n{\"id\":2,\"price\":null}\n]\n";

pub(crate) fn at() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub(crate) fn contract() -> Contract {
    let columns = [("id", "bigint not null"), ("price", "decimal(10,2)")];
    let columns = columns.map(|(name, declared)| Column::parse(name, declared).unwrap());
    Contract {
        columns: columns.into(),
    }
}

pub(crate) fn pipeline(name: &str) -> Pipeline {
    Pipeline {
        docs: Default::default(),
        name: name.to_owned(),
        description: String::new(),
        aliases: Vec::new(),
        manifest: SourceFile {
            path: format!("pipelines/{name}.toml").into(),
            text: "".into(),
        },
        output: name.to_owned(),
        file: OutputFile {
            name: format!("{name}.json"),
            format: Format::Json,
        },
        also: Vec::new(),
        grain: vec!["id".to_owned()],
        order: vec!["id".to_owned()],
        upload: true,
        endpoint: name.to_owned(),
        params: IndexMap::new(),
        contract: contract(),
        optional: Vec::new(),
        checks: Checks::default(),
        update: Vec::new(),
        models: IndexMap::new(),
        seeds: IndexMap::new(),
        rules: IndexMap::new(),
        updates: IndexMap::new(),
        seed_types: IndexMap::default(),
        reads: Reads::default(),
        places: Places::default(),
    }
}

pub(crate) fn project() -> Arc<Project> {
    let dataset = |name: &str, endpoint: &str| Dataset {
        docs: Default::default(),
        name: name.to_owned(),
        endpoint: endpoint.to_owned(),
        contract: contract(),
        key: vec!["id".to_owned()],
        prefer: Vec::new(),
    };
    let datasets = [dataset("prices", "prices"), dataset("links", "links")];
    Arc::new(Project {
        root: None,
        datasets: datasets.map(|d| (d.name.clone(), d)).into(),
        pipelines: [("bargains".to_owned(), pipeline("bargains"))].into(),
        staging: pipeline("staging"),
        warnings: Vec::new(),
        broken: Vec::new(),
    })
}

/// Returns a draft with its file, of that content.
pub(crate) fn draft(pipeline: &str, content: &str) -> (Draft, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    let digest = Digest::of_bytes(content.as_bytes());
    let draft = Draft {
        also: Vec::new(),
        previous: None,
        history: Vec::new(),
        pipeline: pipeline.into(),
        file: format!("{pipeline}.json"),
        sha256: digest.sha256,
        rows: content.matches("\"id\"").count() as u64,
        bytes: digest.bytes,
        contract: contract(),
        snapshot: SnapshotId("20261122T100000Z-0123456789abcdef".to_owned()),
        snapshot_at: at(),
        params: [("min_ratio".to_owned(), "1.5".to_owned())].into(),
        embedding: None,
        sql_sha256: "00".repeat(32),
        engine_version: "0.1.0".to_owned(),
        committed_at: at(),
        run: "run-1".to_owned(),
    };
    (draft, file)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the locations every rule is tried on, with what must outlive them.
pub(crate) fn locations() -> (tempfile::TempDir, Vec<Location>) {
    let folder = tempfile::tempdir().unwrap();
    let local = Location::folder(&folder.path().join("data")).unwrap();
    (folder, vec![Location::in_memory(), local])
}

pub(crate) fn inbox_at(data: &Location) -> Inbox {
    Inbox::new(data.child("inbox"), data.child("archive/inbox"))
}

/// Returns every file's name below a folder of the local disk.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// A database that has `rows` prices and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) rows: i64,
    /// After how many batches the stream breaks off.
    pub(crate) breaks_after: Option<usize>,
    pub(crate) applied: Option<LedgerEntry>,
    pub(crate) panics: bool,
    pub(crate) is_busy: bool,
}

/// Rows a batch of the double's streams.
const BATCH: i64 = 2;

impl Rows {
    fn answers(&self) -> database::Result<()> {
        match self.is_busy {
            true => Err(database::Error::Busy {
                database: "/secret/place.db".into(),
            }),
            false => Ok(()),
        }
    }

    fn batch(from: i64, to: i64) -> RecordBatch {
        let ids = Int64Array::from_iter_values(from..to);
        let prices = (from..to).map(|id| Some(i128::from(id) * 100 + 5));
        let prices = Decimal128Array::from_iter(prices);
        let prices = prices.with_precision_and_scale(10, 2).unwrap();
        RecordBatch::try_new(contract().arrow(), vec![Arc::new(ids), Arc::new(prices)]).unwrap()
    }
}

#[async_trait]
impl Database for Rows {
    async fn tables(&self) -> database::Result<Vec<Table>> {
        Ok(Vec::new())
    }

    async fn read(&self, _: &str) -> database::Result<SendableRecordBatchStream> {
        unimplemented!("the server reads no tables")
    }

    async fn read_all(&self) -> database::Result<database::Everything> {
        unimplemented!("the server archives nothing")
    }

    async fn export(&self, dataset: &Dataset) -> database::Result<Option<Export>> {
        assert!(!self.panics, "the double was told to panic");
        self.answers()?;
        if dataset.name != "prices" {
            return Ok(None);
        }
        let (rows, breaks_after) = (self.rows, self.breaks_after);
        let batches = (0..rows).step_by(BATCH as usize).enumerate();
        let batches = batches.map(move |(at, from)| match breaks_after {
            Some(breaks_after) if at >= breaks_after => {
                Err(DataFusionError::Execution("the disk is gone".to_owned()))
            }
            _ => Ok(Rows::batch(from, rows.min(from + BATCH))),
        });
        let batches = futures::stream::iter(batches);
        let stream = RecordBatchStreamAdapter::new(contract().arrow(), batches);
        Ok(Some(Export {
            count: rows as u64,
            rows: Box::pin(stream),
        }))
    }

    async fn page(
        &self,
        dataset: &Dataset,
        page: u64,
        page_size: usize,
    ) -> database::Result<Option<Page>> {
        assert!(!self.panics, "the double was told to panic");
        self.answers()?;
        let from = (page as i64 - 1).saturating_mul(page_size as i64);
        if dataset.name != "prices" || (from >= self.rows && page > 1) {
            return Ok(None);
        }
        Ok(Some(Page {
            count: self.rows as u64,
            rows: Rows::batch(from, self.rows.min(from + page_size as i64)),
        }))
    }

    async fn fill(&self, _: Vec<Fill>) -> database::Result<Vec<TableCounts>> {
        unimplemented!("the server fills no tables")
    }

    async fn apply(&self, _: Change) -> database::Result<Applied> {
        unimplemented!("the server applies nothing")
    }

    async fn applied(&self, _: &str) -> database::Result<Option<LedgerEntry>> {
        Ok(self.applied.clone())
    }

    async fn schema_version(&self) -> database::Result<u64> {
        Ok(1)
    }

    async fn ping(&self) -> database::Result<()> {
        self.answers()
    }
}
