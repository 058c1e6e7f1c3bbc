//! What the person at the keyboard has done to the demo world: kept in memory, and laid over what the story tells.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::action::{Action, Deed, Draft, Found};
use crate::model::incident::{Incident, IncidentStatus, Note, Pending, Person, Priority, Stamp, Step};
use crate::model::labels::{Labels, Text};
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;

use super::noise::mix_text;
use super::paging::{Paging, named};

/// How long nobody answers before the next level is woken.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// All sources of a demo have one.
pub(super) type Shared = Arc<Mutex<Done>>;

/// What was done so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Done {
    /// To incidents, oldest first.
    log: Vec<Entry>,
    /// Made, extended or expired here; in place of the story's with the same id.
    silences: Vec<Silence>,
    /// Taken over, oldest first.
    pub(super) stood_in: Vec<StoodIn>,
    changes: u64,
}

/// One thing that was done to an incident.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) action: Action,
    /// The incident, also one that it made.
    pub(super) id: Text,
    /// Whether the story's people had it before.
    pub(super) was_taken: bool,
}

/// A stretch of a rotation that somebody took over.
#[derive(Debug, Clone)]
pub(super) struct StoodIn {
    pub(super) rotation: Text,
    pub(super) person: Person,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Whoever was woken before was woken.
    pub(super) made_at: Timestamp,
}

/// An incident with all that was done to it.
pub(super) struct Told {
    pub(super) incident: Incident,
    pub(super) steps: Vec<Step>,
    pub(super) notes: Vec<Note>,
}

