//! The types of a seed's columns, where the manifest declares them: `[seeds.<name>]`.
//!
//! In come a seed and the columns that are declared; out come its rows, or the first value
//! that is not of its column's type, with its line. What is not declared has the type of
//! its values, and a column whose type is another with other values is reported.

use std::sync::Arc;

use datafusion::arrow::{
    array::{Array, ArrayRef, StringArray},
    compute::cast,
    datatypes::Field,
    record_batch::RecordBatch,
};

use super::{
    SourceFile, names,
    seeds::{Table, batch, integer, is_table, line_span, read_seed, typed},
};
use crate::{
    dataset::{Column, ColumnType, Contract},
    diagnostics::{Code, Finding},
};

/// Reads a seed as one batch; `declared` are the columns whose types the manifest says.
///
/// # Errors
///
/// Returns the first fault of the file, with its line.
pub fn read_declared(
    file: &SourceFile,
    declared: Option<&Contract>,
) -> Result<RecordBatch, Box<Finding>> {
    let Some(declared) = declared.filter(|_| is_table(file)) else {
        return read_seed(file);
    };
    let Table {
        header,
        columns,
        lines,
        ..
    } = Table::read(file)?;
    let columns = header
        .iter()
        .zip(columns)
        .map(|(name, values)| match declared.column(name) {
            Some(column) => as_declared(file, column, &values, &lines),
            None => Ok(typed(name, values)),
        });
    batch(columns.collect::<Result<_, _>>()?)
}

/// Finds the values that are not of the type that is declared, and the columns whose type
/// is another with other values: `123` beside `0123` is text, and a number without it.
pub(super) fn findings(file: &SourceFile, declared: Option<&Contract>) -> Vec<Finding> {
    if !is_table(file) {
        return Vec::new();
    }
    // What cannot be read is found where it is read.
    let Ok(table) = Table::read(file) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (name, values) in table.header.iter().zip(&table.columns) {
        match declared.and_then(|declared| declared.column(name)) {
            Some(column) => {
                let wrong = as_declared(file, column, values, &table.lines).err();
                findings.extend(wrong.map(|finding| *finding));
            }
            None => findings.extend(changes(file, name, values, &table.lines)),
        }
    }
    findings
}

/// Returns the columns of a seed's header, as far as it can be read.
pub(super) fn header(file: &SourceFile) -> Vec<String> {
    match is_table(file) {
        true => Table::read(file).map_or_else(|_| Vec::new(), |table| table.header),
        false => Vec::new(),
    }
}

/// Reads a column as the type that is declared.
fn as_declared(
    file: &SourceFile,
    column: &Column,
    values: &[Option<String>],
    lines: &[u64],
) -> Result<(Field, ArrayRef), Box<Finding>> {
    let wrong = |row: usize, what: String| {
        let finding = Finding::new(Code::BadSeed, what).at(row_of(file, row, lines), "this row");
        Box::new(finding.help("correct the value, or the type in `[seeds]` of the manifest"))
    };
    let lacking = values.iter().position(Option::is_none);
    if let Some(row) = lacking.filter(|_| !column.nullable) {
        let what = format!("`{}` is empty, and is declared not null", column.name);
        return Err(wrong(row, what));
    }
    let texts: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    let read = cast(&texts, &column.data_type.arrow()).map_err(|_| {
        let what = format!("a seed's column cannot be a {}", column.data_type);
        wrong(0, what)
    })?;
    let faulty = (0..read.len()).find(|row| {
        let is_lost = texts.is_valid(*row) && read.is_null(*row);
        is_lost || !is_exact(values[*row].as_deref(), &column.data_type)
    });
    if let Some(row) = faulty {
        let value = values[row].as_deref().unwrap_or_default();
        let what = format!("`{value}` is not a {}", column.data_type);
        return Err(wrong(row, what));
    }
    let has_nulls = read.null_count() > 0;
    let field = Field::new(&column.name, column.data_type.arrow(), has_nulls);
    Ok((field, read))
}

/// Says whether a decimal's digits after the point fit: a cast would round them.
fn is_exact(text: Option<&str>, data_type: &ColumnType) -> bool {
    let (Some(text), ColumnType::Decimal { scale, .. }) = (text, data_type) else {
        return true;
    };
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.trim_end_matches('0').len();
    i8::try_from(digits).is_ok_and(|digits| digits <= *scale)
}

