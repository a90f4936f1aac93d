//! An export in one stream of Arrow record batches.
//!
//! The stream's columns are checked against the contract by name and type; its
//! rows must be as many as the service reports, and it must end with its own end
//! marker. One that is cut begins again.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatchOptions, new_null_array},
    buffer::Buffer,
    compute::{cast, kernels::cmp::distinct},
    datatypes::Decimal128Type,
    error::ArrowError,
    ipc::reader::StreamDecoder,
    record_batch::RecordBatch,
    util::display::array_value_to_string,
};
use futures::{Stream, StreamExt};

use super::{
    Error, Fetched, Mark, Piece, Result,
    export::{ARROW, ATTEMPTS, Export},
};
use crate::{
    dataset::{Column, Contract},
    json::RowError,
    service::{self, Answer, Cause, Patience},
};

/// Why a pass over the stream ended.
enum Stop {
    Moved(String),
    Cut(Cause),
    Failed(Error),
}

/// Returns whether an answer is a stream of record batches.
pub(super) fn is_arrow(answer: &Answer) -> bool {
    let content_type = answer.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default();
    answer.status() == 200 && kind.trim() == ARROW
}

/// Asks for the whole dataset in columnar form, as it was given before.
async fn stream(export: &Export, patience: &mut Patience) -> Result<Answer> {
    let answer = export.ask(None, None, ARROW, patience).await?;
    match is_arrow(&answer) {
        true => Ok(answer),
        false => Err(export.unusable(None, "the service no longer answers in columnar form")),
    }
}

/// Starts to hand on the batches of an answer that is a stream.
pub(super) fn fetched(export: Arc<Export>, answer: Answer) -> Fetched {
    let notes = export.notes.clone();
    notes.note(|stats| stats.form = "stream".to_owned());
    Fetched {
        pieces: attempts(export, answer).boxed(),
        resumable: false,
        stats: notes,
    }
}

fn attempts(export: Arc<Export>, answer: Answer) -> impl Stream<Item = Result<Piece>> + Send {
    async_stream::try_stream! {
        let mut reader = Reader::new(export.clone(), answer);
        let mut patience = export.patience();
        let mut attempt = 1;
        loop {
            let stop = match reader.next().await {
                Ok(Some((mark, rows))) => {
                    export.notes.page(&mark);
                    yield Piece::Page(mark, rows);
                    continue;
                }
                Ok(None) => break,
                Err(stop) => stop,
            };
            let reason = match stop {
                Stop::Failed(error) => Err(error)?,
                Stop::Moved(reason) if attempt == ATTEMPTS => Err(Error::Moving {
                    page: export.page(None),
                    reason,
                    times: attempt,
                })?,
                Stop::Cut(source) if attempt == ATTEMPTS => {
                    let tries = attempt;
                    let error = service::Error::Unavailable { tries, source };
                    Err(export.unanswered(None, error))?
                }
                Stop::Moved(reason) => reason,
                Stop::Cut(cause) => {
                    let reason = cause.to_string();
                    patience = export.patience();
                    export.wait(None, cause, &mut patience).await?;
                    reason
                }
            };
            tracing::warn!(dataset = export.dataset.name, reason, "fetching again");
            attempt += 1;
            export.notes.again();
            yield Piece::Again { reason };
            let answer = stream(&export, &mut patience).await?;
            reader = Reader::new(export.clone(), answer);
        }
    }
}

/// Reads one answer.
struct Reader {
    export: Arc<Export>,
    answer: Answer,
    decoder: StreamDecoder,
    ready: VecDeque<RecordBatch>,
    /// Bytes taken in since the last batch came out.
    held: u64,
    count: Option<u64>,
    batches: u64,
    rows: u64,
}

