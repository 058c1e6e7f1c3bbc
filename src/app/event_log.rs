//! The event log of the Timeline: collected from answers as they arrive, because sources keep little history.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::identity::IncidentKey;
use super::place::Place;
use super::range::Range;
use super::runs;
use crate::model::action::{Action, ActionResult, Operation, OperationKind};
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::ask::{AskKind, Merges};
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::{FLAPPING_WITHIN, is_flapping};
use crate::model::incident::{Incident, IncidentEvent, Urgency};
use crate::model::journal::ActionRecord;
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::words::words;
use crate::model::world::World;

/// Most events; the oldest is removed first.
const MAX_LOG_EVENTS: usize = 10_000;
/// An Alertmanager reports a firing at most this much later than the rule: an evaluation interval of slow rules.
const SAME_FIRING_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// The list is updated for the passing of time in these steps.
const STEP: SignedDuration = SignedDuration::from_secs(60);

words! {
    /// The type of an event; its word on screen is also accepted by the filter.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum LogEventKind: word {
        /// An alert started firing.
        Fired = "fires",
        Resolved = "resolved",
        /// An incident was created: somebody was paged.
        Paged = "page",
        Acknowledged = "ack",
        /// Another log entry of an incident.
        Step = "incident",
        /// An incident was resolved.
        Closed = "closed",
        /// A silence became active.
        Silenced = "silence",
        Unsilenced = "unsilenced",
        /// An action of the user.
        Done = "you",
        /// A deployment, a restart, or another change of a service.
        Changed = "change",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogEventSubject {
    Alert(Fingerprint),
    /// Another subject: its id, and a text that distinguishes events of the same subject and time.
    Named(Text, Text),
}

/// Identifies an event; sorted by time.
pub type LogEventKey = (Timestamp, LogEventKind, LogEventSubject);

#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent {
    /// The service, if it is known.
    pub service: Option<Text>,
    /// The text; for an alert it starts with the alert's name.
    words: Text,
    /// For a flapping alert, how often it fired within an hour; else None.
    flaps: Option<usize>,
    /// The fields that a filter can use.
    pub labels: Labels,
    /// The severity; only of alerts and pages.
    pub severity: Option<Severity>,
    pub place: Option<Place>,
}

impl LogEvent {
    /// The text, with a remark if the alert flaps.
    pub fn sentence(&self) -> Text {
        let Some(times) = self.flaps else { return self.words.clone() };
        let (name, rest) = self
            .labels
            .get("alertname")
            .and_then(|name| self.words.split_at_checked(name.len()))
            .unwrap_or((&self.words, ""));
        format!("{name} (flapping: {times} times within an hour){rest}").into()
    }
}

/// A firing that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OpenFiring {
    at: Timestamp,
    /// Whether an Alertmanager has reported it; false: only rules.
    is_routed: bool,
}

impl OpenFiring {
    /// Whether an alert belongs to this firing, and not to a later one.
    ///
    /// Rules report a firing first, with an approximate start; an Alertmanager then has its own start time and keeps it. A later
    /// start from the same kind of source is another firing.
    fn is_same(self, now: Self) -> bool {
        let is_new_teller = !self.is_routed && now.is_routed;
        now.at <= self.at || is_new_teller && now.at.duration_since(self.at) <= SAME_FIRING_WITHIN
    }
}

#[derive(Debug, Default)]
pub struct EventLog {
    entries: BTreeMap<LogEventKey, LogEvent>,
    /// Active silences when last seen: their end, and the event to log when they end.
    in_force: BTreeMap<Text, (Timestamp, LogEvent)>,
    /// Firing alerts when last seen.
    firing: HashMap<Fingerprint, OpenFiring>,
    /// When alerts stopped firing.
    ended: HashMap<Fingerprint, Timestamp>,
    /// Events that are known only from the rules' series.
    past: BTreeSet<LogEventKey>,
    /// When alerts started firing within the hour before their last start.
    beginnings: HashMap<Fingerprint, Vec<Timestamp>>,
    since: Option<Timestamp>,
    now: Timestamp,
    revision: u64,
}

impl EventLog {
    pub fn entries(&self) -> &BTreeMap<LogEventKey, LogEvent> {
        &self.entries
    }

