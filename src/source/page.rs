//! One page of an export: JSON with `count`, `next` and `results`.
//!
//! A page is asked for until it comes whole, and decoded by the dataset's contract. Of
//! its link to the next page only the query is kept.

use std::{borrow::Cow, sync::Arc};

use datafusion::arrow::record_batch::RecordBatch;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{Error, Mark, Result, export::Export, fingerprint::fingerprint};
use crate::{
    dataset::Contract,
    json::{self, Cursor, Decoder, RowError},
    service::{self, Answer, BodyFault, Cause},
};

const JSON: &str = "application/json";

/// A page, decoded.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) mark: Mark,
    pub(super) rows: RecordBatch,
}

/// Fetches and decodes a page (or takes an answer that is there already); `None` when
/// there is none.
pub(super) async fn fetch(
    export: &Arc<Export>,
    query: Option<&str>,
    number: u64,
    mut answer: Option<Answer>,
) -> Result<Option<Page>> {
    let page = Some(number);
    let mut patience = export.patience();
    loop {
        let answer = match answer.take() {
            Some(answer) => answer,
            None => export.ask(page, query, JSON, &mut patience).await?,
        };
        match answer.status() {
            200 => {}
            404 => return Ok(None),
            status => return Err(export.unanswered(page, refused(status))),
        }
        let cause = match answer.body(export.config.max_page_bytes).await {
            Ok(body) => match read(export, number, body).await? {
                Some(page) => return Ok(Some(page)),
                None => Cause::CutShort,
            },
            Err(BodyFault::TooLarge) => return Err(export.too_large(page)),
            Err(BodyFault::Cause(cause)) => cause,
        };
        export.wait(page, cause, &mut patience).await?;
    }
}

fn refused(status: u16) -> service::Error {
    service::Error::Refused {
        status,
        words: "it offers neither JSON nor an Arrow stream".to_owned(),
    }
}

/// A page as the service writes it.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    next: Option<String>,
    #[serde(borrow)]
    results: &'a RawValue,
}

/// The longest body that is decoded where it was received: a hop to another thread
/// takes as long as that.
const SHORT_BYTES: usize = 256 << 10;

/// Decodes a page's body; a long one away from the threads that wait for the network.
/// `None` if the body is cut short.
async fn read(export: &Arc<Export>, number: u64, body: Vec<u8>) -> Result<Option<Page>> {
    let short = body.len() <= SHORT_BYTES;
    let work = {
        let export = export.clone();
        move || {
            let decoded = decode(
                &body,
                number,
                &export.dataset.contract,
                export.endpoint.url(),
            );
            (decoded, body)
        }
    };
    let (decoded, body) = if short {
        work()
    } else {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|source| Error::Decode {
                page: export.page(Some(number)),
                source,
            })?
    };
    let page = Some(number);
    match decoded {
        Ok(page) => Ok(Some(page)),
        Err(Fault::CutShort) => Ok(None),
        Err(Fault::IllTyped(wrong)) => Err(export.ill_typed(page, wrong)),
        Err(Fault::Other(reason)) => Err(export.unusable(page, &reason)),
        Err(Fault::NoPage(reason)) => {
            let came = match export.client.words_of(&body) {
                words if words.is_empty() => "nothing".to_owned(),
                words => words,
            };
            Err(export.unusable(page, &format!("{reason}, but {came}")))
        }
    }
}

/// Why a body is not a page.
enum Fault {
    CutShort,
    IllTyped(RowError),
    Other(String),
    /// What was expected; what came instead is to be shown.
    NoPage(String),
}

/// A page's parts.
struct Parts<'a> {
    count: Option<u64>,
    next: Option<Cow<'a, str>>,
    /// The text of its rows.
    results: &'a str,
}

