//! Merges the services of all sources, and adds lost services and those that only an alert names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::alert::{Alert, Severity};
use crate::model::ask::{AskKind, Moment};
use crate::model::assessment::{Case, assess, assess_without_data};
use crate::model::capacity::CapacityReading;
use crate::model::labels::Text;
use crate::model::service::{Service, SourcedReading, merge};
use crate::model::source::SourceId;
use crate::model::warning::{self, Warning};

use super::churn::MassDisappearance;
use super::own_names::OwnNames;
use super::{AnswerCache, LOST_SERVICES_KEPT, World};

/// The readings of each service by source, with the lookback and the time of the answer.
type ServiceReadings<'a> = BTreeMap<&'a Text, Vec<(&'a SourceId, SourcedReading<'a>, Duration, Timestamp)>>;

impl World {
    /// Merges the services again. Returns whether their names are unchanged.
    pub(super) fn merge_services(&mut self, now: Timestamp) -> bool {
        self.warn_about_lost_services(now);
        let mut readings: ServiceReadings<'_> = BTreeMap::new();
        for (id, cache) in &self.cache {
            let (Some(snapshot), Some(at)) = (cache.services().value(), cache.services().at) else {
                continue;
            };
            let is_current = cache.is_current(AskKind::Services);
            for reading in &snapshot.readings {
                let sourced = SourcedReading { reading, is_current };
                readings.entry(&reading.name).or_default().push((id, sourced, snapshot.lookback, at));
            }
        }
        let with_readings = readings.values().flatten().map(|(_, sourced, ..)| sourced.reading);
        let with_readings =
            with_readings.filter_map(|reading| Some((&reading.name, reading.named_by.as_ref()?)));
        let before = self.services.iter().filter(|old| !readings.contains_key(&old.name));
        let before = before.filter_map(|old| Some((&old.name, old.named_by.as_ref()?)));
        let own = OwnNames::new(with_readings.chain(before));
        let named = self.named_by_alerts(&readings);
        let was_renamed = |name: &Text| self.cache.values().any(|cache| cache.lost.was_renamed(name, now));
        let is_kept = |old: &&Service| {
            let name = &old.name;
            let is_alarmed = named.contains(name);
            let is_lately = now.duration_since(old.seen_at) < LOST_SERVICES_KEPT && !was_renamed(name);
            !readings.contains_key(name) && !is_alarmed && is_lately && !old.is_named_by_alerts_alone()
        };
        let kept = self.services.iter().filter(is_kept).map(|old| &old.name);
        let mut names: Vec<Text> = readings.keys().copied().chain(kept).chain(&named).cloned().collect();
        names.sort_unstable();
        let is_same = names.iter().eq(self.services.iter().map(|old| &old.name));
        if !is_same || own != self.own_names {
            for (alert, about) in self.alerts.iter().zip(&mut self.about) {
                about.service = self.health_policy.place_of(&own, &alert.labels, &names);
            }
        }
        let mut alerts: Vec<Vec<&Alert>> = vec![Vec::new(); names.len()];
        for (alert, about) in self.alerts.iter().zip(&self.about) {
            let its = about.service.and_then(|service| alerts.get_mut(service));
            if let Some(its) = its.filter(|_| alert.is_active()) {
                its.push(alert);
            }
        }
        let soon_full = self.soon_full(now);
        let services = names.into_iter().zip(alerts).map(|(name, alerts)| {
            let soon = soon_full.get(&name).map_or(&[][..], Vec::as_slice);
            let before = self.service(&name);
            let service = match (readings.get(&name), before) {
                (Some(known), _) => self.with_readings(known, before, (&alerts, soon), now),
                (None, Some(old)) if self.awaits_answer(old) => old.without_values(),
                (None, _) => self.lost(name, before, &alerts, now),
            };
            let since = before.and_then(|s| if s.health == service.health { s.since } else { Some(now) });
            let alerts = alerts.iter().map(|alert| alert.fingerprint).collect();
            let depends_on = self.health_policy.dependencies.of(&service.name).to_vec();
            Service { since, alerts, depends_on, ..service }
        });
        self.services = services.collect();
        self.own_names = own;
        is_same
    }

    /// Has the sources that lost their services, or have none while alerts fire, say so beside their answer.
    fn warn_about_lost_services(&mut self, now: Timestamp) {
        let firing = self.totals.firing_with_severity();
        for cache in self.cache.values_mut() {
            if let Some(warning) = loss(cache, firing, now) {
                warning::note(&mut cache.at_mut(Moment::Now).services.warnings, warning);
            }
        }
    }

