//! Values of groups that are not given out yet, the last of which may still change.

use datafusion::{
    arrow::{
        array::{Array, ArrayRef},
        compute::concat,
    },
    common::Result,
};

/// One value a group, a piece for each batch.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pieces: Vec<ArrayRef>,
    /// The bytes of all pieces: there may be thousands, and each batch asks.
    bytes: usize,
}

impl Pending {
    /// Adds the values of groups that begin.
    pub(super) fn push(&mut self, values: ArrayRef) {
        if !values.is_empty() {
            self.bytes += values.get_array_memory_size();
            self.pieces.push(values);
        }
    }

    /// Returns the last group's value, as one row.
    pub(super) fn last(&self) -> Option<ArrayRef> {
        let piece = self.pieces.last()?;
        Some(piece.slice(piece.len() - 1, 1))
    }

    /// Replaces the last group's value by one row.
    pub(super) fn replace_last(&mut self, value: ArrayRef) {
        if let Some(piece) = self.pieces.pop() {
            self.bytes -= piece.get_array_memory_size();
            self.push(piece.slice(0, piece.len() - 1));
            self.push(value);
        }
    }

    /// Gives out the values of the first `count` groups.
    pub(super) fn take(&mut self, count: usize) -> Result<ArrayRef> {
        let pieces: Vec<&dyn Array> = self.pieces.iter().map(AsRef::as_ref).collect();
        let whole = concat(&pieces)?;
        let rest = whole.slice(count, whole.len() - count);
        self.pieces.clear();
        self.bytes = 0;
        self.push(rest);
        Ok(whole.slice(0, count))
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        self.bytes
    }
}
