//! The best rows of any types, encoded so that they compare as bytes.
//!
//! Each row's keys and value become one string of bytes that orders as they do
//! (arrow's row format), so the best row is a minimum over bytes. Cost: the encoding
//! and one comparison a row. Memory: a group's best row, some 9 bytes a fixed-size
//! column (17 a decimal), the text itself, and 32 bytes.

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, UInt64Array, new_null_array},
        compute::{SortOptions, take},
        datatypes::DataType,
        row::{RowConverter, Rows, SortField},
    },
    common::{Result, exec_err},
};

use super::Best;

/// Returns whether values of that type can be encoded.
pub(super) fn supports(data_type: &DataType) -> bool {
    RowConverter::supports_fields(&[SortField::new(data_type.clone())])
}

/// The best row of each group, encoded so that the best is the lowest.
pub(super) struct Encoded {
    converter: RowConverter,
    /// The columns' types: the keys', then the value's.
    types: Vec<DataType>,
    /// By group; empty while no row of the group has counted.
    rows: Vec<Box<[u8]>>,
    /// The bytes of `rows`.
    row_bytes: usize,
    /// The batch at hand, encoded: kept for its memory.
    batch: Rows,
}

impl Encoded {
    /// `types` are the value's and the keys', in this order.
    pub(super) fn new(types: &[&DataType], highest: bool) -> Result<Self> {
        let Some((value, keys)) = types.split_first() else {
            return exec_err!("a value and its keys are needed");
        };
        let field = |data_type: &DataType, descending| {
            let options = SortOptions::new(descending, false);
            SortField::new_with_options(data_type.clone(), options)
        };
        let in_order = keys.iter().map(|key| field(key, highest));
        let converter = RowConverter::new(in_order.chain([field(value, false)]).collect())?;
        Ok(Encoded {
            batch: converter.empty_rows(0, 0),
            converter,
            types: keys.iter().chain([value]).map(|&t| t.clone()).collect(),
            rows: Vec::new(),
            row_bytes: 0,
        })
    }

    fn offer_row(&mut self, group: usize, row: &[u8]) {
        let best = &mut self.rows[group];
        if !best.is_empty() && **best <= *row {
            return;
        }
        if best.len() == row.len() {
            best.copy_from_slice(row);
        } else {
            self.row_bytes = self.row_bytes + row.len() - best.len();
            *best = row.into();
        }
    }
}

impl Best for Encoded {
    fn offer(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.rows.resize_with(total, Default::default);
        let mut batch = std::mem::replace(&mut self.batch, self.converter.empty_rows(0, 0));
        batch.clear();
        let mut in_order = columns.to_vec();
        in_order.rotate_left(1);
        self.converter.append(&mut batch, &in_order)?;
        let nulls = columns[1].logical_nulls();
        for (row, &group) in groups.iter().enumerate() {
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.offer_row(group, batch.row(row).data());
            }
        }
        self.batch = batch;
        Ok(())
    }

    fn best(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let rows = &self.rows[..groups.min(self.rows.len())];
        let parser = self.converter.parser();
        let present = rows.iter().filter(|row| !row.is_empty());
        let decoded = self
            .converter
            .convert_rows(present.map(|row| parser.parse(row)))?;
        let mut next = 0..rows.len() as u64;
        let mut places: Vec<Option<u64>> = rows
            .iter()
            .map(|row| if row.is_empty() { None } else { next.next() })
            .collect();
        places.resize(groups, None);
        let places = UInt64Array::from(places);
        let spread =
            decoded
                .iter()
                .zip(&self.types)
                .map(|(column, data_type)| match column.is_empty() {
                    true => Ok(new_null_array(data_type, groups)),
                    false => take(column, &places, None),
                });
        let mut columns = spread.collect::<Result<Vec<_>, _>>()?;
        columns.rotate_right(1);
        Ok(columns)
    }

    fn forget(&mut self, groups: usize) {
        let gone = self.rows.drain(..groups.min(self.rows.len()));
        self.row_bytes -= gone.map(|row| row.len()).sum::<usize>();
    }

    fn groups(&self) -> usize {
        self.rows.len()
    }

    fn size(&self) -> usize {
        // An allocation costs about two words beyond its bytes.
        let rows = self.rows.capacity() * 2 * size_of::<Box<[u8]>>();
        rows + self.row_bytes + self.batch.size() + self.converter.size()
    }
}
