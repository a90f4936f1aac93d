//! Seeds: the files that analysts keep beside the SQL.
//!
//! Text of another kind (`style.css`, `script.js`) is a relation of one row and one
//! column, `text`. A CSV is a table:
//! a header, in letters of any case, then rows of as many fields. A column whose every value is an
//! integer as SQL prints it (no sign but `-`, no leading zero) is a bigint, any
//! other is text, unless the manifest declares its type ([`super::seed_types`]). An empty
//! field is null.

use std::{ops::Range, sync::Arc};

use ::csv::StringRecord;
use datafusion::arrow::{
    array::{ArrayRef, Int64Array, StringArray},
    datatypes::{DataType, Field, Schema},
    record_batch::RecordBatch,
};

use super::{SourceFile, names};
use crate::{
    diagnostics::{Code, Finding},
    text::{
        csv::{self, Csv},
        has_extension,
    },
};

/// What the names of seeds end in: tables, then text.
pub(super) const EXTENSIONS: [&str; 6] = ["csv", "css", "html", "js", "svg", "txt"];

/// Reads a seed as one batch.
///
/// # Errors
///
/// Returns the first fault of the file, with its line.
pub fn read_seed(file: &SourceFile) -> Result<RecordBatch, Box<Finding>> {
    match is_table(file) {
        true => {
            let table = Table::read(file)?;
            let columns = table.header.iter().zip(table.columns);
            batch(columns.map(|(name, values)| typed(name, values)).collect())
        }
        false => batch(vec![text("text", vec![Some(file.text.to_string())])]),
    }
}

/// Returns what is wrong with a seed, and what is probably not meant in it.
pub(super) fn check_seed(file: &SourceFile) -> Vec<Finding> {
    let read = match is_table(file) {
        true => Table::read(file).map(|table| table.doubts),
        false => Ok(Vec::new()),
    };
    let doubt = |(line, doubt): (u64, String)| {
        let finding = Finding::new(Code::SuspectQuote, format!("line {line}: {doubt}"));
        let at = file.place(line_span(&file.text, line));
        let help = "close the quote, or put the field in quotes and each quote in it twice";
        finding.at(at, "this row").help(help)
    };
    match read {
        Ok(doubts) => doubts.into_iter().map(doubt).collect(),
        Err(finding) => vec![*finding],
    }
}

pub(super) fn is_table(file: &SourceFile) -> bool {
    has_extension(&file.path, "csv")
}

/// A seed that is a table.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    /// Of each column, its values row by row.
    pub(super) columns: Vec<Vec<Option<String>>>,
    /// The line on which each row begins.
    pub(super) lines: Vec<u64>,
    /// What is probably not meant, each with its line.
    doubts: Vec<(u64, String)>,
}

impl Table {
    pub(super) fn read(file: &SourceFile) -> Result<Table, Box<Finding>> {
        let stop = |stop: csv::Stop| malformed(file, stop.line, &stop.reason);
        let (header, mut rows) = Csv::open(file.text.as_bytes()).map_err(stop)?;
        let header = header.iter().map(|name| name.to_ascii_lowercase());
        let header: Vec<_> = header.collect();
        check_header(file, &header)?;
        let mut columns = vec![Vec::new(); header.len()];
        let mut lines = Vec::new();
        let mut record = StringRecord::new();
        loop {
            match rows.next(&mut record).map_err(stop)? {
                csv::Read::End => break,
                csv::Read::Bad(line, reason) => return Err(malformed(file, line, &reason)),
                csv::Read::Row(line) => {
                    lines.push(line);
                    for (column, field) in columns.iter_mut().zip(record.iter()) {
                        column.push((!field.is_empty()).then(|| field.to_owned()));
                    }
                }
            }
        }
        Ok(Table {
            header,
            columns,
            lines,
            doubts: rows.doubts(),
        })
    }
}

pub(super) fn batch(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch, Box<Finding>> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| Box::new(Finding::new(Code::BadSeed, error.to_string())))
}

pub(super) fn typed(name: &str, values: Vec<Option<String>>) -> (Field, ArrayRef) {
    let mut integers = Vec::with_capacity(values.len());
    for value in &values {
        match value.as_deref().map(integer) {
            None => integers.push(None),
            Some(Some(number)) => integers.push(Some(number)),
            Some(None) => return text(name, values),
        }
    }
    if integers.iter().all(Option::is_none) {
        return text(name, values);
    }
    let array: ArrayRef = Arc::new(Int64Array::from(integers));
    (
        Field::new(name, DataType::Int64, array.null_count() > 0),
        array,
    )
}

