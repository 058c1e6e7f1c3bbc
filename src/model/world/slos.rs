//! The states of the SLOs of all sources, with their services and alerts.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::labels::{Labels, Text};
use super::super::service::ServiceReading;
use super::super::slo::{Slo, SloState, SloStatus};
use super::super::source::SourceId;
use super::World;
use crate::model::ask::{AskKind, Moment};

impl World {
    /// All SLOs, sorted by id, then by source.
    pub fn slos(&self) -> &[SloStatus] {
        &self.slos
    }

    pub fn slo(&self, source: &SourceId, id: &str) -> Option<&SloStatus> {
        let key = |status: &SloStatus| (*status.slo.id).cmp(id).then_with(|| status.source.cmp(source));
        self.slos.get(self.slos.binary_search_by(key).ok()?)
    }

    /// The SLOs of a service, the worst first.
    pub fn slos_of<'a>(&'a self, service: &'a str) -> Vec<&'a SloStatus> {
        let mut its: Vec<_> = self.its_slos(service).collect();
        its.sort_by(|a, b| a.by_urgency(b));
        its
    }

    pub fn worst_slo_of<'a>(&'a self, service: &'a str) -> Option<&'a SloStatus> {
        self.its_slos(service).min_by(|a, b| a.by_urgency(b))
    }

    fn its_slos<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a SloStatus> {
        let first = self.slos_by_service.partition_point(|(name, _)| **name < *service);
        let its = self.slos_by_service.iter().skip(first).take_while(move |(name, _)| **name == *service);
        its.filter_map(|(_, at)| self.slos.get(*at))
    }

    /// The SLO that an alert with these labels belongs to, the worst if there are several.
    pub fn slo_of(&self, labels: &Labels) -> Option<&SloStatus> {
        self.slos.iter().filter(|status| status.slo.is_about(labels)).min_by(|a, b| a.by_urgency(b))
    }

    /// Computes the states of all SLOs from the last answers.
    pub(super) fn merge_slos(&mut self) {
        let mut all: Vec<SloStatus> = Vec::new();
        for (id, cache) in &self.cache {
            let snapshot = cache.slos().value();
            // for a past moment without an answer, the current SLOs are listed without data
            let unread = self.moment.past().filter(|_| snapshot.is_none());
            let unread = unread.zip(cache.at(Moment::Now).slos.value());
            let named = unread.iter().flat_map(|(at, snapshot)| {
                snapshot.readings.iter().map(|reading| SloStatus::of(&reading.without_values(), id, *at))
            });
            all.extend(named);
            let judged = snapshot.into_iter().flat_map(|snapshot| {
                snapshot.readings.iter().map(|reading| SloStatus::of(reading, id, snapshot.at))
            });
            all.extend(judged);
        }
        all.sort_by(|a, b| a.slo.id.cmp(&b.slo.id).then_with(|| a.source.cmp(&b.source)));
        let mut pairs: HashMap<(SourceId, SourceId), bool> = HashMap::new();
        all.dedup_by(|later, kept| {
            let mut is_pair = || {
                let pair = (kept.source.clone(), later.source.clone());
                *pairs.entry(pair).or_insert_with_key(|(one, other)| self.is_pair(one, other))
            };
            let is_same = later.slo.id == kept.slo.id && is_pair();
            // of two servers with the same data, the more reliable one is kept
            if is_same && self.is_less_reliable(kept, later) {
                std::mem::swap(later, kept);
            }
            is_same
        });
        let are_same =
            |(new, old): (&SloStatus, &SloStatus)| Arc::ptr_eq(&new.slo, &old.slo) || new.slo == old.slo;
        let is_same = all.len() == self.slos.len() && all.iter().zip(&self.slos).all(are_same);
        self.slos = all;
        self.link_slos_to_services();
        if !is_same {
            let all: Vec<usize> = (0..self.alerts.len()).collect();
            self.link_to_slos(&all);
        }
        self.assign_alerts_to_slos();
    }

    /// Whether two sources scrape the same targets, as the servers of a highly available pair do.
    pub(super) fn is_pair(&self, one: &SourceId, other: &SourceId) -> bool {
        let readings = |source| Some(&self.cache.get(source)?.services().value()?.readings);
        let (Some(one), Some(other)) = (readings(one), readings(other)) else { return false };
        let names: HashMap<&Text, &ServiceReading> =
            other.iter().map(|reading| (&reading.name, reading)).collect();
        one.iter().any(|mine| names.get(&mine.name).is_some_and(|theirs| mine.is_replica_of(theirs)))
    }