    /// From when on the log is complete; None: nothing was logged yet.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// When the log was last updated.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Increases when an event was added, and as time passes.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn add(&mut self, key: LogEventKey, entry: impl FnOnce() -> LogEvent) {
        if self.entries.contains_key(&key) {
            return;
        }
        self.revision += 1;
        self.entries.insert(key, entry());
        while self.entries.len() > MAX_LOG_EVENTS {
            if let Some((key, _)) = self.entries.pop_first() {
                self.past.remove(&key);
                // what is older is no longer complete
                self.since = self.since.map(|since| since.max(key.0));
            }
        }
    }

    /// Records the start of a firing. Returns how often the alert fired within the hour, if it flaps.
    fn begins(
        &mut self,
        alert: Fingerprint,
        reported: OpenFiring,
        before: Option<OpenFiring>,
    ) -> Option<usize> {
        let recent = reported.at.checked_sub(FLAPPING_WITHIN).unwrap_or(Timestamp::MIN);
        if self.beginnings.len() > MAX_LOG_EVENTS {
            self.beginnings.retain(|_, its| its.last().is_some_and(|at| *at >= recent));
        }
        let its = self.beginnings.entry(alert).or_default();
        if let Some(before) = before.filter(|before| before.is_same(reported)) {
            its.retain(|at| *at != before.at);
        }
        if !its.contains(&reported.at) {
            its.push(reported.at);
        }
        its.retain(|at| *at >= recent);
        its.sort_unstable();
        is_flapping(its).then_some(its.len())
    }

    /// Updates the time of the log; the revision increases once per [`STEP`].
    fn passes(&mut self, now: Timestamp) {
        let due = self.now.checked_add(STEP).unwrap_or(now);
        if self.since.is_none() || now >= due || now < self.now {
            (self.now, self.revision) = (now, self.revision + 1);
        }
        self.since.get_or_insert(now);
    }
}

/// The data from which events are derived.
#[derive(Clone, Copy)]
pub struct EventLogInput<'a> {
    pub world: &'a World,
    pub sources: &'a [SourceInfo],
    pub range: Range,
}

/// Logs what is new in an answer of this kind.
pub fn write(event_log: &mut EventLog, input: &EventLogInput<'_>, news: AskKind, now: Timestamp) {
    if news == AskKind::Firings {
        return past::write(event_log, input);
    }
    if news == AskKind::Changes {
        return changes::write(event_log, input.world);
    }
    let alerts = news.merges() == Merges::Alerts;
    let incidents = matches!(news, AskKind::Incidents | AskKind::Incident | AskKind::Steps);
    if !alerts && !incidents && news != AskKind::Silences {
        return;
    }
    event_log.passes(now);
    for (bare, whole) in input.world.matched_alerts().filter(|_| alerts) {
        // the rules' version of an alert has no external labels; Alertmanager's version replaces it
        if let Some(reported) = event_log.firing.remove(&bare) {
            let whole = input.world.alert(whole).map_or(whole, |alert| Fingerprint::of(&alert.labels));
            event_log.entries.remove(&(reported.at, LogEventKind::Fired, LogEventSubject::Alert(bare)));
            event_log.firing.entry(whole).or_insert(reported);
        }
    }
    for alert in input.world.news().filter(|_| alerts) {
        of_alert(input, alert, event_log, now);
    }
    for (source, cache) in input.world.sources().filter(|_| incidents) {
        let mut steps: HashMap<&Text, Vec<&IncidentEvent>> = HashMap::new();
        for happened in cache.steps().value().into_iter().flat_map(|snapshot| &snapshot.steps) {
            steps.entry(&happened.incident).or_default().push(&happened.step);
        }
        for incident in cache.incidents().value().into_iter().flat_map(|snapshot| &snapshot.incidents) {
            let steps = steps.get(&incident.id).map_or(&[][..], Vec::as_slice);
            of_incident(input, source, incident, steps, event_log);
        }
    }
    if news == AskKind::Silences {
        silences::write(input, event_log, now);
    }
}

/// Logs the start and the end of an alert's firing.
fn of_alert(input: &EventLogInput<'_>, alert: &Alert, event_log: &mut EventLog, now: Timestamp) {
    // by labels, because not every server computes fingerprints as Prometheus does
    let own = Fingerprint::of(&alert.labels);
    let entry = |words: String| LogEvent {
        service: input.world.service_of(&alert.labels).cloned(),
        words: words.into(),
        labels: alert.labels.clone(),
        flaps: None,
        severity: Some(alert.severity),
        place: Some(Place::Alert(alert.fingerprint)),
    };
    let subject = LogEventSubject::Alert(own);
    let summary = || alert.summary().map(|summary| format!(": {summary}")).unwrap_or_default();
    let before = event_log.firing.get(&own).copied();
    let resolve = |event_log: &mut EventLog, at| {
        event_log.firing.remove(&own);
        event_log.ends(own, at);
        event_log.replace_past(own, LogEventKind::Resolved, at);
        let key = (at, LogEventKind::Resolved, LogEventSubject::Alert(own));
        event_log.add(key, || entry(alert.name().to_owned()));
    };
    if alert.state == AlertState::Pending {
        // a pending alert has stopped firing, and may fire again
        if before.is_some() {
            resolve(event_log, now);
        }
        return;
    }
    let reported = OpenFiring { at: alert.starts_at, is_routed: !alert.receivers.is_empty() };
    let ended = event_log.ended.get(&own);
    if before.is_none() && !reported.is_routed && ended.is_some_and(|ended| reported.at < *ended) {
        // rules are queried less often than an Alertmanager: they may still list an alert that has ended
        return;
    }
    event_log.replace_past(own, LogEventKind::Fired, alert.starts_at);
    let again = event_log.begins(own, reported, before);
    if let Some(before) = before.filter(|before| before.is_same(reported) && before.at != reported.at) {
        event_log.entries.remove(&(before.at, LogEventKind::Fired, subject.clone()));
    }
    event_log.add((reported.at, LogEventKind::Fired, subject), || LogEvent {
        flaps: again,
        ..entry(format!("{}{}", alert.name(), summary()))
    });
    match alert.resolved_at {
        Some(at) => resolve(event_log, at),
        None => drop(event_log.firing.insert(own, reported)),
    }
}

