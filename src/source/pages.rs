//! An export page by page: JSON with `count`, `next` and `results`.
//!
//! Page 1 tells how many pages there are; the others are asked for a few at a time
//! and handed on in order. Where `next` is not the plain `page=2`, it is followed
//! link by link; of a link only the query is used. What does not fit together
//! (counts, repeats, gaps) means that the data moved: the dataset begins again.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use datafusion::arrow::record_batch::RecordBatch;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{
    Error, Fetched, Mark, Piece, Result,
    fingerprint::fingerprint,
    http::{ATTEMPTS, Export},
};
use crate::{
    dataset::Contract,
    json::{self, Cursor, Decoder, RowError},
};

/// More pages than the count allows for, before links without an end are given up.
const SLACK_PAGES: u64 = 10;
/// The most pages of a service that tells no count.
const MAX_PAGES: u64 = 10_000_000;

/// A page, decoded.
#[derive(Debug)]
pub(super) struct Page {
    mark: Mark,
    rows: RecordBatch,
}

/// What came of reading a body.
pub(super) enum Read {
    Page(Page),
    CutShort,
}

/// Why a pass over the pages ended.
enum Stop {
    Moved(String),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// Starts to hand on pages, after those `done` or after `first`.
pub(super) fn fetched(export: Arc<Export>, done: Vec<Mark>, first: Option<Page>) -> Fetched {
    let notes = export.notes.clone();
    notes.note(|told| told.form = "pages".to_owned());
    done.iter().for_each(|mark| notes.page(mark));
    Fetched {
        pieces: attempts(export, done, first).boxed(),
        resumable: true,
        told: notes,
    }
}

fn attempts(
    export: Arc<Export>,
    done: Vec<Mark>,
    first: Option<Page>,
) -> impl Stream<Item = Result<Piece>> + Send {
    async_stream::try_stream! {
        let mut pass = pass(export.clone(), done, first).boxed();
        let mut attempt = 1;
        while let Some(page) = pass.next().await {
            match page {
                Ok(Page { mark, rows }) => {
                    export.notes.page(&mark);
                    yield Piece::Page(mark, rows);
                }
                Err(Stop::Failed(error)) => Err(error)?,
                Err(Stop::Moved(reason)) if attempt == ATTEMPTS => Err(Error::Moving {
                    place: export.place(None),
                    reason,
                    times: attempt,
                })?,
                Err(Stop::Moved(reason)) => {
                    tracing::warn!(dataset = export.dataset.name, reason, "fetching again");
                    attempt += 1;
                    export.notes.again();
                    yield Piece::Again { reason };
                    pass = self::pass(export.clone(), Vec::new(), None).boxed();
                }
            }
        }
    }
}

/// Reads the pages that are not done, once.
fn pass(
    export: Arc<Export>,
    done: Vec<Mark>,
    first: Option<Page>,
) -> impl Stream<Item = Result<Page, Stop>> + Send {
    async_stream::try_stream! {
        let mut ledger = Ledger::new(done);
        let mut ready = first;
        while let Some(link) = ledger.link() {
            let page = match ready.take() {
                Some(page) => page,
                None => page(&export, link, ledger.pages + 1).await?,
            };
            ledger.accept(&page.mark)?;
            yield page;
            let numbers = ledger.numbered();
            let mut numbered = futures::stream::iter(numbers)
                .map(|number| page_numbered(&export, number))
                .buffered(export.requests.config.parallel.get());
            while let Some(page) = numbered.next().await {
                let page = page?;
                ledger.accept(&page.mark)?;
                yield page;
            }
        }
        ledger.finish()?;
    }
}

async fn page_numbered(export: &Arc<Export>, number: u64) -> Result<Page, Stop> {
    page(export, Some(format!("page={number}")), number).await
}

async fn page(export: &Arc<Export>, query: Option<String>, number: u64) -> Result<Page, Stop> {
    let page = export.page(query.as_deref(), number, None).await?;
    page.ok_or_else(|| Stop::Moved(format!("page {number} is gone")))
}

/// What the pages of one pass add up to.
struct Ledger {
    pages: u64,
    rows: u64,
    count: Option<u64>,
    page_rows: u64,
    /// The query of the next page; `None` within for page 1, none after the last.
    next: Option<Option<String>>,
    hashes: HashSet<u64>,
    links: HashSet<String>,
}

impl Ledger {
    fn new(done: Vec<Mark>) -> Ledger {
        let mut ledger = Ledger {
            pages: 0,
            rows: 0,
            count: None,
            page_rows: 0,
            next: Some(None),
            hashes: HashSet::new(),
            links: HashSet::new(),
        };
        done.iter().for_each(|mark| ledger.add(mark));
        ledger
    }

