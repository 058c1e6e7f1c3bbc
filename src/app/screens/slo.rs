//! The page of one SLO: charts of budget and burn rate, burn-rate conditions, forecast, worst slots, definition, queries.

use crate::app::explore_choice::ChartQuery;
use crate::app::identity::WhySubject;
use crate::app::prelude::*;
use crate::app::subjects::slo::queries;
use crate::app::subjects::{alert, change};
use crate::model::slo::{BASIS, BurnReading, GroupStatus};

mod page;
mod view;

/// The panel of the budget chart. On this panel and on the next one the arrows scroll the page.
pub const BUDGET: usize = 0;
/// The panel of the burn-rate chart.
pub const BURN: usize = 1;
/// The panel of groups; the charts show the group under the cursor.
pub const GROUPS: usize = 2;
/// The panel of alerts.
pub const ALERTS: usize = 3;
/// The panel of queries.
pub const QUERIES: usize = 4;

/// The lookbacks for which the time to exhaustion is always shown.
const FORECAST_LOOKBACKS: [Duration; 3] = [Duration::from_secs(300), BASIS, Duration::from_secs(6 * 3600)];

#[derive(Debug)]
pub struct OpenSlo {
    pub(super) subject: Option<SloKey>,
    groups: List<Labels>,
    alerts: List<Fingerprint>,
    /// The queries, by their index.
    queries: List<usize>,
    /// The lookback whose burn rate the forecast uses.
    basis: Duration,
    scroll_position: ScrollPosition,
}

impl Default for OpenSlo {
    fn default() -> Self {
        Self {
            subject: None,
            groups: List::default(),
            alerts: List::default(),
            queries: List::default(),
            basis: BASIS,
            scroll_position: ScrollPosition::default(),
        }
    }
}

impl OpenSlo {
    fn status<'a>(&self, shared: &'a Shared) -> Option<&'a SloStatus> {
        self.subject.as_ref()?.status(&shared.world)
    }
}

/// The group that the charts show: the one under the cursor, else the worst.
fn shown<'a>(screen: &OpenSlo, status: &'a SloStatus) -> Option<&'a GroupStatus> {
    let chosen = screen.groups.current();
    let chosen = chosen.and_then(|labels| status.groups.iter().find(|group| group.labels == *labels));
    chosen.or_else(|| status.worst())
}

/// The next longer measured lookback, after the longest the shortest; None if no burn rate is measured.
fn next_basis(group_status: &GroupStatus, basis: Duration) -> Option<Duration> {
    let present = group_status.burn_near(basis)?.lookback;
    let known = || group_status.burns.iter().filter(|burn| burn.rate.is_some()).map(|burn| burn.lookback);
    known().filter(|lookback| *lookback > present).min().or_else(|| known().min())
}

/// The measured burn rates for which the time to exhaustion is shown, shortest lookback first: the usual ones and that of the
/// forecast.
fn forecast_burns(group_status: &GroupStatus, chosen: Duration) -> Vec<&BurnReading> {
    let usual = FORECAST_LOOKBACKS.iter().chain([&chosen]).filter_map(|basis| group_status.burn_near(*basis));
    let mut burns: Vec<&BurnReading> = usual.collect();
    burns.sort_by_key(|burn| burn.lookback);
    burns.dedup_by_key(|burn| burn.lookback);
    burns
}

impl SubjectScreen for OpenSlo {
    type Subject = SloKey;
    const TAB: Option<Tab> = Some(Tab::Slos);

    fn title(key: &SloKey, _shared: &Shared) -> String {
        key.id.to_string()
    }
}

