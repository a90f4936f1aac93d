//! Rows as CSV, which come back as they were written.
//!
//! In go batches or the bytes of a file, out come the bytes or batches of a contract. The
//! first line has the columns' names; a value is written as it is in JSON, a list or a
//! record as JSON. An empty cell is null, and `""` the empty text; a text with a comma, a
//! quote or the end of a line is in quotes, which are doubled within. Unlike what `load`
//! reads this is never guessed at: what we would not write is an error.

use std::io::{self, Read, Write};

use datafusion::arrow::{datatypes::Schema, record_batch::RecordBatch};
use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::{
    dataset::{Column, ColumnType, Contract},
    json::{self, Decoder, Forms, RowError, encode_rows_as},
};

/// Why a file is not the CSV of a contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row or a value is not as it would be written.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// The quotes do not fit together, or a line is too short or too long.
    #[error("line {line}: {reason}")]
    Malformed {
        /// The line on which the row begins, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The first line has other names than the contract.
    #[error("the columns are {found}, but the contract declares {wanted}")]
    Columns {
        /// Those of the file.
        found: String,
        /// Those of the contract.
        wanted: String,
    },
    /// The bytes could not be read.
    #[error("could not read the file")]
    Io(#[from] io::Error),
}

/// A result of this module.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Writes rows, after a line with the columns' names.
pub(crate) struct Writer<W> {
    out: W,
    forms: Forms,
}

impl<W: Write> Writer<W> {
    /// Writes the names.
    pub(crate) fn new(out: W, schema: &Schema) -> Result<Writer<W>, json::Error> {
        Writer::with(out, schema, Forms::Contract)
    }

    /// Writes the names; the values have these forms.
    pub(crate) fn with(
        mut out: W,
        schema: &Schema,
        forms: Forms,
    ) -> Result<Writer<W>, json::Error> {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        write_line(&mut out, names.map(|name| cell(name, false)))?;
        Ok(Writer { out, forms })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), json::Error> {
        let mut rows = Vec::new();
        encode_rows_as(batch, "\n", self.forms, &mut rows)?;
        for row in rows
            .split(|byte| *byte == b'\n')
            .filter(|row| !row.is_empty())
        {
            let values: IndexMap<String, &RawValue> =
                serde_json::from_slice(row).map_err(io::Error::from)?;
            let cells = values.values().map(|value| of_json(value.get()));
            let cells = cells.collect::<serde_json::Result<Vec<_>>>();
            write_line(&mut self.out, cells.map_err(io::Error::from)?.into_iter())?;
        }
        Ok(())
    }

    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

/// Returns the cell of a value.
fn of_json(value: &str) -> serde_json::Result<String> {
    Ok(match value.as_bytes() {
        b"null" => String::new(),
        [b'"', ..] => cell(&serde_json::from_str::<String>(value)?, true),
        _ => cell(value, false),
    })
}

/// Returns the text of a cell, in quotes where it needs them.
fn cell(text: &str, is_value: bool) -> String {
    let is_special = text.contains(['"', ',', '\n', '\r']);
    match is_special || (is_value && text.is_empty()) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn write_line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let line: Vec<String> = cells.collect();
    writeln!(out, "{}", line.join(","))
}

/// Reads rows of the contract, and gives them to `sink` in batches of `batch_rows`.
///
/// # Errors
///
/// The first row that is not as it would be written.
pub(crate) fn decode<E: From<Error>>(
    from: impl Read,
    contract: &Contract,
    batch_rows: usize,
    mut sink: impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    let mut records = Records::new(from);
    records.header(contract)?;
    let mut decoder = Decoder::new(contract);
    let mut row = 0;
    while let Some(fields) = records.row(contract.columns.len())? {
        row += 1;
        let object = object(contract, &fields, row).map_err(Error::from)?;
        decoder.row(&object).map_err(Error::from)?;
        if decoder.rows() == batch_rows {
            sink(decoder.take().map_err(Error::from)?)?;
        }
    }
    if decoder.rows() > 0 {
        sink(decoder.take().map_err(Error::from)?)?;
    }
    Ok(())
}

/// Returns a row as an object of JSON.
fn object(contract: &Contract, fields: &[Field], row: u64) -> Result<String, json::Error> {
    let mut members = Vec::new();
    for (column, field) in contract.columns.iter().zip(fields) {
        let name = serde_json::Value::from(column.name.as_str());
        let value = value(column, field).ok_or_else(|| RowError {
            row,
            field: column.name.clone(),
            reason: format!("must be {}, not `{}`", column.data_type, field.text),
        })?;
        members.push(format!("{name}:{value}"));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

/// Returns a cell's value in JSON, if it can be one of the column's type.
fn value(column: &Column, field: &Field) -> Option<String> {
    let is_text = column.data_type == ColumnType::Text;
    // Versions before this one wrote no quotes around an empty text.
    if field.text.is_empty() && !field.is_quoted && (column.nullable || !is_text) {
        return Some("null".to_owned());
    }
    match column.data_type {
        ColumnType::Bigint
        | ColumnType::Double
        | ColumnType::Boolean
        | ColumnType::List(_)
        | ColumnType::Struct(_) => {
            let raw: &RawValue = serde_json::from_str(&field.text).ok()?;
            Some(raw.get().to_owned())
        }
        ColumnType::Text
        | ColumnType::Date
        | ColumnType::Timestamp
        | ColumnType::Decimal { .. } => {
            Some(serde_json::Value::from(field.text.as_str()).to_string())
        }
    }
}

/// A cell as it is in the file.
#[derive(Debug, Default, PartialEq)]
struct Field {
    text: String,
    is_quoted: bool,
}

/// The rows of a file.
struct Records<R> {
    bytes: io::Bytes<io::BufReader<R>>,
    line: u64,
    /// The line on which the row began.
    begun: u64,
}

impl<R: Read> Records<R> {
    fn new(from: R) -> Records<R> {
        Records {
            bytes: io::BufReader::new(from).bytes(),
            line: 1,
            begun: 1,
        }
    }

    /// Reads the names, and checks that they are the contract's.
    fn header(&mut self, contract: &Contract) -> Result<()> {
        let fields = self.record()?.unwrap_or_default();
        let found: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
        let wanted: Vec<&str> = contract.names().collect();
        match found == wanted {
            true => Ok(()),
            false => Err(Error::Columns {
                found: found.join(", "),
                wanted: wanted.join(", "),
            }),
        }
    }

    /// Reads a row of so many cells.
    fn row(&mut self, columns: usize) -> Result<Option<Vec<Field>>> {
        let fields = self.record()?;
        match &fields {
            Some(fields) if fields.len() != columns => {
                let reason = format!("expected {columns} cells, found {}", fields.len());
                Err(self.malformed(&reason))
            }
            _ => Ok(fields),
        }
    }

    fn record(&mut self) -> Result<Option<Vec<Field>>> {
        self.begun = self.line;
        let Some(first) = self.byte()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        let mut first = Some(first);
        loop {
            let (field, goes_on) = self.field(first)?;
            fields.push(field);
            if !goes_on {
                return Ok(Some(fields));
            }
            first = self.byte()?;
        }
    }

    /// Reads a cell, and says whether another follows on its line.
    fn field(&mut self, first: Option<u8>) -> Result<(Field, bool)> {
        let mut bytes = Vec::new();
        let is_quoted = first == Some(b'"');
        let mut next = match is_quoted {
            true => self.quoted(&mut bytes)?,
            false => first,
        };
        loop {
            let goes_on = match next {
                Some(b',') => true,
                None | Some(b'\n') => false,
                Some(b'\r') if self.byte()? == Some(b'\n') => false,
                Some(byte) if !is_quoted && !matches!(byte, b'"' | b'\r') => {
                    bytes.push(byte);
                    next = self.byte()?;
                    continue;
                }
                Some(_) => return Err(self.malformed("a quote or a line's end within a cell")),
            };
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| self.malformed("the text is not UTF-8"))?;
            return Ok((Field { text, is_quoted }, goes_on));
        }
    }

    /// Reads what is within quotes, and returns the byte after them.
    fn quoted(&mut self, bytes: &mut Vec<u8>) -> Result<Option<u8>> {
        loop {
            match self.byte()? {
                None => return Err(self.malformed("a quote is never closed")),
                Some(b'"') => match self.byte()? {
                    Some(b'"') => bytes.push(b'"'),
                    after => return Ok(after),
                },
                Some(byte) => bytes.push(byte),
            }
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.bytes.next().transpose()?;
        self.line += u64::from(byte == Some(b'\n'));
        Ok(byte)
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Malformed {
            line: self.begun,
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
        StringArray, TimestampMicrosecondArray,
        builder::{ListBuilder, StringBuilder},
    };
    use proptest::{collection, option, prelude::*};

    use super::*;

    fn contract(columns: &[(&str, &str)]) -> Contract {
        let columns = columns.iter();
        let columns = columns.map(|(name, declared)| Column::parse(name, declared).unwrap());
        Contract {
            columns: columns.collect(),
        }
    }

    fn written(batch: &RecordBatch) -> String {
        let mut writer = Writer::new(Vec::new(), batch.schema_ref()).unwrap();
        writer.write(batch).unwrap();
        String::from_utf8(writer.into_inner()).unwrap()
    }

    fn read(text: &str, contract: &Contract) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        decode(text.as_bytes(), contract, 1000, |batch| {
            batches.push(batch);
            Ok::<(), Error>(())
        })?;
        Ok(batches)
    }

    fn texts(text: &str, declared: &str) -> Vec<Option<String>> {
        let contract = contract(&[("id", "bigint"), ("a", declared)]);
        let batches = read(text, &contract).unwrap();
        let texts = datafusion::arrow::compute::cast(
            batches[0].column(1),
            &datafusion::arrow::datatypes::DataType::Utf8,
        );
        let texts = texts.unwrap();
        let texts = datafusion::arrow::array::AsArray::as_string::<i32>(&texts);
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn null_and_the_empty_text_differ_and_lines_end_in_one_or_two_characters() {
        let some = |text: &str| Some(text.to_owned());
        let text = "id,a\n1,\n2,\"\"\n3,\"x\r\ny\"\r\n4,a \"\"b\n";
        assert!(read(text, &contract(&[("id", "bigint"), ("a", "text")])).is_err());
        let text = "id,a\n1,\n2,\"\"\n3,\"x\r\ny\"\r\n4,\"say \"\"b\"\"\"\n5,last";
        let wanted = [
            None,
            some(""),
            some("x\r\ny"),
            some("say \"b\""),
            some("last"),
        ];
        assert_eq!(texts(text, "text"), wanted);
        // What versions before this one wrote: no text is null where none may be.
        assert_eq!(
            texts("id,a\n1,\n2,\"\"\n", "text not null"),
            [some(""), some("")]
        );
    }

    #[test]
    fn what_would_not_be_written_so_is_an_error_with_its_line() {
        let of = contract(&[("id", "bigint not null"), ("a", "text")]);
        for (text, says) in [
            (
                "id,b\n",
                "the columns are id, b, but the contract declares id, a",
            ),
            ("", "the columns are , but the contract declares id, a"),
            ("id,a\n1,\"x\ny\n", "line 2: a quote is never closed"),
            ("id,a\n1,x\n2,\"x\"y\n", "line 3: a quote"),
            ("id,a\n1\n", "line 2: expected 2 cells, found 1"),
            ("id,a\n1,x,y\n", "line 2: expected 2 cells, found 3"),
            ("id,a\nx,y\n", "row 1, field `id`: must be bigint, not `x`"),
            ("id,a\n1,a\n,b\n", "row 2, field `id`"),
            ("id,a\n\"1,\"\"a\"\":2\",b\n", "row 1, field `id`"),
        ] {
            let error = read(text, &of).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        let special = proptest::sample::select(vec![
            "", "\"", ",", "\r", "\n", "\r\n", " ", "null", "\"\"", "\t", "é", "😀", "\u{feff}",
            "\\N",
        ]);
        collection::vec(
            prop_oneof![special.prop_map(str::to_owned), "\\PC{0,3}"],
            0..5,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were_written(rows in collection::vec(
            (
                (any::<i64>(), option::of(any::<i64>()), option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL)),
                (option::of(any::<bool>()), any_text(), option::of(any_text())),
                (option::of(-719_162i32..2_932_896), option::of(-62_135_596_800_000_000i64..253_402_300_799_999_999)),
                (option::of(-(10i128.pow(38) - 1)..10i128.pow(38)), option::of(-999i128..1000)),
                option::of(collection::vec(any_text(), 0..3)),
            ), 0..20))
        {
            let of = contract(&[
                ("id", "bigint not null"), ("n", "bigint"), ("d", "double"), ("b", "boolean"),
                ("t", "text not null"), ("o", "text"), ("day", "date"), ("at", "timestamp"),
                ("big", "decimal(38,10)"), ("small", "decimal(3,3)"), ("list", "text[]"),
            ]);
            let schema = of.arrow();
            let mut lists = ListBuilder::new(StringBuilder::new());
            for row in &rows {
                match &row.4 {
                    None => lists.append_null(),
                    Some(list) => lists.append_value(list.iter().map(Some)),
                }
            }
            let lists: ListArray = lists.finish();
            let decimals = |values: Vec<Option<i128>>, precision, scale| {
                Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap()
            };
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0.0))),
                Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0.1))),
                Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.0.2))),
                Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.1.0))),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1.1))),
                Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1.2.as_ref()))),
                Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.2.0))),
                Arc::new(TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.2.1))),
                Arc::new(decimals(rows.iter().map(|row| row.3.0).collect(), 38, 10)),
                Arc::new(decimals(rows.iter().map(|row| row.3.1).collect(), 3, 3)),
                Arc::new(lists),
            ];
            let columns = columns.into_iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| {
                datafusion::arrow::compute::cast(&column, field.data_type()).unwrap()
            });
            let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
            let back = read(&written(&batch), &of).unwrap();
            let back = datafusion::arrow::compute::concat_batches(&schema, &back).unwrap();
            prop_assert_eq!(format!("{batch:?}"), format!("{back:?}"));
            prop_assert_eq!(batch, back);
        }
    }
}
