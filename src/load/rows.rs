//! A file's rows, converted one by one into its table's.

use std::sync::{Arc, Mutex, PoisonError};

use csv::StringRecord;
use datafusion::{arrow::record_batch::RecordBatch, error::DataFusionError};

use super::{
    Error, Result,
    bad::Fault,
    batch::Batch,
    files::File,
    header::{Field, Header},
    own::OwnRows,
    prices::PriceRows,
    products::ProductRows,
    reader::{Next, Reader},
    state::State,
    stores::StoreRows,
};
use crate::{
    config::EngineConfig,
    database::{Fill, Table},
    dataset::Contract,
    engine,
    events::Progress,
};

/// Rows a batch.
const BATCH_ROWS: usize = 8192;

/// One row of a file.
pub(super) struct Row<'a> {
    record: &'a StringRecord,
    header: &'a Header,
    /// The row's number, from 1, the header not counted.
    pub(super) number: i64,
}

/// How a file's rows become its table's.
pub(super) trait Convert: Send {
    /// Returns the columns of what comes out.
    fn contract(&self) -> &Contract;

    /// Adds a row's values to the batch, which has the contract's columns, and notes in
    /// `state` what later rows and files need to know of it; of a row at fault nothing.
    fn convert(&mut self, row: &Row<'_>, state: &mut State, batch: &mut Batch)
    -> Result<(), Fault>;
}

/// A file whose header has been read and understood.
pub(super) struct TableFile {
    pub(super) file: File,
    pub(super) header: Header,
    pub(super) layout: Layout,
    table: Table,
    reader: Reader,
    convert: Box<dyn Convert>,
}

/// How a file stands to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Names instead of ids.
    Plain,
    /// Column for column.
    Own,
}