    /// A service that sources report.
    fn with_readings(
        &self,
        known: &[(&SourceId, SourcedReading<'_>, Duration, Timestamp)],
        before: Option<&Service>,
        (alerts, soon_full): (&[&Alert], &[&CapacityReading]),
        now: Timestamp,
    ) -> Service {
        let (merged, chart_sources) =
            merge(&known.iter().map(|(_, sourced, ..)| *sourced).collect::<Vec<_>>());
        let chart_sources =
            chart_sources.into_iter().filter_map(|at| known.get(at)).map(|(id, ..)| (*id).clone());
        let lookback = known.iter().map(|(_, _, lookback, _)| *lookback).max().unwrap_or_default();
        let thresholds = &self.health_policy.thresholds;
        let before = before.map(|old| (old.reasons.as_slice(), old.seen_at));
        let (health, reasons) =
            assess(&merged, Case { lookback, alerts, soon_full, thresholds, before, now });
        Service {
            name: merged.name,
            labels: merged.labels,
            signals: merged.signals,
            targets: merged.targets,
            unknown: merged.unknown,
            named_by: merged.named_by,
            hosts: merged.hosts,
            named: merged.named,
            health,
            reasons,
            sources: known.iter().map(|(id, ..)| (*id).clone()).collect(),
            chart_sources: chart_sources.collect(),
            seen_at: known.iter().map(|(.., at)| *at).max().unwrap_or(now),
            ..Service::default()
        }
    }

    /// The services without readings that a firing alert of severity critical or warning names. Empty until every source of
    /// services has given its first answer.
    fn named_by_alerts(&self, readings: &ServiceReadings<'_>) -> BTreeSet<Text> {
        if self.cache.values().any(has_no_first_answer) {
            return BTreeSet::new();
        }
        let is_read: Vec<bool> =
            self.services.iter().map(|service| readings.contains_key(&service.name)).collect();
        let counts = |alert: &Alert| {
            alert.is_firing() && matches!(alert.severity, Severity::Critical | Severity::Warning)
        };
        let firing_with_severity = self.alerts.iter().zip(&self.about).filter(|(alert, about)| {
            let is_read = about.service.and_then(|place| is_read.get(place)).copied().unwrap_or(false);
            !is_read && counts(alert)
        });
        let names = firing_with_severity.filter_map(|(alert, about)| self.service_named(alert, about));
        names.filter(|name| !name.is_empty() && !readings.contains_key(*name)).cloned().collect()
    }

    /// Whether a source that reported this service at another moment has not answered for the displayed one.
    fn awaits_answer(&self, service: &Service) -> bool {
        service.sources.iter().filter_map(|id| self.cache.get(id)).any(has_no_first_answer)
    }

    /// A service that no source reports now, or that only alerts name.
    fn lost(&self, name: Text, before: Option<&Service>, alerts: &[&Alert], now: Timestamp) -> Service {
        let old = before.filter(|old| !old.is_named_by_alerts_alone());
        let thresholds = &self.health_policy.thresholds;
        let before = old.map(|old| (old.reasons.as_slice(), old.seen_at));
        let (health, reasons) = assess_without_data(Case {
            lookback: Duration::ZERO,
            alerts,
            soon_full: &[],
            thresholds,
            before,
            now,
        });
        let mut sources: Vec<SourceId> =
            alerts.iter().flat_map(|alert| alert.sources.iter().cloned()).collect();
        sources.sort_unstable();
        sources.dedup();
        let unseen = || Service { name, sources, seen_at: now, ..Service::default() };
        Service { health, reasons, ..old.map_or_else(unseen, Service::without_values) }
    }
}

/// Whether a source of services has not given its first answer about the displayed moment.
fn has_no_first_answer(cache: &AnswerCache) -> bool {
    let services = cache.services();
    let is_asked = services.is_waiting || cache.at(Moment::Now).services.was_asked;
    is_asked && services.value().is_none() && services.failure().is_none()
}

/// What is to be said of the services that a source lost, or of its having none.
fn loss(cache: &AnswerCache, firing: usize, now: Timestamp) -> Option<Warning> {
    let snapshot = cache.at(Moment::Now).services.value()?;
    let Some(lost) = cache.lost.loss(now) else {
        let is_odd = snapshot.readings.is_empty() && firing > 0;
        let alerts = if firing == 1 { "1 alert fires" } else { &format!("{firing} alerts fire") };
        return is_odd.then(|| Warning::missing(format!("its answers contain no services while {alerts}")));
    };
    let MassDisappearance { gone, of, came, at } = lost;
    let clock = at.strftime("%H:%MZ");
    if !snapshot.readings.is_empty() && lost.is_renaming() {
        let words = format!(
            "{gone} services disappeared and {came} new ones appeared at {clock}: was a label renamed?"
        );
        return Some(Warning::notice(words));
    }
    Some(Warning::part(format!("its answers lost {gone} of {of} services at {clock}")))
}
