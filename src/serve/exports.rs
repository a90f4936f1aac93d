//! `GET /api/export/<endpoint>/`: a dataset, in pages of JSON or as one stream.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use super::{
    Service,
    accept::{Form, form},
    columnar,
    error::{Refusal, Result},
};
use crate::{database::Page, dataset::Dataset, json};

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Answers with the dataset of that endpoint, in the form the client accepts.
pub(super) async fn export(
    State(service): State<Service>,
    Path(endpoint): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let datasets = &service.project.datasets;
    let dataset = datasets.values().find(|d| d.endpoint == endpoint);
    let dataset = dataset.ok_or(Refusal::NotFound)?;
    let form = form(&headers).ok_or(Refusal::NotAcceptable)?;
    let mut response = match form {
        Form::Pages => page(&service, dataset, &uri, &headers).await?,
        Form::Arrow | Form::Parquet => whole(&service, dataset, form).await?,
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(form.media_type()),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn page(
    service: &Service,
    dataset: &Dataset,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response> {
    let number = page_number(uri)?;
    let size = service.config.page_size.get();
    let page = service.database.page(dataset, number, size).await?;
    let Some(page) = page else {
        // The first page is there even of an empty dataset: there is no such relation.
        return Err(if number == 1 {
            Refusal::NotFound
        } else {
            Refusal::InvalidPage
        });
    };
    let links = Links::new(uri, headers);
    let is_last = number.saturating_mul(size as u64) >= page.count;
    let next = (!is_last).then(|| links.page(number + 1));
    let previous = (number > 1).then(|| links.page(number - 1));
    Ok(encode(&page, next, previous)?.into_response())
}

/// Returns the page asked for, from 1. As in Django the last of several counts.
fn page_number(uri: &Uri) -> Result<u64> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = pairs.filter(|(name, _)| name == "page").last();
    match asked {
        None => Ok(1),
        Some((_, value)) => match value.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(Refusal::InvalidPage),
        },
    }
}

fn encode(page: &Page, next: Option<String>, previous: Option<String>) -> Result<Vec<u8>> {
    let head = serde_json::json!({
        "count": page.count,
        "next": next,
        "previous": previous,
    });
    let mut body = head.to_string().into_bytes();
    body.pop(); // its closing brace: the rows follow without passing through a tree
    body.extend_from_slice(b",\"results\":[");
    json::encode_rows(&page.rows, ",", &mut body)
        .map_err(|error| Refusal::Bug(error.to_string()))?;
    body.extend_from_slice(b"]}");
    Ok(body)
}

async fn whole(service: &Service, dataset: &Dataset, form: Form) -> Result<Response> {
    let export = service.database.export(dataset).await?;
    let export = export.ok_or(Refusal::NotFound)?;
    let mut response = columnar::body(form, export.rows).into_response();
    let headers = response.headers_mut();
    headers.insert(TOTAL_COUNT, export.count.into());
    Ok(response)
}

/// Makes the absolute links of a page, as Django does, from what the client asked for.
struct Links<'a> {
    host: Authority,
    uri: &'a Uri,
}

impl<'a> Links<'a> {
    /// A `Host` that is none is not repeated.
    fn new(uri: &'a Uri, headers: &HeaderMap) -> Links<'a> {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        let host = host.filter(|host| !host.as_str().contains('@'));
        Links {
            host: host.unwrap_or(Authority::from_static("localhost")),
            uri,
        }
    }

    /// The first page has no number in its link; all other parameters stay.
    fn page(&self, number: u64) -> String {
        let query = self.uri.query().unwrap_or_default();
        let mut kept = form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(
            form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "page"),
        );
        if number > 1 {
            kept.append_pair("page", &number.to_string());
        }
        let query = kept.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("http://{}{}{mark}{query}", self.host, self.uri.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(uri: &str, host: &str, number: u64) -> String {
        let uri = uri.parse().unwrap();
        let headers = [(header::HOST, HeaderValue::from_str(host).unwrap())];
        Links::new(&uri, &headers.into_iter().collect()).page(number)
    }

    #[test]
    fn a_link_keeps_what_else_was_asked() {
        let uri = "/api/export/prices/?page=2&format=json";
        assert_eq!(
            link(uri, "shop.example:8000", 3),
            "http://shop.example:8000/api/export/prices/?format=json&page=3"
        );
        assert_eq!(
            link("/api/export/prices/?page=2", "shop.example", 1),
            "http://shop.example/api/export/prices/"
        );
    }

    #[test]
    fn a_hostile_host_is_not_repeated() {
        for host in ["a b", "\"><script>", "user:pass@evil", "", "a/../b"] {
            let link = link("/x", host, 2);
            assert_eq!(link, "http://localhost/x?page=2", "{host}");
        }
    }

    #[test]
    fn a_page_that_is_no_number_from_one_is_invalid() {
        for query in [
            "page=0",
            "page=-1",
            "page=x",
            "page=",
            "page=99999999999999999999",
        ] {
            let uri: Uri = format!("/x?{query}").parse().unwrap();
            assert!(page_number(&uri).is_err(), "{query}");
        }
        assert_eq!(
            page_number(&"/x?page=1&page=3".parse().unwrap()).ok(),
            Some(3)
        );
    }
}
