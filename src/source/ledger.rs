//! Whether pages fit together.
//!
//! Marks of pages go in, in order; out comes what to ask for next, or why the data must
//! have moved between two of them. It asks for nothing itself.

use std::{collections::HashSet, ops::Range};

use super::Mark;

/// More pages than the count allows for, before links without an end are given up.
const SLACK_PAGES: u64 = 10;
/// The most pages of a service that gives no count.
const MAX_PAGES: u64 = 10_000_000;

/// What the pages of one pass add up to.
pub(super) struct Ledger {
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
    pub(super) fn new(done: Vec<Mark>) -> Ledger {
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
    pub(super) fn link(&self) -> Option<Option<String>> {
        self.next.clone()
    }

    /// Returns the numbers of the pages that can be asked for at once, without
    /// waiting for the links to them.
    pub(super) fn numbered(&self) -> Range<u64> {
        let plain = format!("page={}", self.pages + 1);
        let is_plain = matches!(&self.next, Some(Some(link)) if *link == plain);
        match self.count {
            Some(count) if is_plain && self.page_rows > 0 => {
                self.pages + 1..count.div_ceil(self.page_rows) + 1
            }
            _ => 0..0,
        }
    }

    /// Returns the number of the page that comes next.
    pub(super) fn next_page(&self) -> u64 {
        self.pages + 1
    }

    /// Takes a page in.
    ///
    /// # Errors
    ///
    /// Returns why it does not fit the pages before it: the data moved.
    pub(super) fn accept(&mut self, mark: &Mark) -> Result<(), String> {
        let page = mark.page;
        if self.pages > 0 && mark.count != self.count {
            return Err(format!(
                "the count went from {} to {} at page {page}",
                shown(self.count),
                shown(mark.count)
            ));
        }
        if !self.hashes.is_empty() && self.hashes.contains(&mark.hash) {
            return Err(format!("page {page} repeats an earlier page"));
        }
        if page > 1 && mark.rows == 0 {
            return Err(format!("page {page} is empty"));
        }
        if mark
            .next
            .as_ref()
            .is_some_and(|link| self.links.contains(link))
        {
            return Err(format!("page {page} leads back to an earlier page"));
        }
        self.add(mark);
        if self.pages > self.max_pages() {
            return Err(format!(
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
    ///
    /// # Errors
    ///
    /// Returns that they do not: the data moved.
    pub(super) fn finish(&self) -> Result<(), String> {
        match self.count {
            Some(count) if count != self.rows => Err(format!(
                "received {} rows in {} pages, but the count is {count}",
                self.rows, self.pages
            )),
            _ => Ok(()),
        }
    }
}

fn shown(count: Option<u64>) -> String {
    count.map_or("unknown".to_owned(), |count| count.to_string())
}
