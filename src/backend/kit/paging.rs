//! Paginated lists: all pages are requested, up to a bound.

use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::cost::digest;
use super::lenient::{LenientList, objects, unreadable_warning};
use crate::backend::kit::http::Body;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// How many pages are requested at once in the first, second and later rounds; few at first, because most lists are short.
const CONCURRENT_PAGES: [usize; 3] = [1, 2, 4];

/// The pagination of one list of an API.
pub(crate) trait Paging: Sync {
    /// The position of a page: an offset, a cursor, or the address of the next page.
    type Place: PartialEq + Sync + Send;

    fn first(&self) -> Self::Place;

    fn ask(&self, place: &Self::Place) -> impl Future<Output = Result<Body, SourceError>> + Send;

    /// Parses the page that was requested at this position.
    ///
    /// # Errors
    /// If the body is not a page of this list.
    fn read(&self, body: &Body, place: &Self::Place) -> Result<Page<Self::Place>, SourceError>;

    /// Up to `count` positions that can be requested at once, beginning with `place`; empty if the server would refuse the
    /// request. Implementations that cannot predict the position of later pages (cursors) return only `place`.
    fn from(&self, place: Self::Place, count: usize) -> Vec<Self::Place>;
}

pub(crate) struct Page<P> {
    pub(crate) items: Vec<Value>,
    /// The position of the next page; `None` after the last page.
    pub(crate) next: Option<P>,
}

/// Limits for the pages that are requested.
#[derive(Clone, Copy)]
pub(crate) struct ListBounds {
    pub(crate) pages: usize,
    /// No further page is requested after this time; the list is then marked as truncated.
    pub(crate) until: Instant,
}

pub(crate) struct PagedList<T> {
    pub(crate) items: Vec<T>,
    /// The list has more items than were read.
    pub(crate) is_cut: bool,
    /// The error of the page at which reading stopped, if the list is truncated for that reason.
    pub(crate) broken: Option<SourceError>,
    /// The number of items that could not be read.
    pub(crate) lost: usize,
}

/// A list, or the error of its first page.
pub(crate) type ListResult<T> = Result<PagedList<T>, SourceError>;

impl<T> Default for PagedList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_cut: false, broken: None, lost: 0 }
    }
}

impl<T> PagedList<T> {
    /// A warning for a truncated list, with the error if there was one.
    pub(crate) fn cut(&self, what: &str) -> Option<Warning> {
        let why = || self.broken.as_ref().map_or_else(String::new, |error| format!(" ({})", error.kind));
        self.is_cut.then(|| Warning::missing(format!("{what}{}", why())))
    }

    pub(crate) fn unreadable_warning(&self, what: &str) -> Option<Warning> {
        unreadable_warning(self.lost, what)
    }
}

impl<T: DeserializeOwned> PagedList<T> {
    /// Adds the items of a page.
    pub(crate) fn take(&mut self, items: Vec<Value>) {
        let LenientList { all, lost } = objects(items);
        self.items.extend(all);
        self.lost += lost;
    }
}

