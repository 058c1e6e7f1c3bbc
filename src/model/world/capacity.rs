//! Merges the resources of all sources with the error budgets of SLOs, and finds those of which services are warned.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{AnswerCache, World};
use crate::model::ask::Moment;
use crate::model::assessment::LAST_COUNTS;
use crate::model::capacity::{CapacityKey, CapacityReading};
use crate::model::labels::Text;

/// The readings of each service that will soon be full or over.
pub(super) type SoonFull<'a> = BTreeMap<&'a Text, Vec<&'a CapacityReading>>;

impl World {
    /// All resources of all sources, and the error budgets, the most urgent first. Empty until a source was asked for resources.
    pub fn capacity(&self) -> &[Arc<CapacityReading>] {
        &self.capacity
    }

    /// The resource of this key.
    pub fn capacity_of(&self, key: &CapacityKey) -> Option<&Arc<CapacityReading>> {
        self.capacity.iter().find(|reading| reading.key == *key)
    }

    /// Merges the resources again. Servers of a highly available pair report the same resources: each is listed once.
    pub(super) fn merge_capacity(&mut self) {
        let answers = self.cache.values().filter_map(|cache| cache.capacity().value());
        let reported = answers.flat_map(|snapshot| &snapshot.readings).cloned();
        let mut all: Vec<Arc<CapacityReading>> = reported.collect();
        let mut seen = HashSet::new();
        all.retain(|reading| {
            let CapacityKey { source: _, service, resource, instance, part } = &reading.key;
            seen.insert([service, resource, instance, part].map(Text::clone))
        });
        if !all.is_empty() || self.cache.values().any(|cache| cache.capacity().at.is_some()) {
            let budgets = self.slos.iter().flat_map(CapacityReading::of_budgets);
            all.extend(budgets.map(Arc::new));
        }
        for reading in &mut all {
            let hosts = self.service(&reading.key.service).map_or(&[][..], |service| &service.hosts);
            if let Some(host) = reading.other_name(hosts) {
                Arc::make_mut(reading).host = host;
            }
        }
        all.sort_by(|a, b| a.by_urgency(b));
        self.capacity = all;
    }

    /// The resources that will soon be full, by service. Answers of more than an hour ago do not count, and
    /// nothing is known about past moments.
    pub(super) fn soon_full(&self, now: Timestamp) -> SoonFull<'_> {
        if self.moment != Moment::Now {
            return BTreeMap::new();
        }
        let thresholds = &self.health_policy.thresholds;
        let answers = self.cache.values().map(AnswerCache::filling);
        let recent =
            answers.filter(|answer| answer.at.is_some_and(|at| now.duration_since(at) < LAST_COUNTS));
        let all = recent.filter_map(|answer| answer.value()).flat_map(|snapshot| &snapshot.readings);
        let mut by_service: SoonFull<'_> = BTreeMap::new();
        for reading in all {
            let limits = (thresholds.full_within.0, thresholds.expires_within.0);
            if reading.warned_end(limits.0, limits.1, now).is_some() {
                by_service.entry(&reading.key.service).or_default().push(reading);
            }
        }
        for its in by_service.values_mut() {
            its.sort_by(|a, b| a.by_urgency(b));
            its.dedup_by(|again, kept| again.title() == kept.title());
        }
        by_service
    }
}
