//! The SLOs of all sources, judged, with their services and alerts.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::alert::{Alert, AlertState};
use super::super::fingerprint::Fingerprint;
use super::super::labels::{Labels, Text};
use super::super::service::Reading;
use super::super::slo::{Slo, SloState, SloStatus};
use super::super::source::SourceId;
use super::World;

impl World {
    /// All SLOs, in the order of their ids, then of their sources.
    pub fn slos(&self) -> &[SloStatus] {
        &self.slos
    }

    /// One SLO of one source.
    pub fn slo(&self, source: &SourceId, id: &str) -> Option<&SloStatus> {
        let key = |status: &SloStatus| (*status.slo.id).cmp(id).then_with(|| status.source.cmp(source));
        self.slos.get(self.slos.binary_search_by(key).ok()?)
    }

    /// The SLOs of a service, the worst first.
    pub fn slos_of<'a>(&'a self, service: &'a str) -> Vec<&'a SloStatus> {
        let is_its = |status: &&SloStatus| status.service.as_deref() == Some(service);
        let mut its: Vec<_> = self.slos.iter().filter(is_its).collect();
        its.sort_by(|a, b| a.by_urgency(b));
        its
    }

    /// The SLO that an alert with these labels is about.
    pub fn slo_of(&self, labels: &Labels) -> Option<&SloStatus> {
        self.slos.iter().filter(|status| status.slo.is_about(labels)).min_by(|a, b| a.by_urgency(b))
    }

    /// Judges what the sources said last.
    pub(super) fn merge_slos(&mut self) {
        let boards = self.held.iter().filter_map(|(id, held)| Some((id, held.slos.value()?)));
        let judged = boards.flat_map(|(id, board)| {
            board.readings.iter().map(move |reading| SloStatus::of(reading, id, board.at))
        });
        let mut all: Vec<SloStatus> = judged.collect();
        all.sort_by(|a, b| a.slo.id.cmp(&b.slo.id).then_with(|| a.source.cmp(&b.source)));
        let mut pairs: HashMap<(SourceId, SourceId), bool> = HashMap::new();
        all.dedup_by(|later, kept| {
            let mut is_pair = || {
                let pair = (kept.source.clone(), later.source.clone());
                *pairs.entry(pair).or_insert_with_key(|(one, other)| self.is_pair(one, other))
            };
            let is_same = later.slo.id == kept.slo.id && is_pair();
            // of two servers that see the same, the one that has something to say
            if is_same && self.says_less(kept, later) {
                std::mem::swap(later, kept);
            }
            is_same
        });
        self.slos = all;
        self.link_slos_to_services();
        self.link_slos_to_alerts();
    }

    /// Whether two sources scrape the same targets, as the servers of a highly available pair do.
    fn is_pair(&self, one: &SourceId, other: &SourceId) -> bool {
        let readings = |source| Some(&self.held.get(source)?.services.value()?.readings);
        let (Some(one), Some(other)) = (readings(one), readings(other)) else { return false };
        let names: HashMap<&Text, &Reading> = other.iter().map(|reading| (&reading.name, reading)).collect();
        one.iter().any(|mine| names.get(&mine.name).is_some_and(|theirs| mine.is_replica_of(theirs)))
    }

    fn says_less(&self, one: &SloStatus, other: &SloStatus) -> bool {
        let rank = |status: &SloStatus| {
            let held = self.held.get(&status.source);
            let is_current = held.is_some_and(|held| held.slos.trouble().or(held.probe.trouble()).is_none());
            (is_current, status.state() != SloState::NoData)
        };
        rank(one) < rank(other)
    }

    pub(super) fn link_slos_to_services(&mut self) {
        let mut slos = std::mem::take(&mut self.slos);
        for status in &mut slos {
            status.service = self.service_of_slo(&status.slo);
        }
        self.slos = slos;
    }

    pub(super) fn link_slos_to_alerts(&mut self) {
        let told = Told::of(&self.alerts);
        for status in &mut self.slos {
            status.alerts = told.about(&status.slo);
        }
    }

    fn service_of_slo(&self, slo: &Slo) -> Option<Text> {
        let labels = slo.recorded.as_ref().map(|recorded| &recorded.labels);
        let named = labels.into_iter().chain([&slo.labels]).filter_map(|labels| self.service_of(labels));
        let all: Vec<&Text> = slo.service.iter().chain(named).collect();
        let known = all.iter().find(|name| self.service(name).is_some());
        known.or(all.first()).map(|name| Text::clone(name))
    }
}

/// By what an SLO may know an alert, so that not every SLO has to look at every alert.
#[derive(PartialEq, Eq, Hash)]
enum Mark<'a> {
    /// An identity that rules gave it: label and value.
    Identity(&'a str, &'a str),
    /// Its name, with the identity label that decides before the name does.
    Name(&'a str, Option<&'a str>, Of<'a>),
}

/// The service that an alert says it is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Of<'a> {
    Any,
    Nothing,
    Service(&'a str),
}

/// Alerts that fire or are pending by their marks.
struct Told<'a>(HashMap<Mark<'a>, Vec<&'a Arc<Alert>>>);

impl<'a> Told<'a> {
    fn of(alerts: &'a [Arc<Alert>]) -> Self {
        let mut all: HashMap<Mark<'_>, Vec<&Arc<Alert>>> = HashMap::new();
        for alert in alerts.iter().filter(|a| matches!(a.state, AlertState::Firing | AlertState::Pending)) {
            let label = |name| alert.labels.get(name).map(|value| &**value);
            for name in Slo::IDENTITY_LABELS {
                if let Some(value) = label(name) {
                    all.entry(Mark::Identity(name, value)).or_default().push(alert);
                }
            }
            // the label that all SLOs may have leaves nothing for the name to decide
            if let (Some(name), None) = (label("alertname"), label("slo")) {
                let identity = Slo::IDENTITY_LABELS.into_iter().find(|name| label(name).is_some());
                let service = label("service").map_or(Of::Nothing, Of::Service);
                for service in [Of::Any, service] {
                    all.entry(Mark::Name(name, identity, service)).or_default().push(alert);
                }
            }
        }
        Self(all)
    }

    fn about(&self, slo: &Slo) -> Vec<Fingerprint> {
        let alerts = marks(slo).into_iter().filter_map(|mark| self.0.get(&mark)).flatten();
        let mut its: Vec<_> =
            alerts.filter(|alert| slo.is_about(&alert.labels)).map(|alert| alert.fingerprint).collect();
        its.sort_unstable();
        its.dedup();
        its
    }
}

/// The marks of which every alert of this SLO has at least one.
fn marks(slo: &Slo) -> Vec<Mark<'_>> {
    let own = slo.recorded.as_ref().map(|recorded| recorded.family.identity());
    let identities = slo.identities().map(|(label, value)| Mark::Identity(label, value));
    let mut marks: Vec<Mark<'_>> = identities.collect();
    let services = match slo.service.as_deref() {
        Some(service) => [Some(Of::Service(service)), Some(Of::Nothing)],
        None => [Some(Of::Any), None],
    };
    for name in [&slo.alerting.name, &slo.alerting.absent_name].into_iter().flatten() {
        let others = Slo::IDENTITY_LABELS.into_iter().filter(|label| Some(*label) != own);
        for identity in others.map(Some).chain([None]) {
            marks.extend(services.into_iter().flatten().map(|of| Mark::Name(name, identity, of)));
        }
    }
    marks
}

#[cfg(test)]
mod tests;
