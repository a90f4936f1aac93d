//! Vectors at rest: Parquet files with the columns `text` and `vector`.
//!
//! Only the position of each text is held in memory, some 50 bytes a text; vectors
//! are read when they are asked for, those rows only. A text that occurs in several places
//! is taken from the first. Texts are known by 128 bits of their SHA-256.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Float32Array, ListArray, RecordBatch, StringArray},
        buffer::OffsetBuffer,
        compute::cast,
        datatypes::{DataType, Field, Float32Type, Schema},
    },
    common::Result,
    parquet::{
        arrow::{
            ArrowWriter, ProjectionMask, arrow_reader::RowSelection,
            async_reader::ParquetRecordBatchStreamBuilder,
        },
        errors::ParquetError,
        file::properties::WriterProperties,
    },
};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};

use super::{Error, Text, object::Object};
use crate::storage::Location;

const TEXT: &str = "text";
const VECTOR: &str = "vector";

/// Files of vectors.
#[derive(Debug)]
pub(super) struct VectorFiles {
    location: Location,
    files: Vec<String>,
    positions: HashMap<u128, RowPosition>,
    /// 0 before the first vector.
    dimension: usize,
}

/// Where a text's vector is.
#[derive(Debug, Clone, Copy)]
struct RowPosition {
    file: u32,
    row: u32,
}

/// A row that is asked for, and the text it is for.
type Wanted = (u32, usize);

impl VectorFiles {
    /// Returns a set without files.
    pub(super) fn new(location: Location) -> VectorFiles {
        VectorFiles {
            location,
            files: Vec::new(),
            positions: HashMap::new(),
            dimension: 0,
        }
    }

    /// Returns where the files are.
    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns how many numbers a vector has: 0 as long as there is none.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Adds a file: reads its texts, and one vector.
    pub(super) async fn add(&mut self, name: &str) -> Result<()> {
        let opened = self.open(name, TEXT).await?;
        let mut batches = opened.build().map_err(self.unreadable(name))?;
        let file = self.files.len() as u32;
        self.files.push(name.to_owned());
        let mut row = 0;
        while let Some(batch) = batches.try_next().await.map_err(self.unreadable(name))? {
            let texts = cast(batch.column(0), &DataType::Utf8)?;
            for text in texts.as_string::<i32>() {
                let text = text.ok_or_else(|| self.form(name, "a text is null"))?;
                self.positions
                    .entry(key(text))
                    .or_insert(RowPosition { file, row });
                row += 1;
            }
        }
        if row > 0 && self.dimension == 0 {
            self.dimension = self.first(name).await?;
        }
        Ok(())
    }

    /// Returns the length of a file's first vector.
    async fn first(&self, name: &str) -> Result<usize> {
        let opened = self.open(name, VECTOR).await?.with_limit(1).build();
        let mut batches = opened.map_err(self.unreadable(name))?;
        let batch = batches.try_next().await.map_err(self.unreadable(name))?;
        let vectors = batch.map(|batch| lists(batch.column(0))).transpose()?;
        match vectors.map(|vectors| vectors.value(0).len()) {
            Some(dimension) if dimension > 0 => Ok(dimension),
            _ => Err(self.form(name, "its first vector is empty").into()),
        }
    }

    /// Reads the texts' vectors into `vectors`, one after the other; returns the places
    /// of the texts that have none, in order.
    pub(super) async fn read(&self, texts: &[Text], vectors: &mut [f32]) -> Result<Vec<usize>> {
        let mut wanted: Vec<Vec<Wanted>> = vec![Vec::new(); self.files.len()];
        let mut lacking = Vec::new();
        for (text, content) in texts.iter().enumerate() {
            match self.positions.get(&key(content)) {
                Some(place) => wanted[place.file as usize].push((place.row, text)),
                None => lacking.push(text),
            }
        }
        for (name, mut wanted) in self.files.iter().zip(wanted) {
            if !wanted.is_empty() {
                wanted.sort_unstable();
                self.read_file(name, &wanted, vectors).await?;
            }
        }
        Ok(lacking)
    }

