//! Whether pages overlap: a row that comes on two pages stands where another is missing.
//!
//! In go the pages of a dataset and what its rows have in common; out comes why they
//! cannot be the whole dataset. Rows that repeat within one page do so in the service's
//! own data: each page is one answer. So do rows of one key with different values where
//! the dataset says which of them to `prefer`. It asks for nothing and changes nothing.

use std::{collections::HashSet, vec};

use datafusion::arrow::{compute::concat_batches, error::ArrowError, record_batch::RecordBatch};

use super::{
    Result,
    order::{Order, Step, convert},
    partial::{Batches, Partial},
    rows::Unique,
    writer::rows_failed,
};
use crate::{dataset::Dataset, events::grouped, source::Mark};

/// Returns why the pages cannot be the whole dataset; none where they can.
pub(super) fn reason(
    dataset: &Dataset,
    partial: &Partial,
    unique: &Unique,
) -> Result<Option<String>> {
    let order = Order::of(dataset);
    let (steps, repeats) = match dataset.prefer.is_empty() {
        true => (order.key_steps(), unique.duplicates + unique.conflicts),
        false => (order.steps(), unique.duplicates),
    };
    let count = partial.marks.last().and_then(|mark| mark.count);
    let (Some(count), 1.., 2..) = (count, repeats, partial.marks.len()) else {
        return Ok(None);
    };
    let pages = Pages::new(&order, partial.marks.clone(), partial.batches()?);
    let mut across = repeats;
    for page in pages {
        let within = page.and_then(|page| repeated(&order, steps, &page));
        let within = within.map_err(|error| rows_failed(&dataset.name, error.into()))?;
        across = across.saturating_sub(within);
    }
    Ok((across > 0).then(|| told(dataset, &partial.marks, across, count)))
}

fn told(dataset: &Dataset, marks: &[Mark], across: u64, count: u64) -> String {
    let key = dataset.key.join(", ");
    let (rows, repeat) = match across {
        1 => ("row", "repeats"),
        _ => ("rows", "repeat"),
    };
    format!(
        "the pages overlap: {} {rows} in {} pages {repeat} the {key} of another page, so other rows \
         of the {} are missing",
        grouped(across),
        grouped(marks.len() as u64),
        grouped(count)
    )
}

/// Returns how many rows of a page have what an earlier row of it has.
fn repeated(order: &Order, steps: &[Step], page: &RecordBatch) -> Result<u64, ArrowError> {
    let rows = convert(&mut order.converter(steps)?, steps, page)?;
    let distinct: HashSet<&[u8]> = rows.iter().map(|row| row.data()).collect();
    Ok((page.num_rows() - distinct.len()) as u64)
}

/// The rows that came, cut into the pages they came in.
struct Pages<'a> {
    order: &'a Order,
    marks: vec::IntoIter<Mark>,
    batches: Batches,
    /// What is left of the batch that was read last.
    rest: Option<RecordBatch>,
}

impl Pages<'_> {
    fn new(order: &Order, marks: Vec<Mark>, batches: Batches) -> Pages<'_> {
        Pages {
            order,
            marks: marks.into_iter(),
            batches,
            rest: None,
        }
    }

    fn page(&mut self, rows: usize) -> Result<RecordBatch, ArrowError> {
        let mut pieces = Vec::new();
        let mut lacking = rows;
        while lacking > 0 {
            let Some(batch) = self.rest.take().map(Ok).or_else(|| self.batches.next()) else {
                break;
            };
            let batch = batch?;
            let taken = lacking.min(batch.num_rows());
            pieces.push(batch.slice(0, taken));
            lacking -= taken;
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
        }
        concat_batches(self.order.schema(), &pieces)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mark = self.marks.next()?;
        let rows = usize::try_from(mark.rows).unwrap_or(usize::MAX);
        Some(self.page(rows))
    }
}
