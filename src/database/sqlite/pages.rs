//! Pages of an export, each found by its first key rather than by counting rows.
//!
//! The keys at which pages begin are read once and kept until the database
//! changes, so page 200,000 costs as much as page 1.

use std::{collections::HashMap, sync::PoisonError};

use rusqlite::{OptionalExtension, params_from_iter, types::Value};

use super::{
    Page, Result, Sqlite,
    connection::Reader,
    dialect::Dialect,
    reading::{Batches, begin},
};
use crate::{database::relation::Relation, dataset::Contract};

/// Where the pages of each relation begin, as of one version of the database.
pub(super) struct Bookmarks {
    /// SQLite counts its versions for each connection apart.
    reader: Reader,
    version: i64,
    pages: HashMap<(String, usize), Marks>,
}

impl std::fmt::Debug for Bookmarks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bookmarks")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The first key of each page of one relation.
struct Marks {
    count: u64,
    first: Vec<Vec<Value>>,
}

/// Returns a page, from 1; `None` past the end, or when the database does not have the
/// dataset. Page 1 of no rows is empty.
pub(super) fn page(
    database: &Sqlite,
    dataset: &str,
    contract: &Contract,
    page: u64,
    page_size: usize,
) -> Result<Option<Page>> {
    let mut kept = database
        .inner
        .bookmarks
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut bookmarks = match kept.take() {
        Some(bookmarks) => bookmarks,
        None => Bookmarks::new(database.reader()?),
    };
    let failed = database.failed("read a page");
    begin(&bookmarks.reader).map_err(&failed)?;
    let relation = Relation::of_dataset(&mut database.session(&bookmarks.reader), dataset);
    let read = match relation {
        Ok(Some(relation)) => bookmarks.page(&relation, contract, page, page_size, &failed),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    bookmarks.reader.execute_batch("commit").map_err(&failed)?;
    *kept = Some(bookmarks);
    read
}

impl Bookmarks {
    fn new(reader: Reader) -> Bookmarks {
        Bookmarks {
            reader,
            version: 0,
            pages: HashMap::new(),
        }
    }

    fn page(
        &mut self,
        relation: &Relation,
        contract: &Contract,
        page: u64,
        page_size: usize,
        failed: &impl Fn(rusqlite::Error) -> super::Error,
    ) -> Result<Option<Page>> {
        let query = relation.query_from(contract, &Dialect)?;
        let mut batches = Batches::new(&query)?;
        let (reader, marks) = self.marks(relation, page_size).map_err(failed)?;
        let index = page
            .checked_sub(1)
            .and_then(|page| usize::try_from(page).ok());
        let Some(first) = index.and_then(|index| marks.first.get(index)) else {
            return match page {
                1 => Ok(Some(Page {
                    count: 0,
                    rows: batches.finish(0)?,
                })),
                _ => Ok(None),
            };
        };
        let limit = Value::Integer(i64::try_from(page_size).unwrap_or(i64::MAX));
        let mut statement = reader.prepare_cached(&query.sql).map_err(failed)?;
        let mut rows = statement
            .query(params_from_iter(first.iter().chain([&limit])))
            .map_err(failed)?;
        let rows = match batches.next(&mut rows, page_size, failed)? {
            Some(rows) => rows,
            None => batches.finish(0)?,
        };
        let count = marks.count;
        Ok(Some(Page { count, rows }))
    }

    /// Returns the relation's marks, read again if the database has changed.
    fn marks(
        &mut self,
        relation: &Relation,
        page_size: usize,
    ) -> rusqlite::Result<(&Reader, &Marks)> {
        let version = self
            .reader
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        if version != self.version {
            self.pages.clear();
            self.version = version;
        }
        let name = (relation.name.clone(), page_size);
        let marks = match self.pages.entry(name) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Marks::read(&self.reader, relation, page_size)?)
            }
        };
        Ok((&self.reader, marks))
    }
}

impl Marks {
    /// Walks from page to page; SQLite passes the rows between without handing them out.
    fn read(reader: &Reader, relation: &Relation, page_size: usize) -> rusqlite::Result<Marks> {
        let count: i64 = reader.query_row(&relation.count(), [], |row| row.get(0))?;
        let key_of = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Value>> {
            (0..relation.key.len()).map(|at| row.get(at)).collect()
        };
        let rows = Value::Integer(i64::try_from(page_size.max(1)).unwrap_or(i64::MAX));
        let mut next = reader.prepare(&relation.key_after(&Dialect))?;
        let mut first = Vec::new();
        let mut key = reader
            .query_row(&relation.first_key(), [], key_of)
            .optional()?;
        while let Some(begins) = key {
            let parameters = params_from_iter(begins.iter().chain([&rows]));
            key = next.query_row(parameters, key_of).optional()?;
            first.push(begins);
        }
        Ok(Marks {
            count: count.cast_unsigned(),
            first,
        })
    }
}
