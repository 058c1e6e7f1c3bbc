//! One service: its golden signals on one time axis, its alerts and its targets.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::due::Want;
use crate::app::range;
use crate::app::screens::alerts::badness;
use crate::app::screens::incidents::IncidentKey;
use crate::app::screens::slos::SloKey;
use crate::app::state::State;
use crate::app::want;
use crate::model::alert::Alert;
use crate::model::ask::{AskKind, Query};
use crate::model::labels::Text;
use crate::model::series::Span;

mod hosts;
mod list;
mod view;

pub use hosts::PartKey;
pub use view::{has_panel, list_area, panel_at, render};

/// The panel of its SLOs; those before it are its charts.
pub const SLOS: usize = 5;
/// The panel of its open incidents.
pub const INCIDENTS: usize = 6;
/// The panel of what it is made of: targets that are down, signals, hosts.
pub const PARTS: usize = 7;
/// How many panels there are.
pub const PANELS: usize = 8;

/// Points of its charts.
const POINTS: u16 = 240;

/// What its charts show.
fn window(state: &State, now: Timestamp) -> Span {
    state.range.span(now, POINTS, state.interval)
}

/// The charts of the service, from each source that knows it.
pub fn wants(state: &State, name: &Text, now: Timestamp) -> Vec<Want> {
    let window = window(state, now);
    let known_by = state.world.service(name).map_or(&[][..], |service| &service.speakers);
    let asked = want::sources(state, AskKind::Detail).filter(|source| known_by.contains(&source.id));
    asked
        .map(|source| {
            let detail = state.world.held(&source.id).and_then(|held| held.details().get(name)?.whole());
            let stretch = range::stretch(window, detail.map(|detail| detail.request_rate.span));
            want::of(state, &source.id, Query::Detail { service: name.clone(), stretch })
        })
        .collect()
}

/// The alerts of a service that are pending or firing, the worst first.
pub fn alerts<'a>(state: &'a State, name: &str) -> Vec<&'a Arc<Alert>> {
    let service = state.world.service(name);
    let known = service.map_or(&[][..], |service| &service.alerts);
    let mut alerts: Vec<_> = known.iter().filter_map(|fingerprint| state.world.alert(*fingerprint)).collect();
    alerts.sort_by_key(|alert| badness(alert));
    alerts
}

/// What the cursor on its parts is on, in words.
pub fn part(state: &State, name: &str) -> Option<String> {
    let service = state.world.service(name)?;
    hosts::words(service, state.service_parts.current()?)
}

/// Brings the alerts of the service into their order again.
pub fn reorder(state: &mut State, name: &str) {
    let rows = alerts(state, name).into_iter().map(|alert| alert.fingerprint).collect();
    state.service_alerts.set_rows(rows);
    let slos = state.world.slos_of(name).into_iter().map(SloKey::of).collect();
    state.service_slos.set_rows(slos);
    let open = state.world.incidents_of(name).filter(|known| known.incident.is_open());
    let open = open.map(IncidentKey::of).collect();
    state.service_incidents.set_rows(open);
    let limit = state.judgement.thresholds.saturation_degraded;
    let parts = state.world.service(name).map(|service| hosts::keys(service, limit)).unwrap_or_default();
    state.service_parts.set_rows(parts);
    let is_empty = match state.panel {
        SLOS => state.service_slos.rows().is_empty(),
        INCIDENTS => state.service_incidents.rows().is_empty(),
        PARTS => state.service_parts.rows().is_empty(),
        _ => false,
    };
    if is_empty {
        state.panel = 0;
    }
}
