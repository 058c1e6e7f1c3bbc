//! The data sources and dashboards that Grafana knows, without their content.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::{Grafana, wire};
use crate::backend::kit::http::Body;
use crate::backend::kit::paging::{ListBounds, Page, PagedList, Paging, pages};
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered, Weight};
use crate::model::dashboard::{DashboardEntry, DashboardList};
use crate::model::labels::Text;
use crate::model::source::SourceError;

/// The dashboards of one page of a search.
const PAGE: usize = 1000;
/// The most pages that are read.
const MOST_PAGES: usize = 10;

impl Grafana {
    /// Answers the question for the data sources.
    pub(super) async fn data_sources(&self) -> Answered {
        let (sources, warnings) = self.listed_data_sources().await?;
        let mut parts = AnswerParts::default();
        parts.warnings = warnings;
        Ok(parts.reply(Answer::DataSources(sources.to_vec())))
    }

    /// Answers the question for the dashboards.
    pub(super) async fn dashboards(&self) -> Answered {
        let bounds = ListBounds { pages: MOST_PAGES, until: Instant::now() + self.list_timeout };
        let found: PagedList<wire::FoundDashboard> = pages(&DashboardSearch(self), bounds).await?;
        let mut parts = AnswerParts::default();
        let cut = format!("only the first {} dashboards are listed", found.items.len());
        let is_cut = found.is_cut;
        let items = parts.items(found, "dashboards", &cut);
        let notes = is_cut.then(|| cut.into()).into_iter().collect();
        let entries = items.iter().map(|one| Arc::new(self.entry(one))).collect();
        Ok(parts.reply(Answer::Dashboards(DashboardList { entries, notes })))
    }

    fn entry(&self, found: &wire::FoundDashboard) -> DashboardEntry {
        let text = |text: &str| (!text.is_empty()).then(|| Text::from(text));
        DashboardEntry {
            uid: (&*found.uid.0).into(),
            title: (&*found.title.0).into(),
            folder: text(&found.folder_title.0),
            tags: found.tags.iter().map(|tag| Text::from(&**tag)).collect(),
            url: text(&found.url.0).map(|path| self.page(&path)),
            is_starred: found.is_starred.0 == "true",
        }
    }

    /// The address of a page; Grafana gives paths with its own sub-path.
    pub(super) fn page(&self, path: &str) -> Text {
        let base = self.http.base();
        let prefix = base.path().trim_end_matches('/');
        let path = path.strip_prefix(prefix).unwrap_or(path);
        format!("{}/{}", self.http.address(), path.trim_start_matches('/')).into()
    }
}

/// The pages of the search for dashboards.
struct DashboardSearch<'a>(&'a Grafana);

impl Paging for DashboardSearch<'_> {
    type Place = usize;

    fn first(&self) -> usize {
        1
    }

    async fn ask(&self, page: &usize) -> Result<Body, SourceError> {
        let (page, limit) = (page.to_string(), PAGE.to_string());
        self.0
            .get(Weight::Page, "api/search", &[("type", "dash-db"), ("limit", &limit), ("page", &page)])
            .await
    }

    fn read(&self, body: &Body, page: &usize) -> Result<Page<usize>, SourceError> {
        let items: Vec<Value> = body.json()?;
        let next = (items.len() >= PAGE).then_some(page + 1);
        Ok(Page { items, next })
    }

    fn from(&self, page: usize, count: usize) -> Vec<usize> {
        (page..page + count).collect()
    }
}
