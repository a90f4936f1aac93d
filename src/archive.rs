//! The whole database as a dated folder of Parquet, and back.
//!
//! `<utc>/<table>.parquet …` and `manifest.json`, which is written last: an archive
//! without it does not exist. Every table comes from one read transaction, and goes
//! back in one.

use std::{fs::File, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::{
    arrow::datatypes::SchemaRef,
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    parquet::{
        arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
        basic::{Compression, ZstdLevel},
        errors::ParquetError,
        file::properties::WriterProperties,
    },
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::{
    artifact::digest::Digest,
    database::{self, Database, Fill, Table, TableCounts, depth, same_tables},
    dataset::Contract,
    kind::Kind,
    storage::{self, Location, Put},
};

/// Why a database could not be archived or put back. It was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No archive is there.
    #[error("there is no archive in {place}")]
    None {
        /// The folder.
        place: String,
    },
    /// No archive has that name, or it was never finished.
    #[error("there is no archive {id} in {place}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// The folder.
        place: String,
    },
    /// The archive's manifest cannot be read.
    #[error("{path} is no archive's manifest")]
    Manifest {
        /// The manifest.
        path: String,
        /// The parser's own error.
        source: serde_json::Error,
    },
    /// The archive is of another schema than the database.
    #[error("the archive has schema version {archive}, the database {database}")]
    Schema {
        /// The archive's.
        archive: u64,
        /// The database's.
        database: u64,
    },
    /// A file is not the one the manifest tells of.
    #[error("{path} is not what was archived: its hash differs")]
    Changed {
        /// The file.
        path: String,
    },
    /// An archive of that instant is there already.
    #[error("{path} is there already")]
    Taken {
        /// The file.
        path: String,
    },
    /// A table could not be written as Parquet, or read back.
    #[error("could not turn the table `{table}` into Parquet or back")]
    Parquet {
        /// The table.
        table: String,
        /// Parquet's own error.
        source: ParquetError,
    },
    /// The local disk refused.
    #[error("could not use a temporary file")]
    Temp(#[from] std::io::Error),
    /// The archive's location refused.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::None { .. } | Error::Unknown { .. } => Kind::Usage,
            Error::Manifest { .. } | Error::Schema { .. } | Error::Changed { .. } => Kind::Data,
            Error::Taken { .. } | Error::Parquet { .. } | Error::Temp(_) => Kind::Failed,
            Error::Storage(error) => error.kind(),
            Error::Database(error) => error.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::None { .. } => Some("make one with generate --archive".to_owned()),
            Error::Unknown { .. } => Some("leave --artifact out for the newest".to_owned()),
            Error::Schema { .. } => Some(
                "put it back with the pricemill that made it, then go on with this one".to_owned(),
            ),
            Error::Changed { .. } => Some("take an older archive with --artifact".to_owned()),
            Error::Storage(error) => error.hint(),
            _ => None,
        }
    }
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// Its name: the instant it was made.
    pub id: String,
    /// The database's schema version.
    pub schema_version: u64,
    /// The tables.
    pub tables: Vec<ArchivedTable>,
}

/// One table of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedTable {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub contract: Contract,
    /// Its key.
    pub key: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Its file's hash, in hex.
    pub sha256: String,
}

impl ArchivedTable {
    fn as_table(&self) -> Table {
        Table {
            name: self.name.clone(),
            contract: self.contract.clone(),
            key: self.key.clone(),
            defaults: Vec::new(),
            references: Default::default(),
        }
    }
}

const MANIFEST: &str = "manifest.json";

/// An unfinished archive that is younger may be one that a run elsewhere is at.
const YOUNG: TimeDelta = TimeDelta::hours(6);

/// Writes every table, from one read transaction, to a new archive.
pub async fn archive(
    database: &dyn Database,
    place: &Location,
    at: DateTime<Utc>,
) -> Result<Archived> {
    sweep_unfinished(place, at).await?;
    let id = id_at(at);
    let folder = place.child(&id);
    let temp = tempfile::tempdir().map_err(Error::Temp)?;
    let all = database.read_all().await?;
    let mut writers = all
        .tables
        .iter()
        .map(|table| Writer::new(table, temp.path()))
        .collect::<Result<Vec<_>>>()?;
    let mut rows = all.rows;
    while let Some((index, batch)) = rows.try_next().await? {
        if let Some(writer) = writers.get_mut(index) {
            writer.write(&batch)?;
        }
    }
    let mut tables = Vec::with_capacity(writers.len());
    for writer in writers {
        tables.push(writer.finish(&folder).await?);
    }
    let archived = Archived {
        id,
        schema_version: database.schema_version().await?,
        tables,
    };
    seal(&folder, &archived).await?;
    Ok(archived)
}