    fn add(&mut self, mark: &Mark) {
        if self.pages == 0 {
            (self.count, self.page_rows) = (mark.count, mark.rows);
        }
        self.pages += 1;
        self.rows += mark.rows;
        self.hashes.insert(mark.hash);
        self.next = mark.next.clone().map(Some);
        if let Some(link) = &mark.next {
            self.links.insert(link.clone());
        }
    }

    /// Returns the query of the page to ask for next, or none after the last.
    fn link(&self) -> Option<Option<String>> {
        self.next.clone()
    }

    /// Returns the numbers of the pages that can be asked for at once, without
    /// waiting for the links to them.
    fn numbered(&self) -> std::ops::Range<u64> {
        let plain = format!("page={}", self.pages + 1);
        let is_plain = matches!(&self.next, Some(Some(link)) if *link == plain);
        match self.count {
            Some(count) if is_plain && self.page_rows > 0 => {
                self.pages + 1..count.div_ceil(self.page_rows) + 1
            }
            _ => 0..0,
        }
    }

    /// Takes a page in, if it fits the pages before it.
    fn accept(&mut self, mark: &Mark) -> Result<(), Stop> {
        let moved = |reason: String| Err(Stop::Moved(reason));
        let page = mark.page;
        if self.pages > 0 && mark.count != self.count {
            return moved(format!(
                "the count went from {} to {} at page {page}",
                told(self.count),
                told(mark.count)
            ));
        }
        if !self.hashes.is_empty() && self.hashes.contains(&mark.hash) {
            return moved(format!("page {page} repeats an earlier page"));
        }
        if page > 1 && mark.rows == 0 {
            return moved(format!("page {page} is empty"));
        }
        if mark
            .next
            .as_ref()
            .is_some_and(|link| self.links.contains(link))
        {
            return moved(format!("page {page} leads back to an earlier page"));
        }
        self.add(mark);
        if self.pages > self.max_pages() {
            return moved(format!(
                "there are more pages than rows to fill them at page {page}"
            ));
        }
        if self.count.is_some_and(|count| self.rows > count) {
            return self.finish();
        }
        Ok(())
    }

    fn max_pages(&self) -> u64 {
        match self.count {
            Some(count) => count.div_ceil(self.page_rows.max(1)) + SLACK_PAGES,
            None => MAX_PAGES,
        }
    }

    /// Checks that the rows add up to the count.
    fn finish(&self) -> Result<(), Stop> {
        match self.count {
            Some(count) if count != self.rows => Err(Stop::Moved(format!(
                "{} rows came in {} pages, but the count is {count}",
                self.rows, self.pages
            ))),
            _ => Ok(()),
        }
    }
}

fn told(count: Option<u64>) -> String {
    count.map_or("none".to_owned(), |count| count.to_string())
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
pub(super) async fn read(export: &Arc<Export>, number: u64, body: Vec<u8>) -> Result<Read> {
    let short = body.len() <= SHORT_BYTES;
    let work = {
        let export = export.clone();
        move || {
            let decoded = decode(&body, number, &export.dataset.contract, &export.url);
            (decoded, body)
        }
    };
    let (decoded, body) = if short {
        work()
    } else {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::Client {
                what: "could not decode a page".to_owned(),
                source: error.into(),
            })?
    };
    let place = export.place(Some(number));
    match decoded {
        Ok(page) => Ok(Read::Page(page)),
        Err(Fault::CutShort) => Ok(Read::CutShort),
        Err(Fault::IllTyped(wrong)) => Err(Error::IllTyped {
            place,
            wrong: Box::new(wrong),
        }),
        Err(Fault::Other(reason)) => Err(Error::Answer { place, reason }),
        Err(Fault::NoPage(reason)) => Err(Error::Answer {
            place,
            reason: format!("{reason}, but {}", export.requests.shown(&body)),
        }),
    }
}

/// Why a body is no page.
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
            "the answer is not UTF-8 at byte {}",
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
    if count == 0 && number == 1 && parts.count.is_some_and(|count| count > 0) {
        let reason = format!(
            "there are no rows, though the count is {}",
            told(parts.count)
        );
        return Err(Fault::Other(reason));
    }
    let (next, foreign_next) = match &parts.next {
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
        foreign_next,
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
        "a page with `count`, `next` and `results` is expected".to_owned()
    } else {
        format!(
            "JSON is expected (line {}, column {})",
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
