//! Calls the person to the screen when a page comes: once for each, never for what was there from the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::event::Effect;
use crate::model::alert::Severity;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::notify::{Notification, NotifyPolicy};
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::{IncidentView, World};

/// An alert that comes and goes calls no more often than this.
const RENOTIFY_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// More than this is not remembered of what is gone.
const MAX_REMEMBERED: usize = 10_000;
/// Most letters of a notification.
const MAX_CHARACTERS: usize = 200;
/// Of several pages at once as many are named.
const MAX_NAMED: usize = 3;

/// What recognises an incident, whichever source tells of it.
type AlarmKey = (Text, Timestamp);

/// What was heard of before, and what was called for.
#[derive(Debug, Default)]
pub struct Alarm {
    /// How the person wants to be called.
    pub notify_policy: NotifyPolicy,
    /// Sources whose incidents are known.
    paging: BTreeSet<SourceId>,
    /// Sources that say who the person is.
    sources_with_me: BTreeSet<SourceId>,
    /// Each incident: whether it was the person's own when it was last looked at, and whether it may still call.
    incidents: BTreeMap<AlarmKey, (bool, bool)>,
    /// Sources whose alerts are known.
    alerting: BTreeSet<SourceId>,
    /// Each critical alert that fires or did, and when it last called or would have.
    alerts: HashMap<Fingerprint, Timestamp>,
    title: Option<String>,
}

impl Alarm {
    /// Nothing heard yet.
    pub fn new(notify_policy: NotifyPolicy) -> Self {
        Self { notify_policy, ..Self::default() }
    }

    /// As for another context: what is there when it answers calls nobody.
    pub fn forget(&mut self) {
        let title = self.title.take();
        *self = Self { title, ..Self::new(self.notify_policy.clone()) };
    }
}

/// Whether answers of this kind may tell of a page, or of whom it is for.
pub fn can_contain_pages(kind: AskKind) -> bool {
    matches!(
        kind,
        AskKind::Alerts | AskKind::Rules | AskKind::Incidents | AskKind::Incident | AskKind::OnCall
    )
}

/// What it listens to.
#[derive(Clone, Copy)]
pub struct AlarmInput<'a> {
    /// What the sources said.
    pub world: &'a World,
    pub sources: &'a [SourceInfo],
    /// The context's name.
    pub context: &'a str,
}

/// Looks at what came, and says whom to call.
pub fn notifications(alarm: &mut Alarm, input: &AlarmInput<'_>, now: Timestamp) -> Vec<Effect> {
    let mut pages = incidents(input, alarm);
    pages.extend(alerts(input, alarm, now));
    let mut effects = Vec::new();
    if let Some(notice) = notice(input, &alarm.notify_policy, &pages, now) {
        effects.push(Effect::Notify(notice));
    }
    if alarm.notify_policy.title {
        let title = title(input, alarm);
        if alarm.title.as_ref() != Some(&title) {
            alarm.title = Some(title.clone());
            effects.push(Effect::Title(title));
        }
    }
    effects
}

fn is_mine(input: &AlarmInput<'_>, known: &IncidentView) -> bool {
    let assigned = &known.incident.assigned;
    assigned.iter().any(|stamp| known.sources.iter().any(|source| input.world.is_me(source, &stamp.who)))
}

fn waits(input: &AlarmInput<'_>, notify_policy: &NotifyPolicy, known: &IncidentView) -> bool {
    known.incident.status == IncidentStatus::Triggered
        && notify_policy.notifies(known.incident.urgency, is_mine(input, known))
}

