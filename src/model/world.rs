//! The merged state of all sources: each part has its age, and missing data never counts as healthy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, Severity, SeverityMap};
use super::ask::{Answer, Answered, AskKind, Merges, Moment, Question, Topic};
use super::capacity::CapacityReading;
use super::fingerprint::Fingerprint;
use super::health::Thresholds;
use super::labels::{Labels, Text};
use super::rule::{BrokenRule, Rule};
use super::service::{Dependencies, Service};
use super::silence::{Silence, can_be_hidden};
use super::slo::SloStatus;
use super::source::SourceId;
use alerts::AlertContext;
pub use cache::AnswerCache;
use changes::MergedChanges;
pub use counts::AlertTotals;
pub use incidents::IncidentView;
pub use optimistic::{OptimisticChange, OptimisticStage, OptimisticState};
use own_names::OwnNames;
pub use part::WorldPart;

/// How long a service without data stays in the list.
pub const LOST_SERVICES_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The health policy from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthPolicy {
    /// The limits above which a signal counts as bad.
    pub thresholds: Thresholds,
    /// Labels that name the service of an alert, in order of precedence.
    pub service_labels: Vec<String>,
    /// Names of alerts that always fire while monitoring works.
    pub watchdogs: Vec<String>,
    /// Maps the labels of an alert to a severity.
    pub severities: SeverityMap,
    /// Which services call which others, where no metric tells.
    pub dependencies: Dependencies,
}

impl HealthPolicy {
    /// The non-empty values of the service labels, in order of precedence.
    fn named<'s, 'a>(&'s self, labels: &'a Labels) -> impl Iterator<Item = &'a Text> + use<'s, 'a> {
        self.service_labels.iter().filter_map(|label| labels.get(label)).filter(|name| !name.is_empty())
    }

    /// The service that these labels name: a service that a metric pack names by a label of its own takes precedence, else the
    /// first service label counts, whether or not a service of that name is known.
    fn service_of<'a>(&self, own: &OwnNames, labels: &'a Labels) -> Option<&'a Text> {
        own.named(labels).or_else(|| self.named(labels).next())
    }

    /// The index of the service within `names`, which must be sorted; `None` if it is not there.
    fn place_of(&self, own: &OwnNames, labels: &Labels, names: &[Text]) -> Option<usize> {
        names.binary_search(self.service_of(own, labels)?).ok()
    }
}

impl Default for HealthPolicy {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            thresholds: Thresholds::default(),
            service_labels: words(&["service", "app", "app_kubernetes_io_name", "job"]),
            watchdogs: words(&["Watchdog", "DeadMansSwitch", "DeadMansSnitch"]),
            severities: SeverityMap::default(),
            dependencies: Dependencies::default(),
        }
    }
}

/// Whether the always-firing alert fires, which shows whether monitoring itself works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watchdog {
    /// No source of alerts has answered yet.
    Unknown,
    /// The alert fires.
    Present,
    /// The alert does not fire: monitoring may be down, or has no such rule.
    Absent,
}

/// The merged state of all sources, as far as it is known.
#[derive(Debug, Default)]
pub struct World {
    pub health_policy: HealthPolicy,
    cache: BTreeMap<SourceId, AnswerCache>,
    /// The displayed moment.
    moment: Moment,
    services: Vec<Service>,
    /// The current services, while a past moment is displayed.
    services_now: Vec<Service>,
    /// Services that metric packs name by labels of their own.
    own_names: OwnNames,
    /// The alerts as their sources report them, sorted by fingerprint.
    reported: Vec<Arc<Alert>>,
    /// The same alerts in the same order as they are displayed: an alert whose silence is being created is shown as silenced.
    alerts: Vec<Arc<Alert>>,
    /// What burnwatch knows about each alert beyond its own fields, in the same order.
    about: Vec<AlertContext>,
    /// Indexes of the alerts that are new, or that started or ended, since the last change.
    news: Vec<usize>,
    /// Alerts from rules that the last change matched to an alert of an Alertmanager: the old fingerprint and the new one.
    matched_alerts: Vec<(Fingerprint, Fingerprint)>,
    totals: AlertTotals,
    slos: Vec<SloStatus>,
    /// Service names with indexes into `slos`, sorted.
    slos_by_service: Vec<(Text, usize)>,
    incidents: Vec<IncidentView>,
    changes: MergedChanges,
    /// Resources with their forecasts, the most urgent first.
    capacity: Vec<Arc<CapacityReading>>,
    /// The sources whose watchdog alert fires.
    watched: BTreeSet<SourceId>,
    /// Actions that burnwatch has sent and whose effect no source reports yet.
    optimistic: Vec<OptimisticChange>,
    /// The alerts that are displayed as silenced because of `optimistic`.
    optimistically_silenced: BTreeSet<Fingerprint>,
    revision: u64,
    alerts_revision: u64,
}

