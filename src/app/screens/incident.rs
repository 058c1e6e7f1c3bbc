//! One incident: who has it, what happens next by itself, what happened so far, its alerts, and earlier ones like it.

use std::time::Duration;

use crate::app::due::Want;
use crate::app::list::List;
use crate::app::navigate::is_link;
use crate::app::place::Place;
use crate::app::state::State;
use crate::app::want;
use crate::model::ask::{AskKind, Query};
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::{IncidentAlert, IncidentDetail};
use crate::model::labels::Text;
use crate::model::remote::Remote;
use crate::model::source::SourceId;
use crate::model::world::Linked;

mod page;
mod view;

pub use view::{last_scroll, render, row_at, scroll_to_cursor, text_area};

/// The panel of its alerts; the other one is the page.
pub const ALERTS: usize = 1;
/// How many panels there are.
pub const PANELS: usize = 2;

/// How often an open incident is asked for.
const OPEN: Duration = Duration::from_secs(10);

/// How many incidents are asked for because their alerts are not known: fewer than are kept, each costs several requests.
const MOST_UNREAD: usize = 6;

/// An alert of an incident, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertRow {
    /// The paging system tells of it, under this id.
    Told(Text),
    /// It is one of the monitored alerts, known by what the incident is about.
    Tied(Fingerprint),
}

/// What is known of it beyond the list, and how far that is to be believed.
fn remote<'a>(state: &'a State, known: &Linked) -> Option<&'a Remote<IncidentDetail>> {
    state.world.held(&known.incident.source)?.incident_details().get(&known.incident.id)
}

/// The alert of this id that the paging system tells of.
fn told<'a>(state: &'a State, known: &Linked, id: &str) -> Option<&'a IncidentAlert> {
    state.world.incident_detail(known)?.alerts.iter().find(|alert| *alert.id == *id)
}

/// Brings its alerts into their order again: those that are told, then those that it is tied to besides.
pub fn reorder(state: &mut State, source: &SourceId, id: &str) {
    let Some(known) = state.world.incident(source, id) else {
        state.incident = List::default();
        state.panel = 0;
        return;
    };
    let detail = state.world.incident_detail(known);
    let told = detail.map_or(&[][..], |detail| &detail.alerts);
    let found: Vec<Fingerprint> = told.iter().filter_map(|alert| state.world.alert_of(alert)).collect();
    let others = known.alerts.iter().filter(|alert| !found.contains(alert)).copied();
    let rows: Vec<AlertRow> =
        told.iter().map(|alert| AlertRow::Told(alert.id.clone())).chain(others.map(AlertRow::Tied)).collect();
    if rows.is_empty() && state.panel == ALERTS {
        state.panel = 0;
    }
    state.incident.set_rows(rows);
}

/// What it asks for: all that is known of it.
pub fn wants(state: &State, source: &SourceId, id: &Text) -> Vec<Want> {
    let Some(known) = state.world.incident(source, id) else { return Vec::new() };
    let speaker = &known.incident.source;
    if !want::sources(state, AskKind::Incident).any(|source| source.id == *speaker) {
        return Vec::new();
    }
    let want = want::of(state, speaker, Query::Incident { id: id.clone() });
    let interval = if known.incident.is_open() { OPEN } else { want.interval };
    vec![Want { interval, ..want }]
}

/// Asks once for the open incidents of a source whose alerts its list does not tell, the most pressing ones: what they are about
/// decides what is done to them, on every screen that shows them.
pub fn unread<'a>(state: &'a State, source: &'a SourceId) -> impl Iterator<Item = Want> + 'a {
    let is_unread = |known: &&Linked| {
        known.incident.is_open() && known.incident.source == *source && state.world.is_unread(known)
    };
    let unread = state.world.incidents().iter().filter(is_unread).take(MOST_UNREAD);
    unread.map(|known| want::of(state, source, Query::Incident { id: known.incident.id.clone() }))
}

/// What Enter opens: on the alerts the monitored alert under the cursor, else the service.
pub fn target(state: &State, source: &SourceId, id: &str) -> Option<Place> {
    let known = state.world.incident(source, id)?;
    if state.panel == ALERTS {
        return match state.incident.current()? {
            AlertRow::Told(id) => state.world.alert_of(told(state, known, id)?),
            AlertRow::Tied(fingerprint) => Some(*fingerprint),
        }
        .map(Place::Alert);
    }
    let name = known.service.as_ref()?;
    state.world.service(name).map(|service| Place::Service(service.name.clone()))
}

/// Its pages: its own, where people talk about it, those of its service and policy, those that came with its alerts, and of
/// earlier ones.
pub fn links(state: &State, known: &Linked) -> Vec<(String, Text)> {
    let incident = &known.incident;
    let detail = state.world.incident_detail(known);
    let own = [("incident", &incident.url), ("conference", &incident.conference)];
    let mut links: Vec<(String, Text)> =
        own.into_iter().filter_map(|(name, url)| Some((name.to_owned(), url.clone()?))).collect();
    let told = detail.into_iter().flat_map(|detail| &detail.alerts);
    let told = told.flat_map(|alert| &alert.links);
    links.extend(told.map(|(name, url)| (name.to_string(), url.clone())));
    for (what, named) in [("service", &incident.service), ("policy", &incident.escalation_policy)] {
        links.extend(
            named.iter().filter_map(|named| Some((format!("{what} {}", named.name), named.url.clone()?))),
        );
    }
    let past = detail.into_iter().flat_map(|detail| &detail.past);
    links.extend(past.filter_map(|past| Some((format!("earlier: {}", past.title), past.url.clone()?))));
    links.retain(|(_, url)| is_link(url));
    links.dedup_by(|a, b| a.1 == b.1);
    links
}

/// What copying takes: the labels or the words of the alert under the cursor, else what one says of the incident.
pub fn copied(state: &State, source: &SourceId, id: &str) -> Option<String> {
    let known = state.world.incident(source, id)?;
    if state.panel == ALERTS {
        return match state.incident.current()? {
            AlertRow::Told(id) => {
                let alert = told(state, known, id)?;
                let labels = (!alert.labels.is_empty()).then(|| alert.labels.to_string());
                Some(labels.unwrap_or_else(|| alert.summary.to_string()))
            }
            AlertRow::Tied(fingerprint) => state.world.alert(*fingerprint).map(|a| a.labels.to_string()),
        };
    }
    Some(said(known))
}

/// What one says of an incident to others: number, title and address.
pub(in crate::app) fn said(known: &Linked) -> String {
    let incident = &known.incident;
    let url = incident.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
    format!("#{} {}{url}", incident.number, incident.title)
}
