//! Rows become text, to the byte as the format says.

use std::io;

use chrono::{DateTime, Datelike, Days, NaiveDate, SecondsFormat};
use datafusion::arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
        GenericListArray, Int64Array, LargeStringArray, OffsetSizeTrait, StringArray,
        StringViewArray, StructArray, TimestampMicrosecondArray,
    },
    compute::cast,
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
    record_batch::RecordBatch,
};

use super::{Error, Forms, Layout, Result, any::Any};

/// How much is gathered before it is written.
const CHUNK_BYTES: usize = 64 << 10;

/// Writes batches as JSON, to the byte as the format says.
#[derive(Debug)]
pub struct Writer<W: io::Write> {
    out: W,
    layout: Layout,
    forms: Forms,
    rows: u64,
    chunk: Vec<u8>,
}

impl<W: io::Write> Writer<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// None so far: the file's start is written with its first rows.
    pub fn new(out: W, layout: Layout) -> Result<Writer<W>> {
        Ok(Writer::with(out, layout, Forms::Contract))
    }

    /// Starts a file of values that have these forms.
    pub(crate) fn with(out: W, layout: Layout, forms: Forms) -> Writer<W> {
        let chunk = match layout {
            Layout::Array => b"[\n".to_vec(),
            Layout::Lines => Vec::new(),
        };
        Writer {
            out,
            layout,
            forms,
            rows: 0,
            chunk,
        }
    }

    /// Writes a batch's rows.
    ///
    /// # Errors
    /// A double that is NaN or infinite, and a type that has no JSON, name their column.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let row = Row::new(batch, self.forms)?;
        for at in 0..batch.num_rows() {
            if self.rows > 0 && self.layout == Layout::Array {
                self.chunk.extend_from_slice(b",\n");
            }
            row.encode(at, &mut self.chunk)?;
            if self.layout == Layout::Lines {
                self.chunk.push(b'\n');
            }
            self.rows += 1;
            if self.chunk.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the file and returns what was written to.
    ///
    /// # Errors
    /// Returns an error when the last rows cannot be written.
    pub fn finish(mut self) -> Result<W> {
        if self.layout == Layout::Array {
            let end: &[u8] = if self.rows > 0 { b"\n]\n" } else { b"]\n" };
            self.chunk.extend_from_slice(end);
        }
        self.flush()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

/// Appends each row of a batch as one object, separated by `separator`.
///
/// # Errors
/// As [`Writer::write`].
pub fn encode_rows(batch: &RecordBatch, separator: &str, out: &mut Vec<u8>) -> Result<()> {
    encode_rows_as(batch, separator, Forms::Contract, out)
}

/// Does the same for values that have these forms.
pub(crate) fn encode_rows_as(
    batch: &RecordBatch,
    separator: &str,
    forms: Forms,
    out: &mut Vec<u8>,
) -> Result<()> {
    let row = Row::new(batch, forms)?;
    for at in 0..batch.num_rows() {
        if at > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        row.encode(at, out)?;
    }
    Ok(())
}

/// A row's columns, each behind the text that comes before its value.
struct Row {
    fields: Vec<(Vec<u8>, Values)>,
}

impl Row {
    fn new(batch: &RecordBatch, forms: Forms) -> Result<Row> {
        Row::of(batch.schema().fields(), batch.columns(), "", forms)
    }

    fn of(
        fields: &datafusion::arrow::datatypes::Fields,
        columns: &[ArrayRef],
        below: &str,
        forms: Forms,
    ) -> Result<Row> {
        let fields = fields
            .iter()
            .zip(columns)
            .enumerate()
            .map(|(i, (field, column))| {
                let path = format!("{below}{}", field.name());
                let mut before = if i == 0 { b"{".to_vec() } else { b",".to_vec() };
                push_text(field.name(), &mut before)?;
                before.push(b':');
                Ok((before, Values::new(column, &path, forms)?))
            });
        Ok(Row {
            fields: fields.collect::<Result<_>>()?,
        })
    }

    fn encode(&self, at: usize, out: &mut Vec<u8>) -> Result<()> {
        if self.fields.is_empty() {
            out.push(b'{');
        }
        for (before, values) in &self.fields {
            out.extend_from_slice(before);
            values.encode(at, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// One column, ready to be written.
struct Values {
    path: String,
    typed: Typed,
    column: ArrayRef,
    forms: Forms,
}

enum Typed {
    Null,
    Bigint(Int64Array),
    Double(Float64Array),
    Boolean(BooleanArray),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    Decimal(Decimal128Array, usize),
    List(GenericListArray<i32>, Box<Values>),
    LargeList(GenericListArray<i64>, Box<Values>),
    Struct(Box<Row>),
    /// What no contract has.
    Any(Any),
}

impl Values {
    fn new(column: &ArrayRef, path: &str, forms: Forms) -> Result<Values> {
        Ok(Values {
            path: path.to_owned(),
            typed: Typed::new(column, path, forms)?,
            column: column.clone(),
            forms,
        })
    }

    fn encode(&self, at: usize, out: &mut Vec<u8>) -> Result<()> {
        if self.column.is_null(at) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let wrong = |reason: String| Error::Value {
            column: self.path.clone(),
            reason,
        };
        match &self.typed {
            Typed::Null => out.extend_from_slice(b"null"),
            Typed::Bigint(array) => push_integer(array.value(at), out),
            Typed::Double(array) => match (self.forms, array.value(at)) {
                (Forms::Any, value) => super::any::push_double(value, out),
                (Forms::Contract, value) => push_double(value, out).map_err(wrong)?,
            },
            Typed::Boolean(array) => out.extend_from_slice(truth(array.value(at))),
            Typed::Text(array) => push_text(array.value(at), out)?,
            Typed::LargeText(array) => push_text(array.value(at), out)?,
            Typed::TextView(array) => push_text(array.value(at), out)?,
            Typed::Date(array) => push_date(array.value(at), out).map_err(wrong)?,
            Typed::Timestamp(array) => push_timestamp(array.value(at), out).map_err(wrong)?,
            Typed::Decimal(array, scale) => match self.forms {
                Forms::Any => push_digits(array.value(at), *scale, out),
                Forms::Contract => push_decimal(array.value(at), *scale, out),
            },
            Typed::List(lists, items) => push_list(lists, items, at, out)?,
            Typed::LargeList(lists, items) => push_list(lists, items, at, out)?,
            Typed::Struct(row) => row.encode(at, out)?,
            Typed::Any(values) => values.encode(at, out)?,
        }
        Ok(())
    }
}

impl Typed {
    fn new(column: &ArrayRef, path: &str, forms: Forms) -> Result<Typed> {
        let items =
            |array: &ArrayRef| Values::new(array, &format!("{path}[]"), forms).map(Box::new);
        Ok(match column.data_type() {
            DataType::Null => Typed::Null,
            DataType::Int64 => Typed::Bigint(column.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => Typed::Double(column.as_primitive::<Float64Type>().clone()),
            DataType::Boolean => Typed::Boolean(column.as_boolean().clone()),
            DataType::Utf8 => Typed::Text(column.as_string().clone()),
            DataType::LargeUtf8 => Typed::LargeText(column.as_string().clone()),
            DataType::Utf8View => Typed::TextView(column.as_string_view().clone()),
            DataType::Date32 => Typed::Date(column.as_primitive::<Date32Type>().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Typed::Timestamp(column.as_primitive::<TimestampMicrosecondType>().clone())
            }
            DataType::Decimal128(_, scale) if *scale >= 0 => Typed::Decimal(
                column.as_primitive::<Decimal128Type>().clone(),
                usize::from(scale.unsigned_abs()),
            ),
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                Typed::List(lists.clone(), items(lists.values())?)
            }
            DataType::LargeList(_) => {
                let lists = column.as_list::<i64>();
                Typed::LargeList(lists.clone(), items(lists.values())?)
            }
            DataType::Struct(fields) => {
                let structs: &StructArray = column.as_struct();
                let row = Row::of(fields, structs.columns(), &format!("{path}."), forms)?;
                Typed::Struct(Box::new(row))
            }
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Typed::cast(column, &DataType::Int64, path, forms)?,
            DataType::Dictionary(_, value) => Typed::cast(column, value, path, forms)?,
            _ if forms == Forms::Any => match super::any::as_usual(column) {
                Some(usual) => Typed::cast(column, &usual, path, forms)?,
                None => Typed::Any(Any::new(column, path)?),
            },
            other => {
                return Err(Error::Value {
                    column: path.to_owned(),
                    reason: format!("the type {other} has no form in JSON"),
                });
            }
        })
    }

    fn cast(column: &ArrayRef, to: &DataType, path: &str, forms: Forms) -> Result<Typed> {
        let column = cast(column, to).map_err(|error| Error::Value {
            column: path.to_owned(),
            reason: error.to_string(),
        })?;
        Typed::new(&column, path, forms)
    }
}

fn push_list<O: OffsetSizeTrait>(
    lists: &GenericListArray<O>,
    items: &Values,
    at: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let offsets = lists.value_offsets();
    let (start, end) = (offsets[at].as_usize(), offsets[at + 1].as_usize());
    out.push(b'[');
    for item in start..end {
        if item > start {
            out.push(b',');
        }
        items.encode(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn truth(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

fn push_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn push_text(text: &str, out: &mut Vec<u8>) -> Result<()> {
    Ok(serde_json::to_writer(out, text).map_err(io::Error::from)?)
}

/// Writes the shortest digits that read back as the same double.
fn push_double(value: f64, out: &mut Vec<u8>) -> Result<(), String> {
    if !value.is_finite() {
        return Err(format!("{value} cannot be written"));
    }
    serde_json::to_writer(out, &value).map_err(|error| error.to_string())
}

fn push_decimal(value: i128, scale: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    push_digits(value, scale, out);
    out.push(b'"');
}

/// Writes a decimal with all digits of its scale.
fn push_digits(value: i128, scale: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    // Few decimals need more than 64 bits, whose digits are slow to find.
    let digits = match u64::try_from(value.unsigned_abs()) {
        Ok(short) => buffer.format(short),
        Err(_) => buffer.format(value.unsigned_abs()),
    };
    if value < 0 {
        out.push(b'-');
    }
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 {
        b"0"
    } else {
        &digits.as_bytes()[..whole]
    });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    }
}

fn push_date(days: i32, out: &mut Vec<u8>) -> Result<(), String> {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let epoch = NaiveDate::default();
    let day = if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    };
    let day = day.filter(|day| (0..=9999).contains(&day.year()));
    let day = day.ok_or("a date is outside the years 0 to 9999")?;
    let year = day.year().unsigned_abs();
    let digit = |number: u32| b'0' + (number % 10) as u8;
    let pair = |number: u32| [digit(number / 10), digit(number)];
    let [y0, y1] = pair(year / 100);
    let [y2, y3] = pair(year);
    let ([m0, m1], [d0, d1]) = (pair(day.month()), pair(day.day()));
    out.extend_from_slice(&[b'"', y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'"']);
    Ok(())
}

fn push_timestamp(micros: i64, out: &mut Vec<u8>) -> Result<(), String> {
    let text = DateTime::from_timestamp_micros(micros)
        .map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        .filter(|text| text.len() <= "2026-11-22T17:01:02.000000Z".len());
    push_plain(
        &text.ok_or("an instant is outside the years 0 to 9999")?,
        out,
    );
    Ok(())
}

/// Writes text that needs no escapes.
fn push_plain(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}
