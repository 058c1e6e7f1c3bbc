//! Lists that come in pages: asked for to their end, but never without an end.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::PagerDuty;
use crate::backend::http::Body;
use crate::backend::kit::lenient::{List, left_out, objects};
use crate::model::ask::{Answer, Reply};
use crate::model::source::{SourceError, Trouble};
use crate::model::warning::Warning;

/// As many as a page can have.
const PAGE: usize = 100;
/// PagerDuty refuses `offset + limit` beyond this (code 2002).
const REACH: usize = 10_000;
/// Pages on their way at once; a first guess at a long list costs no more than it must.
const WAVES: [usize; 3] = [1, 2, 4];

/// What was spent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) bytes_in: u64,
    pub(super) requests: u32,
}

impl Cost {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes_in += other.bytes_in;
        self.requests += other.requests;
    }

    /// An answer for this price.
    pub(super) fn reply(self, answer: Answer, digest: Option<u64>) -> Reply {
        Reply { digest, bytes_in: self.bytes_in, requests: self.requests, ..Reply::free(answer) }
    }
}

/// A list to ask for.
pub(super) struct Listing<'a> {
    pub(super) path: &'a str,
    /// Under which key of an answer the list stands.
    pub(super) key: &'a str,
    /// What is asked besides `limit` and `offset`.
    pub(super) query: &'a [(&'a str, &'a str)],
    /// No more pages than these.
    pub(super) pages: usize,
    /// No further page is asked for after this moment.
    pub(super) until: Instant,
}

/// What came.
pub(super) struct Pages<T> {
    pub(super) items: Vec<T>,
    /// There is more that was not asked for, or did not come.
    pub(super) is_cut: bool,
    /// Why it did not come, if it was asked for.
    pub(super) broken: Option<SourceError>,
    /// How many of what came could not be read.
    pub(super) lost: usize,
    pub(super) cost: Cost,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_cut: false, broken: None, lost: 0, cost: Cost::default() }
    }
}

impl<T> Pages<T> {
    /// What is missing of a list that is cut, with the reason as far as it is known.
    pub(super) fn cut(&self, what: &str) -> Option<Warning> {
        let why = || self.broken.as_ref().map_or_else(String::new, |error| format!(" ({})", error.trouble));
        self.is_cut.then(|| Warning::missing(format!("{what}{}", why())))
    }

    /// That some of what came could not be read.
    pub(super) fn left_out(&self, what: &str) -> Option<Warning> {
        left_out(self.lost, what)
    }

    /// Takes in what of these can be read.
    fn take(&mut self, items: Vec<Value>)
    where
        T: DeserializeOwned,
    {
        let List { all, lost } = objects(items);
        self.lost += lost;
        self.items.extend(all);
    }
}

struct Page {
    items: Vec<Value>,
    more: bool,
    step: usize,
    digest: u64,
}

impl PagerDuty {
    /// All pages of a list, up to its bounds.
    ///
    /// # Errors
    /// Whatever keeps the first page from coming. If a later one does not come, the list ends before it and says that it is cut:
    /// one with a hole would look whole.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        listing: &Listing<'_>,
    ) -> Result<Pages<T>, SourceError> {
        let mut pages = Pages::default();
        let (mut offset, mut step, mut last, mut asked) = (0, PAGE, None, 0);
        for wave in WAVES.into_iter().chain(std::iter::repeat(4)) {
            let left = listing.pages.min(REACH / PAGE) - asked;
            let offsets = (0..wave.min(left)).map(|i| offset + i * step);
            let offsets: Vec<_> = offsets.filter(|offset| offset + PAGE <= REACH).collect();
            if offsets.is_empty() || (asked > 0 && Instant::now() >= listing.until) {
                break;
            }
            asked += offsets.len();
            for body in join_all(offsets.iter().map(|offset| self.page(listing, *offset))).await {
                let body = match body {
                    Err(error) if last.is_some() => {
                        pages.cost.add(Cost { bytes_in: 0, requests: 1 });
                        (pages.is_cut, pages.broken) = (true, Some(error));
                        return Ok(pages);
                    }
                    body => body?,
                };
                pages.cost.add(Cost { bytes_in: body.size(), requests: 1 });
                let page = self.read_page(&body, listing.key)?;
                // the same page again: the server does not look at the offset and would go on for ever
                if last.replace(page.digest) == Some(page.digest) {
                    pages.is_cut = true;
                    return Ok(pages);
                }
                pages.is_cut = page.more;
                let is_empty = page.items.is_empty();
                pages.take(page.items);
                if !page.more || is_empty {
                    return Ok(pages);
                }
                offset += page.step;
                if step != page.step {
                    // it gives other pages than it was asked for: the rest of this wave has holes
                    step = page.step;
                    break;
                }
            }
        }
        Ok(pages)
    }

    async fn page(&self, listing: &Listing<'_>, offset: usize) -> Result<Body, SourceError> {
        let (limit, offset) = (PAGE.to_string(), offset.to_string());
        let mut query = listing.query.to_vec();
        query.push(("limit", &limit));
        query.push(("offset", &offset));
        self.get(listing.path, &query).await
    }

    fn read_page(&self, body: &Body, key: &str) -> Result<Page, SourceError> {
        let mut answer: Map<String, Value> = body.json()?;
        let items = match answer.remove(key) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => Vec::new(),
            _ => return Err(self.odd(&format!("no list of `{key}` in it"))),
        };
        let more = answer.get("more").and_then(Value::as_bool).unwrap_or(false);
        let step = answer.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        let mut hasher = DefaultHasher::new();
        items.hash(&mut hasher);
        let step = step.filter(|limit| (1..=PAGE).contains(limit)).unwrap_or(PAGE);
        Ok(Page { items, more, step, digest: hasher.finish() })
    }

    /// One list that comes in one piece.
    ///
    /// # Errors
    /// Whatever keeps it from coming.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        query: &[(&str, &str)],
    ) -> Result<Pages<T>, SourceError> {
        let body = self.get(path, query).await?;
        let cost = Cost { bytes_in: body.size(), requests: 1 };
        let mut pages = Pages { cost, ..Pages::default() };
        pages.take(self.read_page(&body, key)?.items);
        Ok(pages)
    }

    /// What came is JSON, but not PagerDuty's.
    pub(super) fn odd(&self, what: &str) -> SourceError {
        self.http.error(Trouble::Garbled { reason: format!("not what PagerDuty sends: {what}") })
    }
}
