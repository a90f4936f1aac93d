//! Objects become rows of columns: the general way, by serde_json.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use datafusion::arrow::{array::ArrayRef, datatypes::Fields, error::ArrowError};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::value::{Values, Wrong, shown};
use crate::dataset::Column;

/// How many names of unknown fields are counted separately; the rest count as one.
const UNKNOWN_NAMES: usize = 256;
/// The name under which the rest counts.
const OTHERS: &str = "…";

/// What keeps an object from being a row.
pub(super) enum Fault {
    Wrong(Wrong),
    Syntax(serde_json::Error),
}

/// The columns of an object, growing row by row: a dataset's row, or a struct in it.
#[derive(Debug)]
pub(super) struct Object {
    fields: Vec<Field>,
    unknown: Vec<Unknown>,
    /// How many fields have a name for which `unknown` had no room.
    others: u64,
    /// Their names in this row.
    others_here: BTreeSet<String>,
    /// Rows begun, which distinguishes a field of this row from one of another.
    row: u64,
    /// Which field came first, second …: rows of one service list theirs in one order.
    order: Vec<Slot>,
}

/// A field that the contract knows.
#[derive(Debug)]
pub(super) struct Field {
    column: Column,
    pub(super) values: Values,
    /// The name and its colon, as they are usually spelled.
    spelled: Vec<u8>,
    /// The row in which it came last.
    row: u64,
}

/// A field that the contract does not know.
#[derive(Debug)]
struct Unknown {
    name: String,
    spelled: Vec<u8>,
    count: u64,
    row: u64,
}

/// Which of the fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Known(usize),
    Unknown(usize),
}

fn spelled(name: &str) -> Vec<u8> {
    format!("{}:", serde_json::Value::from(name)).into_bytes()
}

impl Object {
    pub(super) fn new(columns: &[Column], negative: bool) -> Object {
        let fields = columns.iter().map(|column| Field {
            column: column.clone(),
            values: Values::new(&column.data_type, negative),
            spelled: spelled(&column.name),
            row: 0,
        });
        Object {
            fields: fields.collect(),
            unknown: Vec::new(),
            others: 0,
            others_here: BTreeSet::new(),
            row: 0,
            order: (0..columns.len()).map(Slot::Known).collect(),
        }
    }

