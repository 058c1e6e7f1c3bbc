//! What all sources together say: merged, each part with its age, absence never taken for health.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, AlertBoard, Firing};
use super::ask::{Answer, Answered, Ask, AskKind, Question};
use super::fingerprint::Fingerprint;
use super::health::{Thresholds, assess};
use super::incident::{IncidentBoard, IncidentDetail, StepBoard};
use super::labels::{Labels, Text};
use super::oncall::OnCallBoard;
use super::remote::Remote;
use super::rule::{Rule, RuleBoard};
use super::runbook::{Search, Wanted};
use super::series::Matrix;
use super::service::{Detail, Heard, Service, ServiceBoard, Trends, merge};
use super::silence::Silence;
use super::slo::{SloBoard, SloStatus};
use super::source::{Offer, SourceError, SourceId, Trouble};
use alerts::{About, is_told};
pub use incidents::{FORGOTTEN_AFTER, Linked};
pub use supposed::{Stage, Supposed, Supposition};
pub use tally::Tally;

/// How long a service without data stays in the list.
pub const LOST_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How many charts, details and firings are kept for each source.
const DETAILS_KEPT: usize = 12;

/// By what the world is judged; from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Above what a signal counts as bad.
    pub thresholds: Thresholds,
    /// Labels that name the service of an alert, the first that is there counts.
    pub service_labels: Vec<String>,
    /// Names of alerts that always fire while monitoring is alive.
    pub watchdogs: Vec<String>,
}

impl Judgement {
    /// What the service labels among these say, the most telling first.
    fn named<'s, 'a>(&'s self, labels: &'a Labels) -> impl Iterator<Item = &'a Text> + Clone + use<'s, 'a> {
        self.service_labels.iter().filter_map(|label| labels.get(label))
    }

    /// The place of the service that these labels name, among names in their order.
    fn service_of(&self, labels: &Labels, names: &[Text]) -> Option<usize> {
        self.named(labels).find_map(|name| names.binary_search(name).ok())
    }
}

impl Default for Judgement {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            thresholds: Thresholds::default(),
            service_labels: words(&["service", "app", "app_kubernetes_io_name", "job"]),
            watchdogs: words(&["Watchdog", "DeadMansSwitch", "DeadMansSnitch"]),
        }
    }
}

/// Everything that one source last said.
#[derive(Debug, Default)]
pub struct Held {
    /// Who it is.
    pub probe: Remote<Offer>,
    /// Its services.
    pub services: Remote<ServiceBoard>,
    /// Their short histories.
    pub trends: Remote<Trends>,
    /// Its alerts.
    pub alerts: Remote<AlertBoard>,
    /// Its rules.
    pub rules: Remote<RuleBoard>,
    /// Its silences.
    pub silences: Remote<Vec<Arc<Silence>>>,
    /// Its SLOs.
    pub slos: Remote<SloBoard>,
    /// Its incidents.
    pub incidents: Remote<IncidentBoard>,
    /// What happened to all of them, as far as it was asked for.
    pub steps: Remote<StepBoard>,
    /// Who is on call.
    pub on_call: Remote<OnCallBoard>,
    /// What is known of an incident beyond the list, by its id.
    pub incident_details: BTreeMap<Text, Remote<IncidentDetail>>,
    /// Golden signals by service.
    pub details: BTreeMap<Text, Remote<Detail>>,
    /// Charts by expression.
    pub series: BTreeMap<Text, Remote<Matrix>>,
    /// Earlier firings by alert.
    pub firings: BTreeMap<Fingerprint, Remote<Vec<Firing>>>,
    /// Runbooks by what was wanted.
    pub runbooks: BTreeMap<Arc<Wanted>, Remote<Search>>,
}

/// Whether the alert that always fires does so: is monitoring itself alive?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watchdog {
    /// No source of alerts has answered yet.
    Unknown,
    /// It fires.
    Present,
    /// It does not: monitoring may be dead, or has no such rule.
    Absent,
}

