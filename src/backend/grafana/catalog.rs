//! The data sources and dashboards that Grafana knows, without their content.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::rights::{DASHBOARDS_READ, DATA_SOURCES_READ};
use super::{Grafana, wire};
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::{LenientList, RequiredList, unreadable_warning};
use crate::backend::kit::paging::{ListBounds, Page, PagedList, Paging, pages};
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered, Weight};
use crate::model::dashboard::{DashboardEntry, DashboardList, DataSource};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// The dashboards of one page of a search.
const PAGE: usize = 1000;
/// The most pages that are read.
const MOST_PAGES: usize = 10;

impl Grafana {
    /// Answers the question for the data sources.
    pub(super) async fn data_sources(&self) -> Answered {
        let (sources, warnings) = self.listed_data_sources().await?;
        let tested = self.tested(&sources).await;
        let mut parts = AnswerParts::default();
        parts.warnings = warnings;
        Ok(parts.reply(Answer::DataSources(tested)))
    }

    /// Reads the data sources. A token that may not list them still gets those that it may query, with the settings of Grafana's own
    /// pages.
    pub(super) async fn read_data_sources(&self) -> Result<(Vec<DataSource>, Vec<Warning>), SourceError> {
        let (listed, granted) = tokio::join!(self.get(Weight::Page, "api/datasources", &[]), self.granted());
        let body = match listed {
            Err(error) if matches!(error.kind, ErrorKind::Forbidden { .. }) => {
                return self.queryable_data_sources(self.lacking(error, DATA_SOURCES_READ)).await;
            }
            listed => listed?,
        };
        let list: LenientList<wire::DataSourceItem<'_>> = body.json::<RequiredList<_>>()?.0;
        let may_query = |uid: &str| granted.as_ref().map(|granted| granted.may_query(uid));
        let sources = list.all.iter().map(|one| data_source(one, may_query(&one.uid.0)));
        Ok((sources.collect(), unreadable_warning(list.lost, "data sources").into_iter().collect()))
    }

    /// The data sources that Grafana's pages show to this token; `refused` is the error if there are none.
    async fn queryable_data_sources(
        &self,
        refused: SourceError,
    ) -> Result<(Vec<DataSource>, Vec<Warning>), SourceError> {
        let Ok(body) = self.get(Weight::Page, "api/frontend/settings", &[]).await else {
            return Err(refused);
        };
        let Ok(settings) = body.json::<wire::FrontendSettings<'_>>() else { return Err(refused) };
        // Grafana's own ones are no data sources: `-- Grafana --`, `-- Mixed --`
        let own = settings.datasources.values().filter_map(|one| one.0.as_ref());
        let own =
            own.filter(|one| !one.uid.0.is_empty() && !one.uid.0.starts_with("--") && one.uid.0 != "grafana");
        let sources: Vec<DataSource> = own.map(|one| data_source(one, Some(true))).collect();
        if sources.is_empty() {
            return Err(refused);
        }
        let words = format!("only data sources that the token may query are listed: {}", refused.kind);
        Ok((sources, vec![Warning::notice(words)]))
    }

    /// Answers the question for the dashboards.
    pub(super) async fn dashboards(&self) -> Answered {
        let bounds = ListBounds { pages: MOST_PAGES, until: Instant::now() + self.list_timeout };
        let found: PagedList<wire::FoundDashboard> = pages(&DashboardSearch(self), bounds).await?;
        let mut parts = AnswerParts::default();
        let cut = format!("only the first {} dashboards are listed", found.items.len());
        let is_cut = found.is_cut;
        let items = parts.items(found, "dashboards", &cut);
        let mut notes: Vec<Text> = is_cut.then(|| cut.into()).into_iter().collect();
        // without the right the list is empty, without an error
        if items.is_empty() && self.granted().await.is_some_and(|granted| !granted.has(DASHBOARDS_READ)) {
            notes.push(format!("the token lacks `{}`", DASHBOARDS_READ.action).into());
        }
        let dashboards = items.iter().filter(|one| one.kind.0 != "dash-folder");
        let entries = dashboards.map(|one| Arc::new(self.entry(one))).collect();
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

fn data_source(item: &wire::DataSourceItem<'_>, may_query: Option<bool>) -> DataSource {
    let interval = &item.json_data.time_interval.0;
    DataSource {
        uid: (&*item.uid.0).into(),
        name: (&*item.name.0).into(),
        kind: (&*item.kind.0).into(),
        is_default: item.is_default.is_true(),
        may_query,
        interval: (!interval.is_empty()).then(|| Text::from(&**interval)),
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
