//! Objects become rows of a contract.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::{Fields, SchemaRef},
    error::ArrowError,
};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Error, Result, RowError,
    value::{Values, Wrong, shown},
};
use crate::dataset::{Column, Contract};

/// How many names of unknown fields are told apart; the rest count as one.
const UNKNOWN_NAMES: usize = 256;
/// The name under which the rest counts.
const OTHERS: &str = "…";

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
    pub fn row(&mut self, text: &str) -> Result<()> {
        self.row += 1;
        match self.object.read(text) {
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

    /// Returns how many rows wait.
    pub fn rows(&self) -> usize {
        self.waiting
    }

    /// Returns whether the rows that wait fill a batch: Arrow's offsets end at 2 GiB.
    pub(super) fn is_full(&self, batch_rows: usize) -> bool {
        self.waiting >= batch_rows || self.object.text_bytes() > 64 << 20
    }

    /// Takes the rows that wait as one batch of the contract's Arrow schema.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.waiting);
        let (_, columns) = self.object.finish().map_err(impossible)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(impossible)
    }

    /// Returns the names of the fields seen that the contract does not know, with
    /// how often each was seen.
    pub fn unknown(&self) -> &BTreeMap<String, u64> {
        &self.object.unknown
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
            let mut fields = FieldsOf {
                object: &mut self.decoder.object,
                wrong: None,
            };
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

/// What keeps an object from being a row.
enum Fault {
    Wrong(Wrong),
    Syntax(serde_json::Error),
}

/// The columns of an object, growing row by row: a dataset's row, or a struct in it.
#[derive(Debug)]
pub(super) struct Object {
    columns: Vec<Growing>,
    /// Rows begun, which tells a field of this row from one of another.
    row: u64,
    /// How often each unknown name came.
    unknown: BTreeMap<String, u64>,
    /// The unknown names of this row.
    unknown_here: BTreeSet<String>,
}

#[derive(Debug)]
struct Growing {
    column: Column,
    values: Values,
    /// The row whose value was appended last.
    row: u64,
}

impl Object {
    pub(super) fn new(columns: &[Column], negative: bool) -> Object {
        let columns = columns.iter().map(|column| Growing {
            column: column.clone(),
            values: Values::new(&column.data_type, negative),
            row: 0,
        });
        Object {
            columns: columns.collect(),
            row: 0,
            unknown: BTreeMap::new(),
            unknown_here: BTreeSet::new(),
        }
    }

    /// Appends the struct that `raw` spells.
    pub(super) fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        self.read(raw).map_err(|fault| match fault {
            Fault::Wrong(wrong) => wrong,
            Fault::Syntax(error) => Wrong::new(error.to_string()),
        })
    }

    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut fields = FieldsOf {
            object: self,
            wrong: None,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = (&mut fields).deserialize(&mut deserializer);
        match fields.wrong {
            Some(wrong) => Err(Fault::Wrong(wrong)),
            None => read
                .and_then(|()| deserializer.end())
                .map_err(Fault::Syntax),
        }
    }

    /// Appends what stands below a null struct.
    pub(super) fn push_null(&mut self) {
        self.columns
            .iter_mut()
            .for_each(|column| column.values.push_null());
    }

    pub(super) fn text_bytes(&self) -> usize {
        let each = self.columns.iter().map(|column| column.values.text_bytes());
        each.max().unwrap_or(0)
    }

    pub(super) fn finish(&mut self) -> Result<(Fields, Vec<ArrayRef>), ArrowError> {
        let fields = self
            .columns
            .iter()
            .map(|column| column.column.arrow())
            .collect();
        let arrays = self.columns.iter_mut().map(|column| column.values.finish());
        Ok((fields, arrays.collect::<Result<_, _>>()?))
    }

    /// Returns the place of the column of that name, trying `expected` first: rows
    /// of one service list their fields in one order.
    fn place(&self, name: &str, expected: usize) -> Option<usize> {
        let is_it = |place: &usize| self.columns[*place].column.name == name;
        Some(expected)
            .filter(|place| *place < self.columns.len() && is_it(place))
            .or_else(|| (0..self.columns.len()).find(is_it))
    }

    fn field(&mut self, place: usize, raw: &str) -> Result<(), Wrong> {
        let growing = &mut self.columns[place];
        let at = |wrong: Wrong, name: &str| wrong.below(&format!(".{name}"));
        if growing.row == self.row {
            return Err(at(
                Wrong::new("stands twice in the object"),
                &growing.column.name,
            ));
        }
        growing.row = self.row;
        if raw != "null" {
            let pushed = growing.values.push(raw);
            return pushed.map_err(|wrong| at(wrong, &growing.column.name));
        }
        if !growing.column.nullable {
            return Err(at(Wrong::new("must not be null"), &growing.column.name));
        }
        growing.values.push_null();
        Ok(())
    }

    fn unknown_field(&mut self, name: &str) -> Result<(), Wrong> {
        if !self.unknown_here.insert(name.to_owned()) {
            return Err(Wrong::new("stands twice in the object").below(&format!(".{name}")));
        }
        if let Some(count) = self.unknown.get_mut(name) {
            *count += 1;
        } else if self.unknown.len() < UNKNOWN_NAMES {
            self.unknown.insert(name.to_owned(), 1);
        } else {
            *self.unknown.entry(OTHERS.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Fills in the fields that did not come.
    fn end_row(&mut self) -> Result<(), Wrong> {
        let row = self.row;
        for growing in self.columns.iter_mut().filter(|column| column.row != row) {
            if !growing.column.nullable {
                return Err(Wrong::new("is missing").below(&format!(".{}", growing.column.name)));
            }
            growing.values.push_null();
        }
        Ok(())
    }
}

/// Reads one object's fields.
struct FieldsOf<'a> {
    object: &'a mut Object,
    wrong: Option<Wrong>,
}

impl FieldsOf<'_> {
    fn check<E: serde::de::Error>(&mut self, done: Result<(), Wrong>) -> Result<(), E> {
        done.map_err(|wrong| {
            self.wrong = Some(wrong);
            E::custom("ill-typed")
        })
    }

    fn no_object<E: serde::de::Error>(&mut self, raw: &str) -> Result<(), E> {
        let reason = format!("must be an object, not {}", shown(raw));
        self.check(Err(Wrong::new(reason)))
    }
}

impl<'de> DeserializeSeed<'de> for &mut FieldsOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut FieldsOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.object.row += 1;
        self.object.unknown_here.clear();
        let mut expected = 0;
        while let Some(name) = map.next_key_seed(Name {
            object: self.object,
            expected,
        })? {
            let raw = map.next_value::<&RawValue>()?.get();
            match name {
                Key::Known(place) => {
                    expected = place + 1;
                    let done = self.object.field(place, raw);
                    self.check(done)?;
                }
                Key::Unknown(name) => {
                    let done = self.object.unknown_field(&name);
                    self.check(done)?;
                }
            }
        }
        let done = self.object.end_row();
        self.check(done)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.no_object("a list")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.no_object(&format!("{text:?}"))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.no_object(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.no_object(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.no_object(&value.to_string())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.no_object(&value.to_string())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.no_object("null")
    }
}

/// A field's name: a column's place, or a name the contract does not know.
enum Key {
    Known(usize),
    Unknown(String),
}

struct Name<'a> {
    object: &'a Object,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Key, E> {
        let known = self.object.place(name, self.expected).map(Key::Known);
        Ok(known.unwrap_or_else(|| Key::Unknown(name.to_owned())))
    }
}