/// The incidents that call now, in words.
fn incidents(input: &AlarmInput<'_>, alarm: &mut Alarm) -> Vec<String> {
    let mut pages = Vec::new();
    let mut fresh = BTreeSet::new();
    for (source, cache) in input.world.sources() {
        if cache.incidents().value().is_some() && alarm.paging.insert(source.clone()) {
            fresh.insert(source.clone());
        }
    }
    // who the person is may be told after the first incidents: then nothing has become theirs only now
    let told: BTreeSet<SourceId> =
        input.world.on_call().filter(|(_, board)| board.me.is_some()).map(|(id, _)| id.clone()).collect();
    let is_told_now = |known: &IncidentView| {
        known.sources.iter().any(|source| told.contains(source) && !alarm.sources_with_me.contains(source))
    };
    let mut known_now = Vec::new();
    for known in input.world.incidents() {
        let key = (known.incident.id.clone(), known.incident.created_at);
        let mine = is_mine(input, known);
        let was_there = known.sources.iter().all(|source| fresh.contains(source));
        let (was_mine, mut may_call) = match alarm.incidents.get(&key) {
            Some((was_mine, may_call)) => (*was_mine || is_told_now(known), *may_call),
            None => (was_there && mine, true),
        };
        let is_new = !alarm.incidents.contains_key(&key) && !was_there;
        let became_mine = mine && !was_mine;
        if may_call && (is_new || became_mine) && waits(input, &alarm.notify_policy, known) {
            may_call = false;
            pages.push(sentence(known));
        }
        known_now.push((key, (mine, may_call)));
    }
    alarm.incidents.extend(known_now);
    alarm.sources_with_me.extend(told);
    if alarm.incidents.len() > MAX_REMEMBERED {
        let here: BTreeSet<AlarmKey> =
            input.world.incidents().iter().map(|k| (k.incident.id.clone(), k.incident.created_at)).collect();
        alarm.incidents.retain(|key, _| here.contains(key));
    }
    pages
}

fn sentence(known: &IncidentView) -> String {
    let incident = &known.incident;
    let service = known.service.as_ref().or(incident.service.as_ref().map(|service| &service.name));
    let service = service.map(|name| format!(" ({name})")).unwrap_or_default();
    format!("#{} {}{service}", incident.number, incident.subject())
}

/// The critical alerts that call now, where no paging system does.
fn alerts(input: &AlarmInput<'_>, alarm: &mut Alarm, now: Timestamp) -> Vec<String> {
    if input.sources.iter().any(|source| source.answers.contains(&AskKind::Incidents)) {
        return Vec::new();
    }
    let before = alarm.alerting.clone();
    for (source, cache) in input.world.sources() {
        if cache.alerts().value().is_some() || cache.rules().value().is_some() {
            alarm.alerting.insert(source.clone());
        }
    }
    let mut pages = Vec::new();
    let critical = input.world.alerts().iter();
    for alert in critical.filter(|alert| alert.severity == Severity::Critical && alert.is_firing()) {
        let was_there = !alert.sources.iter().any(|source| before.contains(source));
        let called = alarm.alerts.insert(alert.fingerprint, now);
        let rested = called.is_none_or(|at| now.duration_since(at) > RENOTIFY_AFTER);
        if !was_there && rested && alarm.notify_policy.high {
            let service = input.world.service_of(&alert.labels);
            let service = service.map(|name| format!(" ({name})")).unwrap_or_default();
            pages.push(format!("{}{service}", alert.name()));
        }
    }
    if alarm.alerts.len() > MAX_REMEMBERED {
        alarm.alerts.retain(|fingerprint, _| input.world.alert(*fingerprint).is_some());
    }
    pages
}

fn notice(
    input: &AlarmInput<'_>,
    notify_policy: &NotifyPolicy,
    pages: &[String],
    now: Timestamp,
) -> Option<Notification> {
    let first = pages.first()?;
    if notify_policy.is_in_quiet_hours(now) || !(notify_policy.bell || notify_policy.desktop) {
        return None;
    }
    let title = match pages.len() {
        1 => format!("Page in {}", input.context),
        n => format!("{n} pages in {}", input.context),
    };
    let more = pages.len().saturating_sub(MAX_NAMED);
    let mut body = if pages.len() == 1 {
        first.clone()
    } else {
        pages.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ")
    };
    if more > 0 {
        body = format!("{body} and {more} more");
    }
    let desktop = notify_policy.desktop.then(|| (plain(&title), plain(&body)));
    Some(Notification { bell: notify_policy.bell, desktop })
}

/// One short line that no terminal takes for anything but text.
fn plain(text: &str) -> String {
    let text = crate::model::text::clean(text);
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(MAX_CHARACTERS).collect();
    if text.chars().count() > MAX_CHARACTERS {
        short.push_str("...");
    }
    short
}

/// Where burnwatch is and how many pages wait for somebody.
fn title(input: &AlarmInput<'_>, alarm: &Alarm) -> String {
    let waiting =
        input.world.incidents().iter().filter(|known| waits(input, &alarm.notify_policy, known)).count();
    let mark = if waiting > 0 { format!("({waiting}!) ") } else { String::new() };
    plain(&format!("{mark}burnwatch {}", input.context))
}

#[cfg(test)]
mod tests;
