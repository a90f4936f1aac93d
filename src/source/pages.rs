//! An export page by page: JSON with `count`, `next` and `results`.
//!
//! Page 1 says how many pages there are; the others are asked for a few at a time
//! and handed on in order. Where `next` is not the plain `page=2`, it is followed
//! link by link; of a link only the query is used. What does not fit together
//! (counts, repeats, gaps) means that the data moved: the dataset begins again.

use std::sync::Arc;

use futures::{Stream, StreamExt};

use super::{
    Error, Fetched, Mark, Piece, Result,
    export::{ATTEMPTS, Export},
    ledger::Ledger,
    page::{self, Page},
};

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
    notes.note(|stats| stats.form = "pages".to_owned());
    done.iter().for_each(|mark| notes.page(mark));
    Fetched {
        pieces: attempts(export, done, first).boxed(),
        resumable: true,
        stats: notes,
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
                    page: export.page(None),
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
                None => page(&export, link, ledger.next_page()).await?,
            };
            ledger.accept(&page.mark).map_err(Stop::Moved)?;
            yield page;
            let numbers = ledger.numbered();
            let mut numbered = futures::stream::iter(numbers)
                .map(|number| page_numbered(&export, number))
                .buffered(export.config.parallel.get());
            while let Some(page) = numbered.next().await {
                let page = page?;
                ledger.accept(&page.mark).map_err(Stop::Moved)?;
                yield page;
            }
        }
        ledger.finish().map_err(Stop::Moved)?;
    }
}

async fn page_numbered(export: &Arc<Export>, number: u64) -> Result<Page, Stop> {
    page(export, Some(format!("page={number}")), number).await
}

async fn page(export: &Arc<Export>, query: Option<String>, number: u64) -> Result<Page, Stop> {
    let page = page::fetch(export, query.as_deref(), number, None).await?;
    page.ok_or_else(|| Stop::Moved(format!("page {number} is gone")))
}
