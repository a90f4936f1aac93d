//! The one question that planning asks: which rows does this name have?

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{catalog::TableProvider, prelude::SessionContext};

use super::tables;
use crate::{
    database::Table,
    dataset::Dataset,
    engine::{Error, Result},
    pipeline::{Pipeline, read_declared},
};

/// Which snapshot a dataset is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// The one in use.
    Current,
    /// The one before it, as `previous.<dataset>`.
    Previous,
    /// Those of earlier days, as `history.<dataset>`.
    History,
}

/// What a name in SQL stands for, with its definition.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// A dataset.
    Dataset(&'a Dataset, Edition),
    /// The output of a pipeline.
    Output(&'a Pipeline),
    /// A model of a pipeline.
    Model(&'a Pipeline, &'a str),
    /// A seed of a pipeline.
    Seed(&'a Pipeline, &'a str),
    /// The artifact that an update applies.
    Artifact(&'a Pipeline),
    /// A table of the database.
    Stored(&'a Table),
    /// What a test made, by the name that it gave.
    Made(&'a str),
}

impl Named<'_> {
    /// Says whether both are the same relation.
    pub fn is(self, other: Named<'_>) -> bool {
        match (self, other) {
            (Named::Dataset(a, edition), Named::Dataset(b, other)) => {
                a.name == b.name && edition == other
            }
            (Named::Output(a), Named::Output(b)) | (Named::Artifact(a), Named::Artifact(b)) => {
                a.name == b.name
            }
            (Named::Model(a, model), Named::Model(b, other))
            | (Named::Seed(a, model), Named::Seed(b, other)) => a.name == b.name && model == other,
            (Named::Stored(a), Named::Stored(b)) => a.name == b.name,
            (Named::Made(a), Named::Made(b)) => a == b,
            _ => false,
        }
    }
}

/// Where the rows of relations come from.
#[async_trait]
pub trait Relations: fmt::Debug + Send + Sync {
    /// Returns the rows of what is named, or nothing where they do not come from here.
    ///
    /// # Errors
    ///
    /// Returns an error when the rows are here and cannot be read.
    async fn table(
        &self,
        context: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>>;
}

/// The declared columns of everything, and no row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Empty;

#[async_trait]
impl Relations for Empty {
    async fn table(
        &self,
        _: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let schema = match named {
            Named::Dataset(dataset, Edition::History) => dataset.history().arrow(),
            Named::Dataset(dataset, _) => dataset.contract.arrow(),
            Named::Output(pipeline) | Named::Artifact(pipeline) => pipeline.contract.arrow(),
            Named::Stored(table) => table.contract.arrow(),
            Named::Seed(pipeline, name) => seed(pipeline, name)?.schema(),
            Named::Model(..) | Named::Made(_) => return Ok(None),
        };
        Ok(Some(tables::empty(schema)))
    }
}

/// Several places, asked one after another.
#[derive(Debug)]
pub struct Layers<'a>(pub Vec<&'a dyn Relations>);

#[async_trait]
impl Relations for Layers<'_> {
    async fn table(
        &self,
        context: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        for layer in &self.0 {
            if let Some(table) = layer.table(context, named).await? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }
}

/// Returns a seed's rows.
pub(super) fn seed(
    pipeline: &Pipeline,
    name: &str,
) -> Result<datafusion::arrow::record_batch::RecordBatch> {
    read_declared(&pipeline.seeds[name], pipeline.seed_types.get(name))
        .map_err(|finding| Error::invalid(vec![*finding]))
}

/// Returns a seed's rows as a table.
///
/// # Errors
///
/// Finds what is wrong with the seed's file.
pub(crate) fn seed_table(pipeline: &Pipeline, name: &str) -> Result<Arc<dyn TableProvider>> {
    let rows = tables::rows(seed(pipeline, name)?);
    rows.map_err(|error| Error::run(&pipeline.seeds[name].path.display().to_string(), error))
}
