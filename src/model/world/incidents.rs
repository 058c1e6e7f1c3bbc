//! The incidents of all sources, the most urgent first, each linked to its alerts and services.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::alert::Alert;
use super::super::ask::AskKind;
use super::super::fingerprint::Fingerprint;
use super::super::incident::{
    Incident, IncidentAlert, IncidentDetail, IncidentStatus, Person, Priority, Urgency,
};
use super::super::labels::{Labels, Text};
use super::super::oncall::OnCallSnapshot;
use super::super::source::SourceId;
use super::{OptimisticState, World};

/// An acknowledgement older than this no longer shows that somebody works on the incident.
pub const OLD_ACKNOWLEDGEMENT_AFTER: SignedDuration = SignedDuration::from_hours(4);

/// An incident may be created slightly before its alert is seen as firing: clocks differ, and sources are polled.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Clone, PartialEq)]
pub struct IncidentView {
    /// The incident, as the most reliable source reports it.
    pub incident: Incident,
    /// All sources that report it, sorted by name; never empty.
    pub sources: Vec<SourceId>,
    /// The monitored service that it concerns; of several the one with the most alerts.
    pub service: Option<Text>,
    /// All monitored services that it concerns, each once.
    pub services: Vec<Text>,
    /// Its alerts, sorted by fingerprint.
    pub alerts: Vec<Fingerprint>,
    /// The pending change that is already displayed, if burnwatch sent one that no source reports yet.
    pub optimistic: Option<OptimisticState>,
}

/// The sort key of incidents, the most urgent first; it ends with the id and the source, so that no two are equal.
type IncidentRank = (bool, u32, Urgency, IncidentStatus, Reverse<Timestamp>, Text, Option<SourceId>);

impl IncidentView {
    fn of(incident: Incident) -> Self {
        let sources = vec![incident.source.clone()];
        Self { incident, sources, service: None, services: Vec::new(), alerts: Vec::new(), optimistic: None }
    }

    /// The first source that reports it; stays the same while other sources answer or fail.
    pub fn source(&self) -> &SourceId {
        self.sources.first().unwrap_or(&self.incident.source)
    }

    /// The order: open incidents first, by priority, urgency, status and the newest first; then resolved ones, the
    /// most recent first.
    pub fn by_urgency(&self) -> impl Ord + use<> {
        let incident = &self.incident;
        let rank = incident.priority.as_ref().and_then(|priority| priority.rank).unwrap_or(u32::MAX);
        let (id, source) = (incident.id.clone(), self.sources.first().cloned());
        // an incident that is being resolved keeps its place until the server confirms it
        let rank_key: IncidentRank = if self.is_shown_open() {
            (false, rank, incident.urgency, incident.status, Reverse(incident.created_at), id, source)
        } else {
            let ended = incident.resolved_at.unwrap_or(incident.changed_at);
            (true, 0, Urgency::High, IncidentStatus::Resolved, Reverse(ended), id, source)
        };
        rank_key
    }

    /// Whether it is open, or has a pending change.
    pub fn is_shown_open(&self) -> bool {
        self.incident.is_open() || self.optimistic.is_some()
    }

    /// When it was last acknowledged; `None` if it is not acknowledged.
    pub fn acknowledged_at(&self) -> Option<Timestamp> {
        let incident = &self.incident;
        if incident.status != IncidentStatus::Acknowledged {
            return None;
        }
        incident.acknowledged.iter().map(|stamp| stamp.at).max().or(Some(incident.changed_at))
    }

    /// Whether it was acknowledged more than [`OLD_ACKNOWLEDGEMENT_AFTER`] ago.
    pub fn is_acknowledgement_old(&self, now: Timestamp) -> bool {
        self.acknowledged_at().is_some_and(|at| now.duration_since(at) > OLD_ACKNOWLEDGEMENT_AFTER)
    }

    /// The people who work on it: those who acknowledged it, else those it is assigned to; each once.
    pub fn holders(&self) -> Vec<&Person> {
        let incident = &self.incident;
        let is_acknowledged = incident.status == IncidentStatus::Acknowledged;
        let has_it = is_acknowledged && !incident.acknowledged.is_empty();
        let stamps = if has_it { &incident.acknowledged } else { &incident.assigned };
        let mut seen = BTreeSet::new();
        stamps.iter().map(|stamp| &stamp.who).filter(|who| seen.insert(&who.id)).collect()
    }
}

impl World {
    pub fn incidents(&self) -> &[IncidentView] {
        &self.incidents
    }

