//! An artifact's file, whatever its format, as Parquet of its pipeline's contract:
//! a form that the engine reads without holding it in memory.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
    parquet::{
        arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
        errors::ParquetError,
    },
};

use crate::{
    artifact::csv,
    dataset::Contract,
    json::{self, Layout},
    kind::Kind,
    pipeline::Format,
    storage::create_passing,
};

/// Rows a batch.
const BATCH_ROWS: usize = 8192;

/// Why an artifact's content could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The JSON breaks the contract.
    #[error("the artifact violates its contract")]
    Json(#[from] json::Error),
    /// The CSV breaks the contract.
    #[error("the artifact violates its contract")]
    Csv(#[from] csv::Error),
    /// The file is not Parquet.
    #[error("the artifact cannot be read as Parquet")]
    Parquet(#[source] ParquetError),
    /// The Parquet file has other columns than the contract.
    #[error("the artifact has the columns {found}, but its contract declares {wanted}")]
    Columns {
        /// Those of the file.
        found: String,
        /// Those of the contract.
        wanted: String,
    },
    /// The format holds no rows for a table.
    #[error("{0:?} holds no rows for a table")]
    NoRows(Format),
    /// A temporary file could not be used.
    #[error("could not use the temporary file {path}")]
    Temp {
        /// The file's path.
        path: PathBuf,
        /// The system's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Temp { .. } => Kind::Failed,
            Error::Json(_)
            | Error::Csv(_)
            | Error::Parquet(_)
            | Error::Columns { .. }
            | Error::NoRows(_) => Kind::Data,
        }
    }
}

/// Writes the rows of the artifact `from` to `to`. Blocks.
pub(super) fn decode(from: &Path, format: Format, contract: &Contract, to: &Path) -> Result<()> {
    match format {
        Format::Json => json(from, Layout::Array, contract, to),
        Format::JsonLines => json(from, Layout::Lines, contract, to),
        Format::Csv => csv(from, contract, to),
        Format::Parquet => parquet(from, contract, to),
        Format::Html | Format::Svg | Format::Png => Err(Error::NoRows(format)),
    }
}

fn json(from: &Path, layout: Layout, contract: &Contract, to: &Path) -> Result<()> {
    let file = File::open(from).map_err(|source| temp(from, source))?;
    let mut out = Out::new(to, contract.arrow())?;
    let mut written = Ok(());
    let decoded = json::decode(
        BufReader::new(file),
        layout,
        contract,
        BATCH_ROWS,
        |batch| {
            written = out.write(&batch);
            match written {
                Ok(()) => Ok(()),
                Err(_) => Err(std::io::Error::other("the rows cannot be kept").into()),
            }
        },
    );
    written?;
    decoded?;
    out.finish()
}

fn csv(from: &Path, contract: &Contract, to: &Path) -> Result<()> {
    let file = File::open(from).map_err(|source| temp(from, source))?;
    let mut out = Out::new(to, contract.arrow())?;
    csv::decode(file, contract, BATCH_ROWS, |batch| out.write(&batch))?;
    out.finish()
}

fn parquet(from: &Path, contract: &Contract, to: &Path) -> Result<()> {
    let file = File::open(from).map_err(|source| temp(from, source))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(Error::Parquet)?;
    let schema = contract.arrow();
    let columns = |schema: &SchemaRef| -> Vec<String> {
        let fields = schema.fields().iter();
        fields
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect()
    };
    let (found, wanted) = (columns(reader.schema()), columns(&schema));
    if found != wanted {
        return Err(Error::Columns {
            found: found.join(", "),
            wanted: wanted.join(", "),
        });
    }
    let mut out = Out::new(to, schema.clone())?;
    for batch in reader.build().map_err(Error::Parquet)? {
        let batch =
            batch.and_then(|batch| RecordBatch::try_new(schema.clone(), batch.columns().to_vec()));
        out.write(&batch.map_err(|error| Error::Parquet(error.into()))?)?;
    }
    out.finish()
}

struct Out {
    path: PathBuf,
    writer: ArrowWriter<File>,
}

impl Out {
    fn new(path: &Path, schema: SchemaRef) -> Result<Out> {
        let file = create_passing(path).map_err(|source| temp(path, source))?;
        let writer = ArrowWriter::try_new(file, schema, None);
        Ok(Out {
            writer: writer.map_err(|source| temp(path, source))?,
            path: path.to_owned(),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let written = self.writer.write(batch);
        written.map_err(|source| temp(&self.path, source))
    }

    fn finish(self) -> Result<()> {
        let closed = self.writer.close();
        closed
            .map(|_| ())
            .map_err(|source| temp(&self.path, source))
    }
}

fn temp(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Temp {
        path: path.to_owned(),
        source: source.into(),
    }
}
