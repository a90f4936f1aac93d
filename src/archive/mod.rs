//! The whole database as a dated folder of Parquet, and back.
//!
//! `<utc>/<table>.parquet …` and `manifest.json`, which is written last: an archive
//! without it does not exist. Every table comes from one read transaction, and goes
//! back in one.

mod run;

pub use run::{back_up, put_back, wanted};

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
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
    artifact::{
        digest::{self, Digest},
        id::Sha256,
        sealed::{self, Seal, Unsealed},
    },
    database::{self, Database, Fill, Replace, Table, TableCounts, depth, same_tables},
    dataset::Contract,
    env,
    kind::Kind,
    storage::{self, Format, Location},
};

/// Why a database could not be archived or put back. It was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// No archive is there.
    #[error("there is no archive in {place}")]
    None {
        /// Where the archives are: a path or a URL.
        place: String,
    },
    /// No archive has that name, or it was never finished.
    #[error("there is no archive {id} in {place}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// Where the archives are: a path or a URL.
        place: String,
    },
    /// The archive could not be written, or its manifest not be read.
    #[error(transparent)]
    Sealed(#[from] sealed::Error),
    /// The archive is of another schema than the database.
    #[error("the archive has schema version {archive}, the database {database}")]
    Schema {
        /// The archive's.
        archive: u64,
        /// The database's.
        database: u64,
    },
    /// A file is not the one the manifest describes.
    #[error("{path} does not match its manifest")]
    Changed {
        /// Where the file is: a path or a URL.
        path: String,
    },
    /// An archive of that instant is there already.
    #[error("archive {path} already exists")]
    Taken {
        /// Where the archive is: a path or a URL.
        path: String,
    },
    /// A table could not be written as Parquet, or read back.
    #[error("could not convert the table `{table}` to or from Parquet")]
    Parquet {
        /// The table's name.
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
            Error::Sealed(sealed::Error::Manifest { .. })
            | Error::Schema { .. }
            | Error::Changed { .. } => Kind::Data,
            Error::Sealed(error) => error.kind(),
            Error::Taken { .. } | Error::Parquet { .. } | Error::Temp(_) => Kind::Failed,
            Error::Env(error) => error.kind(),
            Error::Storage(error) => error.kind(),
            Error::Database(error) => error.kind(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::None { .. } => Some("`pricemill generate --archive` creates one".to_owned()),
            Error::Unknown { .. } => Some("omit --artifact to use the newest".to_owned()),
            Error::Schema { .. } => Some(
                "restore it with the pricemill that wrote it, then upgrade to this one".to_owned(),
            ),
            Error::Changed { .. } => Some("choose an older archive with --artifact".to_owned()),
            Error::Sealed(error) => error.hint(),
            Error::Env(error) => error.hint(),
            Error::Storage(error) => error.hint(),
            Error::Database(error) => error.hint(),
            Error::Taken { .. } | Error::Parquet { .. } | Error::Temp(_) => None,
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
    /// The tables, by name.
    pub tables: Vec<ArchivedTable>,
}

/// One table of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedTable {
    /// Its name.
    pub name: String,
    /// Its columns, in order, with their types.
    pub contract: Contract,
    /// The columns of its primary key, in order.
    pub key: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// Its file's hash.
    pub sha256: Sha256,
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

/// The manifest at rest.
pub(crate) const FORMAT: Format = Format::version(1);

/// An unfinished archive that is younger may be one that a run elsewhere is at.
const YOUNG: TimeDelta = TimeDelta::hours(6);

/// Writes every table, from one read transaction, to a new archive.
///
/// # Errors
/// [`Error::Taken`] when one of that second is there; else the database's or the place's.
pub async fn archive(
    database: &dyn Database,
    place: &Location,
    at: DateTime<Utc>,
) -> Result<Archived> {
    let young = id_at(at - YOUNG);
    sealed::sweep(place, MANIFEST, |id| *id < *young).await?;
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
    let mut unsealed = Unsealed::at(&folder);
    for writer in writers {
        let (table, path) = writer.finish().await?;
        unsealed = unsealed.put(&file_name(&table.name), &path).await?;
        tables.push(table);
    }
    let archived = Archived {
        id,
        schema_version: database.schema_version().await?,
        tables,
    };
    match unsealed.seal(MANIFEST, FORMAT, &archived).await? {
        Seal::New | Seal::Unchanged => Ok(archived),
        Seal::Conflict => Err(Error::Taken {
            path: folder.display(""),
        }),
    }
}

fn id_at(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H%M%SZ").to_string()
}

/// A table on its way into a Parquet file.
struct Writer<'a> {
    table: &'a Table,
    rows: u64,
    path: PathBuf,
    writer: ArrowWriter<File>,
}

impl Writer<'_> {
    fn new<'a>(table: &'a Table, temp: &Path) -> Result<Writer<'a>> {
        let path = temp.join(file_name(&table.name));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(
            storage::create_passing(&path)?,
            table.contract.arrow(),
            Some(properties),
        );
        Ok(Writer {
            writer: writer.map_err(parquet(&table.name))?,
            table,
            rows: 0,
            path,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(parquet(&self.table.name))
    }

    async fn finish(self) -> Result<(ArchivedTable, PathBuf)> {
        self.writer.close().map_err(parquet(&self.table.name))?;
        let table = ArchivedTable {
            name: self.table.name.clone(),
            contract: self.table.contract.clone(),
            key: self.table.key.clone(),
            rows: self.rows,
            sha256: Digest::of_file(&self.path).await?.sha256,
        };
        Ok((table, self.path))
    }
}

fn file_name(table: &str) -> String {
    format!("{table}.parquet")
}

fn parquet(table: &str) -> impl Fn(ParquetError) -> Error + use<> {
    let table = table.to_owned();
    move |source| Error::Parquet {
        table: table.clone(),
        source,
    }
}

/// Returns the name of the newest archive that is complete.
///
/// # Errors
/// [`Error::None`] when there is none.
pub async fn latest(place: &Location) -> Result<String> {
    let found = newest(place).await?;
    found.ok_or_else(|| Error::None {
        place: place.display(""),
    })
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
///
/// # Errors
/// The archive is not there, not whole, or of another schema; or the database refused.
pub async fn restore(database: &dyn Database, place: &Location, id: &str) -> Result<Archived> {
    let folder = place.child(id);
    let archived = manifest(place, id).await?;
    let version = database.schema_version().await?;
    if !same_tables(archived.schema_version, version) {
        return Err(Error::Schema {
            archive: archived.schema_version,
            database: version,
        });
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
            replace: Replace::All,
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
    let manifest = sealed::read(place, &path, FORMAT).await?;
    manifest.ok_or_else(unknown)
}

/// Copies a table's file to the local disk, checks its hash, and streams its rows.
async fn verified(
    folder: &Location,
    table: &ArchivedTable,
    temp: &Path,
) -> Result<SendableRecordBatchStream> {
    let name = file_name(&table.name);
    let changed = || Error::Changed {
        path: folder.display(&name),
    };
    let local = temp.join(format!("back-{name}"));
    let bytes = folder.stream(&name).await?.ok_or_else(changed)?;
    let digest = digest::write_file(bytes, &local).await?;
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