    pub fn incident(&self, source: &SourceId, id: &str) -> Option<&IncidentView> {
        self.incidents.iter().find(|known| *known.incident.id == *id && known.sources.contains(source))
    }

    /// Details of an incident that the list does not contain.
    pub fn incident_detail(&self, linked: &IncidentView) -> Option<&IncidentDetail> {
        let of = |source| self.cache.get(source)?.incident_details().get(&linked.incident.id)?.value();
        of(&linked.incident.source).or_else(|| linked.sources.iter().find_map(of))
    }

    /// Whether the source has not reported its alerts yet; until then its alerts and services are guessed from its text.
    pub fn has_unknown_alerts(&self, view: &IncidentView) -> bool {
        view.incident.firing.is_empty() && self.incident_detail(view).is_none()
    }

    /// The incidents of a service, the most urgent first.
    pub fn incidents_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a IncidentView> + 'a {
        self.incidents.iter().filter(move |known| known.services.iter().any(|name| **name == *service))
    }

    /// The most urgent incident of an alert.
    pub fn incident_of(&self, alert: Fingerprint) -> Option<&IncidentView> {
        self.incidents.iter().find(|known| known.alerts.binary_search(&alert).is_ok())
    }

    /// The priorities that a source offers for incidents, the highest first: those that it lists, and those of
    /// its incidents.
    pub fn priorities(&self, source: &SourceId) -> Vec<&Priority> {
        let reported = self.cache.get(source).and_then(|cache| cache.incidents().value());
        let mut all: Vec<&Priority> = reported.iter().flat_map(|snapshot| &snapshot.priorities).collect();
        let its = self.incidents.iter().filter(|known| known.sources.contains(source));
        all.extend(its.filter_map(|known| known.incident.priority.as_ref()));
        let mut seen = BTreeSet::new();
        all.retain(|priority| seen.insert(&priority.named.id));
        all.sort_by_key(|priority| (priority.rank.unwrap_or(u32::MAX), &priority.named.name));
        all
    }

    /// Who is on call, by source.
    pub fn on_call(&self) -> impl Iterator<Item = (&SourceId, &OnCallSnapshot)> {
        self.cache.iter().filter_map(|(id, cache)| Some((id, cache.on_call().value()?)))
    }

    /// Whether a person of a source is the user of burnwatch.
    pub fn is_user(&self, source: &SourceId, person: &Person) -> bool {
        let snapshot = self.cache.get(source).and_then(|cache| cache.on_call().value());
        snapshot.and_then(|snapshot| snapshot.me.as_ref()).is_some_and(|me| me.id == person.id)
    }

    /// Whether any source has reported its incidents, so that an empty list means that there are none.
    pub fn has_incident_data(&self) -> bool {
        self.cache.values().any(|cache| cache.incidents().value().is_some())
    }

    /// Merges the incidents of all sources; two sources may query the same account.
    pub(super) fn merge_incidents(&mut self) {
        let mut all: Vec<IncidentView> = Vec::new();
        let mut known: HashMap<(&str, u64, Timestamp), usize> = HashMap::new();
        for (source, cache) in &self.cache {
            for incident in cache.incidents().value().into_iter().flat_map(|snapshot| &snapshot.incidents) {
                // ids of some servers are small numbers that other servers use too: the creation time distinguishes them
                let identity = (&*incident.id, incident.number, incident.created_at);
                if let Some(same) = known.get(&identity).and_then(|at| all.get_mut(*at)) {
                    same.sources.push(source.clone());
                    if self.is_more_reliable(incident, &same.incident) {
                        same.incident = incident.clone();
                    }
                } else {
                    known.insert(identity, all.len());
                    all.push(IncidentView::of(incident.clone()));
                }
            }
        }
        for known in all.iter_mut().filter(|_| !self.optimistic.is_empty()) {
            known.optimistic = self.apply_optimistic(&mut known.incident, &known.sources);
        }
        all.sort_by_cached_key(IncidentView::by_urgency);
        self.incidents = all;
        self.link_incidents();
    }

    /// Whether `one` is more reliable than `other`: its source answers without errors, or its last change is later.
    fn is_more_reliable(&self, one: &Incident, other: &Incident) -> bool {
        let rank = |incident: &Incident| {
            let cache = self.cache.get(&incident.source);
            (cache.is_some_and(|cache| cache.is_current(AskKind::Incidents)), incident.changed_at)
        };
        rank(one) > rank(other)
    }

    /// Links incidents to services and alerts.
    pub(super) fn link_incidents(&mut self) {
        if self.incidents.is_empty() {
            return;
        }
        let mut incidents = std::mem::take(&mut self.incidents);
        let names = AlertsByName::of(&self.alerts);
        let services: HashMap<String, &Text> =
            self.services.iter().map(|service| (plain(&service.name), &service.name)).collect();
        let links = incidents.iter().map(|known| self.links_of(known, &names, &services)).collect::<Vec<_>>();
        for (known, (services, alerts)) in incidents.iter_mut().zip(links) {
            known.service = services.first().cloned();
            (known.services, known.alerts) = (services, alerts);
        }
        self.incidents = incidents;
    }

    /// The services and alerts of an incident: found by the labels in its alerts, else by the incident key or the expression's
    /// URL, else by names in its text.
    fn links_of(
        &self,
        view: &IncidentView,
        names: &AlertsByName<'_>,
        services: &HashMap<String, &Text>,
    ) -> (Vec<Text>, Vec<Fingerprint>) {
        let incident = &view.incident;
        let reported = self.incident_detail(view).map_or(&[][..], |detail| &detail.alerts);
        // an alert that started after the incident was resolved does not belong to it
        let in_time = |alert: &Alert| incident.resolved_at.is_none_or(|at| alert.starts_at <= at);
        let label_sets: Vec<&Labels> =
            incident.firing.iter().chain(reported.iter().flat_map(IncidentAlert::label_sets)).collect();
        let mut found: BTreeSet<Fingerprint> =
            label_sets.iter().filter_map(|labels| self.alert_with_labels(labels, names)).collect();
        let keys = reported.iter().filter_map(|alert| alert.key.as_ref()).chain(&incident.key);
        found.extend(keys.filter_map(|key| self.alert_with_key(key)));
        let by_labels = by_frequency(label_sets.iter().filter_map(|labels| self.service_of(labels)));
        let by_name = || {
            let name = plain(&incident.service.as_ref()?.name);
            let whole = services.get(&name);
            whole.or_else(|| services.get(name.strip_suffix("-service")?)).map(|name| Text::clone(name))
        };
        let texts: Vec<&str> =
            std::iter::once(&*incident.title).chain(reported.iter().map(|alert| &*alert.summary)).collect();
        // with several service names in a title, it is unclear which one is meant
        let by_title = || {
            let named = texts.iter().flat_map(|text| words(text)).filter_map(|word| self.service(word));
            let named: BTreeSet<&Text> = named.map(|service| &service.name).collect();
            named.first().filter(|_| named.len() == 1).map(|name| Text::clone(name))
        };
        // the title of an alert group contains label values without their label names
        let is_guess = || is_of_group(&incident.title) && self.has_unknown_alerts(view);
        let by_words =
            || by_name().or_else(|| by_title().filter(|_| !is_guess())).into_iter().collect::<Vec<_>>();
        let mut about = by_labels;
        if about.is_empty() && found.is_empty() {
            about = by_words();
        }
        let is_about = |alert: &Alert| match self.service_of(&alert.labels) {
            Some(its) => {
                about.contains(its) || texts.iter().any(|text| words(text).any(|word| *word == **its))
            }
            None => true,
        };
        if found.is_empty() {
            let latest = incident.created_at.checked_add(CLOCK_TOLERANCE).unwrap_or(incident.created_at);
            let was_there = |alert: &Alert| alert.starts_at <= latest;
            let shared = self.alerts.iter().filter(|alert| {
                label_sets.iter().any(|labels| is_shared(labels, &alert.labels)) && was_there(alert)
            });
            let like = shared.chain(self.alerts_with_links_of(reported).filter(|alert| was_there(alert)));
            found.extend(like.filter(|alert| is_about(alert)).map(|alert| alert.fingerprint));
        }
        if found.is_empty() && label_sets.iter().all(|labels| labels.get("alertname").is_none()) {
            let named = names.mentioned_in(&texts).flatten();
            found.extend(named.filter(|alert| is_about(alert)).map(|alert| alert.fingerprint));
        }
        let alerts: Vec<Fingerprint> = found
            .into_iter()
            .filter(|fingerprint| self.alert(*fingerprint).is_some_and(|alert| in_time(alert)))
            .collect();
        let of_alerts = || {
            let of_alerts = alerts.iter().filter_map(|alert| self.service_of(&self.alert(*alert)?.labels));
            by_frequency(of_alerts)
        };
        if about.is_empty() {
            about = of_alerts();
        }
        (about, alerts)
    }

    /// Alerts whose expression URL or runbook URL is one of the incident's.
    fn alerts_with_links_of<'a>(
        &'a self,
        reported: &'a [IncidentAlert],
    ) -> impl Iterator<Item = &'a Arc<Alert>> {
        let generators: BTreeSet<&Text> =
            reported.iter().filter_map(|alert| alert.generator.as_ref()).collect();
        let links = reported.iter().flat_map(|alert| &alert.links);
        let books: BTreeSet<&Text> =
            links.filter(|(name, _)| name.starts_with("runbook")).map(|(_, url)| url).collect();
        let is_like = move |alert: &&Arc<Alert>| {
            alert.generator_url.as_ref().is_some_and(|url| generators.contains(url))
                || alert.annotations.get("runbook_url").is_some_and(|url| books.contains(url))
        };
        self.alerts.iter().filter(is_like)
    }

    /// The alert that an incident's alert came from, found by its labels or key.
    pub fn alert_of(&self, reported: &IncidentAlert) -> Option<Fingerprint> {
        let names = AlertsByName::of(&self.alerts);
        let by_labels = reported.label_sets().find_map(|labels| self.alert_with_labels(labels, &names));
        by_labels.or_else(|| reported.key.as_deref().and_then(|key| self.alert_with_key(key)))
    }

    /// The alert with exactly these labels, else the only alert with the same name whose labels contain them or are contained in
    /// them: labels are added and dropped on the way.
    fn alert_with_labels(&self, labels: &Labels, names: &AlertsByName<'_>) -> Option<Fingerprint> {
        let name = labels.get("alertname")?;
        if let Some(alert) = self.alert(Fingerprint::of(labels)) {
            return Some(alert.fingerprint);
        }
        let mut alike = names.0.get(&**name).into_iter().flatten().filter(|alert| {
            labels.is_within(&alert.labels) && labels.len() > 1 || alert.labels.is_within(labels)
        });
        match (alike.next(), alike.next()) {
            (Some(alert), None) => Some(alert.fingerprint),
            _ => None,
        }
    }

    /// The alert whose fingerprint is the incident's key, as some senders set it.
    fn alert_with_key(&self, key: &str) -> Option<Fingerprint> {
        self.alert(Fingerprint::parse(key)?).map(|alert| alert.fingerprint)
    }
}

