//! Pagination of PagerDuty: `limit` and `offset`, with `more` next to the list.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::PagerDuty;
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::object;
use crate::backend::kit::paging::{self, ListBounds, ListResult, Page, PagedList, Paging};
use crate::model::source::{ErrorKind, SourceError};

/// The maximum page size.
const PAGE: usize = 100;
/// PagerDuty refuses requests with `offset + limit` above this value (error code 2002).
const MAX_OFFSET: usize = 10_000;

/// The offset of a page, and the page size that the server uses.
#[derive(Clone, Copy, PartialEq)]
struct Offset {
    offset: usize,
    step: usize,
}

/// One list of an account.
struct AccountList<'a> {
    account: &'a PagerDuty,
    path: &'a str,
    /// Query parameters in addition to `limit` and `offset`.
    query: &'a [(&'a str, &'a str)],
}

impl Paging for AccountList<'_> {
    type Place = Offset;

    fn first(&self) -> Offset {
        Offset { offset: 0, step: PAGE }
    }

    async fn ask(&self, place: &Offset) -> Result<Body, SourceError> {
        let (limit, offset) = (PAGE.to_string(), place.offset.to_string());
        let mut query = self.query.to_vec();
        query.extend([("limit", &*limit), ("offset", &*offset)]);
        self.account.http.get(self.path, &query).await
    }

    fn read(&self, body: &Body, place: &Offset) -> Result<Page<Offset>, SourceError> {
        let (items, answer) = self.account.items(body, self.path)?;
        let has_more = answer.get("more").and_then(Value::as_bool).unwrap_or(false);
        let step = answer.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        let step = step.filter(|limit| (1..=PAGE).contains(limit)).unwrap_or(PAGE);
        let next = has_more.then_some(Offset { offset: place.offset + step, step });
        Ok(Page { items, next })
    }

    fn from(&self, Offset { offset, step }: Offset, count: usize) -> Vec<Offset> {
        let offsets = (0..count).map(|i| Offset { offset: offset + i * step, step });
        offsets.filter(|place| place.offset + PAGE <= MAX_OFFSET).collect()
    }
}

impl PagerDuty {
    /// Reads a list of at most `most` pages; no page is requested after the time-out.
    ///
    /// # Errors
    /// The error of the first page.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        most: usize,
    ) -> ListResult<T> {
        let bounds =
            ListBounds { pages: most.min(MAX_OFFSET / PAGE), until: Instant::now() + self.list_timeout };
        paging::pages(&AccountList { account: self, path, query }, bounds).await
    }

    /// Reads a list without pagination.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> ListResult<T> {
        let body = self.http.get(path, query).await?;
        let mut pages = PagedList::default();
        pages.take(self.items(&body, path)?.0);
        Ok(pages)
    }

    /// The list in an answer, under the last part of the path, and the other fields of the answer.
    fn items(&self, body: &Body, path: &str) -> Result<(Vec<Value>, Map<String, Value>), SourceError> {
        let key = path.rsplit('/').next().unwrap_or(path);
        let mut answer: Map<String, Value> = body.json()?;
        match answer.remove(key) {
            Some(Value::Array(items)) => Ok((items, answer)),
            Some(Value::Null) => Ok((Vec::new(), answer)),
            _ => Err(self.odd(&format!("no list of `{key}` in it"))),
        }
    }

    /// The object under this key of an answer.
    pub(super) fn object<T: DeserializeOwned>(&self, body: &Body, key: &str) -> Result<T, SourceError> {
        object(body.json()?, key).ok_or_else(|| self.odd(&format!("no `{key}` in it")))
    }

    /// The error for valid JSON that is not an answer of PagerDuty.
    pub(super) fn odd(&self, what: &str) -> SourceError {
        self.http.error(ErrorKind::Garbled { reason: format!("not an answer of PagerDuty: {what}") })
    }
}
