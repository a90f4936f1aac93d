//! One dataset of a service, and how it is asked for: until there is an answer, or
//! patience ends.

use std::sync::Arc;

use reqwest::{Method, header::ACCEPT};

use super::{DatasetPage, Error, Notes, Result};
use crate::{
    config::FetchConfig,
    dataset::Dataset,
    events::Events,
    json::RowError,
    service::{self, Again, Answer, Client, Endpoint, Failure, Patience},
};

pub(super) const ARROW: &str = "application/vnd.apache.arrow.stream";
/// Columnar first; a service that does not know it may answer with page 1 at once.
pub(super) const ARROW_OR_JSON: &str =
    "application/vnd.apache.arrow.stream, application/json;q=0.5";

/// How often a dataset is read when its data moves: once, and twice again.
pub(crate) const ATTEMPTS: u32 = 3;

/// Statuses that say something of the dataset, not of the request: it, or its page, is
/// not there, or not in this form.
const HANDLED: [u16; 3] = [404, 406, 415];

/// One dataset of the service.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) dataset: Dataset,
    pub(super) endpoint: Endpoint,
    pub(super) client: Arc<Client>,
    pub(super) config: FetchConfig,
    pub(super) notes: Notes,
    pub(super) progress: Events,
}

impl Export {
    /// Returns a page of the dataset, or the dataset, as errors name it.
    pub(super) fn page(&self, page: Option<u64>) -> DatasetPage {
        DatasetPage {
            dataset: self.dataset.name.clone(),
            page,
        }
    }

    /// Starts to count the time and the attempts of one request.
    pub(super) fn patience(&self) -> Patience {
        self.client.patience(self.config.patience)
    }

    /// Asks until there is an answer: 2xx, 404, 406 or 415.
    pub(super) async fn ask(
        &self,
        page: Option<u64>,
        query: Option<&str>,
        accept: &'static str,
        patience: &mut Patience,
    ) -> Result<Answer> {
        loop {
            let request = self.client.request(Method::GET, &self.endpoint, query);
            let request = request.header(ACCEPT, accept);
            self.notes.note(|stats| {
                stats.requests += 1;
                stats.retries += u64::from(patience.is_retrying());
            });
            match self.client.attempt(request, &HANDLED).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(self.unanswered(page, error)),
                Err(Failure::Again(again)) => self.wait(page, again, patience).await?,
            }
        }
    }

    /// Waits before the next attempt, or gives up.
    pub(super) async fn wait(
        &self,
        page: Option<u64>,
        again: impl Into<Again>,
        patience: &mut Patience,
    ) -> Result<()> {
        let pause = self
            .client
            .plan(again.into(), patience)
            .map_err(|error| self.unanswered(page, error))?;
        tracing::debug!(page = %self.page(page), %pause, "waiting");
        self.progress.note(&self.dataset.name, &pause.to_string());
        self.client.wait(pause).await;
        Ok(())
    }

    pub(super) fn unanswered(&self, page: Option<u64>, source: service::Error) -> Error {
        Error::Service {
            page: self.page(page),
            source,
        }
    }

    /// An answer that is not what was asked for.
    pub(super) fn unusable(&self, page: Option<u64>, reason: &str) -> Error {
        Error::Answer {
            page: self.page(page),
            reason: self.client.redacted(reason),
        }
    }

    /// A row that breaks the contract.
    pub(super) fn ill_typed(&self, page: Option<u64>, wrong: RowError) -> Error {
        Error::IllTyped {
            page: self.page(page),
            wrong: Box::new(RowError {
                reason: self.client.redacted(&wrong.reason),
                ..wrong
            }),
        }
    }

    /// More bytes than a page may have.
    pub(super) fn too_large(&self, page: Option<u64>) -> Error {
        Error::TooLarge {
            page: self.page(page),
            max_bytes: self.config.max_page_bytes,
        }
    }
}