/// Finds that a column has plain integers beside numbers that are written otherwise.
fn changes(
    file: &SourceFile,
    name: &str,
    values: &[Option<String>],
    lines: &[u64],
) -> Option<Finding> {
    let given = || values.iter().flatten();
    let plain = given().any(|text| integer(text).is_some());
    let numbers = given().all(|text| is_number(text));
    let is_odd = |text: &String| integer(text).is_none();
    let odd = values
        .iter()
        .position(|text| text.as_ref().is_some_and(is_odd))?;
    if !plain || !numbers {
        return None;
    }
    let value = values[odd].as_deref().unwrap_or_default();
    let what = format!("`{name}` is text because of `{value}`, and would be a bigint without it");
    let finding = Finding::new(Code::SeedType, what).at(row_of(file, odd, lines), "this row");
    let seed = file.path.file_stem();
    let seed = seed.map(|stem| names::relation(&stem.to_string_lossy()));
    let seed = seed.unwrap_or_default();
    Some(finding.help(format!(
        "declare its type in the manifest: `[seeds.{seed}]` and `{name} = \"text\"`"
    )))
}

/// Says whether a text is a number in any notation: `007`, `+7`, `1.5`.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.parse::<f64>().is_ok()
}

fn row_of(file: &SourceFile, row: usize, lines: &[u64]) -> crate::diagnostics::Place {
    let line = lines.get(row).copied().unwrap_or(1);
    file.place(line_span(&file.text, line))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::DataType;

    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "sql/a/units.csv".into(),
            text: text.into(),
        }
    }

    fn codes(data_type: &str) -> Contract {
        Contract {
            columns: vec![Column::parse("code", data_type).unwrap()],
        }
    }

    #[test]
    fn a_declared_column_has_its_type_whatever_its_values() {
        let read = |text: &str, data_type: &str| {
            read_declared(&file(text), Some(&codes(data_type))).unwrap()
        };
        let batch = read("code,factor\n123,1\n0123,2\n", "text");
        assert_eq!(batch.schema().field(0).data_type(), &DataType::Utf8);
        assert_eq!(
            read("code,factor\n123,1\n", "text").schema(),
            batch.schema()
        );
        let money = read("code\n1.5\n2\n", "decimal(5,2)");
        assert_eq!(
            money.schema().field(0).data_type(),
            &DataType::Decimal128(5, 2)
        );
    }

    #[test]
    fn a_value_that_is_not_of_the_declared_type_is_named_with_its_line() {
        for (data_type, text, what, line) in [
            ("bigint", "code\n1\nx1\n", "`x1` is not a bigint", 3),
            (
                "decimal(5,2)",
                "code\n1.005\n",
                "`1.005` is not a decimal(5,2)",
                2,
            ),
            (
                "date",
                "code\n2026-02-30\n",
                "`2026-02-30` is not a date",
                2,
            ),
            (
                "bigint not null",
                "code,b\n1,2\n,3\n",
                "`code` is empty, and is declared not null",
                3,
            ),
        ] {
            let finding = read_declared(&file(text), Some(&codes(data_type))).unwrap_err();
            assert_eq!(finding.message, what);
            assert_eq!(finding.place().unwrap().line_column().0, line, "{text}");
            assert_eq!(findings(&file(text), Some(&codes(data_type))), [*finding]);
        }
    }

    #[test]
    fn a_column_whose_type_depends_on_one_value_is_reported() {
        let found = |text: &str, contract: Option<&Contract>| {
            let found = findings(&file(text), contract).into_iter();
            found.map(|finding| finding.message).collect::<Vec<_>>()
        };
        let what = "`code` is text because of `0123`, and would be a bigint without it";
        assert_eq!(found("code\n123\n0123\n", None), [what]);
        assert_eq!(found("code\n1\n2.5\n", None).len(), 1);
        assert!(found("code\n123\n0123\n", Some(&codes("text"))).is_empty());
        for sound in [
            "code\n1\n2\n",
            "code\n007\n010\n",
            "code\nkg\n1\n",
            "code\n1.5\n2.5\n",
        ] {
            assert!(found(sound, None).is_empty(), "{sound}");
        }
    }
}