fn decode(body: &[u8], number: u64, contract: &Contract, url: &Url) -> Result<Page, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Fault::Other(format!(
            "the response is not UTF-8 at byte {}",
            error.valid_up_to()
        ))
    })?;
    let mut decoder = Decoder::for_export(contract);
    let parts = match usual(text, &mut decoder) {
        Some(parts) => parts,
        None => {
            decoder = Decoder::for_export(contract);
            parse(text, &mut decoder)?
        }
    };
    page_of(text, parts, decoder, number, url)
}

/// Reads a page of the usual form in one pass.
fn usual<'a>(text: &'a str, decoder: &mut Decoder) -> Option<Parts<'a>> {
    let mut cursor = Cursor::new(text);
    let (mut count, mut next, mut results) = (None, None, None);
    cursor.take(b'{')?;
    loop {
        match cursor.name()? {
            "count" if count.is_none() => count = Some(cursor.count()?),
            "next" if next.is_none() => {
                let is_last = cursor.takes_null();
                next = Some(if is_last { None } else { Some(cursor.text()?) });
            }
            "results" if results.is_none() => {
                let start = cursor.place();
                decoder.take_array(&mut cursor)?;
                results = cursor.since(start);
            }
            "count" | "next" | "results" => return None,
            _ => drop(cursor.value()?),
        }
        if !cursor.takes(b',') {
            cursor.take(b'}')?;
            cursor.end()?;
            return Some(Parts {
                count,
                next: next.flatten(),
                results: results?.trim_start(),
            });
        }
    }
}

/// Reads any page, or says why it is none.
fn parse<'a>(text: &'a str, decoder: &mut Decoder) -> Result<Parts<'a>, Fault> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(no_page)?;
    decoder.array(envelope.results.get()).map_err(fault)?;
    Ok(Parts {
        count: envelope.count,
        next: envelope.next.map(Cow::Owned),
        results: envelope.results.get(),
    })
}

fn page_of(
    text: &str,
    parts: Parts<'_>,
    mut decoder: Decoder,
    number: u64,
    url: &Url,
) -> Result<Page, Fault> {
    let rows = decoder.take().map_err(fault)?;
    let count = rows.num_rows() as u64;
    if let (0, 1, Some(count @ 1..)) = (count, number, parts.count) {
        let reason = format!("there are no rows, though the count is {count}");
        return Err(Fault::Other(reason));
    }
    let (next, cross_origin_next) = match &parts.next {
        Some(link) => query_of(link, url)?,
        None => (None, false),
    };
    // Two pages of one row may be equal for a good reason, two of several may not.
    let told_apart_by = if count > 1 { parts.results } else { text };
    let mark = Mark {
        page: number,
        rows: count,
        count: parts.count,
        next,
        hash: fingerprint(told_apart_by.as_bytes()),
        unknown: decoder.unknown(),
        cross_origin_next,
    };
    Ok(Page { mark, rows })
}

/// Returns the link's query, which is all that is used of it, and whether the rest
/// of it names another origin.
fn query_of(link: &str, url: &Url) -> Result<(Option<String>, bool), Fault> {
    let target = url
        .join(link)
        .map_err(|_| Fault::Other("`next` is not a link".to_owned()))?;
    match target.query() {
        Some(query) if !query.is_empty() => {
            Ok((Some(query.to_owned()), target.origin() != url.origin()))
        }
        _ => Err(Fault::Other("`next` has no query".to_owned())),
    }
}

fn no_page(error: serde_json::Error) -> Fault {
    if error.is_eof() {
        return Fault::CutShort;
    }
    Fault::NoPage(if error.is_data() {
        "expected a page with `count`, `next` and `results`".to_owned()
    } else {
        format!(
            "expected JSON (line {}, column {})",
            error.line(),
            error.column()
        )
    })
}

fn fault(error: json::Error) -> Fault {
    match error {
        json::Error::Row(wrong) => Fault::IllTyped(wrong),
        json::Error::Syntax { source, .. } if source.is_data() => {
            Fault::Other("`results` must be a list of objects".to_owned())
        }
        other => Fault::Other(other.to_string()),
    }
}
