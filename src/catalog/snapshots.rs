//! Datasets as snapshots have them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{catalog::TableProvider, prelude::SessionContext};

use super::{
    relations::{Edition, Named, Relations, seed_table},
    tables,
};
use crate::{
    engine::{Error, Result},
    snapshot::Snapshot,
};

/// The snapshot in use, the one before it, and those of earlier days. A dataset that a
/// snapshot does not have, or a snapshot that there is not, is empty.
#[derive(Debug, Clone, Copy)]
pub struct Snapshots<'a> {
    /// Where the datasets are.
    pub current: Option<&'a Snapshot>,
    /// Where those of `previous` are.
    pub previous: Option<&'a Snapshot>,
    /// Where those of `history` are, the newest first.
    pub history: &'a [Snapshot],
}

#[async_trait]
impl Relations for Snapshots<'_> {
    async fn table(
        &self,
        context: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let (dataset, edition) = match named {
            Named::Dataset(dataset, edition) => (dataset, edition),
            Named::Seed(pipeline, name) => return seed_table(pipeline, name).map(Some),
            Named::Output(_)
            | Named::Model(..)
            | Named::Artifact(_)
            | Named::Stored(_)
            | Named::Made(_) => return Ok(None),
        };
        let table = match edition {
            Edition::Current => tables::dataset_of(context, self.current, dataset),
            Edition::Previous => tables::dataset_of(context, self.previous, dataset),
            Edition::History => tables::history_of(context, self.history, dataset),
        };
        let what = format!("the dataset {}", dataset.name);
        table.map(Some).map_err(|error| Error::run(&what, error))
    }
}