/// The merged truth, as far as it is known.
#[derive(Debug, Default)]
pub struct World {
    judgement: Judgement,
    held: BTreeMap<SourceId, Held>,
    services: Vec<Service>,
    /// The alerts as their sources tell them.
    told: Vec<Arc<Alert>>,
    /// The same as they are shown, in the same order: what is being silenced is silenced.
    alerts: Vec<Arc<Alert>>,
    /// What is known of each of them beyond what it says itself, in the same order.
    about: Vec<About>,
    /// Which of them are not what they were before the last change.
    news: Vec<usize>,
    tally: Tally,
    slos: Vec<SloStatus>,
    /// Their services with their places, in this order.
    slos_by_service: Vec<(Text, usize)>,
    incidents: Vec<Linked>,
    /// The sources whose watchdog fires.
    watched: BTreeSet<SourceId>,
    /// What was asked for and is not told yet.
    supposed: Vec<Supposition>,
    /// The alerts that look silenced because of that.
    quietened: BTreeSet<Fingerprint>,
    revision: u64,
    alerts_revision: u64,
}

impl World {
    /// A world of these sources, of which nothing is known yet.
    pub fn new(sources: impl IntoIterator<Item = SourceId>, judgement: Judgement) -> Self {
        let held = sources.into_iter().map(|id| (id, Held::default())).collect();
        Self { judgement, held, ..Self::default() }
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

    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| (*service.name).cmp(name)).ok()?;
        self.services.get(at)
    }

    /// All alerts but the watchdogs, in the order of their fingerprints.
    pub fn alerts(&self) -> &[Arc<Alert>] {
        &self.alerts
    }

    /// The alert with this identity.
    pub fn alert(&self, fingerprint: Fingerprint) -> Option<&Arc<Alert>> {
        self.alerts.get(alerts::find(&self.alerts, fingerprint)?)
    }

    /// How many alerts there are of what kind.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The alerts that the last answer about alerts or rules brought, or that began or ended anew with it.
    pub fn news(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.news.iter().filter_map(|at| self.alerts.get(*at))
    }

    /// All alerts, each with its service.
    pub fn alerts_with_services(&self) -> impl Iterator<Item = (&Arc<Alert>, Option<&Text>)> {
        self.alerts.iter().zip(&self.about).map(|(alert, about)| (alert, self.service_named(alert, about)))
    }

    /// When the alert came or last changed its state, as far as burnwatch saw it; its start if it was there from the first.
    pub fn changed_at(&self, fingerprint: Fingerprint) -> Option<Timestamp> {
        self.about.get(alerts::find(&self.alerts, fingerprint)?).map(|about| about.changed_at)
    }

    /// The service that an alert is about: the first service label that names a known service, else the first that is there.
    pub fn service_of<'a>(&self, labels: &'a Labels) -> Option<&'a Text> {
        let mut named = self.judgement.named(labels);
        named.clone().find(|name| self.service(name).is_some()).or_else(|| named.next())
    }

    /// All silences of all sources.
    pub fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.held.values().filter_map(|held| held.silences.value()).flatten()
    }

    /// The rule that made an alert with these labels, and the source that runs it.
    pub fn rule_of(&self, labels: &Labels) -> Option<(&SourceId, &Arc<Rule>)> {
        self.held.iter().find_map(|(id, held)| Some((id, held.rules.value()?.rule_of(labels)?)))
    }

    /// Everything that a source last said.
    pub fn held(&self, source: &SourceId) -> Option<&Held> {
        self.held.get(source)
    }

    /// All sources with what they last said.
    pub fn sources(&self) -> impl Iterator<Item = (&SourceId, &Held)> {
        self.held.iter()
    }

    /// Whether an alert of this name is a watchdog.
    pub fn is_watchdog(&self, alertname: &str) -> bool {
        self.judgement.watchdogs.iter().any(|name| name == alertname)
    }

    /// The dead man's switch of one source of alerts.
    pub fn watchdog(&self, source: &SourceId) -> Watchdog {
        match self.held.get(source).and_then(|held| held.alerts.value()) {
            None => Watchdog::Unknown,
            Some(_) if self.watched.contains(source) => Watchdog::Present,
            Some(_) => Watchdog::Absent,
        }
    }

    /// Notes that a question went out.
    pub fn asked(&mut self, question: &Question) {
        self.asks_after_the_end(question);
        let Some(held) = self.held.get_mut(&question.source) else { return };
        match &question.ask {
            Ask::Probe => held.probe.asked(),
            Ask::Services { .. } => held.services.asked(),
            Ask::Trends(_) => held.trends.asked(),
            Ask::Alerts => held.alerts.asked(),
            Ask::Rules => held.rules.asked(),
            Ask::Silences => held.silences.asked(),
            Ask::Slos { .. } => held.slos.asked(),
            Ask::Incidents => held.incidents.asked(),
            Ask::Steps { .. } => held.steps.asked(),
            Ask::OnCall => held.on_call.asked(),
            Ask::Incident { id } => kept(&mut held.incident_details, id).asked(),
            Ask::Detail { service, .. } => kept(&mut held.details, service).asked(),
            Ask::Series { query, .. } => kept(&mut held.series, query).asked(),
            Ask::Firings { fingerprint, .. } => kept(&mut held.firings, fingerprint).asked(),
            Ask::Runbook(wanted) => kept(&mut held.runbooks, wanted).asked(),
        }
    }

    /// Takes what came back for a question; a failure leaves the last good value where it is.
    pub fn apply(&mut self, question: &Question, answered: Answered, now: Timestamp) {
        let Some(held) = self.held.get_mut(&question.source) else { return };
        let (answer, digest) = match answered {
            Ok(reply) => (Ok(reply.answer), reply.digest),
            Err(error) => (Err(error), None),
        };
        let is_new = !matches!(answer, Ok(Answer::Unchanged) | Err(_));
        let answered_well = answer.is_ok();
        match (&question.ask, answer) {
            (Ask::Probe, Ok(Answer::Probe(offer))) => held.probe.arrived(offer, digest, now),
            (Ask::Services { .. }, Ok(Answer::Services(board))) => held.services.arrived(board, digest, now),
            (Ask::Alerts, Ok(Answer::Alerts(board))) => held.alerts.arrived(board, digest, now),
            (Ask::Rules, Ok(Answer::Rules(board))) => held.rules.arrived(board, digest, now),
            (Ask::Silences, Ok(Answer::Silences(list))) => held.silences.arrived(list, digest, now),
            (Ask::Slos { .. }, Ok(Answer::Slos(board))) => held.slos.arrived(board, digest, now),
            (Ask::Incidents, Ok(Answer::Incidents(board))) => held.incidents.arrived(board, digest, now),
            (Ask::OnCall, Ok(Answer::OnCall(board))) => held.on_call.arrived(board, digest, now),
            (Ask::Incident { id }, Ok(Answer::Incident(detail))) => {
                kept(&mut held.incident_details, id).arrived(detail, digest, now);
            }
            (Ask::Trends(stretch), Ok(Answer::Trends(tail))) => match held.trends.value_mut() {
                Some(trends) => {
                    trends.extend(tail, stretch.window);
                    held.trends.confirmed(now);
                }
                None => held.trends.arrived(tail, None, now),
            },
            (Ask::Detail { service, stretch }, Ok(Answer::Detail(tail))) => {
                let remote = kept(&mut held.details, service);
                match remote.value_mut() {
                    Some(detail) => {
                        detail.extend(tail, stretch.window);
                        remote.confirmed(now);
                    }
                    None => remote.arrived(tail, None, now),
                }
            }
            (Ask::Series { query, stretch }, Ok(Answer::Series(tail))) => {
                let remote = kept(&mut held.series, query);
                match remote.value_mut() {
                    Some(matrix) => {
                        matrix.extend(tail, stretch.window);
                        remote.confirmed(now);
                    }
                    None => remote.arrived(tail, None, now),
                }
            }
            (Ask::Steps { .. }, Ok(Answer::Steps(board))) => match held.steps.value_mut() {
                Some(known) => {
                    known.extend(board);
                    held.steps.confirmed(now);
                }
                None => held.steps.arrived(board, None, now),
            },
            (Ask::Firings { fingerprint, .. }, Ok(Answer::Firings(list))) => {
                kept(&mut held.firings, fingerprint).arrived(list, None, now);
            }
            (Ask::Runbook(wanted), Ok(Answer::Runbook(search))) => {
                kept(&mut held.runbooks, wanted).arrived(search, digest, now);
            }
            (ask, Ok(Answer::Unchanged)) => held.confirmed(ask, now),
            (ask, Ok(_)) => {
                let reason = format!("another answer than to {}", ask.kind().word());
                let error = SourceError::new(question.source.clone(), Trouble::Garbled { reason });
                held.failed(ask, error);
            }
            (ask, Err(error)) => held.failed(ask, error),
        }
        let has_answered = supposed::may_tell(&question.ask) && answered_well;
        let is_settled = has_answered && self.settled_by(question);
        if is_new || is_settled {
            self.merge(question.ask.kind(), now);
        }
    }

    /// Works out anew what follows from answers of this kind, and no more.
    fn merge(&mut self, news: AskKind, now: Timestamp) {
        match news {
            AskKind::Alerts | AskKind::Rules => {
                self.merge_alerts(now);
                // one that was lost may be forgotten by now
                if !self.merge_services(now) {
                    self.link_slos_to_services();
                }
                self.tie_slos_to_alerts();
                self.link_incidents();
            }
            AskKind::Services => {
                let is_same = self.merge_services(now);
                // which sources are a pair, their services tell
                if self.held.values().filter(|held| held.slos.value().is_some()).nth(1).is_some() {
                    self.merge_slos();
                } else if !is_same {
                    self.link_slos_to_services();
                }
                self.link_incidents();
            }
            AskKind::Slos => self.merge_slos(),
            AskKind::Incidents => self.merge_incidents(),
            AskKind::Incident => self.link_incidents(),
            AskKind::Silences | AskKind::OnCall => {}
            AskKind::Probe
            | AskKind::Trends
            | AskKind::Detail
            | AskKind::Steps
            | AskKind::Series
            | AskKind::Firings
            | AskKind::Runbook => return,
        }
        self.revision += 1;
    }

    /// Works services out anew. Whether their names are the same as before.
    fn merge_services(&mut self, now: Timestamp) -> bool {
        let mut readings: BTreeMap<&Text, Vec<(&SourceId, Heard<'_>, Duration, Timestamp)>> = BTreeMap::new();
        for (id, held) in &self.held {
            let (Some(board), Some(at)) = (held.services.value(), held.services.at()) else { continue };
            let is_current = held.services.trouble().or(held.probe.trouble()).is_none();
            for reading in &board.readings {
                let heard = Heard { reading, is_current };
                readings.entry(&reading.name).or_default().push((id, heard, board.lookback, at));
            }
        }
        let lost = self.services.iter().filter(|old| !readings.contains_key(&old.name));
        let lost = lost.filter(|old| now.duration_since(old.seen_at) < LOST_KEPT);
        let mut names: Vec<Text> =
            readings.keys().copied().chain(lost.map(|old| &old.name)).cloned().collect();
        names.sort_unstable();
        let is_same = names.iter().eq(self.services.iter().map(|old| &old.name));
        if !is_same {
            for (alert, about) in self.alerts.iter().zip(&mut self.about) {
                about.service = self.judgement.service_of(&alert.labels, &names);
            }
        }
        let mut alerts: Vec<Vec<&Alert>> = vec![Vec::new(); names.len()];
        for (alert, about) in self.alerts.iter().zip(&self.about) {
            let its = about.service.and_then(|service| alerts.get_mut(service));
            if let Some(its) = its.filter(|_| is_told(alert)) {
                its.push(alert);
            }
        }
        let services = names.into_iter().zip(alerts).filter_map(|(name, alerts)| {
            let before = self.service(&name);
            let Some(known) = readings.get(&name) else { return before.map(|old| old.lost(&alerts, now)) };
            let (merged, speakers) = merge(&known.iter().map(|(_, heard, ..)| *heard).collect::<Vec<_>>());
            let speakers = speakers.into_iter().filter_map(|at| known.get(at)).map(|(id, ..)| (*id).clone());
            let lookback = known.iter().map(|(_, _, lookback, _)| *lookback).max().unwrap_or_default();
            let (health, reasons) = assess(&merged, lookback, &alerts, &self.judgement.thresholds);
            Some(Service {
                name: merged.name,
                labels: merged.labels,
                signals: merged.signals,
                targets: merged.targets,
                health,
                reasons,
                since: before.and_then(|s| if s.health == health { s.since } else { Some(now) }),
                alerts: alerts.iter().map(|alert| alert.fingerprint).collect(),
                sources: known.iter().map(|(id, ..)| (*id).clone()).collect(),
                speakers: speakers.collect(),
                seen_at: known.iter().map(|(.., at)| *at).max().unwrap_or(now),
            })
        });
        self.services = services.collect();
        is_same
    }
}

