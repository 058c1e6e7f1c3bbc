//! The SLOs of all sources, judged, with their services and alerts.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::alert::{Alert, AlertState};
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
        all.dedup_by(|later, kept| {
            let is_same = later.slo.id == kept.slo.id && self.is_pair(&later.source, &kept.source);
            // of two servers that see the same, the one that has something to say
            if is_same && self.says_less(kept, later) {
                std::mem::swap(later, kept);
            }
            is_same
        });
        self.slos = all;
        self.link_slos();
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

    /// Ties SLOs to services and alerts.
    pub(super) fn link_slos(&mut self) {
        let mut slos = std::mem::take(&mut self.slos);
        let about = alerts_by_identity(&self.alerts);
        for status in &mut slos {
            status.service = self.service_of_slo(&status.slo);
            let keys = status.slo.identities();
            let candidates = keys.iter().filter_map(|key| about.get(key)).flatten();
            let mine = candidates.filter(|alert| status.slo.is_about(&alert.labels));
            status.alerts = mine.map(|alert| alert.fingerprint).collect();
            status.alerts.sort_unstable();
            status.alerts.dedup();
        }
        self.slos = slos;
    }

    fn service_of_slo(&self, slo: &Slo) -> Option<Text> {
        let labels = slo.recorded.as_ref().map(|recorded| &recorded.labels);
        let named = labels.into_iter().chain([&slo.labels]).filter_map(|labels| self.service_of(labels));
        let all: Vec<&Text> = slo.service.iter().chain(named).collect();
        let known = all.iter().find(|name| self.service(name).is_some());
        known.or(all.first()).map(|name| Text::clone(name))
    }
}

/// Alerts that fire or are pending by each label by which an SLO may know them.
fn alerts_by_identity(alerts: &[Arc<Alert>]) -> HashMap<(&str, &str), Vec<&Arc<Alert>>> {
    let mut found: HashMap<(&str, &str), Vec<&Arc<Alert>>> = HashMap::new();
    for alert in alerts.iter().filter(|a| matches!(a.state, AlertState::Firing | AlertState::Pending)) {
        for name in Slo::IDENTITY_LABELS {
            if let Some(value) = alert.labels.get(name) {
                found.entry((name, value)).or_default().push(alert);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
