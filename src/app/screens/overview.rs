//! Overview: for the wall and the first glance. Services as tiles, worst first; beside them what fires and what is broken.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::commands::{Command, Scope};
use crate::app::due::Want;
use crate::app::found::{Found, passing};
use crate::app::grid::Grid;
use crate::app::identity::{IncidentKey, SloKey};
use crate::app::list::{Cursor, List, Order};
use crate::app::place::{Place, Spot};
use crate::app::screen::{Hint, Opened, Screen, keeps_spot};
use crate::app::selection::{Handled, Selection};
use crate::app::shared::Shared;
use crate::app::subjects::{alert, incident, runbook, service, slo};
use crate::app::widest::Widest;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::Wanted;

mod incidents;
mod panels;
mod slos;
mod view;

/// The panel of services.
pub const SERVICES: usize = 0;
/// The panel of alerts.
pub const ALERTS: usize = 1;
/// The panel of SLOs, where there is room for it and something to show.
pub const SLOS: usize = 2;
/// The panel of open incidents, where there are some and room for it.
pub const INCIDENTS: usize = 3;
/// How many panels there are.
pub const PANELS: usize = 4;

/// The overview.
#[derive(Debug, Default)]
pub struct Overview {
    /// The tiles.
    pub services: List<Text>,
    /// What fires, worst first.
    pub alerts: List<Fingerprint>,
    /// SLOs, worst first.
    pub slos: List<SloKey>,
    /// Open incidents, the most pressing first.
    pub incidents: List<IncidentKey>,
    /// The filter, for all panels.
    pub found: Found,
    found_alerts: Found,
    found_slos: Found,
    found_incidents: Found,
    /// Cells of the longest name of a service.
    widest: Widest<u16>,
    /// The revision of the alerts and the filter that they were last ordered for.
    ordered: Option<(u64, String)>,
    spot: Spot,
}

impl Screen for Overview {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Time, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        let (open, next) = ((Command::Open, "open"), (Command::NextPanel, "panel"));
        let (ack, silence) = ((Command::Acknowledge, "ack"), (Command::Silence, "silence"));
        match self.spot.panel {
            ALERTS | SLOS => vec![open, silence, ack, next],
            INCIDENTS => vec![open, ack, (Command::Act, "do"), next],
            _ => vec![open, ack, silence, (Command::Act, "do"), next, (Command::Filter, "filter")],
        }
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        service::wants(shared, now)
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let (world, now) = (&shared.world, shared.chronicle.now());
        self.widest.follow(world.revision(), || service::widest_name(world));
        let services = world.services();
        let passes = self.found.select(world.revision(), is_typing, || service::haystack(services));
        self.services.set_rows(service::ordered(services, passes.as_deref(), Order::default()));
        self.found_slos.set(self.found.text());
        let passes = self.found_slos.select(world.revision(), is_typing, || slo::haystack(world.slos()));
        let slos = slo::ordered(world.slos(), passes.as_deref(), Order::default());
        self.slos.set_rows(slos.into_iter().map(SloKey::of).collect());
        self.found_incidents.set(self.found.text());
        let incidents = world.incidents();
        let haystack = || incident::haystack(incidents, now);
        let passes = self.found_incidents.select(world.revision(), is_typing, haystack);
        let shown = incident::ordered(incidents, passes.as_deref(), Order::default());
        let open = shown.into_iter().filter(|known| known.incident.is_open());
        self.incidents.set_rows(open.map(IncidentKey::of).collect());
        let (revision, haystack) = (world.alerts_revision(), || alert::haystack(world, now));
        self.found_alerts.set(self.found.text());
        self.found_alerts.prepare(revision, is_typing, haystack);
        let mark = (revision, self.found.text().to_owned());
        if self.ordered.as_ref() == Some(&mark) {
            return;
        }
        self.ordered = Some(mark);
        let passes = self.found_alerts.select(revision, is_typing, haystack);
        let firing = passing(world.alerts(), passes.as_deref()).filter(|alert| alert.is_told());
        let mut firing: Vec<_> = firing.map(|one| alert::badness(one)).collect();
        firing.sort_unstable();
        self.alerts.set_rows(firing.into_iter().map(|(.., fingerprint)| fingerprint).collect());
    }

    keeps_spot!();

    fn panels(&self) -> usize {
        PANELS
    }

    fn has_panel(&self, _shared: &Shared, body: Rect, panel: usize) -> bool {
        !matches!(panel, SLOS | INCIDENTS) || panels::grid(self, body, panel).room() > 0
    }

    fn has_panels_side_by_side(&self) -> bool {
        true
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        (0..PANELS).find(|panel| panels::grid(self, body, *panel).area.contains(cell.into()))
    }

    fn list(&self) -> Option<&dyn Cursor> {
        Some(match self.spot.panel {
            ALERTS => &self.alerts,
            SLOS => &self.slos,
            INCIDENTS => &self.incidents,
            _ => &self.services,
        })
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        Some(match self.spot.panel {
            ALERTS => &mut self.alerts,
            SLOS => &mut self.slos,
            INCIDENTS => &mut self.incidents,
            _ => &mut self.services,
        })
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        panels::grid(self, body, self.spot.panel)
    }

    fn found(&self) -> Option<&Found> {
        Some(&self.found)
    }

    fn found_mut(&mut self) -> Option<&mut Found> {
        Some(&mut self.found)
    }

    fn open(&mut self, _shared: &Shared) -> Opened {
        match self.spot.panel {
            ALERTS => self.alerts.current().copied().map(Place::Alert),
            SLOS => self.slos.current().cloned().map(Place::Slo),
            INCIDENTS => self.incidents.current().cloned().map(Place::Incident),
            _ => self.services.current().cloned().map(Place::Service),
        }
        .into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        match self.spot.panel {
            ALERTS => Selection::Alerts(self.alerts.chosen()),
            SLOS => Selection::of_slos(&shared.world, &self.slos.chosen()),
            INCIDENTS => Selection::Incidents(self.incidents.chosen()),
            _ => Selection::Services(self.services.chosen()),
        }
    }

    fn unmark(&mut self, handled: &Handled<'_>) {
        match handled {
            Handled::Alerts(covers) => self.alerts.unmark(|fingerprint| covers.contains(fingerprint)),
            Handled::Incident { key, .. } => self.incidents.unmark(|one| one == *key),
            Handled::Silence(_) => {}
        }
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        match self.spot.panel {
            ALERTS => alert::labels_of(&shared.world, *self.alerts.current()?),
            SLOS => self.slos.current().map(|key| key.id.to_string()),
            INCIDENTS => self.incidents.current()?.incident(&shared.world).map(incident::said),
            _ => self.services.copied(|name| Some(name.to_string())),
        }
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        match self.spot.panel {
            INCIDENTS => incident::links_of(shared, self.incidents.current()),
            ALERTS => alert::links(shared, self.alerts.current().copied()),
            _ => Vec::new(),
        }
    }

    fn runbooks(&self, shared: &Shared) -> Vec<Wanted> {
        match self.spot.panel {
            ALERTS => runbook::of_known_alert(shared, self.alerts.current().copied()),
            SLOS => runbook::of_known_slo(shared, self.slos.current()),
            INCIDENTS => runbook::of_known_incident(shared, self.incidents.current()),
            _ => self.services.current().map(runbook::of_service).into_iter().collect(),
        }
    }
}