/// Whether an alert has all of an alert group's common labels, at least two of them.
fn is_shared(labels: &Labels, alert: &Labels) -> bool {
    labels.len() > 1 && labels.is_within(alert)
}

/// Whether a title is Alertmanager's default for a group: `[FIRING:2] checkout (bench shop page)`.
fn is_of_group(title: &str) -> bool {
    title.starts_with("[FIRING:") || title.starts_with("[RESOLVED")
}

/// Each name once, the most frequent first, equally frequent ones sorted by name.
fn by_frequency<'a>(names: impl Iterator<Item = &'a Text>) -> Vec<Text> {
    let mut counts: BTreeMap<&Text, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut all: Vec<(&Text, usize)> = counts.into_iter().collect();
    all.sort_by_key(|(_, count)| Reverse(*count));
    all.into_iter().map(|(name, _)| Text::clone(name)).collect()
}

struct AlertsByName<'a>(HashMap<&'a str, Vec<&'a Arc<Alert>>>);

impl<'a> AlertsByName<'a> {
    fn of(alerts: &'a [Arc<Alert>]) -> Self {
        let mut names: HashMap<&str, Vec<&Arc<Alert>>> = HashMap::new();
        for alert in alerts {
            names.entry(alert.name()).or_default().push(alert);
        }
        Self(names)
    }

    /// The alerts whose names occur in one of the texts: as a whole word, or as a substring if the name contains a blank.
    fn mentioned_in<'b>(&'b self, texts: &'b [&str]) -> impl Iterator<Item = &'b Vec<&'a Arc<Alert>>> {
        let in_words = texts.iter().flat_map(|text| words(text)).filter_map(|word| self.0.get(word));
        let several = self.0.iter().filter(|(name, _)| name.contains(' '));
        let whole = several.filter(|(name, _)| texts.iter().any(|text| text.contains(**name)));
        in_words.chain(whole.map(|(_, alerts)| alerts))
    }
}

/// The words of a text, split at characters that do not occur in names of alerts and services.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    let words = text.split(move |c: char| !is_of_name(c));
    words.map(|word| word.trim_matches(['.', ':', '-', '/'])).filter(|word| !word.is_empty())
}

/// A service name in the form for comparing: `Check Out` becomes `check-out`.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '_'], "-")
}

#[cfg(test)]
mod tests;
