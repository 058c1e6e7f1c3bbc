//! From place to place: going, going back, and opening what the cursor is on.

use jiff::Timestamp;

use super::{fold, stay};
use crate::app::place::Place;
use crate::app::screens::alerts::Row;
use crate::app::screens::incidents::{IncidentKey, Row as IncidentRow};
use crate::app::screens::slos::{Row as SloRow, SloKey};
use crate::app::screens::{self, alert, incident, oncall, overview, service, silences, slo};
use crate::app::state::State;

/// How many places the way back remembers.
const REMEMBERED: usize = 32;

/// Goes to a place; the way back leads here.
pub(in crate::app) fn go(state: &mut State, place: Place, now: Timestamp) {
    if *state.place() == place {
        return;
    }
    leave(state, now);
    match place {
        Place::Service(_) => {
            state.service_alerts.to_top();
            state.service_slos.to_top();
            state.service_incidents.to_top();
            state.service_parts.to_top();
        }
        Place::Slo { .. } => state.slo.to_top(),
        Place::Alert(_) => state.related.to_top(),
        Place::Incident { .. } => state.incident.to_top(),
        _ => {}
    }
    state.places.push(place.into());
    if state.places.len() > REMEMBERED {
        // the first place stays: whoever goes back far enough is where they began
        state.places.remove(1);
    }
    (state.panel, state.scroll) = (0, 0);
}

/// Goes back to where one came from.
pub(in crate::app) fn back(state: &mut State, now: Timestamp) {
    if state.places.len() > 1 {
        leave(state, now);
        state.places.pop();
        if let Some(stop) = state.places.last() {
            (state.panel, state.scroll) = (stop.panel, stop.scroll);
        }
    }
}

/// What came until now counts as seen on the screen that is left; where one was on it is kept for the way back.
fn leave(state: &mut State, now: Timestamp) {
    if let Some(screen) = state.place().screen() {
        state.looked.insert(screen, now);
    }
    let (panel, scroll) = (state.panel, state.scroll);
    if let Some(stop) = state.places.last_mut() {
        (stop.panel, stop.scroll) = (panel, scroll);
    }
}

/// Opens what the cursor is on; `false` if that is nothing.
pub(in crate::app) fn open(state: &mut State, now: Timestamp) -> bool {
    stay(state);
    let target = match state.place() {
        Place::Overview if state.panel == overview::ALERTS => {
            state.overview.alerts.current().copied().map(Place::Alert)
        }
        Place::Overview if state.panel == overview::SLOS => state.overview.slos.current().map(SloKey::place),
        Place::Overview if state.panel == overview::INCIDENTS => {
            state.overview.incidents.current().map(IncidentKey::place)
        }
        Place::Overview => state.overview.services.current().cloned().map(Place::Service),
        Place::Slos => match state.slos.list.current() {
            Some(SloRow::Slo(key)) => Some(key.place()),
            Some(SloRow::Group(_)) => {
                let is_folded = state.slos.is_folded();
                fold(state, !is_folded);
                return true;
            }
            None => None,
        },
        Place::Slo { source, id } => slo::target(state, source, id),
        Place::Services => state.services.list.current().cloned().map(Place::Service),
        Place::Alerts => match state.alerts.list.current() {
            Some(Row::Alert(fingerprint)) => Some(Place::Alert(*fingerprint)),
            Some(Row::Group(_)) => {
                let is_folded = state.alerts.is_folded();
                fold(state, !is_folded);
                return true;
            }
            None => None,
        },
        Place::Service(_) if state.panel == service::SLOS => state.service_slos.current().map(SloKey::place),
        Place::Service(_) if state.panel == service::INCIDENTS => {
            state.service_incidents.current().map(IncidentKey::place)
        }
        Place::Service(_) if state.panel == service::PARTS => None,
        // the worst alert of a service explains it best: the cursor starts there
        Place::Service(_) => state.service_alerts.current().copied().map(Place::Alert),
        Place::Alert(_) if state.panel == alert::RELATED => {
            state.related.current().copied().map(Place::Alert)
        }
        Place::Alert(fingerprint) if state.panel == alert::INCIDENT => {
            state.world.incident_of(*fingerprint).map(|known| IncidentKey::of(known).place())
        }
        Place::Alert(fingerprint) if state.panel == alert::SLO => {
            alert::slo(state, *fingerprint).map(|status| SloKey::of(status).place())
        }
        Place::Alert(fingerprint) => {
            let alert = state.world.alert(*fingerprint);
            let service = alert.and_then(|alert| state.world.service_of(&alert.labels));
            service.filter(|name| state.world.service(name).is_some()).cloned().map(Place::Service)
        }
        Place::Incidents => match state.incidents.list.current() {
            Some(IncidentRow::Incident(key)) => Some(key.place()),
            Some(IncidentRow::Group(_)) => {
                let is_folded = state.incidents.is_folded();
                fold(state, !is_folded);
                return true;
            }
            None => None,
        },
        Place::Incident { source, id } => incident::target(state, source, id),
        Place::OnCall => state.on_call.list.current().map(oncall::LevelKey::place),
        Place::Timeline => screens::timeline::target(state),
        Place::Silences => {
            // what a silence is about are alerts, the quiet ones above all
            let silence = state.silences.list.current().and_then(|key| key.silence(&state.world));
            silence.map(|silence| {
                if let Some(unknown) = silence.matchers.iter().find(|matcher| !matcher.can_be_judged()) {
                    let words = format!("What {unknown} matches cannot be judged here: shown without it");
                    state.messages.note(words, now);
                }
                state.alerts.found.set(&silences::filter(&silence));
                state.alerts.show_quiet = true;
                state.ordered = None;
                Place::Alerts
            })
        }
        Place::Policy { .. } | Place::Paper(_) | Place::Runbook(_) | Place::Sources | Place::Messages => None,
    };
    target.is_some_and(|target| {
        go(state, target, now);
        true
    })
}
