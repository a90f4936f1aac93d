//! SQLite: one file, one writer, and readers that do not wait for it (WAL).
//!
//! SQLite's calls block, so each runs on a thread kept for that. Every commit is
//! durable before it is answered (`synchronous = full`): the inbox deletes its
//! file right after.

mod apply;
mod catalog;
mod cells;
mod connection;
mod diff;
mod fill;
mod ledger;
mod migrations;
mod pages;
mod reading;
mod relation;
mod stage;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use rusqlite::Connection;

use self::{pages::Bookmarks, relation::Relation};
use super::{
    Applied, Change, Database, Error, Everything, Export, Fill, LedgerEntry, Page, Result, Table,
    TableCounts,
};
use crate::{dataset::Dataset, diagnostics::nearest};

pub(super) use migrations::schema;

/// A database in a SQLite file. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Connections for reading that wait for their next turn.
    idle: Mutex<Vec<Connection>>,
    /// Where the exports' pages begin.
    bookmarks: Mutex<Option<Bookmarks>>,
}

impl Sqlite {
    /// Opens or makes the file, and migrates it.
    pub(super) fn open(path: &Path) -> Result<Sqlite> {
        let mut connection = connection::create(path)?;
        migrations::migrate(&mut connection, path)?;
        Ok(Sqlite {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                idle: Mutex::new(vec![connection]),
                bookmarks: Mutex::new(None),
            }),
        })
    }

    fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Returns a mapping from SQLite's errors to ours; `what` follows "could not".
    fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> Error + '_ {
        move |source| Error::from_sqlite(self.path(), what, source)
    }

    /// Runs `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Sqlite) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(done) => done,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    fn table(&self, connection: &Connection, name: &str) -> Result<Table> {
        let tables = self.tables_of(connection)?;
        let nearest = nearest(name, tables.iter().map(|table| table.name.as_str()));
        let unknown = Error::UnknownTable {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let table = tables.into_iter().find(|table| table.name == name);
        table.ok_or(unknown)
    }

    fn tables_of(&self, connection: &Connection) -> Result<Vec<Table>> {
        catalog::tables(connection).map_err(self.failed("read the schema"))
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn tables(&self) -> Result<Vec<Table>> {
        self.blocking(|database| database.tables_of(&*database.reader()?))
            .await
    }

    async fn read(&self, table: &str) -> Result<SendableRecordBatchStream> {
        let name = table.to_owned();
        self.blocking(move |database| {
            let table = database.table(&*database.reader()?, &name)?;
            reading::stream(database, Relation::of_table(&table).query(&table.contract)?)
        })
        .await
    }

    async fn read_all(&self) -> Result<Everything> {
        self.blocking(reading::everything).await
    }

    async fn export(&self, dataset: &Dataset) -> Result<Option<Export>> {
        let Some(relation) = self.relation(dataset).await? else {
            return Ok(None);
        };
        let contract = dataset.contract.clone();
        self.blocking(move |database| reading::export(database, &relation, &contract).map(Some))
            .await
    }

    async fn page(&self, dataset: &Dataset, page: u64, page_size: usize) -> Result<Option<Page>> {
        let Some(relation) = self.relation(dataset).await? else {
            return Ok(None);
        };
        let contract = dataset.contract.clone();
        self.blocking(move |database| pages::page(database, &relation, &contract, page, page_size))
            .await
    }

    async fn fill(&self, tables: Vec<Fill>) -> Result<Vec<TableCounts>> {
        self.blocking(|database| fill::fill(database, tables)).await
    }

    async fn apply(&self, change: Change) -> Result<Applied> {
        self.blocking(|database| apply::apply(database, change))
            .await
    }

    async fn applied(&self, pipeline: &str) -> Result<Option<LedgerEntry>> {
        let pipeline = pipeline.to_owned();
        self.blocking(move |database| {
            ledger::latest(&*database.reader()?, &pipeline)
                .map_err(database.failed("read the ledger"))
        })
        .await
    }

    async fn schema_version(&self) -> Result<u64> {
        self.blocking(|database| {
            migrations::version(&*database.reader()?)
                .map_err(database.failed("read the schema's version"))
        })
        .await
    }

    async fn ping(&self) -> Result<()> {
        self.schema_version().await.map(|_| ())
    }
}

impl Sqlite {
    /// Returns where a dataset's rows come from: the exports' own, else a table.
    async fn relation(&self, dataset: &Dataset) -> Result<Option<Relation>> {
        if let Some(relation) = relation::exported(&dataset.name) {
            return Ok(Some(relation));
        }
        let name = dataset.name.clone();
        let tables = self.tables().await?;
        let table = tables.iter().find(|table| table.name == name);
        Ok(table.map(Relation::of_table))
    }
}