/// Logs the events of an incident: page, acknowledgements, log entries, resolution.
fn of_incident(
    input: &EventLogInput<'_>,
    source: &SourceId,
    incident: &Incident,
    steps: &[&IncidentEvent],
    event_log: &mut EventLog,
) {
    let known = input.world.incident(source, &incident.id);
    let paging = incident.service.as_ref().map(|service| &service.name);
    let service = known.and_then(|known| known.service.as_ref()).or(paging).cloned();
    let called = format!("#{} {}", incident.number, incident.subject());
    let severity = if incident.urgency == Urgency::High { Severity::Critical } else { Severity::Warning };
    let entry = |words: String| LogEvent {
        service: service.clone(),
        words: words.into(),
        labels: Labels::from_iter([
            ("incident", incident.number.to_string().as_str()),
            ("urgency", incident.urgency.word()),
            ("source", source.as_str()),
        ]),
        flaps: None,
        severity: Some(severity),
        place: Some(Place::Incident(IncidentKey { source: source.clone(), id: incident.id.clone() })),
    };
    // two sources may use the same account of a paging system
    let subject = |of: &str| LogEventSubject::Named(incident.id.clone(), of.into());
    event_log.add((incident.created_at, LogEventKind::Paged, subject("")), || {
        let to: Vec<&str> = incident.assigned.iter().map(|stamp| &*stamp.who.name).collect();
        let to = if to.is_empty() { String::new() } else { format!(", paged {}", to.join(", ")) };
        entry(format!("{called}{to}"))
    });
    for stamp in &incident.acknowledged {
        event_log.add((stamp.at, LogEventKind::Acknowledged, subject(&stamp.who.id)), || {
            entry(format!("{} acknowledged {called}", stamp.who.name))
        });
    }
    if let Some(at) = incident.resolved_at {
        event_log.add((at, LogEventKind::Closed, subject("")), || entry(called.clone()));
    }
    let detail = known.and_then(|known| input.world.incident_detail(known));
    let reported =
        |kind: &str| ["trigger", "acknowledge", "resolve"].iter().any(|known| kind.starts_with(known));
    let detailed = detail.into_iter().flat_map(|detail| &detail.steps);
    for step in detailed.chain(steps.iter().copied()).filter(|step| !reported(&step.kind)) {
        event_log.add((step.at, LogEventKind::Step, subject(&step.summary)), || {
            entry(format!("#{} {}", incident.number, step.summary))
        });
    }
}

/// Logs the actions of this and of earlier runs, from the records of the journal.
pub fn log_actions(
    event_log: &mut EventLog,
    world: &World,
    records: &[ActionRecord],
    context: &str,
    now: Timestamp,
) {
    event_log.passes(now);
    for record in records.iter().filter(|record| *record.context == *context) {
        let Some(ending) = &record.ending else { continue };
        let subject = LogEventSubject::Named(record.action.target.id.clone(), record.act.clone());
        let key = (record.begun_at, LogEventKind::Done, subject);
        // an action with an unknown result may have been read back since
        event_log.entries.remove(&key);
        event_log.add(key, || of_action(world, &record.action, ending));
    }
}

fn of_action(world: &World, action: &Action, ending: &ActionResult) -> LogEvent {
    let known = world.incident(&action.source, &action.target.id);
    let place = match (&action.operation, action.operation.kind()) {
        (Operation::Trigger { .. }, _) => Some(Place::Incidents),
        (_, OperationKind::TakeShift) => Some(Place::OnCall),
        (_, OperationKind::Silence | OperationKind::Edit | OperationKind::Extend | OperationKind::Expire) => {
            Some(Place::Silences)
        }
        _ => known.map(|_| {
            Place::Incident(IncidentKey { source: action.source.clone(), id: action.target.id.clone() })
        }),
    };
    LogEvent {
        service: known.and_then(|known| known.service.clone()),
        words: runs::result_message(action, ending).text.into(),
        labels: Labels::from_iter([
            ("action", action.operation.kind().name()),
            ("ending", ending.word()),
            ("source", action.source.as_str()),
        ]),
        flaps: None,
        severity: None,
        place,
    }
}

mod changes;
mod past;
mod silences;

#[cfg(test)]
mod tests;
