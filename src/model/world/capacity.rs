//! Merges the resources of all sources with the error budgets of SLOs, and finds those of which services are warned.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::{AnswerCache, World};
use crate::model::ask::Moment;
use crate::model::assessment::LAST_COUNTS;
use crate::model::capacity::{CapacityKey, CapacityReading};
use crate::model::labels::Text;

/// The servers of a highly available pair read a usage at different times: it differs by this part of the limit at most.
const SAME_USAGE: f64 = 0.02;

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

    /// Merges the resources again. Servers of a highly available pair report the same resources: each is listed once. Servers that
    /// scrape different targets, such as those of two regions, report different resources, also if they have the same name.
    pub(super) fn merge_capacity(&mut self) {
        let answers = self.cache.values().filter_map(|cache| cache.capacity().value());
        let reported = answers.flat_map(|snapshot| &snapshot.readings).cloned();
        let mut all: Vec<Arc<CapacityReading>> = reported.collect();
        let mut seen: HashMap<[Text; 4], Vec<Arc<CapacityReading>>> = HashMap::new();
        all.retain(|reading| {
            let CapacityKey { source: _, service, resource, instance, part } = &reading.key;
            let known = seen.entry([service, resource, instance, part].map(Text::clone)).or_default();
            let is_new = known.iter().all(|known| self.are_apart(known, reading));
            known.extend(is_new.then(|| Arc::clone(reading)));
            is_new
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

    /// Whether readings with the same name are about different resources: if their sources scrape different targets, or, as long as
    /// that is not known, if their usages differ.
    fn are_apart(&self, one: &CapacityReading, other: &CapacityReading) -> bool {
        let (source, its) = (&one.key.source, &other.key.source);
        let is_known =
            |source| self.cache.get(source).is_some_and(|cache| cache.services().value().is_some());
        if source == its || (is_known(source) && is_known(its)) {
            return source != its && !self.is_pair(source, its);
        }
        let usages = one.ratio().zip(other.ratio());
        usages.map_or(one.amount != other.amount, |(one, other)| (one - other).abs() > SAME_USAGE)
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
