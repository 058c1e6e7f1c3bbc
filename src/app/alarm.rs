//! Notifies the user of new pages: once for each, and not for those that existed when burnwatch was started.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::event::Effect;
use crate::config::settings::NotifySettings;
use crate::model::alert::Severity;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::IncidentStatus;
use crate::model::labels::Text;
use crate::model::notify::Notification;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::{IncidentView, World};

/// A flapping alert notifies at most this often.
const RENOTIFY_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// Most incidents and alerts remembered after they are gone.
const MAX_REMEMBERED: usize = 10_000;
const MAX_CHARACTERS: usize = 200;
/// Of several simultaneous pages, this many are named.
const MAX_NAMED: usize = 3;

/// Identifies an incident across sources: its id and when it was created.
type AlarmKey = (Text, Timestamp);

/// The incidents and alerts seen so far, and which of them have notified.
#[derive(Debug, Default)]
pub struct Alarm {
    pub notify_policy: NotifySettings,
    /// Sources whose incidents have been loaded.
    paging: BTreeSet<SourceId>,
    /// The sources whose on-call data identify the user.
    sources_with_me: BTreeSet<SourceId>,
    /// For each incident: whether it was assigned to the user when last seen, and whether it may still notify.
    incidents: BTreeMap<AlarmKey, (bool, bool)>,
    /// Sources whose alerts have been loaded.
    alerting: BTreeSet<SourceId>,
    /// For each critical alert: when it was last seen firing.
    alerts: HashMap<Fingerprint, Timestamp>,
    title: Option<String>,
}

impl Alarm {
    pub fn new(notify_policy: NotifySettings) -> Self {
        Self { notify_policy, ..Self::default() }
    }

    /// Starts again for another context: what its first answers contain does not notify.
    pub fn forget(&mut self) {
        let title = self.title.take();
        *self = Self { title, ..Self::new(self.notify_policy.clone()) };
    }
}

/// Whether answers of this kind can contain a page, or tell whom it is for.
pub fn can_contain_pages(kind: AskKind) -> bool {
    matches!(
        kind,
        AskKind::Alerts | AskKind::Rules | AskKind::Incidents | AskKind::Incident | AskKind::OnCall
    )
}

/// The data from which notifications are derived.
#[derive(Clone, Copy)]
pub struct AlarmInput<'a> {
    pub world: &'a World,
    pub sources: &'a [SourceInfo],
    pub context: &'a str,
}

/// The notifications and the terminal title that the newest answers require.
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

fn is_assigned_to_user(input: &AlarmInput<'_>, view: &IncidentView) -> bool {
    let assigned = &view.incident.assigned;
    assigned.iter().any(|stamp| view.sources.iter().any(|source| input.world.is_user(source, &stamp.who)))
}

/// Whether an incident waits for an acknowledgement and the user's settings ask for notifications about it.
fn waits(input: &AlarmInput<'_>, notify_policy: &NotifySettings, view: &IncidentView) -> bool {
    view.incident.status == IncidentStatus::Triggered
        && notify_policy.notifies(view.incident.urgency, is_assigned_to_user(input, view))
}

/// The texts of the incidents that notify now.
fn incidents(input: &AlarmInput<'_>, alarm: &mut Alarm) -> Vec<String> {
    let mut pages = Vec::new();
    let mut fresh = BTreeSet::new();
    for (source, cache) in input.world.sources() {
        if cache.incidents().value().is_some() && alarm.paging.insert(source.clone()) {
            fresh.insert(source.clone());
        }
    }
    // the identity of the user may arrive after the first incidents: then nothing has been newly assigned
    let with_user = input.world.on_call().filter(|(_, snapshot)| snapshot.me.is_some());
    let reported: BTreeSet<SourceId> = with_user.map(|(id, _)| id.clone()).collect();
    let new: BTreeSet<SourceId> = reported.difference(&alarm.sources_with_me).cloned().collect();
    let is_told_now = |known: &IncidentView| known.sources.iter().any(|source| new.contains(source));
    let mut known_now = Vec::new();
    for known in input.world.incidents() {
        let key = (known.incident.id.clone(), known.incident.created_at);
        let mine = is_assigned_to_user(input, known);
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
    alarm.sources_with_me.extend(reported);
    if alarm.incidents.len() > MAX_REMEMBERED {
        let here: BTreeSet<AlarmKey> =
            input.world.incidents().iter().map(|k| (k.incident.id.clone(), k.incident.created_at)).collect();
        alarm.incidents.retain(|key, _| here.contains(key));
    }
    pages
}

fn sentence(view: &IncidentView) -> String {
    let incident = &view.incident;
    let service = view.service.as_ref().or(incident.service.as_ref().map(|service| &service.name));
    let service = service.map(|name| format!(" ({name})")).unwrap_or_default();
    format!("#{} {}{service}", incident.number, incident.subject())
}

/// The texts of the critical alerts that notify now; empty if a paging system is configured, which pages itself.
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

/// The notification for these pages; None if there are none, in quiet hours, or if notifications are switched off.
fn notice(
    input: &AlarmInput<'_>,
    notify_policy: &NotifySettings,
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

/// The text on one line, shortened and without control characters, so that no terminal interprets it.
fn plain(text: &str) -> String {
    let text = crate::model::text::clean(text);
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(MAX_CHARACTERS).collect();
    if text.chars().count() > MAX_CHARACTERS {
        short.push_str("...");
    }
    short
}

/// The terminal title: context, and the number of pages that wait for an acknowledgement.
fn title(input: &AlarmInput<'_>, alarm: &Alarm) -> String {
    let waiting =
        input.world.incidents().iter().filter(|known| waits(input, &alarm.notify_policy, known)).count();
    let mark = if waiting > 0 { format!("({waiting}!) ") } else { String::new() };
    plain(&format!("{mark}burnwatch {}", input.context))
}

#[cfg(test)]
mod tests;
