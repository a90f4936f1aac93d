//! Whether the rows that a test makes a model compute satisfy the model's grain.

use std::collections::HashSet;

use datafusion::arrow::{
    array::{Array, ArrayRef},
    record_batch::RecordBatch,
};

use super::column::shown;
use crate::{
    compile::in_words,
    diagnostics::{Code, Finding},
    engine::{Error, Result},
    pipeline::{Grain, SqlFile},
};

/// Compares the rows of a model with the grain that its first line states; one that
/// states none, or not in its own columns, is left to `check`.
///
/// # Errors
///
/// Finds the first key that two rows share.
pub(super) fn check(model: &str, file: &SqlFile, rows: &RecordBatch) -> Result<()> {
    let Some(grain) = file.grain() else {
        return Ok(());
    };
    let columns = grain.columns.iter();
    let columns = columns.map(|column| rows.column_by_name(&column.text));
    let Some(columns) = columns.collect::<Option<Vec<&ArrayRef>>>() else {
        return Ok(());
    };
    let mut seen = HashSet::new();
    for row in 0..rows.num_rows() {
        let values = columns.iter().map(|column| value(column, row));
        let key = values.collect::<Result<Vec<_>>>()?;
        if seen.contains(&key) {
            return Err(Error::invalid(vec![duplicate(model, file, &grain, &key)]));
        }
        seen.insert(key);
    }
    Ok(())
}

/// Returns a value as text, and nothing for a null: in a key, nulls are the same.
fn value(column: &ArrayRef, row: usize) -> Result<Option<String>> {
    match column.is_null(row) {
        true => Ok(None),
        false => shown(column, row).map(Some),
    }
}

fn duplicate(model: &str, file: &SqlFile, grain: &Grain, key: &[Option<String>]) -> Finding {
    let values = grain.columns.iter().zip(key).map(|(column, value)| {
        let value = value.as_deref().unwrap_or("NULL");
        format!("{} = {value}", column.text)
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let what = match key.is_empty() {
        true => format!("`{model}` has more than one row"),
        false => format!("`{model}` has more than one row with {values}"),
    };
    let line = file.text.lines().next().unwrap_or_default();
    Finding::new(Code::DuplicateRows, what)
        .at(file.place(0..line.len()), in_words(&grain.names()))
        .help("correct the SQL, or the grain in the first line")
}
