//! The artifact's file: an intermediate in its delivered form, hashed as it is written.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use datafusion::{
    arrow::{array::AsArray, compute::cast, datatypes::DataType, error::ArrowError},
    parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    intermediate::{Intermediate, create},
    picture,
};
use crate::{
    artifact::{
        csv,
        digest::{Digest, Digester},
        id::Sha256,
    },
    engine::{Error, Result},
    json,
    pipeline::{Format, OutputFile},
};

/// A file with what its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
}

/// Writes an intermediate's rows, in their order, as `file` into `folder`. Holds one
/// batch; gives way between batches, so that a run can be stopped.
pub(crate) async fn write(
    intermediate: &Intermediate,
    file: &OutputFile,
    folder: &Path,
    what: &str,
) -> Result<Written> {
    let path = folder.join(&file.name);
    let out = BufWriter::new(Hashing::new(create(&path)?));
    let out = match file.format {
        Format::Json => json(intermediate, out, json::Layout::Array, what).await?,
        Format::JsonLines => json(intermediate, out, json::Layout::Lines, what).await?,
        Format::Csv => csv(intermediate, out, what).await?,
        Format::Html | Format::Svg | Format::Png => {
            text(intermediate, out, file.format, &path, what).await?
        }
        Format::Parquet => copy(intermediate, out, &path)?,
    };
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    let hashing = out.into_inner().map_err(|error| io(error.into_error()))?;
    let digest = hashing.finish().map_err(io)?;
    Ok(Written {
        path,
        sha256: digest.sha256,
        bytes: digest.bytes,
    })
}

type Out = BufWriter<Hashing>;

async fn json(
    intermediate: &Intermediate,
    out: Out,
    layout: json::Layout,
    what: &str,
) -> Result<Out> {
    let failed = |source| Error::Encode {
        what: what.to_owned(),
        source: Box::new(source),
    };
    let mut writer = json::Writer::new(out, layout).map_err(failed)?;
    for batch in batches(intermediate, what)? {
        let batch = batch.map_err(|error| Error::run(what, error.into()))?;
        writer.write(&batch).map_err(failed)?;
        tokio::task::yield_now().await;
    }
    writer.finish().map_err(failed)
}

async fn csv(intermediate: &Intermediate, out: Out, what: &str) -> Result<Out> {
    let failed = |source| Error::Encode {
        what: what.to_owned(),
        source: Box::new(source),
    };
    let mut writer = csv::Writer::new(out, &intermediate.schema).map_err(failed)?;
    for batch in batches(intermediate, what)? {
        let batch = batch.map_err(|error| Error::run(what, error.into()))?;
        writer.write(&batch).map_err(failed)?;
        tokio::task::yield_now().await;
    }
    Ok(writer.into_inner())
}

/// Writes the one text of the one row, as it is or drawn.
async fn text(
    intermediate: &Intermediate,
    mut out: Out,
    format: Format,
    path: &Path,
    what: &str,
) -> Result<Out> {
    let failed = |error: ArrowError| Error::run(what, error.into());
    for batch in batches(intermediate, what)? {
        let texts = cast(batch.map_err(failed)?.column(0), &DataType::Utf8).map_err(failed)?;
        for page in texts.as_string::<i32>() {
            let page = page.ok_or_else(|| Error::NoText(what.to_owned()))?;
            let written = match format {
                Format::Png => out.write_all(&drawn(page, what).await?),
                _ => out.write_all(page.as_bytes()),
            };
            written.map_err(|source| Error::Io {
                path: path.to_owned(),
                source,
            })?;
        }
    }
    Ok(out)
}

async fn drawn(svg: &str, what: &str) -> Result<Vec<u8>> {
    let drawn = picture::drawn(svg.to_owned()).await;
    drawn.map_err(|reason| Error::Draw {
        what: what.to_owned(),
        reason,
    })
}

fn copy(intermediate: &Intermediate, mut out: Out, path: &Path) -> Result<Out> {
    let copied = File::open(&intermediate.path).and_then(|mut file| io::copy(&mut file, &mut out));
    copied.map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(out)
}

fn batches(intermediate: &Intermediate, what: &str) -> Result<ParquetRecordBatchReader> {
    let file = File::open(&intermediate.path).map_err(|source| Error::Io {
        path: intermediate.path.clone(),
        source,
    })?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.build())
        .map_err(|error| Error::run(what, error.into()))
}

/// A file whose bytes are counted and hashed on their way.
#[derive(Debug)]
struct Hashing {
    file: File,
    digester: Digester,
}

impl Hashing {
    fn new(file: File) -> Hashing {
        Hashing {
            file,
            digester: Digester::default(),
        }
    }

    /// Makes the file durable and returns its digest.
    fn finish(self) -> io::Result<Digest> {
        self.file.sync_all()?;
        Ok(self.digester.finish())
    }
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.digester.update(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
