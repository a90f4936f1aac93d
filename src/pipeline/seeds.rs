//! Seeds: the files that analysts keep beside the SQL.
//!
//! Text of another kind (`style.css`, `script.js`) is a relation of one row and one
//! column, `text`. A CSV is a table:
//! A header, then rows of as many fields. A column whose every value is an
//! integer as SQL prints it (no sign but `-`, no leading zero) is a bigint, any
//! other is text. An empty field is null.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, StringArray},
    datatypes::{DataType, Field, Schema},
    record_batch::RecordBatch,
};

use super::{SourceFile, names};
use crate::diagnostics::{Code, Finding};

/// What the names of seeds end in: tables, then text.
pub(super) const EXTENSIONS: [&str; 6] = ["csv", "css", "html", "js", "svg", "txt"];

/// Reads a seed as one batch.
///
/// # Errors
///
/// Returns the first fault of the file, with its line.
pub fn read_seed(file: &SourceFile) -> Result<RecordBatch, Box<Finding>> {
    match file.path.extension().is_some_and(|end| end == "csv") {
        true => read_table(file),
        false => batch(vec![text("text", vec![Some(file.text.to_string())])]),
    }
}

fn read_table(file: &SourceFile) -> Result<RecordBatch, Box<Finding>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(file.text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| malformed(file, &error))?
        .clone();
    check_header(file, &header)?;
    let mut columns = vec![Vec::new(); header.len()];
    for record in reader.records() {
        let record = record.map_err(|error| malformed(file, &error))?;
        for (column, field) in columns.iter_mut().zip(record.iter()) {
            column.push((!field.is_empty()).then(|| field.to_owned()));
        }
    }
    let columns = header
        .iter()
        .zip(columns)
        .map(|(name, values)| typed(name, values));
    batch(columns.collect())
}

fn batch(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch, Box<Finding>> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| Box::new(Finding::new(Code::BadSeed, error.to_string())))
}

fn typed(name: &str, values: Vec<Option<String>>) -> (Field, ArrayRef) {
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
fn integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn check_header(file: &SourceFile, header: &csv::StringRecord) -> Result<(), Box<Finding>> {
    let end = file.text.find('\n').unwrap_or(file.text.len());
    let wrong = |message: String, help: &str| {
        let finding = Finding::new(Code::BadSeed, message).at(file.place(0..end), "the header");
        Err(Box::new(finding.help(help)))
    };
    if header.is_empty() {
        return wrong(
            "the seed is empty".into(),
            "its first line names the columns",
        );
    }
    for (i, name) in header.iter().enumerate() {
        if !names::is_identifier(name) {
            let help = "use lower-case letters, digits and `_`";
            return wrong(format!("`{name}` is not a valid name for a column"), help);
        }
        if header.iter().take(i).any(|earlier| earlier == name) {
            return wrong(format!("two columns are named `{name}`"), "rename one");
        }
    }
    Ok(())
}

fn malformed(file: &SourceFile, error: &csv::Error) -> Box<Finding> {
    let line = error.position().map_or(1, csv::Position::line);
    let start = error
        .position()
        .and_then(|position| usize::try_from(position.byte()).ok())
        .map_or(0, |byte| byte.min(file.text.len()));
    let rest = file.text.get(start..).unwrap_or_default();
    let rest_start = start + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
    let end = file.text[rest_start..]
        .find('\n')
        .map_or(file.text.len(), |length| rest_start + length);
    let (message, help) = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => (
            format!("line {line} has {len} fields where the header has {expected_len}"),
            "put a field that holds a comma in double quotes",
        ),
        _ => (
            format!("line {line}: {error}"),
            "save the file as CSV in UTF-8",
        ),
    };
    let finding = Finding::new(Code::BadSeed, message);
    Box::new(
        finding
            .at(file.place(rest_start..end), "this row")
            .help(help),
    )
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
        assert_eq!(
            finding.message,
            "line 3 has 1 fields where the header has 2"
        );
        assert_eq!(finding.place().unwrap().line_column(), (3, 1));
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
