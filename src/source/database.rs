//! A database as a source: the exports without the service.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::{
    Error, Fetched, Mark, Notes, Piece, Place, Result, Source,
    columnar::{Wrong, conform},
};
use crate::{
    database::Database,
    dataset::{Contract, Dataset},
    progress::Progress,
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
        _progress: &Progress,
    ) -> Result<Option<Fetched>> {
        let exported = self.database.export(dataset).await;
        let rows = exported.map_err(|source| Error::Database {
            dataset: dataset.name.clone(),
            source: Box::new(source),
        })?;
        Ok(rows.map(|rows| fetched(dataset, rows)))
    }
}

fn fetched(dataset: &Dataset, rows: SendableRecordBatchStream) -> Fetched {
    let told = Notes::default();
    told.note(|told| told.form = "database".to_owned());
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
                checked(&batch, &contract, &name, *page, first)
            });
        futures::future::ready(Some(piece))
    });
    Fetched {
        pieces: pieces.boxed(),
        resumable: false,
        told,
    }
}

fn checked(
    batch: &datafusion::arrow::record_batch::RecordBatch,
    contract: &Contract,
    dataset: &str,
    page: u64,
    before: u64,
) -> Result<Piece> {
    let place = Place {
        dataset: dataset.to_owned(),
        page: None,
    };
    let (rows, _) = conform(batch, contract, before).map_err(|wrong| match wrong {
        Wrong::Row(wrong) => Error::IllTyped {
            place,
            wrong: Box::new(wrong),
        },
        Wrong::Column(reason) => Error::Answer { place, reason },
    })?;
    let mark = Mark {
        page,
        rows: rows.num_rows() as u64,
        ..Mark::default()
    };
    Ok(Piece::Page(mark, rows))
}