impl Reader {
    fn new(export: Arc<Export>, answer: Answer) -> Reader {
        let count = answer.header("x-total-count");
        let count = count.and_then(|value| value.parse().ok());
        Reader {
            export,
            answer,
            decoder: StreamDecoder::new(),
            ready: VecDeque::new(),
            held: 0,
            count,
            batches: 0,
            rows: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<(Mark, RecordBatch)>, Stop> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return self.checked(batch).map(Some);
            }
            let chunk = self.answer.chunk().await;
            match chunk.map_err(Stop::Cut)? {
                Some(chunk) => self.decode(chunk)?,
                None => return self.finish().map(|()| None),
            }
        }
    }

    /// Decodes what came, here and now: of Arrow there is little to decode.
    fn decode(&mut self, bytes: Bytes) -> Result<(), Stop> {
        self.held += bytes.len() as u64;
        let mut buffer = Buffer::from(bytes);
        while !buffer.is_empty() {
            // Arrow panics on some messages that nobody would write.
            let decode = AssertUnwindSafe(|| self.decoder.decode(&mut buffer));
            let batch = catch_unwind(decode);
            let batch = batch.map_err(|_| self.invalid("its messages are malformed"))?;
            let batch = batch.map_err(|error| self.invalid(&error.to_string()))?;
            self.ready.extend(batch);
        }
        if !self.ready.is_empty() {
            self.held = 0;
        } else if self.held > self.export.config.max_page_bytes {
            return Err(Stop::Failed(self.export.too_large(None)));
        }
        Ok(())
    }

    fn invalid(&self, why: &str) -> Stop {
        let reason = format!("the response is not a valid Arrow stream: {why}");
        Stop::Failed(self.export.unusable(None, &reason))
    }

    fn checked(&mut self, batch: RecordBatch) -> Result<(Mark, RecordBatch), Stop> {
        let (rows, unknown) = conform(&batch, &self.export.dataset.contract, self.rows)
            .map_err(|wrong| self.ill_typed(wrong))?;
        self.batches += 1;
        self.rows += rows.num_rows() as u64;
        let mark = Mark {
            page: self.batches,
            rows: rows.num_rows() as u64,
            count: self.count,
            unknown: unknown
                .into_iter()
                .map(|name| (name, rows.num_rows() as u64))
                .collect(),
            ..Mark::default()
        };
        Ok((mark, rows))
    }

    fn ill_typed(&self, wrong: Wrong) -> Stop {
        Stop::Failed(match wrong {
            Wrong::Row(wrong) => self.export.ill_typed(None, wrong),
            Wrong::Column(reason) => self.export.unusable(None, &reason),
        })
    }

    fn finish(&mut self) -> Result<(), Stop> {
        if !has_ended(&mut self.decoder) {
            return Err(Stop::Cut(Cause::CutShort));
        }
        if let (0, Some(schema)) = (self.batches, self.decoder.schema()) {
            let empty = RecordBatch::new_empty(schema);
            conform(&empty, &self.export.dataset.contract, 0)
                .map_err(|wrong| self.ill_typed(wrong))?;
        }
        match self.count {
            Some(count) if count != self.rows => Err(Stop::Moved(format!(
                "received {} rows, but the count is {count}",
                self.rows
            ))),
            _ => Ok(()),
        }
    }
}

/// Returns whether the end marker came. `finish` is content without one, but only
/// after the marker is one byte more an error.
fn has_ended(decoder: &mut StreamDecoder) -> bool {
    let one_more = decoder.decode(&mut Buffer::from_vec(vec![0u8]));
    one_more.is_err() && decoder.finish().is_ok()
}

/// Why a batch does not fit its contract.
#[derive(Debug)]
pub(super) enum Wrong {
    Row(RowError),
    Column(String),
}

/// Returns the batch with exactly the contract's columns and types, and the names
/// of the columns left out. `before` rows came before it.
///
/// A value may come in every form that loses nothing: text in any of Arrow's, a number or
/// a date in any width that holds it.
pub(super) fn conform(
    batch: &RecordBatch,
    contract: &Contract,
    before: u64,
) -> Result<(RecordBatch, Vec<String>), Wrong> {
    let columns = contract.columns.iter().map(|column| {
        let typed = typed(batch, column, before)?;
        check_rows(&typed, column, before).map_err(Wrong::Row)?;
        Ok(typed)
    });
    let columns = columns.collect::<Result<Vec<_>, Wrong>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let rows = RecordBatch::try_new_with_options(contract.arrow(), columns, &options)
        .map_err(|error| Wrong::Column(error.to_string()))?;
    let unknown = batch.schema_ref().fields().iter().map(|field| field.name());
    let unknown = unknown.filter(|name| contract.column(name).is_none());
    Ok((rows, unknown.cloned().collect()))
}

