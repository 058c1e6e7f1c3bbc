//! Overview: for the wall and the first glance. Services as tiles, worst first; beside them what fires and what is broken.

use crate::app::found::{Found, passing};
use crate::app::list::List;
use crate::app::screens::incidents::{self as pages, IncidentKey};
use crate::app::screens::slos::{self as promises, SloKey};
use crate::app::screens::{Order, alerts, services};
use crate::app::state::State;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;

mod incidents;
mod slos;
mod view;

pub use view::render;
pub(in crate::app) use view::{grid, has_panel};

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
    /// The revision of the alerts and the filter that they were last ordered for.
    ordered: Option<(u64, String)>,
}

/// Brings tiles and alerts into their order again.
pub fn reorder(state: &mut State) {
    services::measure(state);
    let is_typing = state.is_typing();
    let State { world, overview, chronicle, .. } = state;
    let now = chronicle.now();
    let passes = overview.found.select(world.revision(), is_typing, || services::haystack(world.services()));
    overview.services.set_rows(services::ordered(world.services(), passes.as_deref(), Order::default()));
    overview.found_slos.set(overview.found.text());
    let passes = overview.found_slos.select(world.revision(), is_typing, || promises::haystack(world.slos()));
    let slos = promises::ordered(world.slos(), passes.as_deref(), Order::default());
    overview.slos.set_rows(slos.into_iter().map(SloKey::of).collect());
    overview.found_incidents.set(overview.found.text());
    let incidents = world.incidents();
    let passes =
        overview.found_incidents.select(world.revision(), is_typing, || pages::haystack(incidents, now));
    let shown = pages::ordered(incidents, passes.as_deref(), Order::default());
    let open = shown.into_iter().filter(|known| known.incident.is_open());
    overview.incidents.set_rows(open.map(IncidentKey::of).collect());
    let (revision, haystack) = (world.alerts_revision(), || alerts::haystack(world, now));
    overview.found_alerts.set(overview.found.text());
    overview.found_alerts.prepare(revision, is_typing, haystack);
    let mark = (revision, overview.found.text().to_owned());
    if overview.ordered.as_ref() == Some(&mark) {
        return;
    }
    overview.ordered = Some(mark);
    let passes = overview.found_alerts.select(revision, is_typing, haystack);
    let firing = passing(world.alerts(), passes.as_deref()).filter(|alert| alert.is_told());
    let mut firing: Vec<_> = firing.map(|alert| alerts::badness(alert)).collect();
    firing.sort_unstable();
    overview.alerts.set_rows(firing.into_iter().map(|(.., fingerprint)| fingerprint).collect());
}
