//! What can be taken from where the cursor is: a text to copy, and links.

use jiff::Timestamp;

use crate::app::list::List;
use crate::app::place::Place;
use crate::app::screens::alerts::Row;
use crate::app::screens::incidents::{IncidentKey, Row as IncidentRow};
use crate::app::screens::slos::Row as SloRow;
use crate::app::screens::{
    alert, incident, oncall, overview, policy, runbook, service, silences, slo, timeline,
};
use crate::app::state::State;
use crate::model::labels::{Labels, Text};

/// What copying takes: the marked things, else the current one.
pub(in crate::app) fn copied(state: &State, now: Timestamp) -> Option<String> {
    let labels_of = |fingerprint| state.world.alert(fingerprint).map(|alert| alert.labels.to_string());
    let names = |list: &List<Text>| {
        let marked: Vec<&str> = list.marks().iter().map(|name| &**name).collect();
        if marked.is_empty() {
            list.current().map(std::string::ToString::to_string)
        } else {
            Some(marked.join("\n"))
        }
    };
    let said = |key: &IncidentKey| key.incident(&state.world).map(incident::said);
    match state.place() {
        Place::Overview if state.panel == overview::ALERTS => {
            state.overview.alerts.current().copied().and_then(labels_of)
        }
        Place::Overview if state.panel == overview::SLOS => {
            state.overview.slos.current().map(|key| key.id.to_string())
        }
        Place::Overview if state.panel == overview::INCIDENTS => {
            state.overview.incidents.current().and_then(said)
        }
        Place::Overview => names(&state.overview.services),
        Place::Services => names(&state.services.list),
        Place::Slos => {
            let list = &state.slos.list;
            let row = |row: &SloRow| match row {
                SloRow::Slo(key) => key.id.to_string(),
                SloRow::Group(value) => value.to_string(),
            };
            let marked: Vec<String> = list.marks().iter().map(row).collect();
            if marked.is_empty() { list.current().map(row) } else { Some(marked.join("\n")) }
        }
        Place::Slo { source, id } => slo::copied(state, source, id),
        Place::Service(_) if state.panel == service::SLOS => {
            state.service_slos.current().map(|key| key.id.to_string())
        }
        Place::Service(_) if state.panel == service::INCIDENTS => {
            state.service_incidents.current().and_then(said)
        }
        Place::Service(name) if state.panel == service::PARTS => service::part(state, name),
        Place::Service(name) => Some(name.to_string()),
        Place::Alert(_) if state.panel == alert::RELATED => {
            state.related.current().copied().and_then(labels_of)
        }
        Place::Alerts => {
            let list = &state.alerts.list;
            let row = |row: &Row| match row {
                Row::Alert(fingerprint) => labels_of(*fingerprint),
                Row::Group(labels) => Some(labels.to_string()),
            };
            let marked: Vec<String> = list.marks().iter().filter_map(row).collect();
            if marked.is_empty() { list.current().and_then(row) } else { Some(marked.join("\n")) }
        }
        Place::Alert(fingerprint) => labels_of(*fingerprint),
        Place::Incidents => {
            let list = &state.incidents.list;
            let row = |row: &IncidentRow| match row {
                IncidentRow::Incident(key) => said(key),
                IncidentRow::Group(value) => Some(value.to_string()),
            };
            let marked: Vec<String> = list.marks().iter().filter_map(row).collect();
            if marked.is_empty() { list.current().and_then(row) } else { Some(marked.join("\n")) }
        }
        Place::Incident { source, id } => incident::copied(state, source, id),
        Place::OnCall => {
            let list = &state.on_call.list;
            let told = |key: &oncall::LevelKey| oncall::copied(state, key, now);
            let marked: Vec<String> = list.marks().iter().filter_map(told).collect();
            if marked.is_empty() { list.current().and_then(told) } else { Some(marked.join("\n")) }
        }
        Place::Policy { source, id } => {
            oncall::policy(&state.world, source, id).map(|(_, policy)| policy.named.name.to_string())
        }
        Place::Runbook(_) => runbook::block(state).map(|block| block.text.clone()),
        Place::Silences => silences::copied(state),
        Place::Timeline => timeline::copied(state, now),
        Place::Sources => state.source_list.list.current().map(ToString::to_string),
        Place::Paper(_) => state.written.as_ref().map(|written| written.text.clone()),
        Place::Messages => state.messages.all().next().map(|told| told.message.text.clone()),
    }
}

/// The links of what the cursor is on: name and address, only http(s).
pub(in crate::app) fn links(state: &State) -> Vec<(String, Text)> {
    let of_incident = |key: &IncidentKey| {
        key.incident(&state.world).map(|known| incident::links(state, known)).unwrap_or_default()
    };
    let fingerprint = match state.place() {
        Place::Incidents => match state.incidents.list.current() {
            Some(IncidentRow::Incident(key)) => return of_incident(key),
            Some(IncidentRow::Group(_)) | None => None,
        },
        Place::Incident { source, id } => {
            return of_incident(&IncidentKey { source: source.clone(), id: id.clone() });
        }
        Place::Overview if state.panel == overview::INCIDENTS => {
            return state.overview.incidents.current().map(of_incident).unwrap_or_default();
        }
        Place::Service(_) if state.panel == service::INCIDENTS => {
            return state.service_incidents.current().map(of_incident).unwrap_or_default();
        }
        Place::OnCall => {
            let key = state.on_call.list.current();
            return key.map(|key| policy::links(state, &key.source, &key.policy)).unwrap_or_default();
        }
        Place::Policy { source, id } => return policy::links(state, source, id),
        Place::Runbook(wanted) => return runbook::links(state, wanted),
        Place::Alert(fingerprint) => Some(*fingerprint),
        Place::Alerts => match state.alerts.list.current() {
            Some(Row::Alert(fingerprint)) => Some(*fingerprint),
            Some(Row::Group(_)) | None => None,
        },
        Place::Overview if state.panel == overview::ALERTS => state.overview.alerts.current().copied(),
        Place::Service(_) => state.service_alerts.current().copied(),
        Place::Slo { .. } => state.slo.alerts.current().copied(),
        Place::Overview
        | Place::Services
        | Place::Slos
        | Place::Paper(_)
        | Place::Silences
        | Place::Timeline
        | Place::Sources
        | Place::Messages => None,
    };
    let Some(alert) = fingerprint.and_then(|fingerprint| state.world.alert(fingerprint)) else {
        return Vec::new();
    };
    let of = |labels: &Labels| {
        let found = labels.iter().filter(|(_, value)| is_link(value));
        found.map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>()
    };
    let mut links = of(&alert.annotations);
    links.sort_by_key(|(name, _)| !name.starts_with("runbook"));
    links.extend(of(&alert.labels));
    links.extend(
        alert.generator_url.iter().filter(|url| is_link(url)).map(|url| ("source".to_owned(), url.clone())),
    );
    links
}

/// Whether a text is an address that may be opened.
pub(in crate::app) fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
