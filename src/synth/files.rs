//! One file a relation, in a new folder.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufWriter},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, StringArray},
        csv,
        datatypes::{DataType, Field, Int64Type, Schema},
        error::ArrowError,
        record_batch::RecordBatch,
    },
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        errors::ParquetError,
        file::properties::WriterProperties,
    },
};

use super::{
    Error, Result,
    export::{Batches, Export},
    named,
    prices::Order,
};
use crate::{
    dataset::Dataset,
    progress::{Progress, grouped},
};

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// Comma-separated values with a header; null is empty.
    Csv,
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
pub struct Made {
    /// What it holds: a dataset's or a table's name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its rows.
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

/// Writes one file a relation. Holds a few batches, and of Parquet a row group.
///
/// # Errors
///
/// A file is there already, or cannot be written; it is not there then, those before
/// it are.
pub fn write(export: &Export, files: Files<'_>, progress: &Progress) -> Result<Vec<Made>> {
    let failed = |source| Error::Write {
        path: files.folder.to_owned(),
        source,
    };
    fs::create_dir_all(files.folder).map_err(failed)?;
    let mut made = Vec::new();
    for (name, batches) in relations(export, &files)? {
        progress.begin(&name, None, "rows");
        let (path, rows) = write_one(&files, &name, batches, progress)?;
        progress.end(&name, &format!("{} rows", grouped(rows)));
        made.push(Made { name, path, rows });
    }
    Ok(made)
}

fn relations(export: &Export, files: &Files<'_>) -> Result<Vec<(String, Batches)>> {
    let Layout::Exports(datasets) = files.layout else {
        let named = named::relations(export, files.order).into_iter();
        let named = named.map(|(name, rows)| (name.to_owned(), rows.batches));
        return Ok(named.collect());
    };
    let mut relations = Vec::new();
    for dataset in datasets {
        let batches = export.dataset_in(dataset, files.order)?;
        relations.extend(batches.map(|batches| (dataset.name.clone(), batches)));
    }
    Ok(relations)
}

fn write_one(
    files: &Files<'_>,
    name: &str,
    batches: Batches,
    progress: &Progress,
) -> Result<(PathBuf, u64)> {
    let extension = match files.format {
        Format::Parquet => "parquet",
        Format::Csv => "csv",
    };
    let path = files.folder.join(format!("{name}.{extension}"));
    let failed = |source: io::Error| Error::Write {
        path: path.clone(),
        source,
    };
    if path.exists() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let file = tempfile::Builder::new()
        .prefix(".synth-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(files.folder)
        .map_err(failed)?;
    let mut rows = 0;
    let batches = batches.inspect(|batch| {
        rows += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        progress.at(name, rows, None);
    });
    let written = match files.format {
        Format::Parquet => parquet(file.as_file(), batches),
        Format::Csv => comma_separated(file.as_file(), batches),
    };
    written.map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(&path)
        .map_err(|error| failed(error.error))?;
    Ok((path, rows))
}

type Batch = Result<RecordBatch, ArrowError>;

fn parquet(file: &File, batches: impl Iterator<Item = Batch>) -> io::Result<()> {
    let mut writer = None;
    for batch in batches {
        let batch = batch.map_err(io::Error::other)?;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(parquet_writer(file, &batch)?),
        };
        writer.write(&batch)?;
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(())
}

fn parquet_writer(
    file: &File,
    first: &RecordBatch,
) -> Result<ArrowWriter<BufWriter<File>>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build();
    let out = BufWriter::new(file.try_clone()?);
    ArrowWriter::try_new(out, first.schema(), Some(properties))
}

fn comma_separated(file: &File, batches: impl Iterator<Item = Batch>) -> io::Result<()> {
    let mut writer = csv::Writer::new(BufWriter::new(file));
    for batch in batches {
        let batch = batch.and_then(|batch| flat(&batch));
        let written = batch.and_then(|batch| writer.write(&batch));
        written.map_err(io::Error::other)?;
    }
    let out = writer.into_inner();
    out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
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