    fn is_less_reliable(&self, one: &SloStatus, other: &SloStatus) -> bool {
        let rank = |status: &SloStatus| {
            let cache = self.cache.get(&status.source);
            let is_current = cache.is_some_and(|cache| cache.is_current(AskKind::Slos));
            (is_current, status.state() != SloState::NoData)
        };
        rank(one) < rank(other)
    }

    pub(super) fn link_slos_to_services(&mut self) {
        let mut slos = std::mem::take(&mut self.slos);
        self.slos_by_service.clear();
        for (at, status) in slos.iter_mut().enumerate() {
            status.service = self.service_of_slo(&status.slo);
            if let Some(service) = &status.service {
                self.slos_by_service.push((service.clone(), at));
            }
        }
        self.slos_by_service.sort_unstable();
        self.slos = slos;
    }

    /// Finds the SLOs of the alerts with these indexes.
    pub(super) fn link_to_slos(&mut self, alerts: &[usize]) {
        if alerts.is_empty() {
            return;
        }
        let known = SloAlertIndex::of(self.slos.iter().map(|status| &*status.slo));
        for at in alerts {
            if let (Some(alert), Some(about)) = (self.alerts.get(*at), self.about.get_mut(*at)) {
                about.slos = known.about(&alert.labels);
            }
        }
    }

    /// Assigns each SLO its active alerts.
    pub(super) fn assign_alerts_to_slos(&mut self) {
        for status in &mut self.slos {
            status.alerts.clear();
        }
        for (alert, about) in self.alerts.iter().zip(&self.about) {
            for its in about.slos.iter().filter(|_| alert.is_active()) {
                if let Some(status) = self.slos.get_mut(*its) {
                    status.alerts.push(alert.fingerprint);
                }
            }
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

/// Finds the SLOs of an alert by its labels, without comparing every SLO with every alert.
#[derive(Default)]
struct SloAlertIndex<'a> {
    slos: Vec<&'a Slo>,
    /// By identity label and value.
    by_identity: HashMap<(&'a str, &'a str), Vec<usize>>,
    by_name: HashMap<&'a str, Vec<SlosByAlertName<'a>>>,
}

/// SLOs whose alerts share a name.
struct SlosByAlertName<'a> {
    /// The identity label that takes precedence over the alert's name.
    identity: Option<&'static str>,
    by_service: HashMap<Option<&'a str>, Vec<usize>>,
}

impl<'a> SloAlertIndex<'a> {
    fn of(slos: impl Iterator<Item = &'a Slo>) -> Self {
        let mut known = Self { slos: slos.collect(), ..Self::default() };
        for (at, slo) in known.slos.iter().enumerate() {
            for identity in slo.identity_labels() {
                known.by_identity.entry(identity).or_default().push(at);
            }
            let identity = slo.recorded.as_ref().map(|recorded| recorded.family.identity());
            for name in [&slo.alerting.name, &slo.alerting.absent_name].into_iter().flatten() {
                let all = known.by_name.entry(name).or_default();
                let place = all.iter().position(|namesakes| namesakes.identity == identity);
                let place = place.unwrap_or_else(|| {
                    all.push(SlosByAlertName { identity, by_service: HashMap::new() });
                    all.len() - 1
                });
                if let Some(namesakes) = all.get_mut(place) {
                    namesakes.by_service.entry(slo.service.as_deref()).or_default().push(at);
                }
            }
        }
        known
    }

    /// The indexes of the SLOs that an alert with these labels belongs to.
    fn about(&self, alert: &Labels) -> Vec<usize> {
        let label = |name| alert.get(name).map(|value| &**value);
        let mut places: Vec<usize> = Vec::new();
        for name in Slo::IDENTITY_LABELS {
            let identified = label(name).and_then(|value| self.by_identity.get(&(name, value)));
            places.extend(identified.into_iter().flatten());
        }
        // the label `slo` identifies any SLO, so the alert's name is not used
        let named = label("alertname").filter(|_| label("slo").is_none());
        let namesakes = named.and_then(|name| self.by_name.get(name)).into_iter().flatten();
        for namesakes in namesakes.filter(|one| one.identity.and_then(label).is_none()) {
            let by_service = &namesakes.by_service;
            match label("service") {
                Some(service) => [Some(service), None]
                    .iter()
                    .filter_map(|service| by_service.get(service))
                    .for_each(|some| places.extend(some)),
                None => by_service.values().for_each(|some| places.extend(some)),
            }
        }
        places.sort_unstable();
        places.dedup();
        places.retain(|at| self.slos.get(*at).is_some_and(|slo| slo.is_about(alert)));
        places
    }
}

#[cfg(test)]
mod tests;
