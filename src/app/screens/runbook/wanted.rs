//! Which runbooks belong to what the cursor is on.

use std::sync::Arc;

use crate::app::place::Place;
use crate::app::screens::alerts::Row;
use crate::app::screens::incidents::{IncidentKey, Row as IncidentRow};
use crate::app::screens::slos::{Row as SloRow, SloKey};
use crate::app::screens::{alert, incident, overview, service, slo, timeline};
use crate::app::state::State;
use crate::model::alert::Alert;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::runbook::Wanted;
use crate::model::slo::SloStatus;
use crate::model::world::Linked;

/// Names under which a runbook is told.
const NAMES: [&str; 2] = ["runbook_url", "runbook"];

/// The labels that fill its placeholders.
pub(super) fn labels(wanted: &Wanted) -> Labels {
    if wanted.labels.get("alertname").is_some() {
        return wanted.labels.clone();
    }
    let own = wanted.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    Labels::new(own.chain([("alertname".into(), wanted.name.clone())]).collect())
}

/// The runbooks of what the cursor is on, each once.
pub(super) fn here(state: &State) -> Vec<Arc<Wanted>> {
    let one = |fingerprint: Option<&Fingerprint>| {
        fingerprint
            .and_then(|found| state.world.alert(*found))
            .map(|alert| of_alert(alert))
            .into_iter()
            .collect()
    };
    let of_incident = |key: Option<&IncidentKey>| {
        key.and_then(|key| key.incident(&state.world))
            .map_or_else(Vec::new, |known| of_incident(state, known))
    };
    let of_slo = |key: Option<&SloKey>| {
        key.and_then(|key| state.world.slo(&key.source, &key.id))
            .map_or_else(Vec::new, |found| of_slo(state, found))
    };
    let found: Vec<Wanted> = match state.place() {
        Place::Overview if state.panel == overview::ALERTS => one(state.overview.alerts.current()),
        Place::Overview if state.panel == overview::SLOS => of_slo(state.overview.slos.current()),
        Place::Overview if state.panel == overview::INCIDENTS => {
            of_incident(state.overview.incidents.current())
        }
        Place::Overview => state.overview.services.current().map(of_service).into_iter().collect(),
        Place::Services => state.services.list.current().map(of_service).into_iter().collect(),
        Place::Service(_) if state.panel == service::SLOS => of_slo(state.service_slos.current()),
        Place::Service(_) if state.panel == service::INCIDENTS => {
            of_incident(state.service_incidents.current())
        }
        Place::Service(name) if state.panel == service::PARTS => vec![of_service(name)],
        Place::Service(name) => match state.service_alerts.current() {
            Some(fingerprint) => one(Some(fingerprint)),
            None => vec![of_service(name)],
        },
        Place::Slos => match state.slos.list.current() {
            Some(SloRow::Slo(key)) => of_slo(Some(key)),
            Some(SloRow::Group(_)) | None => Vec::new(),
        },
        Place::Slo { .. } if state.panel == slo::ALERTS => one(state.slo.alerts.current()),
        Place::Slo { source, id } => {
            state.world.slo(source, id).map_or_else(Vec::new, |found| self::of_slo(state, found))
        }
        Place::Alerts => match state.alerts.list.current() {
            Some(Row::Alert(fingerprint)) => one(Some(fingerprint)),
            Some(Row::Group(_)) | None => Vec::new(),
        },
        Place::Alert(_) if state.panel == alert::RELATED => one(state.related.current()),
        Place::Alert(fingerprint) => one(Some(fingerprint)),
        Place::Incidents => match state.incidents.list.current() {
            Some(IncidentRow::Incident(key)) => of_incident(Some(key)),
            Some(IncidentRow::Group(_)) | None => Vec::new(),
        },
        Place::Incident { source, id } if state.panel == incident::ALERTS => {
            match incident::target(state, source, id) {
                Some(Place::Alert(fingerprint)) => one(Some(&fingerprint)),
                _ => of_incident(Some(&IncidentKey { source: source.clone(), id: id.clone() })),
            }
        }
        Place::Incident { source, id } => {
            of_incident(Some(&IncidentKey { source: source.clone(), id: id.clone() }))
        }
        Place::Timeline => match timeline::target(state) {
            Some(Place::Alert(fingerprint)) => one(Some(&fingerprint)),
            Some(Place::Incident { id, source }) => of_incident(Some(&IncidentKey { id, source })),
            _ => Vec::new(),
        },
        Place::Silences
        | Place::OnCall
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Runbook(_)
        | Place::Sources
        | Place::Messages => Vec::new(),
    };
    let mut all: Vec<Arc<Wanted>> = Vec::new();
    for wanted in found {
        let is_same = |known: &Arc<Wanted>| known.name == wanted.name && known.url == wanted.url;
        if !all.iter().any(is_same) {
            all.push(Arc::new(wanted));
        }
    }
    all
}

fn of_alert(alert: &Alert) -> Wanted {
    Wanted { name: alert.name().into(), url: alert.runbook().cloned(), labels: alert.labels.clone() }
}

/// What is written for a service as a whole.
fn of_service(name: &Text) -> Wanted {
    Wanted { name: name.clone(), url: None, labels: Labels::from_iter([("service", name)]) }
}

/// Those of its alerts: as the monitoring knows them, else as they are told.
fn of_incident(state: &State, known: &Linked) -> Vec<Wanted> {
    let tied = known.alerts.iter().filter_map(|alert| state.world.alert(*alert));
    let mut all: Vec<Wanted> = tied.map(|alert| of_alert(alert)).collect();
    let told = state.world.incident_detail(known).into_iter().flat_map(|detail| &detail.alerts);
    for alert in told.filter(|alert| state.world.alert_of(alert).is_none()) {
        let in_details = NAMES.into_iter().find_map(|name| alert.details.get(name).cloned());
        let link = || alert.links.iter().find(|(name, _)| name.to_lowercase().contains("runbook"));
        let url = in_details.or_else(|| link().map(|(_, url)| url.clone()));
        let name = alert.labels.get("alertname").unwrap_or(&alert.summary).clone();
        if url.is_some() || alert.labels.get("alertname").is_some() {
            all.push(Wanted { name, url, labels: alert.labels.clone() });
        }
    }
    if all.is_empty() {
        all.extend(known.service.as_ref().map(of_service));
    }
    all
}

/// Those of its alerts that fire, else what its definition says, else what is written for its service.
fn of_slo(state: &State, status: &SloStatus) -> Vec<Wanted> {
    let firing = state.world.alerts().iter().filter(|alert| status.slo.is_about(&alert.labels));
    let all: Vec<Wanted> = firing.map(|alert| of_alert(alert)).collect();
    if !all.is_empty() {
        return all;
    }
    let alerting = &status.slo.alerting;
    let notices = alerting.page.iter().chain(&alerting.ticket).map(|notice| &notice.annotations);
    let mut told = std::iter::once(&alerting.annotations).chain(notices);
    let url = told.find_map(|annotations| NAMES.into_iter().find_map(|name| annotations.get(name).cloned()));
    let name = alerting.name.clone();
    if url.is_none() && name.is_none() {
        return status.slo.service.as_ref().map(of_service).into_iter().collect();
    }
    let service = status.slo.service.iter().map(|service| (Text::from("service"), service.clone()));
    let own = status.slo.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    let labels = Labels::new(own.chain(service).collect());
    vec![Wanted { name: name.unwrap_or_else(|| status.slo.id.clone()), url, labels }]
}
