//! One file a relation, in a new folder.

use std::{
    fmt,
    fs::{self, File, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, StringArray},
        csv,
        datatypes::{DataType, Field, Int64Type, Schema, SchemaRef},
        error::ArrowError,
        record_batch::RecordBatch,
    },
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
};

use futures::StreamExt;

use super::{
    Error, Result,
    ahead::ahead,
    dirt::Repeats,
    export::{Export, Rows},
    named,
    prices::Order,
};
use crate::{
    dataset::Dataset,
    events::{Events, grouped},
};

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// Comma-separated values with a header; null is empty.
    Csv,
}

impl fmt::Display for Format {
    /// Writes the ending of a file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
        })
    }
}

/// What the files hold.
#[derive(Debug, Clone, Copy)]
pub enum Layout<'a> {
    /// These datasets, as a service exports them.
    Exports(&'a [&'a Dataset]),
    /// Stores, products and prices by names, as `load` takes them.
    Named,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// What it holds: a dataset's or a table's name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: u64,
}

/// How files are written.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The folder, made if need be.
    pub folder: &'a Path,
    /// What they hold.
    pub layout: Layout<'a>,
    /// What they are.
    pub format: Format,
    /// In which order prices come.
    pub order: Order,
}

/// Writes one file a relation. Holds a few batches, and of Parquet a row group; gives
/// way between batches, so that it can be stopped.
///
/// # Errors
///
/// A file is there already, or cannot be written; it is not there then, those before
/// it are.
pub async fn write(
    export: &Export,
    files: Files<'_>,
    progress: &Events,
) -> Result<Vec<WrittenFile>> {
    let failed = |source| Error::Write {
        path: files.folder.to_owned(),
        source,
    };
    fs::create_dir_all(files.folder).map_err(failed)?;
    let mut made = Vec::new();
    for (name, rows) in relations(export, &files)? {
        progress.begin(&name, None, "rows");
        let path = files.folder.join(format!("{name}.{}", files.format));
        let written = write_one(&path, files.format, rows, |rows| {
            progress.at(&name, rows, None);
        });
        let rows = written.await.map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        progress.end(&name, &format!("{} rows", grouped(rows)));
        made.push(WrittenFile { name, path, rows });
    }
    Ok(made)
}

fn relations(export: &Export, files: &Files<'_>) -> Result<Vec<(String, Rows)>> {
    let Layout::Exports(datasets) = files.layout else {
        let named = named::relations(export, files.order).into_iter();
        return Ok(named.map(|(name, rows)| (name.to_owned(), rows)).collect());
    };
    let mut relations = Vec::new();
    for dataset in datasets {
        let rows = export.rows(&dataset.name, files.order, Repeats::Kept);
        if let Some(rows) = rows {
            relations.push((dataset.name.clone(), rows.fitted(dataset)?));
        }
    }
    Ok(relations)
}

/// Writes a file that is there once it is complete; returns its rows.
async fn write_one(path: &Path, format: Format, rows: Rows, at: impl Fn(u64)) -> io::Result<u64> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new()
        .prefix(".synth-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    let mut writer = Writer::new(format, rows.schema.clone(), file.as_file().try_clone()?)?;
    let mut batches = ahead(rows.schema, rows.batches);
    let mut count = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(io::Error::other)?;
        writer.write(&batch)?;
        count += batch.num_rows() as u64;
        at(count);
        tokio::task::yield_now().await;
    }
    writer.finish()?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(count)
}

enum Writer {
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
}

impl Writer {
    fn new(format: Format, schema: SchemaRef, file: File) -> io::Result<Writer> {
        let out = BufWriter::new(file);
        if format == Format::Csv {
            let mut writer = csv::Writer::new(out);
            // An empty batch writes the header.
            let empty = flat(&RecordBatch::new_empty(schema));
            let written = empty.and_then(|empty| writer.write(&empty));
            written.map_err(io::Error::other)?;
            return Ok(Writer::Csv(Box::new(writer)));
        }
        let level = ZstdLevel::try_new(1)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
        let properties = Some(properties.build());
        let writer = ArrowWriter::try_new(out, schema, properties)?;
        Ok(Writer::Parquet(Box::new(writer)))
    }

    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match self {
            Writer::Parquet(writer) => Ok(writer.write(batch)?),
            Writer::Csv(writer) => flat(batch)
                .and_then(|batch| writer.write(&batch))
                .map_err(io::Error::other),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Writer::Parquet(writer) => writer.into_inner()?.flush(),
            Writer::Csv(writer) => writer.into_inner().flush(),
        }
    }
}

/// Returns the rows with lists as JSON, which is text.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let (fields, columns): (Vec<_>, Vec<_>) = columns
        .map(|(field, column)| match column.data_type() {
            DataType::List(_) => {
                let field = Field::new(field.name(), DataType::Utf8, field.is_nullable());
                (Arc::new(field), json_lists(column))
            }
            _ => (field.clone(), column.clone()),
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn json_lists(lists: &ArrayRef) -> ArrayRef {
    let lists = lists.as_list::<i32>();
    let json = (0..lists.len()).map(|row| {
        let ids = lists.value(row);
        let ids = ids.as_primitive::<Int64Type>().values().iter();
        let ids = ids.map(i64::to_string).collect::<Vec<_>>();
        format!("[{}]", ids.join(","))
    });
    Arc::new(StringArray::from_iter_values(json))
}
