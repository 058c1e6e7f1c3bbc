//! What happened, as far as it was told: gathered while it is told, since sources forget.

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
use crate::model::world::World;

/// More is not kept; the oldest goes first.
const MAX_LOG_EVENTS: usize = 10_000;
/// An Alertmanager tells a firing that rules have told at most so much later: an evaluation of the slowest rules.
const SAME_FIRING_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// The list follows the clock by steps of this.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogEventKind {
    /// An alert began to fire.
    Fired,
    /// An alert was over.
    Resolved,
    /// An incident was opened: somebody was paged.
    Paged,
    /// Somebody said that they are on an incident.
    Acknowledged,
    /// Something else happened to an incident.
    Step,
    /// An incident was over.
    Closed,
    /// A silence began.
    Silenced,
    /// A silence ended.
    Unsilenced,
    /// The person at the keyboard did something.
    Done,
}

impl LogEventKind {
    /// The word for it; by this it can be filtered.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fired => "fires",
            Self::Resolved => "resolved",
            Self::Paged => "page",
            Self::Acknowledged => "ack",
            Self::Step => "incident",
            Self::Closed => "closed",
            Self::Silenced => "silence",
            Self::Unsilenced => "unsilenced",
            Self::Done => "you",
        }
    }
}

/// What something happened to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogEventSubject {
    /// An alert.
    Alert(Fingerprint),
    /// What a source calls so; the second tells what happened to it at one moment apart.
    Named(Text, Text),
}

/// What recognises an event, in the order of time.
pub type LogEventKey = (Timestamp, LogEventKind, LogEventSubject);

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent {
    /// The service that it is about, if that is known.
    pub service: Option<Text>,
    /// Its title; of an alert that flaps its name, then the rest.
    words: Text,
    /// Of an alert that flaps, how often it fired within the hour.
    flaps: Option<usize>,
    /// What matchers of a filter ask for.
    pub labels: Labels,
    /// How loud it is; of alerts and pages.
    pub severity: Option<Severity>,
    /// What there is to be seen of it.
    pub place: Option<Place>,
}

impl LogEvent {
    /// Its title.
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

/// A firing that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OpenFiring {
    /// When it began.
    at: Timestamp,
    /// Whether an Alertmanager has told it, or rules alone.
    is_routed: bool,
}

impl OpenFiring {
    /// Whether the alert tells of this firing, and not of one after it.
    ///
    /// Rules tell of it first, some moments off; an Alertmanager then knows its beginning, and keeps it. What the same teller
    /// puts later is another firing.
    fn is_same(self, now: Self) -> bool {
        let is_new_teller = !self.is_routed && now.is_routed;
        now.at <= self.at || is_new_teller && now.at.duration_since(self.at) <= SAME_FIRING_WITHIN
    }
}

/// All that happened, as far as it was told.
#[derive(Debug, Default)]
pub struct EventLog {
    entries: BTreeMap<LogEventKey, LogEvent>,
    /// Silences in force when they were last told of: until when, and what there is to say when they end.
    in_force: BTreeMap<Text, (Timestamp, LogEvent)>,
    /// Alerts that fire, as they were last told of.
    firing: HashMap<Fingerprint, OpenFiring>,
    /// When those ended that do not fire any more.
    ended: HashMap<Fingerprint, Timestamp>,
    /// What the series of rules alone tell of firings, and nobody heard.
    past: BTreeSet<LogEventKey>,
    /// When alerts began to fire within an hour before they last did.
    beginnings: HashMap<Fingerprint, Vec<Timestamp>>,
    since: Option<Timestamp>,
    now: Timestamp,
    revision: u64,
}

impl EventLog {
    /// Everything, in the order of time.
    pub fn entries(&self) -> &BTreeMap<LogEventKey, LogEvent> {
        &self.entries
    }

    /// From when on nothing is missing that any source told; none: nothing was told yet.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// When it was last written.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Counts up when something was added, and as time passes.
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
                // what is older is not whole any more
                self.since = self.since.map(|since| since.max(key.0));
            }
        }
    }

    /// Notes when an alert began to fire. If it flaps, how often it did within the hour.
    fn begins(&mut self, alert: Fingerprint, told: OpenFiring, before: Option<OpenFiring>) -> Option<usize> {
        let recent = told.at.checked_sub(FLAPPING_WITHIN).unwrap_or(Timestamp::MIN);
        if self.beginnings.len() > MAX_LOG_EVENTS {
            self.beginnings.retain(|_, its| its.last().is_some_and(|at| *at >= recent));
        }
        let its = self.beginnings.entry(alert).or_default();
        if let Some(before) = before.filter(|before| before.is_same(told)) {
            its.retain(|at| *at != before.at);
        }
        if !its.contains(&told.at) {
            its.push(told.at);
        }
        its.retain(|at| *at >= recent);
        its.sort_unstable();
        is_flapping(its).then_some(its.len())
    }

    fn passes(&mut self, now: Timestamp) {
        let due = self.now.checked_add(STEP).unwrap_or(now);
        if self.since.is_none() || now >= due || now < self.now {
            (self.now, self.revision) = (now, self.revision + 1);
        }
        self.since.get_or_insert(now);
    }
}

