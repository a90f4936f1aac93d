//! A database as a source: the exports without the service.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use futures::StreamExt;

use super::{
    DatasetPage, Error, Fetched, Mark, Notes, Piece, Result, Source,
    columnar::{Wrong, conform},
};
use crate::{
    database::{Database, Export},
    dataset::{Contract, Dataset},
    events::Events,
};

/// The exports of a database that can be read directly, each in one read transaction.
#[derive(Debug, Clone)]
pub struct DatabaseSource {
    name: String,
    database: Arc<dyn Database>,
}

impl DatabaseSource {
    /// Makes a source of the database, under a name without secrets.
    pub fn new(name: impl Into<String>, database: Arc<dyn Database>) -> DatabaseSource {
        DatabaseSource {
            name: name.into(),
            database,
        }
    }
}

#[async_trait]
impl Source for DatabaseSource {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn fetch(
        &self,
        dataset: &Dataset,
        _done: Vec<Mark>,
        _progress: &Events,
    ) -> Result<Option<Fetched>> {
        let exported = self.database.export(dataset).await;
        let exported = exported.map_err(|source| Error::Database {
            dataset: dataset.name.clone(),
            source: Box::new(source),
        })?;
        Ok(exported.map(|export| fetched(dataset, export)))
    }
}

fn fetched(dataset: &Dataset, Export { count, rows }: Export) -> Fetched {
    let stats = Notes::default();
    stats.note(|stats| stats.form = "database".to_owned());
    let (name, contract) = (dataset.name.clone(), dataset.contract.clone());
    let pieces = rows.scan((0, 0), move |(page, before), batch| {
        let piece = batch
            .map_err(|source| Error::Stream {
                dataset: name.clone(),
                source: Box::new(source),
            })
            .and_then(|batch| {
                *page += 1;
                *before += batch.num_rows() as u64;
                let first = *before - batch.num_rows() as u64;
                let (mark, rows) = checked(&batch, &contract, &name, first)?;
                let mark = Mark {
                    page: *page,
                    count: Some(count),
                    ..mark
                };
                Ok(Piece::Page(mark, rows))
            });
        futures::future::ready(Some(piece))
    });
    Fetched {
        pieces: pieces.boxed(),
        resumable: false,
        stats,
    }
}

fn checked(
    batch: &RecordBatch,
    contract: &Contract,
    dataset: &str,
    before: u64,
) -> Result<(Mark, RecordBatch)> {
    let page = DatasetPage {
        dataset: dataset.to_owned(),
        page: None,
    };
    let (rows, _) = conform(batch, contract, before).map_err(|wrong| match wrong {
        Wrong::Row(wrong) => Error::IllTyped {
            page,
            wrong: Box::new(wrong),
        },
        Wrong::Column(reason) => Error::Answer { page, reason },
    })?;
    let mark = Mark {
        rows: rows.num_rows() as u64,
        ..Mark::default()
    };
    Ok((mark, rows))
}