fn id_at(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Deletes what killed runs wrote of archives: without a manifest nobody sees it.
async fn sweep_unfinished(place: &Location, at: DateTime<Utc>) -> Result<()> {
    let young = id_at(at - YOUNG);
    for id in place.folders().await? {
        let folder = place.child(&id);
        if id < young && folder.read(MANIFEST).await?.is_none() {
            for entry in folder.list().await? {
                folder.delete(&entry.name).await?;
            }
        }
    }
    Ok(())
}

/// Writes the manifest: from here on the archive exists.
async fn seal(folder: &Location, archived: &Archived) -> Result<()> {
    let manifest = serde_json::to_vec_pretty(archived).unwrap_or_default();
    put(
        folder,
        MANIFEST,
        folder.put_new(MANIFEST, manifest.into()).await?,
    )
}

fn put(folder: &Location, name: &str, put: Put) -> Result<()> {
    match put {
        Put::New | Put::Same => Ok(()),
        Put::Different => Err(Error::Taken {
            path: folder.display(name),
        }),
    }
}

/// A table on its way into a Parquet file.
struct Writer {
    table: ArchivedTable,
    path: std::path::PathBuf,
    writer: ArrowWriter<File>,
}

impl Writer {
    fn new(table: &Table, temp: &Path) -> Result<Writer> {
        let path = temp.join(format!("{}.parquet", table.name));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(
            File::create(&path)?,
            table.contract.arrow(),
            Some(properties),
        );
        Ok(Writer {
            writer: writer.map_err(parquet(&table.name))?,
            table: ArchivedTable {
                name: table.name.clone(),
                contract: table.contract.clone(),
                key: table.key.clone(),
                rows: 0,
                sha256: String::new(),
            },
            path,
        })
    }

    fn write(&mut self, batch: &datafusion::arrow::record_batch::RecordBatch) -> Result<()> {
        self.table.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(parquet(&self.table.name))
    }

    async fn finish(self, folder: &Location) -> Result<ArchivedTable> {
        self.writer.close().map_err(parquet(&self.table.name))?;
        let sha256 = Digest::of_file(&self.path).await?.sha256;
        let name = file_name(&self.table);
        put(folder, &name, folder.put_new_file(&name, &self.path).await?)?;
        Ok(ArchivedTable {
            sha256,
            ..self.table
        })
    }
}

fn file_name(table: &ArchivedTable) -> String {
    format!("{}.parquet", table.name)
}

fn parquet(table: &str) -> impl Fn(ParquetError) -> Error + use<> {
    let table = table.to_owned();
    move |source| Error::Parquet {
        table: table.clone(),
        source,
    }
}

/// Returns the name of the newest archive that is complete.
pub async fn latest(place: &Location) -> Result<String> {
    let found = newest(place).await?;
    Ok(found.ok_or_else(|| Error::None {
        place: place.display(""),
    })?)
}

async fn newest(place: &Location) -> Result<Option<String>> {
    for id in place.folders().await?.into_iter().rev() {
        if place.child(&id).read(MANIFEST).await?.is_some() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Puts an archive's tables back: the schema's version and every hash are checked,
/// then all goes in in one transaction. Tables the archive does not know stay.
pub async fn restore(database: &dyn Database, place: &Location, id: &str) -> Result<Archived> {
    let folder = place.child(id);
    let archived = manifest(place, id).await?;
    let version = database.schema_version().await?;
    if !same_tables(archived.schema_version, version) {
        return Err(Error::Schema {
            archive: archived.schema_version,
            database: version,
        }
        .into());
    }
    let temp = tempfile::tempdir().map_err(Error::Temp)?;
    let present = database.tables().await?;
    let mut tables: Vec<&ArchivedTable> = archived.tables.iter().collect();
    // Parents first: a parent that comes late is looked for in all its children.
    tables.sort_by_key(|table| depth(&table.name, &present));
    let mut fills = Vec::with_capacity(tables.len());
    for table in tables {
        fills.push(Fill {
            table: table.as_table(),
            replace: true,
            rows: verified(&folder, table, temp.path()).await?,
        });
    }
    let _: Vec<TableCounts> = database.fill(fills).await?;
    Ok(archived)
}

async fn manifest(place: &Location, id: &str) -> Result<Archived> {
    let path = format!("{id}/{MANIFEST}");
    let unknown = || Error::Unknown {
        id: id.to_owned(),
        place: place.display(""),
    };
    let text = place.read(&path).await?.ok_or_else(unknown)?;
    serde_json::from_slice(&text).map_err(|source| Error::Manifest {
        path: place.display(&path),
        source,
    })
}

/// Copies a table's file to the local disk, checks its hash, and streams its rows.
async fn verified(
    folder: &Location,
    table: &ArchivedTable,
    temp: &Path,
) -> Result<SendableRecordBatchStream> {
    let name = file_name(table);
    let changed = || Error::Changed {
        path: folder.display(&name),
    };
    let local = temp.join(format!("back-{name}"));
    let bytes = folder.stream(&name).await?.ok_or_else(changed)?;
    let digest = crate::artifact::digest::write_file(bytes, &local).await?;
    if digest.sha256 != table.sha256 {
        return Err(changed());
    }
    stream(&table.name, &table.contract.arrow(), &local)
}

fn stream(table: &str, schema: &SchemaRef, file: &Path) -> Result<SendableRecordBatchStream> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)
        .and_then(|builder| builder.with_batch_size(8192).build())
        .map_err(parquet(table))?;
    let rows = futures::stream::iter(reader).map_err(DataFusionError::from);
    Ok(Box::pin(RecordBatchStreamAdapter::new(
        schema.clone(),
        rows.boxed(),
    )))
}
