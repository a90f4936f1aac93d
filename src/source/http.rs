//! A service's exports over HTTP: in columnar form where the service has it, else
//! page by page.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::{
    Fetched, Mark, Notes, Result, Source, columnar,
    export::{ARROW_OR_JSON, Export},
    page::{self, Page},
    pages,
};
use crate::{
    clock::SharedClock,
    config::FetchConfig,
    dataset::Dataset,
    events::Events,
    service::{Answer, Client},
};

/// The exports of a service at one origin.
#[derive(Debug)]
pub struct Http {
    client: Arc<Client>,
    config: FetchConfig,
}

impl Http {
    /// Makes a client of the service at `server`. Time is `clock`'s.
    ///
    /// # Errors
    ///
    /// The address is not one of HTTP, or the key cannot be a header's value.
    pub fn new(
        server: &Url,
        key: impl Into<Option<SecretString>>,
        config: &FetchConfig,
        clock: SharedClock,
    ) -> Result<Http> {
        let client = Client::new(server, key.into(), config.idle_timeout, clock)?;
        Ok(Http {
            client: Arc::new(client),
            config: config.clone(),
        })
    }

    fn export(&self, dataset: &Dataset, progress: &Events) -> Export {
        Export {
            dataset: dataset.clone(),
            endpoint: self.client.endpoint("export", &dataset.endpoint),
            client: self.client.clone(),
            config: self.config.clone(),
            notes: Notes::default(),
            progress: progress.clone(),
        }
    }
}

#[async_trait]
impl Source for Http {
    fn name(&self) -> String {
        self.client.name()
    }

    async fn fetch(
        &self,
        dataset: &Dataset,
        done: Vec<Mark>,
        progress: &Events,
    ) -> Result<Option<Fetched>> {
        let export = Arc::new(self.export(dataset, progress));
        if !done.is_empty() {
            return Ok(Some(pages::fetched(export, done, None)));
        }
        Ok(match first(&export).await? {
            First::Missing => None,
            First::Stream(answer) => Some(columnar::fetched(export, answer)),
            First::Page(page) => Some(pages::fetched(export, done, Some(page))),
        })
    }
}

/// What came of the first request.
enum First {
    Missing,
    Stream(Answer),
    Page(Page),
}

async fn first(export: &Arc<Export>) -> Result<First> {
    if export.config.columnar {
        let patience = &mut export.patience();
        let answer = export.ask(None, None, ARROW_OR_JSON, patience).await?;
        if columnar::is_arrow(&answer) {
            return Ok(First::Stream(answer));
        }
        // A service that knows no columnar form may say so, or answer with a page.
        if !matches!(answer.status(), 406 | 415) {
            return first_page(export, Some(answer)).await;
        }
    }
    first_page(export, None).await
}

async fn first_page(export: &Arc<Export>, answer: Option<Answer>) -> Result<First> {
    let page = page::fetch(export, None, 1, answer).await?;
    Ok(page.map_or(First::Missing, First::Page))
}
