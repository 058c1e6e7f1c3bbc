//! What the person points at: the marked things of the list with the keyboard, else the one under the cursor.

use super::list::List;
use super::place::{Paper, Place};
use super::screens::alerts::Row as AlertLine;
use super::screens::incident::AlertRow;
use super::screens::incidents::{IncidentKey, Row as IncidentLine};
use super::screens::oncall::LevelKey;
use super::screens::silences::SilenceKey;
use super::screens::slos::{Row as SloLine, SloKey};
use super::screens::{alert, incident, overview, service, timeline};
use super::state::State;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::source::SourceId;

/// Things of one kind, by their identity, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Aim {
    /// Nothing that anything could be done to.
    #[default]
    Nothing,
    /// Incidents.
    Incidents(Vec<IncidentKey>),
    /// Alerts.
    Alerts(Vec<Fingerprint>),
    /// Services: what is done to them is done to their alerts and open incidents.
    Services(Vec<Text>),
    /// Silences.
    Silences(Vec<SilenceKey>),
    /// A level of an escalation policy.
    Level(LevelKey),
    /// A whole escalation policy.
    Policy {
        /// Who tells of it.
        source: SourceId,
        /// What it is called there.
        id: Text,
    },
}

/// The marked rows, else the current one.
fn chosen<K: Clone + Ord>(list: &List<K>) -> Vec<K> {
    if list.marks().is_empty() {
        list.current().into_iter().cloned().collect()
    } else {
        // in the order of the screen
        list.rows().iter().filter(|row| list.marks().contains(row)).cloned().collect()
    }
}

/// What the person points at now.
pub fn aim(state: &State) -> Aim {
    let aim = match state.place() {
        Place::Overview if state.panel == overview::ALERTS => Aim::Alerts(chosen(&state.overview.alerts)),
        Place::Overview if state.panel == overview::INCIDENTS => {
            Aim::Incidents(chosen(&state.overview.incidents))
        }
        Place::Service(_) if state.panel == service::INCIDENTS => {
            Aim::Incidents(chosen(&state.service_incidents))
        }
        Place::Overview if state.panel == overview::SLOS => of_slos(state, &chosen(&state.overview.slos)),
        Place::Overview => Aim::Services(chosen(&state.overview.services)),
        Place::Services => Aim::Services(chosen(&state.services.list)),
        Place::Slos => {
            of_slos(state, &chosen(&state.slos.list).into_iter().filter_map(slo_of).collect::<Vec<_>>())
        }
        Place::Slo { source, id } => of_slos(state, &[SloKey { id: id.clone(), source: source.clone() }]),
        Place::Service(_) if state.panel == service::SLOS => of_slos(state, &chosen(&state.service_slos)),
        Place::Service(name) if state.panel == service::PARTS || state.service_alerts.rows().is_empty() => {
            Aim::Services(vec![name.clone()])
        }
        Place::Service(_) => Aim::Alerts(chosen(&state.service_alerts)),
        Place::Alerts => Aim::Alerts(alerts(state)),
        Place::Alert(_) if state.panel == alert::RELATED => Aim::Alerts(chosen(&state.related)),
        Place::Alert(fingerprint) if state.panel == alert::INCIDENT => {
            let its = state.world.incident_of(*fingerprint);
            Aim::Incidents(its.map(IncidentKey::of).into_iter().collect())
        }
        Place::Alert(fingerprint) => Aim::Alerts(vec![*fingerprint]),
        Place::Incidents => Aim::Incidents(incidents(state)),
        Place::Incident { source, id } | Place::Paper(Paper::Postmortem { source, id }) => {
            Aim::Incidents(vec![IncidentKey { id: id.clone(), source: source.clone() }])
        }
        Place::Silences => Aim::Silences(chosen(&state.silences.list)),
        Place::OnCall => state.on_call.list.current().cloned().map_or(Aim::Nothing, Aim::Level),
        Place::Policy { source, id } => Aim::Policy { source: source.clone(), id: id.clone() },
        Place::Timeline => timeline::target(state).map_or(Aim::Nothing, of_entry),
        Place::Runbook(_) | Place::Sources | Place::Paper(_) | Place::Messages => Aim::Nothing,
    };
    match aim {
        Aim::Incidents(all) if all.is_empty() => Aim::Nothing,
        Aim::Alerts(all) if all.is_empty() => Aim::Nothing,
        Aim::Silences(all) if all.is_empty() => Aim::Nothing,
        Aim::Services(all) if all.is_empty() => Aim::Nothing,
        aim => aim,
    }
}