    /// Appends the struct that `raw` spells.
    pub(super) fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        self.read(raw).map_err(|fault| match fault {
            Fault::Wrong(wrong) => wrong,
            Fault::Syntax(error) => Wrong::new(error.to_string()),
        })
    }

    /// Appends the row that `text` spells.
    pub(super) fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut fields = FieldsOf::new(self);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = (&mut fields).deserialize(&mut deserializer);
        match fields.wrong {
            Some(wrong) => Err(Fault::Wrong(wrong)),
            None => read
                .and_then(|()| deserializer.end())
                .map_err(Fault::Syntax),
        }
    }

    /// Appends nulls to the fields below a null struct.
    pub(super) fn push_null(&mut self) {
        self.fields
            .iter_mut()
            .for_each(|field| field.values.push_null());
    }

    /// Forgets what was appended after that many rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.fields
            .iter_mut()
            .for_each(|field| field.values.truncate(rows));
    }

    pub(super) fn text_bytes(&self) -> usize {
        let each = self.fields.iter().map(|field| field.values.text_bytes());
        each.max().unwrap_or(0)
    }

    pub(super) fn finish(&mut self) -> Result<(Fields, Vec<ArrayRef>), ArrowError> {
        let fields = self.fields.iter().map(|field| field.column.arrow());
        let fields: Fields = fields.collect();
        let arrays = self.fields.iter_mut().map(|field| {
            let data_type = field.column.data_type.arrow();
            field.values.finish(data_type)
        });
        Ok((fields, arrays.collect::<Result<_, _>>()?))
    }

    /// Returns the names of the fields that the contract does not know, with how
    /// often each came.
    pub(super) fn unknown(&self) -> BTreeMap<String, u64> {
        let counted = self
            .unknown
            .iter()
            .map(|field| (field.name.as_str(), field.count));
        let counted = counted.chain([(OTHERS, self.others)]);
        let counted = counted.filter(|(_, count)| *count > 0);
        counted
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    }

    /// Returns how often each unknown field came, for `set_counts`.
    pub(super) fn counts(&self) -> Vec<u64> {
        self.unknown.iter().map(|field| field.count).collect()
    }

    /// Forgets the unknown fields that came since.
    pub(super) fn set_counts(&mut self, counts: &[u64]) {
        let counts = counts.iter().copied().chain(std::iter::repeat(0));
        for (field, count) in self.unknown.iter_mut().zip(counts) {
            field.count = count;
        }
    }

    pub(super) fn begin_row(&mut self) {
        self.row += 1;
        self.others_here.clear();
    }

    /// Fills in the fields that did not come.
    pub(super) fn end_row(&mut self) -> Result<(), Wrong> {
        let row = self.row;
        for field in self.fields.iter_mut().filter(|field| field.row != row) {
            if !field.column.nullable {
                return Err(field.wrong("is missing"));
            }
            field.values.push_null();
        }
        Ok(())
    }

    /// Returns which field came as the `nth` of the row before, and how its name is
    /// spelled.
    pub(super) fn foretold(&self, nth: usize) -> Option<(Slot, &[u8])> {
        let place = *self.order.get(nth)?;
        Some((
            place,
            match place {
                Slot::Known(at) => &self.fields[at].spelled,
                Slot::Unknown(at) => &self.unknown[at].spelled,
            },
        ))
    }

    /// Expects the field as the `nth` of the next row.
    pub(super) fn foretell(&mut self, nth: usize, place: Slot) {
        match self.order.get_mut(nth) {
            Some(foretold) => *foretold = place,
            None => self.order.push(place),
        }
    }

    /// Returns the place of the field of that name; `None` where unknown names have
    /// no more room.
    pub(super) fn place(&mut self, name: &str) -> Option<Slot> {
        let known = self
            .fields
            .iter()
            .position(|field| field.column.name == name);
        if let Some(at) = known {
            return Some(Slot::Known(at));
        }
        let seen = self.unknown.iter().position(|field| field.name == name);
        if seen.is_none() && self.unknown.len() < UNKNOWN_NAMES {
            self.unknown.push(Unknown {
                name: name.to_owned(),
                spelled: spelled(name),
                count: 0,
                row: 0,
            });
            return Some(Slot::Unknown(self.unknown.len() - 1));
        }
        seen.map(Slot::Unknown)
    }

    /// Notes that the field has come in this row; `None` if it came before.
    pub(super) fn come(&mut self, place: Slot) -> Option<()> {
        let last = match place {
            Slot::Known(at) => &mut self.fields[at].row,
            Slot::Unknown(at) => &mut self.unknown[at].row,
        };
        if mem::replace(last, self.row) == self.row {
            return None;
        }
        if let Slot::Unknown(at) = place {
            self.unknown[at].count += 1;
        }
        Some(())
    }

    pub(super) fn known(&mut self, place: Slot) -> Option<&mut Field> {
        match place {
            Slot::Known(at) => self.fields.get_mut(at),
            Slot::Unknown(_) => None,
        }
    }

    /// Takes the value of a field that the general way has come to.
    fn field(&mut self, key: &Key, raw: &str) -> Result<(), Wrong> {
        let twice =
            |name: &str| Wrong::new("appears twice in the object").below(&format!(".{name}"));
        match key {
            Key::Field(place) => match self.come(*place) {
                None => Err(twice(self.name(*place))),
                Some(()) => self.known(*place).map_or(Ok(()), |field| field.push(raw)),
            },
            Key::Other(name) if !self.others_here.insert(name.clone()) => Err(twice(name)),
            Key::Other(_) => {
                self.others += 1;
                Ok(())
            }
        }
    }

    fn name(&self, place: Slot) -> &str {
        match place {
            Slot::Known(at) => &self.fields[at].column.name,
            Slot::Unknown(at) => &self.unknown[at].name,
        }
    }
}

impl Field {
    fn push(&mut self, raw: &str) -> Result<(), Wrong> {
        if raw != "null" {
            let pushed = self.values.push(raw);
            return pushed.map_err(|wrong| wrong.below(&format!(".{}", self.column.name)));
        }
        self.take_null()
            .ok_or_else(|| self.wrong("must not be null"))
    }

    /// Appends a null, where there may be one.
    pub(super) fn take_null(&mut self) -> Option<()> {
        self.column.nullable.then(|| self.values.push_null())
    }

    fn wrong(&self, reason: &str) -> Wrong {
        Wrong::new(reason).below(&format!(".{}", self.column.name))
    }
}

/// Reads one object's fields.
pub(super) struct FieldsOf<'a> {
    object: &'a mut Object,
    pub(super) wrong: Option<Wrong>,
}

impl FieldsOf<'_> {
    pub(super) fn new(object: &mut Object) -> FieldsOf<'_> {
        FieldsOf {
            object,
            wrong: None,
        }
    }

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
        self.object.begin_row();
        while let Some(key) = map.next_key_seed(Name(self.object))? {
            let raw = map.next_value::<&RawValue>()?.get();
            let done = self.object.field(&key, raw);
            self.check(done)?;
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

/// A field by its name.
enum Key {
    Field(Slot),
    Other(String),
}

struct Name<'a>(&'a mut Object);

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
        let place = self.0.place(name).map(Key::Field);
        Ok(place.unwrap_or_else(|| Key::Other(name.to_owned())))
    }
}
