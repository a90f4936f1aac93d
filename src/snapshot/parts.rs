//! Rows in key order become Parquet files of disjoint key ranges.
//!
//! Any Parquet tool reads them; the footers say how the rows are sorted and hold
//! statistics. A file ends where the key's first column changes, so that all rows of
//! a product lie in one file and files can be read side by side without meeting. It
//! is written on the local disk, hashed as it is written, then put to the snapshot's
//! location.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, make_comparator},
        compute::{SortOptions, max, min},
        datatypes::{DataType, Int64Type, SchemaRef},
        record_batch::RecordBatch,
    },
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, Encoding, ZstdLevel},
        errors::ParquetError,
        file::{metadata::SortingColumn, properties::WriterProperties},
        schema::types::ColumnPath,
    },
};
use tempfile::TempDir;

use super::{Bounds, order::Order};
use crate::{
    artifact::{digest::Digester, id::Sha256},
    storage::create_passing,
};

/// Rows a file, about: large enough to be few, small enough to be read in parallel.
const PART_ROWS: usize = 2 << 20;
/// How much longer a file may grow for the sake of one product.
const MAX_STRETCH: usize = 4;
/// Rows a row group: the unit that statistics leave out.
const GROUP_ROWS: usize = 256 << 10;

/// A file on the local disk, complete.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
    pub(super) bounds: Vec<Bounds>,
}

/// Writes rows, a new file every `part_rows` or so.
pub(super) struct Parts {
    schema: SchemaRef,
    /// The key's columns.
    key: Vec<usize>,
    properties: WriterProperties,
    folder: TempDir,
    part_rows: usize,
    begun: usize,
    open: Option<Open>,
    /// Files that are complete and not yet taken.
    pub(super) ready: VecDeque<Part>,
}

struct Open {
    writer: ArrowWriter<Hashing<BufWriter<File>>>,
    path: PathBuf,
    rows: usize,
    bounds: Vec<Bounds>,
    /// The last row's value in the key's first column, as one row of it.
    last: Option<ArrayRef>,
}

impl Parts {
    pub(super) fn new(order: &Order, folder: TempDir) -> Result<Parts, ParquetError> {
        Parts::with_rows(order, folder, PART_ROWS)
    }

    fn with_rows(order: &Order, folder: TempDir, part_rows: usize) -> Result<Parts, ParquetError> {
        Ok(Parts {
            schema: order.schema().clone(),
            key: order.key().collect(),
            properties: properties(order)?,
            folder,
            part_rows,
            begun: 0,
            open: None,
            ready: VecDeque::new(),
        })
    }

    /// Appends rows, which must come in key order.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => self.begin()?,
            };
            let rows = open.room(&rest, &self.key, self.part_rows)?;
            open.write(&rest.slice(0, rows), &self.key)?;
            rest = rest.slice(rows, rest.num_rows() - rows);
            if rest.num_rows() > 0 {
                self.ready.push_back(open.close()?);
            } else {
                self.open = Some(open);
            }
        }
        Ok(())
    }

    /// Ends the last file. No rows make one empty file, which still has the columns.
    pub(super) fn finish(&mut self) -> Result<(), ParquetError> {
        let open = match self.open.take() {
            None if self.begun == 0 => Some(self.begin()?),
            open => open,
        };
        if let Some(open) = open {
            self.ready.push_back(open.close()?);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<Open, ParquetError> {
        let path = self
            .folder
            .path()
            .join(format!("part-{:03}.parquet", self.begun));
        self.begun += 1;
        let out = Hashing::new(BufWriter::new(create_passing(&path)?));
        let properties = Some(self.properties.clone());
        Ok(Open {
            writer: ArrowWriter::try_new(out, self.schema.clone(), properties)?,
            path,
            rows: 0,
            bounds: Vec::new(),
            last: None,
        })
    }
}

impl Open {
    /// Returns how many rows of the batch belong here: all while there is room, then
    /// those that still have the last row's value in the key's first column.
    fn room(
        &self,
        batch: &RecordBatch,
        key: &[usize],
        part_rows: usize,
    ) -> Result<usize, ParquetError> {
        let Some(&first) = key.first() else {
            return Ok(batch.num_rows());
        };
        let most = (MAX_STRETCH * part_rows).saturating_sub(self.rows);
        let rows = batch.num_rows().min(most);
        let free = part_rows.saturating_sub(self.rows).min(rows);
        let values = batch.column(first);
        let before = match free {
            0 => self.last.clone().unwrap_or_else(|| values.slice(0, 0)),
            free => values.slice(free - 1, 1),
        };
        if free == rows || before.is_empty() {
            return Ok(rows);
        }
        let compare = make_comparator(&before, values, SortOptions::default())?;
        let belongs = (free..rows).take_while(|row| compare(0, *row).is_eq());
        Ok(free + belongs.count())
    }

    fn write(&mut self, batch: &RecordBatch, key: &[usize]) -> Result<(), ParquetError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.writer.write(batch)?;
        self.rows += batch.num_rows();
        if let Some(first) = key.first() {
            self.last = Some(batch.column(*first).slice(batch.num_rows() - 1, 1));
        }
        let integers = key.iter().map_while(|column| {
            let values = batch.column(*column).as_primitive_opt::<Int64Type>()?;
            Some(Bounds {
                min: min(values)?,
                max: max(values)?,
            })
        });
        let here: Vec<Bounds> = integers.collect();
        if self.bounds.is_empty() {
            self.bounds = here;
            return Ok(());
        }
        self.bounds.truncate(here.len());
        for (bounds, here) in self.bounds.iter_mut().zip(here) {
            bounds.min = bounds.min.min(here.min);
            bounds.max = bounds.max.max(here.max);
        }
        Ok(())
    }

    fn close(self) -> Result<Part, ParquetError> {
        let mut hashing = self.writer.into_inner()?;
        hashing.flush()?;
        let digest = hashing.digester.finish();
        Ok(Part {
            path: self.path,
            rows: self.rows as u64,
            bytes: digest.bytes,
            sha256: digest.sha256,
            bounds: self.bounds,
        })
    }
}

fn properties(order: &Order) -> Result<WriterProperties, ParquetError> {
    let sorting = order.key().map(|column| {
        let before = &order.schema().fields()[..column];
        let leaves: usize = before.iter().map(|field| leaves(field.data_type())).sum();
        SortingColumn {
            column_idx: i32::try_from(leaves).unwrap_or(i32::MAX),
            descending: false,
            nulls_first: false,
        }
    });
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_sorting_columns(Some(sorting.collect()));
    // A product's id repeats for all its stores, and then a dictionary is shortest.
    let repeating = order.key().next().filter(|_| order.key().count() > 1);
    for (place, field) in order.schema().fields().iter().enumerate() {
        let column = ColumnPath::from(field.name().as_str());
        if is_packed(field.data_type()) {
            properties =
                properties.set_column_compression(column.clone(), Compression::UNCOMPRESSED);
        }
        if *field.data_type() == DataType::Int64 && repeating != Some(place) {
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(properties.build())
}

/// Returns whether a column's encoding leaves little to compress: reading it would
/// then take longer for decompression than for all the rest.
fn is_packed(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int64 | DataType::Decimal128(..) | DataType::Date32
    )
}

/// Returns how many of Parquet's columns a column is.
fn leaves(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(item) => leaves(item.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        _ => 1,
    }
}

/// Hashes and counts what is written.
struct Hashing<W> {
    out: W,
    digester: Digester,
}

impl<W> Hashing<W> {
    fn new(out: W) -> Hashing<W> {
        Hashing {
            out,
            digester: Digester::default(),
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digester.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
