//! Matrices as a column of SQL: lists of pieces, in bytes that are shared and not
//! copied.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BinaryViewArray, BinaryViewBuilder, ListArray},
        buffer::{Buffer, OffsetBuffer},
        datatypes::{DataType, Field, FieldRef},
    },
    common::{Result, exec_err},
};

use super::NAME;

/// Returns the type of a matrix: a list of pieces.
pub(crate) fn matrix_type() -> DataType {
    DataType::List(item())
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::BinaryView, true))
}

/// Returns a column of matrices.
pub(super) fn column(matrices: Vec<Vec<Buffer>>) -> Result<ListArray> {
    let lengths = OffsetBuffer::from_lengths(matrices.iter().map(Vec::len));
    let mut pieces = BinaryViewBuilder::new();
    for piece in matrices.into_iter().flatten() {
        let Ok(length) = u32::try_from(piece.len()) else {
            return exec_err!("{NAME}: one product has too many prices");
        };
        let block = pieces.append_block(piece);
        pieces.try_append_view(block, 0, length)?;
    }
    let pieces = Arc::new(pieces.finish());
    Ok(ListArray::try_new(item(), lengths, pieces, None)?)
}

/// Returns the pieces of each matrix of a column.
///
/// # Errors
///
/// Returns an error when the column holds something else.
pub(crate) fn of_column(column: &ArrayRef) -> Result<Vec<Vec<Buffer>>> {
    let Some(lists) = column.as_list_opt::<i32>() else {
        return exec_err!("a {NAME} is a list, not {}", column.data_type());
    };
    let of_row = |list: Option<ArrayRef>| match list {
        None => Ok(Vec::new()),
        Some(list) => match list.as_byte_view_opt() {
            Some(pieces) => Ok((0..pieces.len()).map(|row| buffer(pieces, row)).collect()),
            None => exec_err!("a piece of a {NAME} is bytes, not {}", list.data_type()),
        },
    };
    lists.iter().map(of_row).collect()
}

/// Returns the bytes of one value, shared where they lie in a buffer.
fn buffer(pieces: &BinaryViewArray, row: usize) -> Buffer {
    let value = pieces.value(row);
    // A view: its length, four first bytes, and where the others are.
    let view = pieces.views()[row];
    let (block, offset) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
    match pieces.data_buffers().get(block) {
        Some(buffer) if value.len() > 12 => buffer.slice_with_length(offset, value.len()),
        _ => Buffer::from(value),
    }
}