/// Where it is taken from what happened.
#[derive(Clone, Copy)]
pub struct EventLogInput<'a> {
    /// What the sources said.
    pub world: &'a World,
    /// The sources.
    pub sources: &'a [SourceInfo],
    /// The labels that name a service, the most telling first.
    pub service_labels: &'a [String],
    /// The time that the timeline shows.
    pub range: Range,
}

/// Takes note of what the sources say now, after an answer of this kind.
pub fn write(event_log: &mut EventLog, input: &EventLogInput<'_>, news: AskKind, now: Timestamp) {
    if news == AskKind::Firings {
        return past::write(event_log, input);
    }
    let alerts = news.merges() == Merges::Alerts;
    let incidents = matches!(news, AskKind::Incidents | AskKind::Incident | AskKind::Steps);
    if !alerts && !incidents && news != AskKind::Silences {
        return;
    }
    event_log.passes(now);
    for (bare, whole) in input.world.matched_alerts().filter(|_| alerts) {
        // what rules told of it without the labels that were added on the way to the Alertmanager
        if let Some(told) = event_log.firing.remove(&bare) {
            let whole = input.world.alert(whole).map_or(whole, |alert| Fingerprint::of(&alert.labels));
            event_log.entries.remove(&(told.at, LogEventKind::Fired, LogEventSubject::Alert(bare)));
            event_log.firing.entry(whole).or_insert(told);
        }
    }
    for alert in input.world.news().filter(|_| alerts) {
        of_alert(input, alert, event_log, now);
    }
    for (source, cache) in input.world.sources().filter(|_| incidents) {
        let mut steps: HashMap<&Text, Vec<&IncidentEvent>> = HashMap::new();
        for happened in cache.steps().value().into_iter().flat_map(|board| &board.steps) {
            steps.entry(&happened.incident).or_default().push(&happened.step);
        }
        for incident in cache.incidents().value().into_iter().flat_map(|board| &board.incidents) {
            let steps = steps.get(&incident.id).map_or(&[][..], Vec::as_slice);
            of_incident(input, source, incident, steps, event_log);
        }
    }
    if news == AskKind::Silences {
        silences::write(input, event_log, now);
    }
}

fn of_alert(input: &EventLogInput<'_>, alert: &Alert, event_log: &mut EventLog, now: Timestamp) {
    // by its labels, for not every server counts fingerprints as the rules' alerts have them
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
    if alert.state == AlertState::Pending {
        // it was over, and may fire again
        if before.is_some() {
            event_log.firing.remove(&own);
            event_log.ends(own, now);
            event_log.replace_past(own, LogEventKind::Resolved, now);
            event_log.add((now, LogEventKind::Resolved, subject), || entry(alert.name().to_owned()));
        }
        return;
    }
    let told = OpenFiring { at: alert.starts_at, is_routed: !alert.receivers.is_empty() };
    let ended = event_log.ended.get(&own);
    if before.is_none() && !told.is_routed && ended.is_some_and(|ended| told.at < *ended) {
        // rules are asked more seldom than an Alertmanager: they tell of what is over
        return;
    }
    event_log.replace_past(own, LogEventKind::Fired, alert.starts_at);
    let again = event_log.begins(own, told, before);
    if before.is_some_and(|before| before.is_same(told) && before.at != told.at) {
        before
            .and_then(|before| event_log.entries.remove(&(before.at, LogEventKind::Fired, subject.clone())));
    }
    event_log.add((told.at, LogEventKind::Fired, subject.clone()), || LogEvent {
        flaps: again,
        ..entry(format!("{}{}", alert.name(), summary()))
    });
    match alert.resolved_at {
        Some(at) => {
            event_log.firing.remove(&own);
            event_log.ends(own, at);
            event_log.replace_past(own, LogEventKind::Resolved, at);
            event_log.add((at, LogEventKind::Resolved, subject), || entry(alert.name().to_owned()));
        }
        None => drop(event_log.firing.insert(own, told)),
    }
}

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
    // two sources may tell of the same account
    let subject = |of: &str| LogEventSubject::Named(incident.id.clone(), of.into());
    event_log.add((incident.created_at, LogEventKind::Paged, subject("")), || {
        let to: Vec<&str> = incident.assigned.iter().map(|stamp| &*stamp.who.name).collect();
        let to = if to.is_empty() { String::new() } else { format!(", to {}", to.join(", ")) };
        entry(format!("{called}{to}"))
    });
    for stamp in &incident.acknowledged {
        event_log.add((stamp.at, LogEventKind::Acknowledged, subject(&stamp.who.id)), || {
            entry(format!("{} is on {called}", stamp.who.name))
        });
    }
    if let Some(at) = incident.resolved_at {
        event_log.add((at, LogEventKind::Closed, subject("")), || entry(called.clone()));
    }
    let detail = known.and_then(|known| input.world.incident_detail(known));
    let told = |kind: &str| ["trigger", "acknowledge", "resolve"].iter().any(|known| kind.starts_with(known));
    let detailed = detail.into_iter().flat_map(|detail| &detail.steps);
    for step in detailed.chain(steps.iter().copied()).filter(|step| !told(&step.kind)) {
        event_log.add((step.at, LogEventKind::Step, subject(&step.summary)), || {
            entry(format!("#{} {}", incident.number, step.summary))
        });
    }
}

/// Takes note of what was done from here, now and in earlier runs, as the journal tells it.
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
        // what was unknown may have been read back since
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
        words: runs::told(action, ending).text.into(),
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

mod past;
mod silences;

#[cfg(test)]
mod tests;