/// Requests all pages of a list, up to the bounds.
///
/// # Errors
/// The error of the first page. If a later page fails, the list ends before that page and is marked as truncated, because a
/// list with a gap would look complete.
pub(crate) async fn pages<P: Paging, T: DeserializeOwned>(paging: &P, bounds: ListBounds) -> ListResult<T> {
    let mut pages = PagedList::default();
    let (mut next, mut last, mut asked) = (paging.first(), None, 0);
    for wave in CONCURRENT_PAGES.into_iter().chain(std::iter::repeat(4)) {
        let places = paging.from(next, wave.min(bounds.pages - asked));
        if places.is_empty() || (asked > 0 && Instant::now() >= bounds.until) {
            break;
        }
        asked += places.len();
        let bodies = join_all(places.iter().map(|place| paging.ask(place))).await;
        let mut after = None;
        for (body, place) in bodies.into_iter().zip(&places) {
            // the server set another next position than predicted: the other pages of this round would leave gaps
            if after.as_ref().is_some_and(|after| after != place) {
                break;
            }
            let body = match body {
                Err(error) if last.is_some() => {
                    (pages.is_cut, pages.broken) = (true, Some(error));
                    return Ok(pages);
                }
                body => body?,
            };
            let Page { items, next } = paging.read(&body, place)?;
            let (is_empty, digest) = (items.is_empty(), digest(&items));
            // the same page again: the server ignores the position and would return this page for ever
            if last.replace(digest) == Some(digest) {
                pages.is_cut = true;
                return Ok(pages);
            }
            pages.take(items);
            pages.is_cut = next.is_some();
            if is_empty || next.is_none() {
                return Ok(pages);
            }
            after = next;
        }
        let Some(place) = after else { break };
        next = place;
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::backend::kit::double::{CannedResponse, Double};
    use crate::backend::kit::http::Http;
    use crate::backend::{Clock, SourceDeps};
    use crate::config::settings::Settings;
    use crate::model::source::SourceId;

    /// A list with cursors: each page names the next one; the first page has no cursor.
    struct Cursors(Http);

    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Value>,
        next: Option<String>,
    }

    impl Paging for Cursors {
        type Place = Option<String>;

        fn first(&self) -> Self::Place {
            None
        }

        async fn ask(&self, place: &Self::Place) -> Result<Body, SourceError> {
            let cursor = place.as_deref().map(|cursor| ("cursor", cursor));
            self.0.get("items", cursor.as_slice()).await
        }

        fn read(&self, body: &Body, _: &Self::Place) -> Result<Page<Self::Place>, SourceError> {
            let Answer { items, next } = body.json()?;
            Ok(Page { items, next: next.map(Some) })
        }

        fn from(&self, place: Self::Place, count: usize) -> Vec<Self::Place> {
            std::iter::once(place).take(count).collect()
        }
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        id: u64,
    }

    /// Reads a list of four pages, each with two items and one unreadable element; the page `refused` answers 403.
    async fn four_pages(most: usize, refused: u64) -> (Vec<u64>, PagedList<Item>, usize) {
        let double = Double::start(move |asked| {
            let page: u64 = asked.parameter("cursor").parse().unwrap_or(0);
            let items = json!([{ "id": 2 * page }, { "id": 2 * page + 1 }, "odd"]);
            let next = (page < 3).then(|| (page + 1).to_string());
            let status = if page == refused { 403 } else { 200 };
            CannedResponse::new(
                status,
                "application/json",
                &json!({ "items": items, "next": next }).to_string(),
            )
        })
        .await;
        let settings = Settings::default();
        let deps = SourceDeps::new(&settings, Clock::real());
        let http = Http::new(&SourceId::new("list"), &double.source("prometheus"), deps).unwrap();
        let bounds = ListBounds { pages: most, until: Instant::now() + Duration::from_secs(60) };
        let pages: PagedList<Item> = pages(&Cursors(http), bounds).await.unwrap();
        (pages.items.iter().map(|item| item.id).collect(), pages, double.asked().len())
    }

    #[tokio::test]
    async fn pages_that_name_the_next_one_are_read_to_the_end_or_told_as_cut() {
        let (ids, whole, requests) = four_pages(usize::MAX, 9).await;
        assert_eq!((ids, whole.lost, requests), ((0..8).collect(), 4, 4));
        assert!(!whole.is_cut && whole.broken.is_none());
        let (ids, bounded, requests) = four_pages(3, 9).await;
        assert_eq!((ids, bounded.is_cut, requests), ((0..6).collect(), true, 3));
        let (ids, broken, requests) = four_pages(usize::MAX, 2).await;
        assert_eq!((ids, broken.is_cut, requests), ((0..4).collect(), true, 3));
        assert!(broken.cut("more").unwrap().text.starts_with("more ("));
    }
}