/// What is done so far, as it is now.
pub(super) fn so_far(shared: &Shared) -> Done {
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Adds to it.
pub(super) fn add<T>(shared: &Shared, change: impl FnOnce(&mut Done) -> T) -> T {
    let mut done = shared.lock().unwrap_or_else(PoisonError::into_inner);
    done.changes += 1;
    change(&mut done)
}

impl Done {
    /// Recognises whether anything was done meanwhile.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.log.push(entry);
    }

    /// What opened incidents.
    pub(super) fn opened(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| matches!(entry.action.deed, Deed::Trigger { .. }))
    }

    /// Who has taken over by a moment.
    pub(super) fn stood_in_by(&self, at: Timestamp) -> Vec<StoodIn> {
        self.stood_in.iter().filter(|stood_in| stood_in.made_at <= at).cloned().collect()
    }

    pub(super) fn make_silence(&mut self, draft: &Draft, now: Timestamp, source: &SourceId) -> Text {
        let key = mix_text(now.as_millisecond().cast_unsigned() ^ self.changes, &draft.comment);
        let id: Text = format!("{:08x}-{:04x}-4000-a000-{:012x}", key >> 32, key & 0xffff, key >> 16).into();
        self.silences.push(Silence {
            id: Arc::clone(&id),
            state: SilenceState::Active,
            matchers: draft.matchers.clone(),
            starts_at: draft.starts_at.unwrap_or(now),
            ends_at: draft.ends_at,
            created_by: Arc::clone(&draft.created_by),
            comment: Arc::clone(&draft.comment),
            annotations: Labels::default(),
            updated_at: Some(now),
            source: source.clone(),
        });
        id
    }

    /// Gives a silence another end.
    pub(super) fn end_silence(&mut self, silence: &Silence, ends_at: Timestamp) {
        self.silences.retain(|known| known.id != silence.id);
        self.silences.push(Silence { ends_at, ..silence.clone() });
    }

    /// A silence that was touched here, also one that is over.
    pub(super) fn touched(&self, id: &str) -> Option<&Silence> {
        self.silences.iter().find(|silence| *silence.id == *id)
    }

    /// Whether this was done since then.
    pub(super) fn trace(&self, action: &Action, since: Timestamp, now: Timestamp) -> Found {
        let id = &action.target.id;
        let (is_done, made) = match &action.deed {
            Deed::Silence(draft) | Deed::Edit { draft, .. } => {
                let is_it = |silence: &&Silence| {
                    silence.starts_at >= since
                        && silence.matchers == draft.matchers
                        && silence.comment == draft.comment
                };
                let found = self.silences.iter().find(is_it);
                (found.is_some(), found.map(|silence| Arc::clone(&silence.id)))
            }
            Deed::Extend { until } => {
                (self.touched(id).is_some_and(|silence| silence.ends_at == *until), None)
            }
            Deed::Expire => {
                // whoever makes one end now gives it that end
                let is_over = |silence: &Silence| (since..=now).contains(&silence.ends_at);
                (self.touched(id).is_some_and(is_over), None)
            }
            Deed::TakeShift { person, start, end } => {
                let is_it = |stood_in: &StoodIn| {
                    stood_in.made_at >= since
                        && (&stood_in.rotation, &stood_in.person.id) == (id, &person.id)
                        && (stood_in.start, stood_in.end) == (*start, *end)
                };
                (self.stood_in.iter().any(is_it), None)
            }
            deed => {
                let is_it = |entry: &&Entry| {
                    entry.at >= since && entry.action.target.id == *id && entry.action.deed == *deed
                };
                let found = self.log.iter().find(is_it);
                let made = found.filter(|_| matches!(deed, Deed::Trigger { .. }));
                (found.is_some(), made.map(|entry| Arc::clone(&entry.id)))
            }
        };
        if is_done { Found::Done { id: made } } else { Found::NotDone }
    }

    /// The story's silences and those of here.
    pub(super) fn silences(&self, told: Vec<Silence>, now: Timestamp) -> Vec<Silence> {
        let mut all: Vec<Silence> =
            told.into_iter().filter(|silence| self.touched(&silence.id).is_none()).collect();
        all.extend(self.silences.iter().map(|silence| {
            let state = match silence {
                over if over.ends_at <= now => SilenceState::Expired,
                to_come if to_come.starts_at > now => SilenceState::Pending,
                _ => SilenceState::Active,
            };
            Silence { state, ..silence.clone() }
        }));
        all
    }

    /// Lays over an incident what was done to it; `steps` and `notes` tell what the story says of it.
    pub(super) fn over(
        &self,
        mut incident: Incident,
        paging: &Paging,
        now: Timestamp,
        story: impl Fn(&Incident) -> (Vec<Step>, Vec<Note>),
    ) -> Told {
        let its = |entry: &&Entry| match &entry.action.deed {
            Deed::Merge { into } if into.id == incident.id => true,
            _ => entry.id == incident.id,
        };
        let log: Vec<&Entry> = self.log.iter().filter(its).collect();
        let ended = incident.resolved_at;
        let is_touched = |entry: &&&Entry| {
            matches!(entry.action.deed, Deed::Acknowledge | Deed::Resolve | Deed::Snooze { .. })
        };
        if log.iter().find(is_touched).is_some_and(|first| !first.was_taken) {
            // the story's people came too late
            incident.acknowledged.clear();
        }
        let was_ended_here = |entry: &&Entry| {
            entry.id == incident.id && matches!(entry.action.deed, Deed::Resolve | Deed::Merge { .. })
        };
        let ended = if log.iter().any(was_ended_here) { None } else { ended };
        incident.resolved_at = ended;
        let (mut steps, mut notes) = story(&incident);
        if !log.is_empty() && ended.is_none() && incident.status == IncidentStatus::Resolved {
            incident.status = IncidentStatus::Triggered;
        }
        for entry in log {
            apply(&mut incident, entry, paging, self, now, &mut steps, &mut notes);
        }
        if let Some(at) = ended {
            incident.status = IncidentStatus::Resolved;
            incident.changed_at = incident.changed_at.max(at);
            incident.pending.clear();
        }
        incident.pending.retain(|pending| pending.at > now);
        incident.assigned.sort_by_key(|stamp| stamp.at);
        steps.sort_by_key(|step| step.at);
        notes.sort_by_key(|note| note.at);
        Told { incident, steps, notes }
    }
}