fn typed(batch: &RecordBatch, column: &Column, before: u64) -> Result<ArrayRef, Wrong> {
    let wanted = column.data_type.arrow();
    let Some(array) = batch.column_by_name(&column.name) else {
        return if column.nullable {
            Ok(new_null_array(&wanted, batch.num_rows()))
        } else {
            let reason = format!("column `{}` is missing", column.name);
            Err(Wrong::Column(reason))
        };
    };
    if array.data_type() == &wanted {
        return Ok(array.clone());
    }
    let there = array.data_type();
    if column.data_type.holds(there) {
        return cast(array, &wanted).map_err(|error| unreadable(column, &error));
    }
    if !column.data_type.may_hold(there) {
        return Err(Wrong::Column(format!(
            "column `{}` must be {}, not {}",
            column.name, column.data_type, there
        )));
    }
    exactly(array, column, before)
}

/// Returns values of a wider type as the contract's, where nothing is lost.
fn exactly(array: &ArrayRef, column: &Column, before: u64) -> Result<ArrayRef, Wrong> {
    let failed = |error: ArrowError| unreadable(column, &error);
    let fitted = cast(array, &column.data_type.arrow()).map_err(failed)?;
    let back = cast(&fitted, array.data_type()).map_err(failed)?;
    let lost = distinct(array, &back).map_err(failed)?;
    let Some(row) = (0..lost.len()).find(|row| lost.value(*row)) else {
        return Ok(fitted);
    };
    let value = array_value_to_string(array, row).map_err(failed)?;
    Err(Wrong::Row(RowError {
        row: before + row as u64 + 1,
        field: column.name.clone(),
        reason: format!("must be {}, not {value}", column.data_type),
    }))
}

fn unreadable(column: &Column, error: &ArrowError) -> Wrong {
    Wrong::Column(format!("column `{}`: {error}", column.name))
}

fn check_rows(array: &ArrayRef, column: &Column, before: u64) -> Result<(), RowError> {
    let wrong = |row: usize, reason: String| RowError {
        row: before + row as u64 + 1,
        field: column.name.clone(),
        reason,
    };
    if !column.nullable && array.null_count() > 0 {
        let row = (0..array.len())
            .find(|row| array.is_null(*row))
            .unwrap_or(0);
        return Err(wrong(row, "must not be null".to_owned()));
    }
    if let Some(decimals) = array.as_primitive_opt::<Decimal128Type>() {
        let below = |row: &usize| decimals.is_valid(*row) && decimals.value(*row) < 0;
        // Whether there is one at all is found sooner without looking for which.
        let lowest = decimals
            .values()
            .iter()
            .fold(0, |signs, value| signs | value);
        if let Some(row) = (0..decimals.len()).filter(|_| lowest < 0).find(below) {
            let value = decimals.value_as_string(row);
            return Err(wrong(row, format!("must not be negative, but is {value}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Decimal128Array;

    use super::*;

    /// Returns a price of 18 places as the contract's decimal(10,2), from row 6 on.
    fn price(value: Option<i128>) -> Result<i128, String> {
        let column = Column::parse("price", "decimal(10,2) not null").unwrap();
        let contract = Contract {
            columns: vec![column],
        };
        let prices = Decimal128Array::from(vec![Some(0), value]);
        let prices = prices.with_precision_and_scale(38, 18).unwrap();
        let prices: ArrayRef = Arc::new(prices);
        let batch = RecordBatch::try_from_iter([("price", prices)]).unwrap();
        match conform(&batch, &contract, 5) {
            Ok((rows, _)) => Ok(rows.column(0).as_primitive::<Decimal128Type>().value(1)),
            Err(Wrong::Row(wrong)) => Err(format!("{}: {}", wrong.row, wrong.reason)),
            Err(Wrong::Column(reason)) => Err(reason),
        }
    }

    #[test]
    fn a_decimal_of_more_places_is_taken_where_they_are_zeros() {
        let unit = 10i128.pow(18);
        assert_eq!(price(Some(598 * unit / 100)), Ok(598));
        let wrong = "7: must be decimal(10,2), not 5.980000000000000001";
        assert_eq!(price(Some(598 * unit / 100 + 1)), Err(wrong.to_owned()));
        let wrong = "7: must be decimal(10,2), not 100000000.000000000000000000";
        assert_eq!(price(Some(100_000_000 * unit)), Err(wrong.to_owned()));
        assert_eq!(
            price(Some(-unit)).unwrap_err(),
            "7: must not be negative, but is -1.00"
        );
        assert_eq!(price(None), Err("7: must not be null".to_owned()));
    }
}