fn text(name: &str, values: Vec<Option<String>>) -> (Field, ArrayRef) {
    let array: ArrayRef = Arc::new(StringArray::from(values));
    (
        Field::new(name, DataType::Utf8, array.null_count() > 0),
        array,
    )
}

/// Reads an integer that would be printed as it is written: `007` and `+7` are text.
pub(super) fn integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn check_header(file: &SourceFile, header: &[String]) -> Result<(), Box<Finding>> {
    let wrong = |message: String, help: &str| {
        let at = file.place(line_span(&file.text, 1));
        let finding = Finding::new(Code::BadSeed, message).at(at, "the header");
        Err(Box::new(finding.help(help)))
    };
    for (i, name) in header.iter().enumerate() {
        if !names::is_identifier(name) {
            let help = "use letters, digits and `_`";
            return wrong(format!("`{name}` is not a valid name for a column"), help);
        }
        if header[..i].contains(name) {
            return wrong(format!("two columns are named `{name}`"), "rename one");
        }
    }
    Ok(())
}

/// Returns where a line is, in bytes.
pub(super) fn line_span(text: &str, line: u64) -> Range<usize> {
    let mut start = 0;
    for (number, text) in (1..).zip(text.split_inclusive('\n')) {
        if number == line {
            return start..start + text.trim_end_matches(['\r', '\n']).len();
        }
        start += text.len();
    }
    0..0
}

fn malformed(file: &SourceFile, line: u64, reason: &str) -> Box<Finding> {
    let help = match reason {
        _ if reason.starts_with("has ") => "put a field that holds a comma in double quotes",
        _ if reason.contains("quote") => {
            "a field is in double quotes as a whole, and each quote in it is written twice"
        }
        _ => "save the file as CSV in UTF-8",
    };
    let finding = Finding::new(Code::BadSeed, format!("line {line}: {reason}"));
    let at = file.place(line_span(&file.text, line));
    Box::new(finding.at(at, "this row").help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(text: &str) -> Result<RecordBatch, Box<Finding>> {
        read_seed(&SourceFile {
            path: "sql/a/units.csv".into(),
            text: text.into(),
        })
    }

    #[test]
    fn integers_are_bigint_and_an_empty_field_is_null() {
        let batch = seed("unit,factor,code\nkg,1000,007\nml,,010\n").unwrap();
        let types: Vec<_> = batch
            .schema()
            .fields()
            .iter()
            .map(|f| f.data_type().clone())
            .collect();
        assert_eq!(types, [DataType::Utf8, DataType::Int64, DataType::Utf8]);
        assert_eq!(batch.column(1).null_count(), 1);
    }

    #[test]
    fn a_row_that_is_too_short_is_named_by_its_line() {
        let finding = seed("unit,factor\nkg,1000\nml\n").unwrap_err();
        assert_eq!(finding.message, "line 3: has 1 fields, the header has 2");
        assert_eq!(finding.place().unwrap().line_column(), (3, 1));
    }

    #[test]
    fn quotes_mean_what_they_mean_in_files_that_are_loaded() {
        let refused = |text: &str| seed(text).unwrap_err().message;
        assert_eq!(
            refused("unit,base\nkg,mg\n\"ml,ul\nl,ul\n"),
            "line 3: a quote opens here and is never closed"
        );
        assert_eq!(
            refused("unit,base\nkg, \"mg\"\n"),
            "line 2: field 2 has blanks before the opening quote"
        );
        let file = SourceFile {
            path: "sql/a/units.csv".into(),
            text: "unit,base\nkg,\"mg\nml,ul\"\n".into(),
        };
        let doubt = &check_seed(&file)[0];
        assert_eq!(doubt.code, Code::SuspectQuote);
        assert_eq!(doubt.place().unwrap().line_column(), (2, 1));
        assert_eq!(read_seed(&file).unwrap().num_rows(), 1);
    }

    #[test]
    fn capitals_byte_order_marks_and_tabs_are_taken() {
        let batch = seed("\u{feff}Unit\tFACTOR\r\nkg\t1000\r\n").unwrap();
        let schema = batch.schema();
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["unit", "factor"]);
        assert_eq!(batch.num_rows(), 1);
        assert!(seed("").unwrap_err().message.contains("the file is empty"));
    }

    #[test]
    fn text_that_is_no_table_is_one_row() {
        let script = SourceFile {
            path: "sql/a/script.js".into(),
            text: "let a = 1,\n\"b\n".into(),
        };
        let batch = read_seed(&script).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (1, 1));
        assert_eq!(batch.schema().field(0).name(), "text");
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        assert_eq!(
            seed("a,a\n").unwrap_err().message,
            "two columns are named `a`"
        );
    }
}