fn apply(
    incident: &mut Incident,
    entry: &Entry,
    paging: &Paging,
    done: &Done,
    now: Timestamp,
    steps: &mut Vec<Step>,
    notes: &mut Vec<Note>,
) {
    let at = entry.at;
    let me = paging.me();
    let mut tell = |at: Timestamp, kind: &str, who: &Text, summary: String| {
        let (kind, channel) = (kind.into(), Some("api".into()));
        steps.push(Step { at, kind, who: Some(Arc::clone(who)), channel, summary: summary.into() });
    };
    let name = &me.name;
    match &entry.action.deed {
        Deed::Acknowledge => {
            take(incident, &me, at);
            tell(at, "acknowledge", name, format!("Acknowledged by {name}"));
        }
        Deed::Resolve => {
            end(incident, at);
            tell(at, "resolve", name, format!("Resolved by {name}"));
        }
        Deed::Assign { to } => {
            wake(incident, vec![paging.person_or(to)], at);
            tell(at, "assign", name, format!("Assigned to {} by {name}", to.name));
        }
        Deed::Reroute { policy } => {
            incident.escalation_policy = Some(named(&policy.id, &policy.name));
            wake(incident, paging.on_level(&policy.id, 1, at, &done.stood_in_by(at)), at);
            tell(at, "assign", name, format!("Handed to {} by {name}", policy.name));
        }
        Deed::Escalate { level } => {
            let policy = incident.escalation_policy.as_ref().map(|policy| Arc::clone(&policy.id));
            let stood_in = done.stood_in_by(at);
            wake(incident, paging.on_level(&policy.unwrap_or_default(), *level, at, &stood_in), at);
            tell(at, "escalate", name, format!("Escalated to level {level} by {name}"));
        }
        Deed::Snooze { rest } => {
            let until = at.saturating_add(SignedDuration::try_from(*rest).unwrap_or(SignedDuration::MAX));
            let until = until.unwrap_or(Timestamp::MAX);
            take(incident, &me, at);
            tell(at, "snooze", name, format!("Snoozed by {name} for {} minutes", rest.as_secs() / 60));
            if until > now {
                incident.pending = vec![Pending { what: "unacknowledge".into(), at: until }];
            } else {
                let people = incident.assigned.iter().map(|stamp| stamp.who.clone()).collect();
                wake(incident, people, until);
                tell(until, "unacknowledge", name, "Triggered again: the snooze is over".into());
            }
        }
        Deed::Note { content } => {
            notes.push(Note { at, who: Arc::clone(name), content: Arc::clone(content) });
            tell(at, "annotate", name, format!("Note by {name}"));
        }
        Deed::Priority { priority } => {
            incident.priority = priority.as_ref().map(|to| Priority {
                named: named(&to.id, &to.name),
                rank: to.name.trim_start_matches('P').parse().ok(),
            });
            let to = priority.as_ref().map_or("none", |to| &*to.name);
            tell(at, "priority_change", name, format!("Priority set to {to} by {name}"));
        }
        Deed::Merge { into } if into.id == incident.id => {
            incident.alerts.all += 1;
            tell(at, "merge", name, format!("{} was merged into it by {name}", entry.action.target.name));
        }
        Deed::Merge { into } => {
            end(incident, at);
            incident.alerts.all = 0;
            tell(at, "merge", name, format!("Merged into {} by {name}", into.name));
        }
        Deed::AddResponder { people, message } => {
            for person in people {
                tell(
                    at,
                    "responder_request",
                    name,
                    format!("{name} asked {} for help: {message}", person.name),
                );
            }
        }
        Deed::StatusUpdate { message } => {
            tell(at, "status_update", name, format!("Status update by {name}: {message}"));
        }
        Deed::Trigger { .. }
        | Deed::TakeShift { .. }
        | Deed::Silence(_)
        | Deed::Edit { .. }
        | Deed::Extend { .. }
        | Deed::Expire => {}
    }
}

/// It is this person's now.
fn take(incident: &mut Incident, me: &Person, at: Timestamp) {
    incident.status = IncidentStatus::Acknowledged;
    incident.changed_at = at;
    incident.pending.clear();
    for stamps in [&mut incident.acknowledged, &mut incident.assigned] {
        stamps.retain(|stamp| stamp.who.id != me.id);
        stamps.push(Stamp { who: me.clone(), at });
    }
}

fn end(incident: &mut Incident, at: Timestamp) {
    incident.status = IncidentStatus::Resolved;
    incident.changed_at = at;
    incident.resolved_at = Some(at);
    incident.alerts.triggered = 0;
    incident.pending.clear();
}

/// Somebody else is woken.
fn wake(incident: &mut Incident, people: Vec<Person>, at: Timestamp) {
    incident.status = IncidentStatus::Triggered;
    incident.changed_at = at;
    incident.acknowledged.clear();
    incident.assigned = people.into_iter().map(|who| Stamp { who, at }).collect();
    let next = at.checked_add(PATIENCE).ok();
    incident.pending = next.map(|at| Pending { what: "escalate".into(), at }).into_iter().collect();
}

/// When somebody opened it, and that people were woken.
pub(super) fn opening(entry: &Entry, incident: &Incident, paging: &Paging) -> Vec<Step> {
    let me = paging.me().name;
    let channel = Some(Text::from("api"));
    let mut steps = vec![Step {
        at: entry.at,
        kind: "trigger".into(),
        summary: format!("Opened by {me}").into(),
        who: Some(me),
        channel,
    }];
    steps.extend(incident.assigned.iter().map(|stamp| Step {
        at: stamp.at.checked_add(5.seconds()).unwrap_or(stamp.at),
        kind: "notify".into(),
        who: Some(Arc::clone(&stamp.who.name)),
        channel: Some("push".into()),
        summary: format!("{} was notified by push", stamp.who.name).into(),
    }));
    steps
}
