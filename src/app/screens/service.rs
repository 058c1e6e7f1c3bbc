//! The page of one service: charts of its golden signals on one time axis, SLOs, incidents, alerts, targets, hosts.

use crate::app::explore_choice::ChartQuery;
use crate::app::identity::WhySubject;
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::subjects::service::{self, charts};

mod list;
mod view;

pub use list::HostPartKey;

/// The panel of SLOs; the panels before it are the charts.
pub const SLOS: usize = charts::COUNT;
/// The panel of open incidents.
pub const INCIDENTS: usize = 6;
/// The panel of targets that are down, signals and hosts.
pub const PARTS: usize = 7;

#[derive(Debug, Default)]
pub struct OpenService {
    pub(super) subject: Option<Text>,
    /// The pending and firing alerts, worst first.
    pub alerts: List<Fingerprint>,
    slos: List<SloKey>,
    /// The open incidents.
    incidents: List<IncidentKey>,
    /// Targets that are down, signals, hosts.
    parts: List<HostPartKey>,
    scroll_position: ScrollPosition,
}

impl OpenService {
    fn name(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }
}

impl SubjectScreen for OpenService {
    type Subject = Text;
    const TAB: Option<Tab> = Some(Tab::Services);

    fn title(name: &Text, _shared: &Shared) -> String {
        name.to_string()
    }
}

impl Screen for OpenService {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Time, Scope::Charts, Scope::AnyAction, Scope::IncidentActions]
    }

    fn hints(&self) -> Vec<Hint> {
        let opens = match self.scroll_position.panel {
            // a target, signal or host has no page to open
            PARTS => return hints![Silence, Acknowledge, Copy, NextPanel "chart", Back],
            SLOS => "SLO",
            INCIDENTS => "incident",
            _ => "alert",
        };
        hints![
            Open opens, Silence, Acknowledge, CursorBack "values", WholeRange "zoom", NextPanel "chart", Range, Earlier,
            Back
        ]
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let mut wants = charts::wants(shared, self.name(), now);
        wants.extend(change::wants(shared, now));
        wants
    }

    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let (world, name) = (&shared.world, self.subject.clone().unwrap_or_default());
        let alerts = service::alerts(shared, &name).into_iter().map(|alert| alert.fingerprint);
        self.alerts.set_rows(alerts.collect());
        self.slos.set_rows(world.slos_of(&name).into_iter().map(SloKey::of).collect());
        let open = world.incidents_of(&name).filter(|known| known.incident.is_open());
        self.incidents.set_rows(open.map(IncidentKey::of).collect());
        let limit = shared.world.health_policy.thresholds.saturation_degraded;
        let parts = world.service(&name).map(|service| list::keys(service, limit)).unwrap_or_default();
        self.parts.set_rows(parts);
        if self.scroll_position.panel >= SLOS {
            self.leave_empty_panel();
        }
    }

    fn to_top(&mut self) {
        self.alerts.to_top();
        self.slos.to_top();
        self.incidents.to_top();
        self.parts.to_top();
    }

    keeps_scroll_position!(side_by_side);

    // the worst alert of a service explains it best: the cursor starts there
    lists_panels! {
        8;
        things { ..SLOS => alerts, SLOS => slos, INCIDENTS => incidents, }
        others { PARTS => parts, }
    }

    fn has_panel(&self, shared: &Shared, body: Rect, panel: usize) -> bool {
        match panel {
            SLOS => !self.slos.is_empty(),
            INCIDENTS => view::list_area(self, shared, panel, body).height > 0,
            PARTS => !self.parts.is_empty(),
            _ => true,
        }
    }

    fn panel_at(&self, shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        view::panel_at(self, shared, body, cell)
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::list_area(self, shared, self.scroll_position.panel, body))
    }

    fn selection(&self, shared: &Shared) -> Selection {
        let items = self.items().filter(|items| !items.cursor().is_empty());
        items.map_or_else(
            || Selection::Services(self.subject.iter().cloned().collect()),
            |items| items.selection(shared),
        )
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        match self.scroll_position.panel {
            SLOS | INCIDENTS => self.items()?.copied(shared, now),
            PARTS => list::words(shared.world.service(self.name())?, self.parts.current()?),
            _ => Some(self.name().to_owned()),
        }
    }

    fn why(&self, _shared: &Shared) -> Option<WhySubject> {
        self.subject.clone().map(WhySubject::Service)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        match self.scroll_position.panel {
            INCIDENTS => ItemList::links(&self.incidents, shared),
            _ => ItemList::links(&self.alerts, shared),
        }
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        let items = self.items().filter(|items| !items.cursor().is_empty());
        match (items, &self.subject) {
            (Some(items), _) => items.runbooks(shared),
            (None, Some(name)) => name.runbooks(shared),
            (None, None) => Vec::new(),
        }
    }

    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        charts::queries(shared, self.name(), shared.range.moment())
    }

    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        let service = shared.world.service(self.name())?;
        Some(charts::time(shared, service, now))
    }

    fn moment(&self, shared: &Shared) -> Option<Timestamp> {
        shared.world.service(self.name()).and_then(|service| service.since)
    }
}
