//! Which of a layout's columns a file can fill.

use super::{batch::Batch, header::Header, values::Value};
use crate::dataset::{Column, ColumnType, Contract};

/// The columns that come out for one file.
pub(super) struct Shape {
    contract: Contract,
    kept: Vec<bool>,
}

impl Shape {
    /// Keeps the columns whose source the file has: of each, the file's column (empty
    /// for one that is always made), the table's column and its type. What a file
    /// does not have stays as it is in the table.
    pub(super) fn new(header: &Header, all: &[(&str, &str, ColumnType)]) -> Shape {
        let kept = |source: &str| source.is_empty() || header.has(source);
        let columns = all.iter().filter(|(source, _, _)| kept(source));
        let columns = columns.map(|(_, name, data_type)| Column {
            name: (*name).to_owned(),
            data_type: data_type.clone(),
            nullable: true,
        });
        Shape {
            contract: Contract {
                columns: columns.collect(),
            },
            kept: all.iter().map(|(source, _, _)| kept(source)).collect(),
        }
    }

    pub(super) fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Adds a row of the kept columns' values, from those of all.
    pub(super) fn push<'v>(
        &self,
        batch: &mut Batch,
        all: impl IntoIterator<Item = Option<Value<'v>>>,
    ) {
        let values = all.into_iter().zip(&self.kept);
        batch.push(values.filter_map(|(value, kept)| kept.then_some(value)));
    }
}