impl<'a> Row<'a> {
    /// Returns a field without the blanks around it; `None` where it is empty or the
    /// file has no such column.
    pub(super) fn get(&self, field: &Field) -> Option<&'a str> {
        let text = self.record.get(field.place?)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Looks a column up by its name, and returns the field as [`Row::get`].
    pub(super) fn named(&self, column: &str) -> Option<&'a str> {
        self.get(&self.header.field(column))
    }

    /// Returns a field that must not be empty.
    pub(super) fn require(&self, field: &Field) -> Result<&'a str, Fault> {
        self.get(field)
            .ok_or_else(|| Fault::at(&field.name, "is empty"))
    }

    /// Reads a field that must not be empty.
    pub(super) fn parse<T>(
        &self,
        field: &Field,
        parse: impl Fn(&'a str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        parse(self.require(field)?).map_err(|reason| Fault::at(&field.name, reason))
    }

    /// Reads a field that may be empty.
    pub(super) fn parse_opt<T>(
        &self,
        field: &Field,
        parse: impl Fn(&'a str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        let text = self.get(field);
        text.map(|text| parse(text).map_err(|reason| Fault::at(&field.name, reason)))
            .transpose()
    }
}

impl TableFile {
    /// Opens a file and reads its header.
    pub(super) fn open(
        file: &File,
        tables: &[Table],
        notes: &mut Vec<String>,
    ) -> Result<TableFile> {
        let table = tables.iter().find(|table| table.name == file.table);
        let table = table.cloned().ok_or_else(|| Error::UnknownTable {
            path: file.path.clone(),
            nearest: None,
        })?;
        let known = known_columns(&table);
        let reader = Reader::open(&file.path, file.format, &known)?;
        let layout = layout(&table, reader.names());
        let wanted = |required, optional| (required, optional);
        let own = OwnRows::columns(&table);
        let (required, optional) = match (layout, table.name.as_str()) {
            (Layout::Plain, "stores") => wanted(StoreRows::REQUIRED.to_vec(), StoreRows::OPTIONAL),
            (Layout::Plain, "products") => {
                wanted(ProductRows::REQUIRED.to_vec(), ProductRows::OPTIONAL)
            }
            (Layout::Plain, _) => wanted(PriceRows::REQUIRED.to_vec(), PriceRows::OPTIONAL),
            (Layout::Own, _) => wanted(own.0, own.1.as_slice()),
        };
        let header = Header::new(&file.path, reader.names(), &required, optional, notes)?;
        let convert: Box<dyn Convert> = match (layout, table.name.as_str()) {
            (Layout::Plain, "stores") => Box::new(StoreRows::new(&header)),
            (Layout::Plain, "products") => Box::new(ProductRows::new(&header)),
            (Layout::Plain, _) => Box::new(PriceRows::new(&header)),
            (Layout::Own, _) => Box::new(OwnRows::new(&table, &header)),
        };
        Ok(TableFile {
            file: file.clone(),
            header,
            layout,
            table,
            reader,
            convert,
        })
    }

    /// Returns the table's own references among the file's columns.
    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the rows as they will be read, once they are asked for.
    ///
    /// They come by the table's key where the file has them so, and sorted where not:
    /// rows in any other order would touch the whole table again and again.
    pub(super) fn fill(
        self,
        state: &Arc<Mutex<State>>,
        engine: &EngineConfig,
        progress: &Progress,
    ) -> Fill {
        let contract = self.convert.contract().clone();
        let table = self.table;
        let batches = Batches {
            task: format!("load {}", table.name),
            batch: Batch::new(&contract),
            reader: self.reader,
            header: self.header,
            convert: self.convert,
            record: StringRecord::new(),
            state: Arc::clone(state),
            progress: progress.clone(),
            row: 0,
            ended: false,
        };
        let rows = engine::key_order(engine, contract.arrow(), &table.key, batches);
        Fill {
            table,
            replace: false,
            rows,
        }
    }
}

/// The columns that JSON Lines may have: every one that either layout knows.
fn known_columns(table: &Table) -> Vec<&str> {
    let (required, optional): (&[&str], &[&str]) = match table.name.as_str() {
        "stores" => (StoreRows::REQUIRED, StoreRows::OPTIONAL),
        "products" => (ProductRows::REQUIRED, ProductRows::OPTIONAL),
        "prices" => (PriceRows::REQUIRED, PriceRows::OPTIONAL),
        _ => return table.contract.names().collect(),
    };
    required.iter().chain(optional).copied().collect()
}

/// A file with a table's own ids and cents is the table, column for column.
fn layout(table: &Table, names: &[String]) -> Layout {
    let own = match table.name.as_str() {
        "stores" => "company_id",
        "products" => "brand_id",
        "prices" => "price_cents",
        _ => return Layout::Own,
    };
    match names.iter().any(|name| name == own) {
        true => Layout::Own,
        false => Layout::Plain,
    }
}

/// Reads a file to its end, a batch at a time.
struct Batches {
    task: String,
    reader: Reader,
    header: Header,
    convert: Box<dyn Convert>,
    record: StringRecord,
    batch: Batch,
    state: Arc<Mutex<State>>,
    progress: Progress,
    row: i64,
    ended: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.row == 0 {
            self.progress.begin(&self.task, None, "rows");
        }
        let read = self.read();
        self.progress.at(&self.task, self.row.unsigned_abs(), None);
        if self.ended {
            let summary = format!("{} rows", self.row);
            self.progress.end(&self.task, &summary);
        }
        if let Err(error) = read {
            self.ended = true;
            return Some(Err(self.lock_and_fail(error)));
        }
        let batch = self.batch.take();
        // Nothing will be loaded; the rows are read on only for their faults.
        match self.is_at_fault() {
            true => Some(batch.map(|batch| batch.slice(0, 0))),
            false => Some(batch),
        }
    }
}

impl Batches {
    /// Reads rows until a batch is full or the file ends. Rows at fault are counted
    /// and left out.
    fn read(&mut self) -> Result<()> {
        let state = Arc::clone(&self.state);
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        while self.batch.rows() < BATCH_ROWS {
            let (line, fault) = match self.reader.next(&mut self.record)? {
                Next::End => {
                    self.ended = true;
                    return Ok(());
                }
                Next::Bad(line, fault) => {
                    self.row += 1;
                    (line, fault)
                }
                Next::Row(line) => {
                    self.row += 1;
                    let row = Row {
                        record: &self.record,
                        header: &self.header,
                        number: self.row,
                    };
                    match self.convert.convert(&row, &mut state, &mut self.batch) {
                        Ok(()) => continue,
                        Err(fault) => (line, fault),
                    }
                }
            };
            state.bad.add(self.reader.path(), line, fault);
        }
        Ok(())
    }

    fn is_at_fault(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bad.count > 0
    }

    fn lock_and_fail(&self, error: Error) -> DataFusionError {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fail(error)
    }
}
