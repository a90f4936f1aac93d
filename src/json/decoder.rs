//! Objects become rows of a contract.

use std::collections::BTreeMap;

use datafusion::arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
    error::ArrowError,
};
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::{
    Error, Result, RowError,
    cursor::Cursor,
    object::{Fault, FieldsOf, Object},
    value::Wrong,
};
use crate::dataset::Contract;

/// Collects rows into batches of a contract.
///
/// Rows number from 1. After an error the decoder is of no more use.
#[derive(Debug)]
pub struct Decoder {
    schema: SchemaRef,
    object: Object,
    row: u64,
    waiting: usize,
}

impl Decoder {
    /// Starts a decoder.
    pub fn new(contract: &Contract) -> Decoder {
        Decoder::build(contract, true)
    }

    /// Starts a decoder of an export's rows, where a decimal is a price: one below
    /// zero is ill-typed.
    pub fn for_export(contract: &Contract) -> Decoder {
        Decoder::build(contract, false)
    }

    fn build(contract: &Contract, negative: bool) -> Decoder {
        Decoder {
            schema: contract.arrow(),
            object: Object::new(&contract.columns, negative),
            row: 0,
            waiting: 0,
        }
    }

    /// Decodes the whole text of a JSON array of objects (a page's `results`).
    ///
    /// # Errors
    /// The first field that is ill-typed, or the first place that is not JSON.
    pub fn array(&mut self, text: &str) -> Result<()> {
        let mut cursor = Cursor::new(text);
        let usual = self.usual(|decoder| {
            decoder.take_array(&mut cursor)?;
            cursor.end()
        });
        match usual {
            Some(()) => Ok(()),
            None => self.parse_array(text),
        }
    }

    /// Reads an array of objects of the usual form. Where it is not, the decoder is
    /// of no more use.
    pub(crate) fn take_array(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let count = self.object.take_all(cursor)?;
        self.waiting += count;
        self.row += count as u64;
        Some(())
    }

    /// Reads what has the usual form, or else forgets what was read of it.
    fn usual(&mut self, read: impl FnOnce(&mut Decoder) -> Option<()>) -> Option<()> {
        let (waiting, row) = (self.waiting, self.row);
        let counts = self.object.counts();
        let done = read(self);
        if done.is_none() {
            (self.waiting, self.row) = (waiting, row);
            self.object.truncate(waiting);
            self.object.set_counts(&counts);
        }
        done
    }

    pub(super) fn parse_array(&mut self, text: &str) -> Result<()> {
        let mut rows = Rows {
            decoder: self,
            error: None,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = deserializer.deserialize_seq(&mut rows);
        if let Some(error) = rows.error {
            return Err(error.into());
        }
        read.and_then(|()| deserializer.end()).map_err(syntax)
    }

    /// Decodes the text of one object.
    ///
    /// # Errors
    /// Text that is not an object, and a value that breaks the contract, named with its
    /// row and field; the rows before are kept.
    pub fn row(&mut self, text: &str) -> Result<()> {
        let mut cursor = Cursor::new(text);
        let usual = self.usual(|decoder| {
            decoder.object.take(&mut cursor)?;
            cursor.end()
        });
        self.row += 1;
        let read = match usual {
            Some(()) => Ok(()),
            None => self.object.read(text),
        };
        match read {
            Ok(()) => {
                self.waiting += 1;
                Ok(())
            }
            Err(Fault::Wrong(wrong)) => Err(self.row_error(wrong).into()),
            Err(Fault::Syntax(error)) => Err(syntax(error)),
        }
    }

    fn row_error(&self, wrong: Wrong) -> RowError {
        RowError {
            row: self.row,
            field: wrong.path.trim_start_matches('.').to_owned(),
            reason: wrong.reason,
        }
    }

    /// Returns how many rows are collected.
    pub fn rows(&self) -> usize {
        self.waiting
    }

    /// Returns whether the collected rows fill a batch: Arrow's offsets end at 2 GiB.
    pub(super) fn is_full(&self, batch_rows: usize) -> bool {
        self.waiting >= batch_rows || self.object.text_bytes() > 64 << 20
    }

    /// Takes the collected rows as one batch of the contract's Arrow schema.
    ///
    /// # Errors
    /// Returns an error when Arrow cannot hold the rows in one batch.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.waiting);
        let (_, columns) = self.object.finish().map_err(impossible)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(impossible)
    }

    /// Returns the names of the fields seen that the contract does not know, with
    /// how often each was seen.
    pub fn unknown(&self) -> BTreeMap<String, u64> {
        self.object.unknown()
    }
}

fn syntax(source: serde_json::Error) -> Error {
    Error::Syntax {
        line: source.line(),
        column: source.column(),
        source,
    }
}

/// The builders keep to the contract, so Arrow has nothing to refuse.
fn impossible(error: ArrowError) -> Error {
    Error::Value {
        column: String::new(),
        reason: error.to_string(),
    }
}

/// Reads the rows of an array.
struct Rows<'a> {
    decoder: &'a mut Decoder,
    error: Option<RowError>,
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let mut fields = FieldsOf::new(&mut self.decoder.object);
            self.decoder.row += 1;
            let read = seq.next_element_seed(&mut fields);
            if let Some(wrong) = fields.wrong {
                self.error = Some(self.decoder.row_error(wrong));
            }
            match read? {
                Some(()) => self.decoder.waiting += 1,
                None => {
                    self.decoder.row -= 1;
                    return Ok(());
                }
            }
        }
    }
}