impl Held {
    fn confirmed(&mut self, ask: &Ask, now: Timestamp) {
        match ask {
            Ask::Probe => self.probe.confirmed(now),
            Ask::Services { .. } => self.services.confirmed(now),
            Ask::Trends(_) => self.trends.confirmed(now),
            Ask::Alerts => self.alerts.confirmed(now),
            Ask::Rules => self.rules.confirmed(now),
            Ask::Silences => self.silences.confirmed(now),
            Ask::Slos { .. } => self.slos.confirmed(now),
            Ask::Incidents => self.incidents.confirmed(now),
            Ask::Steps { .. } => self.steps.confirmed(now),
            Ask::OnCall => self.on_call.confirmed(now),
            Ask::Incident { id } => kept(&mut self.incident_details, id).confirmed(now),
            Ask::Detail { service, .. } => kept(&mut self.details, service).confirmed(now),
            Ask::Series { query, .. } => kept(&mut self.series, query).confirmed(now),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint).confirmed(now),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted).confirmed(now),
        }
    }

    fn failed(&mut self, ask: &Ask, error: SourceError) {
        match ask {
            Ask::Probe => self.probe.failed(error),
            Ask::Services { .. } => self.services.failed(error),
            Ask::Trends(_) => self.trends.failed(error),
            Ask::Alerts => self.alerts.failed(error),
            Ask::Rules => self.rules.failed(error),
            Ask::Silences => self.silences.failed(error),
            Ask::Slos { .. } => self.slos.failed(error),
            Ask::Incidents => self.incidents.failed(error),
            Ask::Steps { .. } => self.steps.failed(error),
            Ask::OnCall => self.on_call.failed(error),
            Ask::Incident { id } => kept(&mut self.incident_details, id).failed(error),
            Ask::Detail { service, .. } => kept(&mut self.details, service).failed(error),
            Ask::Series { query, .. } => kept(&mut self.series, query).failed(error),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint).failed(error),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted).failed(error),
        }
    }
}

/// The entry of `key`, made if need be; the one that was answered longest ago gives way.
fn kept<'a, K: Ord + Clone, T>(map: &'a mut BTreeMap<K, Remote<T>>, key: &K) -> &'a mut Remote<T> {
    if !map.contains_key(key) && map.len() >= DETAILS_KEPT {
        let oldest = map.iter().min_by_key(|(_, remote)| remote.at()).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            map.remove(&oldest);
        }
    }
    map.entry(key.clone()).or_default()
}

mod alerts;
mod incidents;
mod slos;
mod supposed;
mod tally;
#[cfg(test)]
mod tests;
