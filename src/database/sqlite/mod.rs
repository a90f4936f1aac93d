//! SQLite: one file, one writer, and readers that do not wait for it (WAL).
//!
//! SQLite's calls block, so each runs on a thread kept for that. Every commit is
//! durable before it is confirmed (`synchronous = full`): the inbox deletes its
//! file right after.

mod catalog;
mod cells;
mod connection;
mod copy;
mod dialect;
mod failure;
mod pages;
mod reading;
mod session;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use rusqlite::Connection;

use self::{pages::Bookmarks, session::Session};
use super::{
    Applied, Change, Database, Error, Everything, Export, Fill, LedgerEntry, Page, Result, Table,
    TableCounts,
    change::{apply::apply, fill::fill, ledger},
    connection::Connection as _,
    migrations,
    relation::Relation,
};
use crate::{dataset::Dataset, diagnostics::nearest};

/// A database in a SQLite file. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// The file, for messages.
    name: String,
    /// How long a writer waits for another.
    patience: Duration,
    /// Connections for reading that wait for their next turn.
    idle: Mutex<Vec<Connection>>,
    /// Where the exports' pages begin.
    bookmarks: Mutex<Option<Bookmarks>>,
}

impl Sqlite {
    /// Opens or makes the file, and migrates it. A writer waits `patience` for another.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Sqlite> {
        let connection = connection::create(path, patience)?;
        let name = path.display().to_string();
        migrations::migrate(&mut Session {
            connection: &connection,
            database: &name,
        })?;
        Ok(Sqlite {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                name,
                patience,
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
        move |source| failure::failed(&self.inner.name, what, source)
    }

    /// Puts a connection behind the seam.
    fn session<'a>(&'a self, connection: &'a Connection) -> Session<'a> {
        Session {
            connection,
            database: &self.inner.name,
        }
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
        let tables = self.session(connection).tables()?;
        let nearest = nearest(name, tables.iter().map(|table| table.name.as_str()));
        let unknown = Error::UnknownTable {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let table = tables.into_iter().find(|table| table.name == name);
        table.ok_or(unknown)
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn tables(&self) -> Result<Vec<Table>> {
        self.blocking(|database| database.session(&*database.reader()?).tables())
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
        let (name, contract) = (dataset.name.clone(), dataset.contract.clone());
        self.blocking(move |database| reading::export(database, &name, &contract))
            .await
    }

    async fn page(&self, dataset: &Dataset, page: u64, page_size: usize) -> Result<Option<Page>> {
        let (name, contract) = (dataset.name.clone(), dataset.contract.clone());
        self.blocking(move |database| pages::page(database, &name, &contract, page, page_size))
            .await
    }

    async fn fill(&self, tables: Vec<Fill>) -> Result<Vec<TableCounts>> {
        self.blocking(|database| fill(&mut database.session(&database.writer()?), tables))
            .await
    }

    async fn apply(&self, change: Change) -> Result<Applied> {
        self.blocking(|database| apply(&mut database.session(&database.writer()?), change))
            .await
    }

    async fn applied(&self, pipeline: &str) -> Result<Option<LedgerEntry>> {
        let pipeline = pipeline.to_owned();
        self.blocking(move |database| {
            ledger::latest(&mut database.session(&*database.reader()?), &pipeline)
        })
        .await
    }

    async fn schema_version(&self) -> Result<u64> {
        self.blocking(|database| migrations::version(&mut database.session(&*database.reader()?)))
            .await
    }

    async fn ping(&self) -> Result<()> {
        self.schema_version().await.map(|_| ())
    }
}

/// Returns the tables of a database that is migrated and empty.
pub(super) fn schema() -> Result<Vec<Table>> {
    let name = "in memory";
    #[expect(
        clippy::disallowed_methods,
        reason = "only this module opens databases"
    )]
    let opened = Connection::open_in_memory();
    let connection = opened.map_err(|source| failure::failed(name, "read the schema", source))?;
    let mut session = Session {
        connection: &connection,
        database: name,
    };
    migrations::migrate(&mut session)?;
    session.tables()
}
