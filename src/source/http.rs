//! A service's exports over HTTP: in columnar form where the service has it, else
//! page by page.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Response, StatusCode, header::CONTENT_TYPE};
use secrecy::SecretString;
use url::Url;

use super::{
    Error, Fetched, Mark, Notes, Place, Result, Source, columnar, pages,
    request::{BodyFault, Patience, Requests, read_body},
};
use crate::{config::FetchConfig, dataset::Dataset, events::Progress};

const ARROW: &str = "application/vnd.apache.arrow.stream";
const JSON: &str = "application/json";
/// Columnar first; a service that does not know it may answer with page 1 at once.
const ARROW_OR_JSON: &str = "application/vnd.apache.arrow.stream, application/json;q=0.5";

/// How often a dataset is read when its data moves: once, and twice again.
pub(super) const ATTEMPTS: u32 = 3;

/// The exports of a service at one origin.
#[derive(Debug)]
pub struct Http {
    server: Url,
    requests: Arc<Requests>,
}

impl Http {
    /// Makes a client of the service at `server`.
    ///
    /// # Errors
    /// The key cannot be a header's value.
    pub fn new(
        server: &Url,
        key: impl Into<Option<SecretString>>,
        config: &FetchConfig,
    ) -> Result<Http> {
        Ok(Http {
            server: server.clone(),
            requests: Arc::new(Requests::new(key.into(), config.clone())?),
        })
    }

    fn export(&self, dataset: &Dataset, progress: &Progress) -> Export {
        Export {
            dataset: dataset.clone(),
            url: export_url(&self.server, &dataset.endpoint),
            requests: self.requests.clone(),
            notes: Notes::default(),
            progress: progress.clone(),
        }
    }
}

#[async_trait]
impl Source for Http {
    fn name(&self) -> String {
        let mut url = self.server.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Both fail only for a URL without a host, which has neither.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.to_string()
    }

    async fn fetch(
        &self,
        dataset: &Dataset,
        done: Vec<Mark>,
        progress: &Progress,
    ) -> Result<Option<Fetched>> {
        let export = Arc::new(self.export(dataset, progress));
        if !done.is_empty() {
            return Ok(Some(pages::fetched(export, done, None)));
        }
        Ok(match export.first().await? {
            First::Missing => None,
            First::Stream(response) => Some(columnar::fetched(export, response)),
            First::Page(page) => Some(pages::fetched(export, done, Some(page))),
        })
    }
}

/// What came of the first request.
enum First {
    Missing,
    Stream(Response),
    Page(pages::Page),
}

/// One dataset of the service.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) dataset: Dataset,
    /// Where it is, without a query.
    pub(super) url: Url,
    pub(super) requests: Arc<Requests>,
    pub(super) notes: Notes,
    pub(super) progress: Progress,
}

impl Export {
    pub(super) fn place(&self, page: Option<u64>) -> Place {
        Place {
            dataset: self.dataset.name.clone(),
            page,
        }
    }

    /// Starts to count the time and the tries of one request.
    pub(super) fn patience(&self) -> Patience {
        self.requests.patience(&self.progress)
    }

    async fn first(self: &Arc<Self>) -> Result<First> {
        if self.requests.config.columnar {
            let mut patience = self.patience();
            let response = self.ask(None, None, ARROW_OR_JSON, &mut patience).await?;
            if is_arrow(&response) {
                return Ok(First::Stream(response));
            }
            let refuses = [
                StatusCode::NOT_ACCEPTABLE,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ];
            if !refuses.contains(&response.status()) {
                return self.first_page(Some(response)).await;
            }
        }
        self.first_page(None).await
    }

    async fn first_page(self: &Arc<Self>, answer: Option<Response>) -> Result<First> {
        let page = self.page(None, 1, answer).await?;
        Ok(page.map_or(First::Missing, First::Page))
    }

    /// Asks for the whole dataset in columnar form, as it was given before.
    pub(super) async fn stream(&self, patience: &mut Patience) -> Result<Response> {
        let response = self.ask(None, None, ARROW, patience).await?;
        if is_arrow(&response) {
            return Ok(response);
        }
        Err(Error::Answer {
            place: self.place(None),
            reason: "the service no longer answers in columnar form".to_owned(),
        })
    }

    /// Fetches and decodes a page (or takes an answer that is there already);
    /// `None` when there is none.
    pub(super) async fn page(
        self: &Arc<Self>,
        query: Option<&str>,
        number: u64,
        mut answer: Option<Response>,
    ) -> Result<Option<pages::Page>> {
        let place = self.place(Some(number));
        let max_bytes = self.requests.config.max_page_bytes;
        let mut patience = self.patience();
        loop {
            let response = match answer.take() {
                Some(response) => response,
                None => self.ask(Some(number), query, JSON, &mut patience).await?,
            };
            match response.status() {
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::OK => {}
                status => return Err(self.refused(place, status)),
            }
            let cause = match read_body(response, self.requests.limits(max_bytes)).await {
                Ok(body) => match pages::read(self, number, body).await? {
                    pages::Read::Page(page) => return Ok(Some(page)),
                    pages::Read::CutShort => super::Cause::CutShort,
                },
                Err(BodyFault::TooLarge) => return Err(Error::TooLarge { place, max_bytes }),
                Err(BodyFault::Cause(cause)) => cause,
            };
            self.requests.pause(&place, cause, &mut patience).await?;
        }
    }

    fn refused(&self, place: Place, status: StatusCode) -> Error {
        Error::Refused {
            place,
            status: status.as_u16(),
            answer: "neither JSON nor a stream can be had".to_owned(),
        }
    }

    async fn ask(
        &self,
        page: Option<u64>,
        query: Option<&str>,
        accept: &'static str,
        patience: &mut Patience,
    ) -> Result<Response> {
        let mut url = self.url.clone();
        url.set_query(query);
        let place = self.place(page);
        self.requests
            .send(&place, &url, accept, &self.notes, patience)
            .await
    }
}

fn is_arrow(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    response.status() == StatusCode::OK
        && content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| {
                text.split(';')
                    .next()
                    .is_some_and(|kind| kind.trim() == ARROW)
            })
}

/// Returns `<server>/api/export/<endpoint>/`.
fn export_url(server: &Url, endpoint: &str) -> Url {
    let mut url = server.clone();
    url.set_fragment(None);
    url.set_query(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["api", "export", endpoint, ""]);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_path_stands_before_the_exports() {
        let url = |server: &str| export_url(&server.parse().unwrap(), "prices").to_string();
        assert_eq!(url("http://a:1"), "http://a:1/api/export/prices/");
        assert_eq!(url("http://a/x/?q#f"), "http://a/x/api/export/prices/");
    }

    #[test]
    fn a_name_shows_no_password() {
        let server: Url = "https://user:secret@shop.example/".parse().unwrap();
        let source = Http::new(&server, None, &FetchConfig::default()).unwrap();
        assert_eq!(source.name(), "https://shop.example/");
    }
}