/// The alerts that silencing is about: on the alerts of an incident the one under the cursor, else all that are pointed at
/// or that the incidents pointed at are about.
pub fn to_silence(state: &State) -> Vec<Fingerprint> {
    if let (Place::Incident { source, id }, incident::ALERTS) = (state.place(), state.panel) {
        let told = |alert: &Text| {
            let known = state.world.incident(source, id)?;
            let detail = state.world.incident_detail(known)?;
            state.world.alert_of(detail.alerts.iter().find(|told| told.id == *alert)?)
        };
        let current = match state.incident.current() {
            Some(AlertRow::Told(alert)) => told(alert),
            Some(AlertRow::Tied(fingerprint)) => Some(*fingerprint),
            None => None,
        };
        return current.into_iter().collect();
    }
    match aim(state) {
        Aim::Alerts(all) => all,
        Aim::Incidents(keys) => {
            let known = keys.iter().filter_map(|key| key.incident(&state.world));
            let mut all: Vec<Fingerprint> = known.flat_map(|known| known.alerts.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        Aim::Services(names) => names
            .iter()
            .flat_map(|name| service::alerts(state, name))
            .map(|alert| alert.fingerprint)
            .collect(),
        Aim::Nothing | Aim::Silences(_) | Aim::Level(_) | Aim::Policy { .. } => Vec::new(),
    }
}

/// What happened happened to something.
fn of_entry(place: Place) -> Aim {
    match place {
        Place::Incident { source, id } => Aim::Incidents(vec![IncidentKey { id, source }]),
        Place::Alert(fingerprint) => Aim::Alerts(vec![fingerprint]),
        Place::Service(name) => Aim::Services(vec![name]),
        Place::Overview
        | Place::Services
        | Place::Slos
        | Place::Slo { .. }
        | Place::Alerts
        | Place::Incidents
        | Place::OnCall
        | Place::Policy { .. }
        | Place::Paper(_)
        | Place::Runbook(_)
        | Place::Silences
        | Place::Timeline
        | Place::Sources
        | Place::Messages => Aim::Nothing,
    }
}

/// The SLO that a row of the list is about; the head of a group is about none.
fn slo_of(row: SloLine) -> Option<SloKey> {
    match row {
        SloLine::Slo(key) => Some(key),
        SloLine::Group(_) => None,
    }
}

/// What is done to SLOs is done to their alerts.
fn of_slos(state: &State, keys: &[SloKey]) -> Aim {
    let statuses = keys.iter().filter_map(|key| key.status(&state.world));
    Aim::Alerts(once(statuses.flat_map(|status| status.alerts.iter().copied()).collect()))
}

/// The head of a group stands for all of its alerts.
fn alerts(state: &State) -> Vec<Fingerprint> {
    let mut all: Vec<Fingerprint> = Vec::new();
    for row in chosen(&state.alerts.list) {
        match row {
            AlertLine::Alert(fingerprint) => all.push(fingerprint),
            AlertLine::Group(labels) => {
                all.extend(state.alerts.group(&labels).into_iter().flat_map(|group| &group.members));
            }
        }
    }
    once(all)
}

fn incidents(state: &State) -> Vec<IncidentKey> {
    let mut all: Vec<IncidentKey> = Vec::new();
    for row in chosen(&state.incidents.list) {
        match row {
            IncidentLine::Incident(key) => all.push(key),
            IncidentLine::Group(value) => {
                let group = state.incidents.groups.get(&value);
                all.extend(group.into_iter().flat_map(|group| &group.members).cloned());
            }
        }
    }
    once(all)
}

/// Each once, where it came first.
fn once<K: Clone + Ord>(all: Vec<K>) -> Vec<K> {
    let mut seen = std::collections::BTreeSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}