impl Screen for OpenSlo {
    offers! { self [Time, Charts, Slo, AnyAction, IncidentActions]:
        Open if self.scroll_position.panel == ALERTS { "alert" } else { "service" }, NextPanel "panel",
        Basis "forecast", CursorBack "values", WholeRange "zoom", Range, Copy, Back
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let mut wants = self.subject.as_ref().map_or_else(Vec::new, |key| queries::wants(shared, key, now));
        wants.extend(change::wants(shared, now));
        if let (Some(key), Some(time)) = (&self.subject, self.charted(shared, now)) {
            wants.extend(queries::finer_wants(shared, key, time, now));
        }
        wants
    }

    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let Some(status) = self.status(shared) else {
            (self.groups, self.alerts, self.queries) = (List::default(), List::default(), List::default());
            return;
        };
        let is_split = status.groups.len() > 1;
        let groups = status.groups.iter().filter(|_| is_split).map(|group| group.labels.clone()).collect();
        let mut alerts: Vec<_> =
            status.alerts.iter().filter_map(|alert| shared.world.alert(*alert)).collect();
        alerts.sort_by_key(|one| alert::alert_rank(one));
        self.groups.set_rows(groups);
        self.alerts.set_rows(alerts.into_iter().map(|alert| alert.fingerprint).collect());
        self.queries.set_rows((0..queries::queries(status, status.at).len()).collect());
        self.leave_empty_panel();
    }

    fn to_top(&mut self) {
        self.groups.to_top();
        self.alerts.to_top();
        self.queries.to_top();
    }

    keeps_scroll_position!(side_by_side);

    lists_panels! {
        5;
        things { ALERTS => alerts, }
        others { GROUPS => groups, QUERIES => queries, }
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        view::chart_at(self, body, cell)
    }

    fn wheel_panel(&self) -> usize {
        if self.scroll_position.panel > BURN { BUDGET } else { self.scroll_position.panel }
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::text_area(self, body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        // the number of lines does not depend on the time
        let status = self.status(shared);
        let laid_out = status.map(|status| page::page(self, &shared.cx(status.at), status, width));
        Some(laid_out.unwrap_or_default())
    }

    /// Opens the alert under the cursor, else the service of the SLO.
    fn open(&mut self, shared: &Shared) -> Opened {
        if self.scroll_position.panel == ALERTS {
            return ItemList::place(&self.alerts, shared).into();
        }
        let service = self.status(shared).and_then(|status| status.service.as_ref());
        service.and_then(|name| shared.world.service(name)).map(|one| Place::Service(one.name.clone())).into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        Selection::of_slos(&shared.world, &self.subject)
    }

    /// Copies the query or the alert under the cursor, else the id of the SLO.
    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let Some(status) = self.status(shared) else { return Vec::new() };
        let queries = queries::queries(status, status.at).into_iter();
        let chart = |(title, query): (String, String)| ChartQuery {
            title,
            query: query.into(),
            source: Some(status.source.clone()),
        };
        queries.map(chart).collect()
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        match self.scroll_position.panel {
            QUERIES => {
                let (at, status) = (*self.queries.current()?, self.status(shared)?);
                queries::queries(status, status.at).into_iter().nth(at).map(|(_, query)| query)
            }
            ALERTS => self.alerts.current()?.copied(shared, now),
            _ => Some(self.subject.as_ref()?.id.to_string()),
        }
    }

    fn why(&self, _shared: &Shared) -> Option<WhySubject> {
        self.subject.clone().map(WhySubject::Slo)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        ItemList::links(&self.alerts, shared)
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        match (self.items(), &self.subject) {
            (Some(alerts), _) => alerts.runbooks(shared),
            (None, Some(key)) => key.runbooks(shared),
            (None, None) => Vec::new(),
        }
    }

    /// The range of the burn rates, and when the first of its alerts began to fire.
    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        let alerts = self.status(shared)?.alerts.iter().filter_map(|alert| shared.world.alert(*alert));
        let grid = want::chart(shared, &"".into(), queries::POINTS, now).1;
        let fired = alerts.filter(|alert| alert.is_firing()).map(|alert| alert.starts_at);
        Some(ChartedTime { grid, event: fired.filter(|at| *at > grid.start()).min() })
    }

    /// Makes the forecast use the next longer lookback that has a burn rate; after the longest comes the shortest.
    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        if command != Command::Basis {
            return false;
        }
        let group_status = self.status(shared).and_then(|status| self::shown(self, status));
        let message = match group_status.and_then(|group_status| next_basis(group_status, self.basis)) {
            Some(basis) => {
                self.basis = basis;
                format!("Forecast from the burn rate over {}", duration::short(basis))
            }
            None => "This SLO has no measured burn rate".to_owned(),
        };
        shared.messages.note(message, now);
        true
    }
}

#[cfg(test)]
mod tests;