impl World {
    /// A world with these sources and no answers yet.
    pub fn new(sources: impl IntoIterator<Item = SourceId>, health_policy: HealthPolicy) -> Self {
        let cache = sources.into_iter().map(|id| (id, AnswerCache::default())).collect();
        Self { health_policy, cache, ..Self::default() }
    }

    /// Continues the revision numbers of `other`, so that values cached for `other` are not used for this world.
    #[must_use]
    pub fn after(mut self, other: &Self) -> Self {
        (self.revision, self.alerts_revision) = (other.revision + 1, other.alerts_revision + 1);
        self
    }

    /// Increases whenever the merged state changes: services, alerts, rules, silences, SLOs, incidents, changes or
    /// on-call data.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Increases whenever alerts change.
    pub fn alerts_revision(&self) -> u64 {
        self.alerts_revision
    }

    /// All services, sorted by name.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    pub fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| (*service.name).cmp(name)).ok()?;
        self.services.get(at)
    }

    /// All alerts except the watchdogs, sorted by fingerprint.
    pub fn alerts(&self) -> &[Arc<Alert>] {
        &self.alerts
    }

    pub fn alert(&self, fingerprint: Fingerprint) -> Option<&Arc<Alert>> {
        self.alerts.get(alerts::find(&self.alerts, fingerprint)?)
    }

    /// The numbers of alerts by state and severity.
    pub fn totals(&self) -> &AlertTotals {
        &self.totals
    }

    /// The alerts that are new, or that started or ended, with the last answer about alerts or rules.
    pub fn news(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.news.iter().filter_map(|at| self.alerts.get(*at))
    }

    /// Alerts from rules that the last answer matched to an alert of an Alertmanager, which has the same labels and those added
    /// on the way: the old fingerprint and the new one.
    pub fn matched_alerts(&self) -> impl Iterator<Item = (Fingerprint, Fingerprint)> {
        self.matched_alerts.iter().copied()
    }

    pub fn alerts_with_services(&self) -> impl Iterator<Item = (&Arc<Alert>, Option<&Text>)> {
        self.alerts.iter().zip(&self.about).map(|(alert, about)| (alert, self.service_named(alert, about)))
    }

    /// When burnwatch first saw the alert or last saw it change its state; its start if it was in the first answer.
    pub fn changed_at(&self, fingerprint: Fingerprint) -> Option<Timestamp> {
        self.about.get(alerts::find(&self.alerts, fingerprint)?).map(|about| about.changed_at)
    }

    /// The service of an alert with these labels, whether or not a service of that name is known.
    pub fn service_of<'a>(&self, labels: &'a Labels) -> Option<&'a Text> {
        self.health_policy.service_of(&self.own_names, labels)
    }

    pub fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.cache.values().filter_map(|cache| cache.silences().value()).flatten()
    }

    /// The alerts that a silence currently silences, as its Alertmanager reports.
    pub fn hidden_by<'a>(&'a self, silence: &'a str) -> impl Iterator<Item = &'a Arc<Alert>> + 'a {
        let is_hidden =
            |alert: &&Arc<Alert>| can_be_hidden(alert) && alert.silenced_by.iter().any(|id| **id == *silence);
        self.alerts.iter().filter(is_hidden)
    }

    /// How many alerts each silence currently silences, by silence id.
    pub fn hidden_by_each(&self) -> HashMap<Text, usize> {
        let mut hidden: HashMap<Text, usize> = HashMap::new();
        for id in
            self.alerts.iter().filter(|alert| can_be_hidden(alert)).flat_map(|alert| alert.silenced_by.iter())
        {
            *hidden.entry(Text::clone(id)).or_default() += 1;
        }
        hidden
    }

    /// How many seconds the clock of a source is ahead of the local clock; `None` if unknown.
    pub fn clock_ahead(&self, source: &SourceId) -> Option<i64> {
        self.cache(source)?.probe().value()?.clock_ahead_seconds
    }

    /// How many seconds of difference between a source's clock and ours are allowed for: up to two mean nothing.
    pub fn clock_difference(&self, source: &SourceId) -> i64 {
        self.clock_ahead(source).filter(|ahead| ahead.unsigned_abs() > 2).unwrap_or(0)
    }

    /// The rule that created an alert with these labels, and the source that evaluates it.
    pub fn rule_of(&self, labels: &Labels) -> Option<(&SourceId, &Arc<Rule>)> {
        self.cache.iter().find_map(|(id, cache)| Some((id, cache.rules().value()?.rule_of(labels)?)))
    }

    /// The failing rules, each with the source that evaluates it.
    pub fn broken_rules(&self) -> impl Iterator<Item = (&SourceId, &BrokenRule)> {
        let snapshots = self.cache.iter().filter_map(|(id, cache)| Some((id, cache.rules().value()?)));
        snapshots.flat_map(|(id, snapshot)| snapshot.broken.iter().map(move |rule| (id, rule)))
    }

    /// The failing rules that affect the data about a service.
    pub fn broken_rules_of_service<'a>(
        &'a self,
        service: &'a str,
    ) -> impl Iterator<Item = &'a BrokenRule> + 'a {
        let all = self.broken_rules().map(|(_, rule)| rule);
        all.filter(move |rule| self.service_of(&rule.labels).is_some_and(|name| **name == *service))
    }

    /// The last answers of a source.
    pub fn cache(&self, source: &SourceId) -> Option<&AnswerCache> {
        self.cache.get(source)
    }

    /// All sources with their last answers.
    pub fn sources(&self) -> impl Iterator<Item = (&SourceId, &AnswerCache)> {
        self.cache.iter()
    }

    /// Whether an alert of this name is a watchdog.
    pub fn is_watchdog(&self, alertname: &str) -> bool {
        self.health_policy.watchdogs.iter().any(|name| name == alertname)
    }

    pub fn severity_of(&self, labels: &Labels) -> Severity {
        self.health_policy.severities.of(labels)
    }

    /// Whether the watchdog alert of one source fires.
    pub fn watchdog(&self, source: &SourceId) -> Watchdog {
        match self.cache.get(source).and_then(|cache| cache.alerts().value()) {
            None => Watchdog::Unknown,
            Some(_) if self.watched.contains(source) => Watchdog::Present,
            Some(_) => Watchdog::Absent,
        }
    }

    /// Records that a question was sent.
    pub fn asked(&mut self, question: &Question) {
        self.mark_asked(question);
        let Some(cache) = self.cache.get_mut(&question.source) else { return };
        cache.place(&question.ask).asked();
    }

    /// Stores the answer to a question and merges it; a failure keeps the last good value.
    pub fn apply(&mut self, question: &Question, answered: Answered, now: Timestamp) {
        let Some(cache) = self.cache.get_mut(&question.source) else { return };
        let (answer, warnings, digest) = match answered {
            Ok(reply) => (Ok(reply.answer), reply.warnings, reply.digest),
            Err(error) => (Err(error), Vec::new(), None),
        };
        let is_new = !matches!(answer, Ok(Answer::Unchanged) | Err(_));
        let answered_well = answer.is_ok();
        cache.take(question, answer, digest, now);
        if answered_well {
            cache.place(&question.ask).warnings = warnings;
        }
        let is_settled = answered_well && self.drop_confirmed(question);
        let kind = question.ask.kind();
        let is_shown = question.ask.at == kind.moment(self.moment);
        if is_shown && (is_new || is_settled) {
            self.merge(kind, now);
        }
    }

    /// Displays this moment. Answers about different moments are kept apart. Until the sources have answered for the new moment,
    /// services and SLOs are listed without data.
    pub fn show(&mut self, moment: Moment, now: Timestamp) {
        if moment == self.moment {
            return;
        }
        let known = self.services.iter().map(Service::without_values).collect();
        let services = std::mem::replace(&mut self.services, known);
        if self.moment == Moment::Now {
            self.services_now = services;
        }
        self.moment = moment;
        if moment == Moment::Now {
            self.services = std::mem::take(&mut self.services_now);
        }
        for cache in self.cache.values_mut() {
            cache.show(moment);
        }
        self.link_all_to_services();
        self.merge(AskKind::Services, now);
        self.merge(AskKind::Slos, now);
    }

    /// Drops old answers: keeps those that are displayed, those for which `is_wanted` is true, and the most recent of the others.
    pub fn forget(&mut self, is_wanted: impl Fn(&SourceId, Moment, &Topic) -> bool) {
        for (source, cache) in &mut self.cache {
            cache.forget(|moment, topic| is_wanted(source, moment, topic));
        }
    }

    /// Recomputes the parts of the merged state that depend on answers of this kind.
    fn merge(&mut self, news: AskKind, now: Timestamp) {
        match news.merges() {
            Merges::Alerts => {
                self.merge_alerts(now);
                // a lost service may have been dropped by now
                if !self.merge_services(now) {
                    self.link_slos_to_services();
                }
                self.assign_alerts_to_slos();
                self.link_incidents();
            }
            Merges::Services => {
                let is_same = self.merge_services(now);
                // the services show which sources are a highly available pair
                if self.cache.values().filter(|cache| cache.slos().value().is_some()).nth(1).is_some() {
                    self.merge_slos();
                } else if !is_same {
                    self.link_slos_to_services();
                }
                if self.cache.values().filter(|cache| cache.capacity().value().is_some()).nth(1).is_some() {
                    self.merge_capacity();
                }
                self.link_incidents();
            }
            Merges::Slos => {
                self.merge_slos();
                self.merge_capacity();
            }
            Merges::Incidents => self.merge_incidents(),
            Merges::IncidentLinks => self.link_incidents(),
            Merges::Changes => self.merge_changes(),
            Merges::Capacity => self.merge_capacity(),
            Merges::AsIs => {}
            Merges::Nothing => return,
        }
        self.revision += 1;
    }
}

mod alerts;
mod cache;
mod capacity;
mod changes;
mod churn;
mod counts;
mod incidents;
mod optimistic;
mod own_names;
mod part;
mod services;
mod slos;
#[cfg(test)]
mod tests;
