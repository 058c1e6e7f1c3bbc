//! The actions of the user at the simulated paging system: kept in memory and applied to the incidents of the scenario.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::action::{EntityRef, Operation};
use crate::model::incident::{
    Attribution, Incident, IncidentEvent, IncidentStatus, Note, Pending, Person, Priority,
};
use crate::model::labels::Text;

use super::paging::{PagingFixture, TakenShift, named};
use super::payload::SentAlert;

/// The escalation delay of the demo's policies.
const ESCALATION_DELAY: SignedDuration = SignedDuration::from_mins(15);

#[derive(Debug, Clone, Default)]
pub(super) struct ActionsDone {
    /// Operations on incidents, oldest first.
    pub(super) log: Vec<IncidentAction>,
    /// Taken shifts, oldest first.
    pub(super) taken_shifts: Vec<TakenShift>,
}

/// One operation on an incident.
#[derive(Debug, Clone)]
pub(super) struct IncidentAction {
    pub(super) at: Timestamp,
    pub(super) operation: Operation,
    /// The incident, also one that the operation created.
    pub(super) id: Text,
    /// The target: the incident, or the service for which the incident was created.
    pub(super) target: EntityRef,
    /// Whether the scenario had acknowledged or resolved it before.
    pub(super) was_taken: bool,
}

/// An incident with the user's operations applied.
pub(super) struct IncidentWithActions {
    pub(super) incident: Incident,
    pub(super) steps: Vec<IncidentEvent>,
    pub(super) notes: Vec<Note>,
    /// The alert that triggered it, if there is one.
    pub(super) sent: Option<SentAlert>,
}

impl ActionsDone {
    /// The operations that created incidents.
    pub(super) fn opened(&self) -> impl Iterator<Item = &IncidentAction> {
        self.log.iter().filter(|entry| matches!(entry.operation, Operation::Trigger { .. }))
    }

    /// The shifts that were taken until this time.
    pub(super) fn taken_shifts_by(&self, at: Timestamp) -> Vec<TakenShift> {
        self.taken_shifts.iter().filter(|shift| shift.made_at <= at).cloned().collect()
    }

