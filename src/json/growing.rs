//! Columns that grow value by value, and can forget their last ones.

use std::{mem, sync::Arc};

use datafusion::arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BooleanArray, NullBufferBuilder, PrimitiveArray, StringArray,
    },
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer},
    datatypes::{ArrowNativeType, DataType},
    error::ArrowError,
};

/// Values of one width, and which of them are null.
#[derive(Debug)]
pub(super) struct Growing<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Copy + Default> Growing<T> {
    pub(super) fn new() -> Growing<T> {
        Growing {
            values: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    pub(super) fn push_null(&mut self) {
        self.values.push(T::default());
        self.nulls.append_null();
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.values.truncate(length);
        self.nulls.truncate(length);
    }

    /// Returns the values as an array of that type, and starts again.
    pub(super) fn finish<A>(&mut self, data_type: DataType) -> Result<ArrayRef, ArrowError>
    where
        A: ArrowPrimitiveType<Native = T>,
        T: ArrowNativeType,
    {
        let (values, nulls) = self.take();
        let array = PrimitiveArray::<A>::try_new(values.into(), nulls)?;
        Ok(Arc::new(array.with_data_type(data_type)))
    }

    fn take(&mut self) -> (Vec<T>, Option<NullBuffer>) {
        (mem::take(&mut self.values), self.nulls.finish())
    }
}

impl Growing<bool> {
    pub(super) fn finish_boolean(&mut self) -> ArrayRef {
        let (values, nulls) = self.take();
        Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
    }
}

/// Texts, one behind the other.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: String,
    /// Where each text begins, and where the last ends.
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Texts {
    pub(super) fn new() -> Texts {
        Texts {
            bytes: String::new(),
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
        }
    }

    /// Appends a text; `false` where Arrow's 2 GiB a column are exhausted.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let Ok(end) = i32::try_from(self.bytes.len() + text.len()) else {
            return false;
        };
        self.bytes.push_str(text);
        self.offsets.push(end);
        self.nulls.append_non_null();
        true
    }

    pub(super) fn push_null(&mut self) {
        self.offsets.push(self.end());
        self.nulls.append_null();
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.offsets.truncate(length + 1);
        self.bytes
            .truncate(usize::try_from(self.end()).unwrap_or(0));
        self.nulls.truncate(length);
    }

    pub(super) fn byte_length(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let bytes = mem::take(&mut self.bytes).into_bytes();
        let offsets = mem::replace(&mut self.offsets, vec![0]);
        let offsets = OffsetBuffer::new(offsets.into());
        let array = StringArray::try_new(offsets, bytes.into(), self.nulls.finish())?;
        Ok(Arc::new(array))
    }

    fn end(&self) -> i32 {
        self.offsets.last().copied().unwrap_or(0)
    }
}