    /// Reads rows of one file; `wanted` is in their order.
    async fn read_file(&self, name: &str, wanted: &[Wanted], vectors: &mut [f32]) -> Result<()> {
        let opened = self.open(name, VECTOR).await?;
        let rows = opened.metadata().file_metadata().num_rows() as usize;
        let ranges = wanted
            .chunk_by(|a, b| a.0 == b.0)
            .map(|row| row[0].0 as usize..row[0].0 as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(ranges, rows);
        let opened = opened.with_row_selection(selection).build();
        let mut batches = opened.map_err(self.unreadable(name))?;
        let mut left = wanted.chunk_by(|a, b| a.0 == b.0);
        while let Some(batch) = batches.try_next().await.map_err(self.unreadable(name))? {
            let lists = lists(batch.column(0))?;
            for (list, same) in (0..lists.len()).zip(&mut left) {
                let vector = self.vector(name, &lists, list)?;
                for (_, text) in same {
                    vectors[text * self.dimension..][..self.dimension].copy_from_slice(&vector);
                }
            }
        }
        match left.next() {
            None => Ok(()),
            Some(_) => Err(self.form(name, "it has changed since it was opened").into()),
        }
    }

    /// Returns one vector of a file.
    fn vector(&self, name: &str, lists: &ListArray, list: usize) -> Result<Vec<f32>> {
        if lists.is_null(list) {
            return Err(self.form(name, "a vector is null").into());
        }
        let numbers = lists.value(list);
        let numbers = numbers.as_primitive::<Float32Type>();
        if numbers.len() != self.dimension {
            let reason = format!(
                "a vector has {} numbers, and another {}",
                numbers.len(),
                self.dimension
            );
            return Err(self.form(name, &reason).into());
        }
        let finite = |number: &f32| number.is_finite();
        if numbers.null_count() > 0 || !numbers.values().iter().all(finite) {
            return Err(self
                .form(name, "a vector contains a value that is not a number")
                .into());
        }
        Ok(numbers.values().to_vec())
    }

    /// Opens one column of a file.
    async fn open(
        &self,
        name: &str,
        column: &str,
    ) -> Result<ParquetRecordBatchStreamBuilder<Object>> {
        let reader = Object::of(&self.location, name);
        let opened = ParquetRecordBatchStreamBuilder::new(reader).await;
        let opened = opened.map_err(self.unreadable(name))?;
        for (column, is_right) in [
            (TEXT, is_text as fn(&DataType) -> bool),
            (VECTOR, is_vector),
        ] {
            let field = opened.schema().field_with_name(column);
            if !field.is_ok_and(|field| is_right(field.data_type())) {
                let reason = "its columns must be `text`, and `vector`, a list of floats";
                return Err(self.form(name, reason).into());
            }
        }
        let mask = ProjectionMask::columns(opened.parquet_schema(), [column]);
        Ok(opened.with_projection(mask))
    }

    fn unreadable(&self, name: &str) -> impl Fn(ParquetError) -> Error + use<> {
        let path = self.location.display(name);
        move |source| Error::Parquet {
            path: path.clone(),
            source,
        }
    }

    fn form(&self, name: &str, reason: &str) -> Error {
        Error::Form {
            path: self.location.display(name),
            reason: reason.to_owned(),
        }
    }
}

fn key(text: &str) -> u128 {
    let hash: [u8; 32] = Sha256::digest(text).into();
    hash[..16]
        .iter()
        .fold(0, |key, byte| key << 8 | u128::from(*byte))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_vector(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            matches!(item.data_type(), DataType::Float32 | DataType::Float64)
        }
        _ => false,
    }
}

/// Returns a column of vectors as lists of `f32`.
fn lists(column: &ArrayRef) -> Result<ListArray> {
    Ok(cast(column, &vector_type())?.as_list::<i32>().clone())
}

/// Returns the type of a vector: `float[]`.
pub(crate) fn vector_type() -> DataType {
    DataType::new_list(DataType::Float32, true)
}

/// Returns vectors that follow each other in memory as lists.
pub(crate) fn to_lists(vectors: Vec<f32>, dimension: usize) -> Result<ListArray> {
    let lengths = std::iter::repeat_n(dimension, vectors.len() / dimension.max(1));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let numbers = Arc::new(Float32Array::from(vectors));
    Ok(ListArray::try_new(item, offsets, numbers, None)?)
}

/// Returns a file of texts and their vectors.
pub(super) fn file(texts: &[Text], vectors: Vec<f32>, dimension: usize) -> Result<Bytes> {
    let schema = Arc::new(Schema::new(vec![
        Field::new(TEXT, DataType::Utf8, false),
        Field::new(VECTOR, vector_type(), false),
    ]));
    let texts = StringArray::from_iter_values(texts);
    let vectors = to_lists(vectors, dimension)?;
    let batch = RecordBatch::try_new(schema, vec![Arc::new(texts), Arc::new(vectors)])?;
    // Numbers of a vector hardly ever repeat.
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes.into())
}
