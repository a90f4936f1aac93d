//! A CSV file of a contract's columns, as artifacts are.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use datafusion::arrow::record_batch::RecordBatch;

use super::{
    Error, Result,
    bad::{BadRow, Fault},
    batch::Batch,
    header::{Field, Header},
    reader::{Format, Next, Reader},
    values::{self, Value},
};
use crate::dataset::{Column, Contract};

/// Rows a batch.
const BATCH_ROWS: usize = 8192;

/// Reads a CSV file whose columns are a contract's, a batch at a time.
///
/// # Errors
///
/// The first row that breaks the contract ends it. An empty field is null.
pub(crate) fn csv(
    path: &Path,
    contract: &Contract,
) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
    let reader = Reader::open(path, Format::Csv { gzip: false }, &[])?;
    let (optional, required): (Vec<&Column>, Vec<&Column>) =
        contract.columns.iter().partition(|column| column.nullable);
    let names = |columns: Vec<&'_ Column>| -> Vec<String> {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    let (required, optional) = (names(required), names(optional));
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    let optional: Vec<&str> = optional.iter().map(String::as_str).collect();
    let header = Header::new(path, reader.names(), &required, &optional, &mut Vec::new())?;
    let fields = contract.names().map(|name| header.field(name)).collect();
    Ok(Rows {
        path: path.to_owned(),
        contract: contract.clone(),
        batch: Batch::new(contract),
        record: StringRecord::new(),
        reader,
        fields,
        ended: false,
    })
}

struct Rows {
    path: PathBuf,
    contract: Contract,
    reader: Reader,
    fields: Vec<Field>,
    record: StringRecord,
    batch: Batch,
    ended: bool,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if let Err(error) = self.read() {
            self.ended = true;
            return Some(Err(error));
        }
        let batch = self.batch.take();
        Some(batch.map_err(|error| Error::Format {
            path: self.path.clone(),
            line: 0,
            reason: error.to_string(),
        }))
    }
}

impl Rows {
    fn read(&mut self) -> Result<()> {
        while self.batch.rows() < BATCH_ROWS {
            let (line, fault) = match self.reader.next(&mut self.record)? {
                Next::End => {
                    self.ended = true;
                    return Ok(());
                }
                Next::Bad(line, fault) => (line, fault),
                Next::Row(line) => match values(&self.contract, &self.fields, &self.record) {
                    Ok(values) => {
                        self.batch.push(values);
                        continue;
                    }
                    Err(fault) => (line, fault),
                },
            };
            return Err(self.bad(line, fault));
        }
        Ok(())
    }

    fn bad(&self, line: u64, fault: Fault) -> Error {
        let row = BadRow {
            file: self.path.clone(),
            line,
            column: fault.column,
            reason: fault.reason,
        };
        Error::BadRows {
            count: 1,
            shown: vec![row],
        }
    }
}

/// Returns a record's values, in the contract's order.
fn values<'a>(
    contract: &Contract,
    fields: &[Field],
    record: &'a StringRecord,
) -> Result<Vec<Option<Value<'a>>>, Fault> {
    let value = |(column, field): (&Column, &Field)| {
        let text = field.index.and_then(|index| record.get(index));
        let text = text.unwrap_or("");
        match (text, column.nullable) {
            ("", true) => Ok(None),
            ("", false) => Err(Fault::at(&column.name, "is empty")),
            (text, _) => values::parse(text, &column.data_type)
                .map(Some)
                .map_err(|reason| Fault::at(&column.name, reason)),
        }
    };
    contract.columns.iter().zip(fields).map(value).collect()
}