    /// Applies the user's operations to an incident of the scenario; `story` returns the scenario's timeline and notes of it.
    pub(super) fn over(
        &self,
        mut incident: Incident,
        paging: &PagingFixture,
        now: Timestamp,
        story: impl Fn(&Incident) -> (Vec<IncidentEvent>, Vec<Note>),
    ) -> IncidentWithActions {
        let its = |entry: &&IncidentAction| match &entry.operation {
            Operation::Merge { into } if into.id == incident.id => true,
            _ => entry.id == incident.id,
        };
        let log: Vec<&IncidentAction> = self.log.iter().filter(its).collect();
        let ended = incident.resolved_at;
        let is_touched = |entry: &&&IncidentAction| {
            matches!(entry.operation, Operation::Acknowledge | Operation::Resolve | Operation::Snooze { .. })
        };
        if log.iter().find(is_touched).is_some_and(|first| !first.was_taken) {
            // the user acknowledged it before the people of the scenario
            incident.acknowledged.clear();
        }
        let was_ended_here = |entry: &&IncidentAction| {
            entry.id == incident.id && matches!(entry.operation, Operation::Resolve | Operation::Merge { .. })
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
        IncidentWithActions { incident, steps, notes, sent: None }
    }
}

fn apply(
    incident: &mut Incident,
    entry: &IncidentAction,
    paging: &PagingFixture,
    done: &ActionsDone,
    now: Timestamp,
    steps: &mut Vec<IncidentEvent>,
    notes: &mut Vec<Note>,
) {
    let at = entry.at;
    let me = paging.me();
    let mut tell = |at: Timestamp, kind: &str, who: &Text, summary: String| {
        steps.push(event(at, kind, Some(who), "api", summary));
    };
    let name = &me.name;
    match &entry.operation {
        Operation::Acknowledge => {
            take(incident, &me, at);
            tell(at, "acknowledge", name, format!("Acknowledged by {name}"));
        }
        Operation::Resolve => {
            end(incident, at);
            tell(at, "resolve", name, format!("Resolved by {name}"));
        }
        Operation::Assign { to } => {
            page_people(incident, [paging.person_or(to)], at);
            tell(at, "assign", name, format!("Assigned to {} by {name}", to.name));
        }
        Operation::Reroute { policy } => {
            incident.escalation_policy = Some(named(&policy.id, &policy.name));
            page_people(incident, paging.on_call(&policy.id, Some(1), at, &done.taken_shifts_by(at)), at);
            tell(at, "assign", name, format!("Handed to {} by {name}", policy.name));
        }
        Operation::Escalate { level } => {
            let policy = incident.escalation_policy.as_ref().map_or("", |policy| &policy.id);
            let person = paging.on_call(policy, Some(*level), at, &done.taken_shifts_by(at));
            page_people(incident, person, at);
            tell(at, "escalate", name, format!("Escalated to level {level} by {name}"));
        }
        Operation::Snooze { rest } => {
            let until = at.saturating_add(*rest).unwrap_or(Timestamp::MAX);
            take(incident, &me, at);
            tell(at, "snooze", name, format!("Snoozed by {name} for {} minutes", rest.as_secs() / 60));
            if until > now {
                incident.pending = vec![Pending { what: "unacknowledge".into(), at: until }];
            } else {
                let assigned = std::mem::take(&mut incident.assigned);
                page_people(incident, assigned.into_iter().map(|stamp| stamp.who), until);
                tell(until, "unacknowledge", name, "Triggered again: the snooze is over".into());
            }
        }
        Operation::Note { content } => {
            notes.push(Note { at, who: Arc::clone(name), content: Arc::clone(content) });
            tell(at, "annotate", name, format!("Note by {name}"));
        }
        Operation::Priority { priority } => {
            incident.priority = priority.as_ref().map(|to| Priority {
                named: named(&to.id, &to.name),
                rank: to.name.trim_start_matches('P').parse().ok(),
            });
            let to = priority.as_ref().map_or("none", |to| &*to.name);
            tell(at, "priority_change", name, format!("Priority set to {to} by {name}"));
        }
        Operation::Merge { into } if into.id == incident.id => {
            incident.alerts.all += 1;
            tell(at, "merge", name, format!("{} was merged into it by {name}", entry.target.name));
        }
        Operation::Merge { into } => {
            end(incident, at);
            incident.alerts.all = 0;
            tell(at, "merge", name, format!("Merged into {} by {name}", into.name));
        }
        Operation::AddResponder { people, message } => {
            for person in people {
                let summary = format!("{name} asked {} for help: {message}", person.name);
                tell(at, "responder_request", name, summary);
            }
        }
        Operation::StatusUpdate { message } => {
            tell(at, "status_update", name, format!("Status update by {name}: {message}"));
        }
        Operation::Trigger { .. }
        | Operation::TakeShift { .. }
        | Operation::Silence { .. }
        | Operation::Edit { .. }
        | Operation::Extend { .. }
        | Operation::Expire => {}
    }
}

/// Assigns the incident to this person only.
fn take(incident: &mut Incident, me: &Person, at: Timestamp) {
    incident.status = IncidentStatus::Acknowledged;
    incident.changed_at = at;
    incident.pending.clear();
    for stamps in [&mut incident.acknowledged, &mut incident.assigned] {
        stamps.retain(|stamp| stamp.who.id != me.id);
        stamps.push(Attribution { who: me.clone(), at });
    }
}

fn end(incident: &mut Incident, at: Timestamp) {
    incident.status = IncidentStatus::Resolved;
    incident.changed_at = at;
    incident.resolved_at = Some(at);
    incident.alerts.triggered = 0;
    incident.pending.clear();
}

/// Pages other people.
fn page_people(incident: &mut Incident, people: impl IntoIterator<Item = Person>, at: Timestamp) {
    incident.status = IncidentStatus::Triggered;
    incident.changed_at = at;
    incident.acknowledged.clear();
    incident.assigned = people.into_iter().map(|who| Attribution { who, at }).collect();
    incident.pending = escalation(at);
}

/// The escalation of an incident that is not acknowledged after it paged somebody at this time.
pub(super) fn escalation(at: Timestamp) -> Vec<Pending> {
    let next = at.checked_add(ESCALATION_DELAY).ok();
    next.map(|at| Pending { what: "escalate".into(), at }).into_iter().collect()
}

/// A timeline entry; `channel` is how it came about.
pub(super) fn event(
    at: Timestamp,
    kind: &str,
    who: Option<&Text>,
    channel: &str,
    summary: String,
) -> IncidentEvent {
    let (who, channel) = (who.map(Arc::clone), Some(channel.into()));
    IncidentEvent { at, kind: kind.into(), who, channel, summary: summary.into() }
}

/// The timeline entries of a new incident: trigger and notification.
pub(super) fn opening(
    incident: &Incident,
    (who, channel, summary): (Option<&Text>, &str, String),
) -> Vec<IncidentEvent> {
    let trigger = event(incident.created_at, "trigger", who, channel, summary);
    let notified = incident.assigned.iter().map(|stamp| {
        let (at, name) = (stamp.at.checked_add(5.seconds()).unwrap_or(stamp.at), &stamp.who.name);
        event(at, "notify", Some(name), "push", format!("{name} was notified by push"))
    });
    std::iter::once(trigger).chain(notified).collect()
}
