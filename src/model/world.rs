//! What all sources together say: merged, each part with its age, absence never taken for health.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, Severity, SeverityMap};
use super::ask::{Answer, Answered, AskKind, Merges, Moment, Question, Topic};
use super::fingerprint::Fingerprint;
use super::health::Thresholds;
use super::labels::{Labels, Text};
use super::rule::{BrokenRule, Rule};
use super::service::Service;
use super::silence::{Silence, can_be_hidden};
use super::slo::SloStatus;
use super::source::SourceId;
use alerts::AlertContext;
pub use cache::AnswerCache;
pub use counts::AlertTotals;
pub use incidents::IncidentView;
pub use optimistic::{OptimisticChange, OptimisticStage, OptimisticState};
use own_names::OwnNames;
pub use part::WorldPart;

/// How long a service without data stays in the list.
pub const LOST_SERVICES_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// By what the world is judged; from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthPolicy {
    pub thresholds: Thresholds,
    /// Labels that name the service of an alert, the first that is there counts.
    pub service_labels: Vec<String>,
    /// Names of alerts that always fire while monitoring is alive.
    pub watchdogs: Vec<String>,
    /// How severe an alert is by its labels.
    pub severities: SeverityMap,
}

impl HealthPolicy {
    /// What the service labels among these say, the most telling first.
    fn named<'s, 'a>(&'s self, labels: &'a Labels) -> impl Iterator<Item = &'a Text> + use<'s, 'a> {
        self.service_labels.iter().filter_map(|label| labels.get(label)).filter(|name| !name.is_empty())
    }

    /// The service that these labels name: a backend that a pack tells by a label of its own, else what the first service label
    /// says. Which other services are known does not matter.
    fn service_of<'a>(&self, own: &OwnNames, labels: &'a Labels) -> Option<&'a Text> {
        own.named(labels).or_else(|| self.named(labels).next())
    }

    /// Its place among names in their order, if it is one of them.
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
        }
    }
}

/// Whether the alert that always fires does so: is monitoring itself alive?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watchdog {
    /// No source of alerts has answered yet.
    Unknown,
    Present,
    /// It does not: monitoring may be dead, or has no such rule.
    Absent,
}

/// The merged truth, as far as it is known.
#[derive(Debug, Default)]
pub struct World {
    health_policy: HealthPolicy,
    cache: BTreeMap<SourceId, AnswerCache>,
    moment: Moment,
    services: Vec<Service>,
    /// The services of now, while another moment is shown.
    services_now: Vec<Service>,
    /// Those that packs name by labels of their own.
    own_names: OwnNames,
    /// The alerts as their sources tell them.
    reported: Vec<Arc<Alert>>,
    /// The same as they are shown, in the same order: what is being silenced is silenced.
    alerts: Vec<Arc<Alert>>,
    /// What is known of each of them beyond what it says itself, in the same order.
    about: Vec<AlertContext>,
    /// Which of them are not what they were before the last change.
    news: Vec<usize>,
    /// Alerts that rules told, each with the alert of an Alertmanager that it turned out to be with that change.
    matched_alerts: Vec<(Fingerprint, Fingerprint)>,
    totals: AlertTotals,
    slos: Vec<SloStatus>,
    /// Their services with their places, in this order.
    slos_by_service: Vec<(Text, usize)>,
    incidents: Vec<IncidentView>,
    watched: BTreeSet<SourceId>,
    /// What was asked for and is not told yet.
    optimistic: Vec<OptimisticChange>,
    /// The alerts that look silenced because of that.
    optimistically_silenced: BTreeSet<Fingerprint>,
    revision: u64,
    alerts_revision: u64,
}

impl World {
    /// A world of these sources, of which nothing is known yet.
    pub fn new(sources: impl IntoIterator<Item = SourceId>, health_policy: HealthPolicy) -> Self {
        let cache = sources.into_iter().map(|id| (id, AnswerCache::default())).collect();
        Self { health_policy, cache, ..Self::default() }
    }

