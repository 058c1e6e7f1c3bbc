//! The overview, for wall displays and the first look: service tiles, worst first; open incidents, firing alerts, burning SLOs.

use crate::app::prelude::*;
use crate::app::subjects::{alert, incident, service, slo};

mod lists;
mod panels;
mod view;

/// The panel of services.
pub const SERVICES: usize = 0;
/// The panel of alerts.
pub const ALERTS: usize = 1;
/// The panel of SLOs, if there are any and there is room.
pub const SLOS: usize = 2;
/// The panel of open incidents, if there are any and there is room.
pub const INCIDENTS: usize = 3;

#[derive(Debug, Default)]
pub struct Overview {
    /// The service tiles, worst first.
    pub services: List<Text>,
    /// The pending and firing alerts, worst first.
    pub alerts: List<Fingerprint>,
    /// The SLOs, worst first.
    pub slos: List<SloKey>,
    /// The open incidents, most urgent first.
    pub incidents: List<IncidentKey>,
    /// The filter, which applies to all panels.
    pub found: ListFilter,
    alert_filter: ListFilter,
    slo_filter: ListFilter,
    incident_filter: ListFilter,
    /// The cells of the longest name of a service.
    widest: ColumnWidths<u16>,
    /// The alert revision and the filter for which the alerts were last sorted.
    ordered: Option<(u64, String)>,
    scroll_position: ScrollPosition,
}

impl Screen for Overview {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Time, Scope::AnyAction, Scope::IncidentActions]
    }

    fn hints(&self) -> Vec<Hint> {
        match self.scroll_position.panel {
            ALERTS | SLOS => hints![Open, Silence, Acknowledge, NextPanel "panel"],
            INCIDENTS => hints![Open, Acknowledge, Act, NextPanel "panel"],
            _ => hints![Open, Acknowledge, Silence, Act, NextPanel "panel", Filter],
        }
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        service::wants(shared, now)
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let (world, now) = (&shared.world, shared.event_log.now());
        self.widest.follow(world.revision(), || service::widest_name(world));
        let services = world.services();
        let passes = self.found.select(world.revision(), is_typing, || service::haystack(services));
        self.services.set_rows(service::ordered(services, passes.as_deref(), SortOrder::default()));
        self.slo_filter.set(self.found.text());
        let passes = self.slo_filter.select(world.revision(), is_typing, || slo::haystack(world.slos()));
        let slos = slo::ordered(world.slos(), passes.as_deref(), SortOrder::default());
        self.slos.set_rows(slos.into_iter().map(SloKey::of).collect());
        self.incident_filter.set(self.found.text());
        let incidents = world.incidents();
        let haystack = || incident::haystack(incidents, now);
        let passes = self.incident_filter.select(world.revision(), is_typing, haystack);
        let shown = incident::ordered(incidents, passes.as_deref(), SortOrder::default());
        let open = shown.into_iter().filter(|known| known.incident.is_open());
        self.incidents.set_rows(open.map(IncidentKey::of).collect());
        let (revision, haystack) = (world.alerts_revision(), || alert::haystack(world, now));
        self.alert_filter.set(self.found.text());
        self.alert_filter.prepare(revision, is_typing, haystack);
        let mark = (revision, self.found.text().to_owned());
        if self.ordered.as_ref() == Some(&mark) {
            return;
        }
        self.ordered = Some(mark);
        let passes = self.alert_filter.select(revision, is_typing, haystack);
        let firing = passing(world.alerts(), passes.as_deref()).filter(|alert| alert.is_active());
        let mut firing: Vec<_> = firing.map(|one| alert::alert_rank(one)).collect();
        firing.sort_unstable();
        self.alerts.set_rows(firing.into_iter().map(|(.., fingerprint)| fingerprint).collect());
    }

    keeps_scroll_position!(side_by_side);

    lists_panels! {
        4;
        things { SERVICES => services, ALERTS => alerts, SLOS => slos, INCIDENTS => incidents, }
        others {}
    }

    fn has_panel(&self, _shared: &Shared, body: Rect, panel: usize) -> bool {
        !matches!(panel, SLOS | INCIDENTS) || panels::grid(self, body, panel).room() > 0
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        (0..self.panels()).find(|panel| panels::grid(self, body, *panel).area.contains(cell.into()))
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        panels::grid(self, body, self.scroll_position.panel)
    }

    fn found(&self) -> Option<&ListFilter> {
        Some(&self.found)
    }

    fn found_mut(&mut self) -> Option<&mut ListFilter> {
        Some(&mut self.found)
    }
}
