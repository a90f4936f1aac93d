//! A file's rows, converted one by one into its table's.

use std::sync::{Arc, Mutex, PoisonError};

use csv::StringRecord;
use datafusion::{arrow::record_batch::RecordBatch, error::DataFusionError};

use super::{
    Error, Result,
    bad::place,
    batch::Batch,
    convert::Convert,
    files::File,
    header::Header,
    layout::{Columns, Layout},
    options::Options,
    reader::{Next, Reader},
    row::Row,
    state::{Needs, State},
    whole::Whole,
};
use crate::{
    config::EngineConfig,
    database::{Fill, Replace, Table},
    dataset::ColumnType,
    engine,
    events::Events,
    pipeline::Reference,
};

/// Rows a batch.
const BATCH_ROWS: usize = 8192;

/// A file whose header has been read and understood.
pub(super) struct TableFile {
    header: Header,
    layout: Layout,
    table: Table,
    reader: Reader,
    convert: Box<dyn Convert>,
}

impl TableFile {
    /// Opens a file and reads its header.
    pub(super) fn open(
        file: &File,
        tables: &[Table],
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<TableFile> {
        let table = tables.iter().find(|table| table.name == file.table);
        let table = table.cloned().ok_or_else(|| Error::UnknownTable {
            path: file.path.clone(),
            nearest: None,
        })?;
        let known = Layout::known_columns(&table);
        let mut reader = Reader::open(&file.path, file.format, &known)?;
        let own = table.contract.names();
        reader.rename(&known.iter().copied().chain(own).collect::<Vec<_>>());
        let layout = Layout::of(&table, reader.names());
        let Columns { required, optional } = layout.columns(&table);
        let header = Header::new(&file.path, reader.names(), &required, &optional, notes)?;
        Ok(TableFile {
            convert: layout.convert(&table, &header, options)?,
            header,
            layout,
            table,
            reader,
        })
    }

    /// Returns what must be known of the database before rows are read.
    pub(super) fn needs(files: &[TableFile]) -> Needs {
        let any = |layout| files.iter().any(|file| file.layout == layout);
        let own = files.iter().filter(|file| file.layout == Layout::Own);
        Needs {
            links: any(Layout::Products) || any(Layout::Prices),
            priced: any(Layout::Products),
            parents: own.flat_map(TableFile::parents).collect(),
            whole: Whole::default(),
        }
    }

    /// Returns the name of the table that the file is for.
    pub(super) fn table(&self) -> &str {
        &self.table.name
    }

    /// Returns what the file's columns refer to, each with whether it holds ids.
    fn parents(&self) -> Vec<(Reference, bool)> {
        let references = self.table.references.iter();
        let named = references.filter(|(column, _)| self.header.has(column));
        let parent = |(column, parent): (&String, &Reference)| {
            let column = self.table.contract.column(column);
            let is_id = column.is_some_and(|column| column.data_type == ColumnType::Bigint);
            (parent.clone(), is_id)
        };
        named.map(parent).collect()
    }

    /// Returns the rows as they will be read, once they are asked for.
    ///
    /// They come by the table's key where the file has them so, and sorted where not:
    /// rows in any other order would touch the whole table again and again.
    pub(super) fn fill(
        self,
        state: &Arc<Mutex<State>>,
        replace: Replace,
        engine: &EngineConfig,
        progress: &Events,
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
            replace,
            rows,
        }
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
    progress: Events,
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
                    self.note(&mut state.notes);
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

    /// Notes a file without rows, and rows that are probably not what was meant.
    fn note(&self, notes: &mut Vec<String>) {
        let path = self.reader.path();
        if self.row == 0 {
            notes.push(format!("{}: has no rows", path.display()));
        }
        let doubts = self.reader.doubts().into_iter();
        notes.extend(doubts.map(|(line, doubt)| format!("{}: {doubt}", place(path, line))));
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