    /// Goes on counting where `other` stopped, so that nothing that was worked out from that one is taken for this one's.
    #[must_use]
    pub fn after(mut self, other: &Self) -> Self {
        (self.revision, self.alerts_revision) = (other.revision + 1, other.alerts_revision + 1);
        self
    }

    /// Counts up whenever something changed that several sources say together: services, alerts, rules, silences, SLOs,
    /// incidents, who is on call.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Counts up whenever alerts changed.
    pub fn alerts_revision(&self) -> u64 {
        self.alerts_revision
    }

    /// All services, in the order of their names.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    pub fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| (*service.name).cmp(name)).ok()?;
        self.services.get(at)
    }

    /// All alerts but the watchdogs, in the order of their fingerprints.
    pub fn alerts(&self) -> &[Arc<Alert>] {
        &self.alerts
    }

    pub fn alert(&self, fingerprint: Fingerprint) -> Option<&Arc<Alert>> {
        self.alerts.get(alerts::find(&self.alerts, fingerprint)?)
    }

    /// How many alerts there are of what kind.
    pub fn totals(&self) -> &AlertTotals {
        &self.totals
    }

    /// The alerts that the last answer about alerts or rules brought, or that began or ended anew with it.
    pub fn news(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.news.iter().filter_map(|at| self.alerts.get(*at))
    }

    /// Alerts that rules told before, each with that of an Alertmanager that it turned out to be with the last answer: the same
    /// with the labels that are added on the way.
    pub fn matched_alerts(&self) -> impl Iterator<Item = (Fingerprint, Fingerprint)> {
        self.matched_alerts.iter().copied()
    }

    pub fn alerts_with_services(&self) -> impl Iterator<Item = (&Arc<Alert>, Option<&Text>)> {
        self.alerts.iter().zip(&self.about).map(|(alert, about)| (alert, self.service_named(alert, about)))
    }

    /// When the alert came or last changed its state, as far as burnwatch saw it; its start if it was there from the first.
    pub fn changed_at(&self, fingerprint: Fingerprint) -> Option<Timestamp> {
        self.about.get(alerts::find(&self.alerts, fingerprint)?).map(|about| about.changed_at)
    }

    /// The service that an alert is about: the first service label that is there names it, whether it is known or not.
    pub fn service_of<'a>(&self, labels: &'a Labels) -> Option<&'a Text> {
        self.health_policy.service_of(&self.own_names, labels)
    }

    pub fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.cache.values().filter_map(|cache| cache.silences().value()).flatten()
    }

    /// The alerts that a silence hides now, as the server that keeps it says.
    pub fn hidden_by<'a>(&'a self, silence: &'a str) -> impl Iterator<Item = &'a Arc<Alert>> + 'a {
        let is_hidden =
            |alert: &&Arc<Alert>| can_be_hidden(alert) && alert.silenced_by.iter().any(|id| **id == *silence);
        self.alerts.iter().filter(is_hidden)
    }

    /// How many alerts each silence hides now, by its id.
    pub fn hidden_by_each(&self) -> HashMap<Text, usize> {
        let mut hidden: HashMap<Text, usize> = HashMap::new();
        for id in
            self.alerts.iter().filter(|alert| can_be_hidden(alert)).flat_map(|alert| alert.silenced_by.iter())
        {
            *hidden.entry(Text::clone(id)).or_default() += 1;
        }
        hidden
    }

    /// By how much the clock of a source is ahead of ours, in seconds, if that is known.
    pub fn clock_ahead(&self, source: &SourceId) -> Option<i64> {
        self.cache(source)?.probe().value()?.clock_ahead_seconds
    }

    /// How many seconds of difference between a source's clock and ours are allowed for: up to two mean nothing.
    pub fn clock_difference(&self, source: &SourceId) -> i64 {
        self.clock_ahead(source).filter(|ahead| ahead.unsigned_abs() > 2).unwrap_or(0)
    }

    /// The rule that made an alert with these labels, and the source that runs it.
    pub fn rule_of(&self, labels: &Labels) -> Option<(&SourceId, &Arc<Rule>)> {
        self.cache.iter().find_map(|(id, cache)| Some((id, cache.rules().value()?.rule_of(labels)?)))
    }

    /// The rules that fail, by the sources that run them.
    pub fn broken_rules(&self) -> impl Iterator<Item = (&SourceId, &BrokenRule)> {
        let boards = self.cache.iter().filter_map(|(id, cache)| Some((id, cache.rules().value()?)));
        boards.flat_map(|(id, board)| board.broken.iter().map(move |rule| (id, rule)))
    }

    /// Those on which what is known of a service hangs.
    pub fn broken_rules_of_service<'a>(
        &'a self,
        service: &'a str,
    ) -> impl Iterator<Item = &'a BrokenRule> + 'a {
        let all = self.broken_rules().map(|(_, rule)| rule);
        all.filter(move |rule| self.service_of(&rule.labels).is_some_and(|name| **name == *service))
    }

    pub fn cache(&self, source: &SourceId) -> Option<&AnswerCache> {
        self.cache.get(source)
    }

    pub fn sources(&self) -> impl Iterator<Item = (&SourceId, &AnswerCache)> {
        self.cache.iter()
    }

    /// Whether an alert of this name is a watchdog.
    pub fn is_watchdog(&self, alertname: &str) -> bool {
        self.health_policy.watchdogs.iter().any(|name| name == alertname)
    }

    /// How severe an alert with these labels is.
    pub fn severity_of(&self, labels: &Labels) -> Severity {
        self.health_policy.severities.of(labels)
    }

    /// The dead man's switch of one source of alerts.
    pub fn watchdog(&self, source: &SourceId) -> Watchdog {
        match self.cache.get(source).and_then(|cache| cache.alerts().value()) {
            None => Watchdog::Unknown,
            Some(_) if self.watched.contains(source) => Watchdog::Present,
            Some(_) => Watchdog::Absent,
        }
    }

    pub fn asked(&mut self, question: &Question) {
        self.mark_asked(question);
        let Some(cache) = self.cache.get_mut(&question.source) else { return };
        cache.place(&question.ask).asked();
    }

    /// Takes what came back for a question; a failure leaves the last good value where it is.
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
            cache.place(&question.ask).warned(warnings);
        }
        let is_settled = answered_well && self.drop_confirmed(question);
        let kind = question.ask.kind();
        let is_shown = question.ask.at == kind.moment(self.moment);
        if is_shown && (is_new || is_settled) {
            self.merge(kind, now);
        }
    }

    /// Shows what the sources say of this moment; what they say of another one is kept, and not mixed with it. Until they have said
    /// it, services and SLOs are there by name alone.
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

    /// Keeps the answers that are shown and those that are wanted, and of the others what was answered last.
    pub fn forget(&mut self, is_wanted: impl Fn(&SourceId, Moment, &Topic) -> bool) {
        for (source, cache) in &mut self.cache {
            cache.forget(|moment, topic| is_wanted(source, moment, topic));
        }
    }

    /// Works out anew what follows from answers of this kind, and no more.
    fn merge(&mut self, news: AskKind, now: Timestamp) {
        match news.merges() {
            Merges::Alerts => {
                self.merge_alerts(now);
                // one that was lost may be forgotten by now
                if !self.merge_services(now) {
                    self.link_slos_to_services();
                }
                self.assign_alerts_to_slos();
                self.link_incidents();
            }
            Merges::Services => {
                let is_same = self.merge_services(now);
                // which sources are a pair, their services tell
                if self.cache.values().filter(|cache| cache.slos().value().is_some()).nth(1).is_some() {
                    self.merge_slos();
                } else if !is_same {
                    self.link_slos_to_services();
                }
                self.link_incidents();
            }
            Merges::Slos => self.merge_slos(),
            Merges::Incidents => self.merge_incidents(),
            Merges::IncidentLinks => self.link_incidents(),
            Merges::AsIs => {}
            Merges::Nothing => return,
        }
        self.revision += 1;
    }
}

mod alerts;
mod cache;
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
