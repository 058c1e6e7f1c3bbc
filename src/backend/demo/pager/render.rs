//! Renders the state of the paging system in PagerDuty's JSON shapes.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::demo::actions_done::{ActionsDone, IncidentWithActions};
use crate::backend::demo::paging::TakenShift;
use crate::backend::demo::paging::{DemoShift, PagingFixture};
use crate::model::action::Operation;
use crate::model::incident::{Attribution, Incident, IncidentEvent, Note, PagerRef, Person};
use crate::model::oncall::{EscalationLevel, EscalationPolicy, EscalationTarget, Shift};

/// A reference to an object.
pub(super) fn thing(kind: &str, named: &PagerRef) -> Value {
    object(&format!("{kind}_reference"), named, json!({}))
}

/// A complete object with these fields besides the common ones.
fn object(kind: &str, PagerRef { id, name, url }: &PagerRef, fields: Value) -> Value {
    let common =
        json!({ "id": &**id, "type": kind, "summary": &**name, "name": &**name, "html_url": url.as_deref() });
    joined(common, fields)
}

/// An object with the fields of both.
fn joined(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// A reference to a user.
fn somebody(person: &Person) -> Value {
    json!({ "id": &*person.id, "type": "user_reference", "summary": &*person.name, "html_url": page_of(person) })
}

fn page_of(person: &Person) -> String {
    format!("https://pager.shop.example/users/{}", person.id)
}

/// A complete user object.
pub(super) fn user(person: &Person) -> Value {
    json!({
        "id": &*person.id,
        "type": "user",
        "summary": &*person.name,
        "name": &*person.name,
        "email": person.email.as_deref(),
        "time_zone": person.zone.as_deref(),
        "role": "user",
        "html_url": page_of(person),
    })
}

/// A reference to the user with this name.
fn called(name: &str, paging: &PagingFixture) -> Value {
    let known = paging.people().find(|person| *person.name == *name);
    known.map_or_else(|| json!({ "type": "user_reference", "summary": name }), |person| somebody(&person))
}

/// An incident. Unlike PagerDuty, it still contains assignments and acknowledgements after it was resolved.
pub(super) fn incident(reported: &IncidentWithActions, paging: &PagingFixture, done: &ActionsDone) -> Value {
    let IncidentWithActions { incident, steps, sent, .. } = reported;
    let reference = |kind: &str, named: Option<&PagerRef>| named.map(|named| thing(kind, named));
    let stamps = |key: &str, stamps: &[Attribution]| -> Vec<Value> {
        stamps.iter().map(|stamp| json!({ "at": stamp.at.to_string(), key: somebody(&stamp.who) })).collect()
    };
    let changes = ["trigger", "acknowledge", "resolve", "merge", "snooze", "assign", "escalate"];
    let last = steps.iter().rev().find(|step| changes.contains(&&*step.kind));
    let by = last.and_then(|step| step.who.as_deref()).map(|name| called(name, paging));
    let service = reference("service", incident.service.as_ref());
    let pending = incident
        .pending
        .iter()
        .map(|pending| json!({ "type": &*pending.what, "at": pending.at.to_string() }));
    let asked = done.log.iter().filter(|entry| entry.id == incident.id).filter_map(|entry| {
        let Operation::AddResponder { message, .. } = &entry.operation else { return None };
        Some(json!({
            "requester": somebody(&paging.me()), "requested_at": entry.at.to_string(), "message": &**message,
        }))
    });
    let trigger = sent.as_ref().map(|sent| {
        json!({
            "id": format!("{}L1", incident.id),
            "type": "trigger_log_entry",
            "channel": { "type": "api", "details": sent.details() },
        })
    });
    let alerts = &incident.alerts;
    json!({
        "id": &*incident.id,
        "type": "incident",
        "incident_number": incident.number,
        "title": &*incident.title,
        "summary": format!("[#{}] {}", incident.number, incident.title),
        "status": incident.status.word(),
        "urgency": incident.urgency.word(),
        "priority": reference("priority", incident.priority.as_ref().map(|priority| &priority.named)),
        "service": service.clone(),
        "escalation_policy": reference("escalation_policy", incident.escalation_policy.as_ref()),
        "teams": incident.teams.iter().map(|team| thing("team", team)).collect::<Vec<_>>(),
        "assignments": stamps("assignee", &incident.assigned),
        "acknowledgements": stamps("acknowledger", &incident.acknowledged),
        "alert_counts": {
            "all": alerts.all, "triggered": alerts.triggered, "resolved": alerts.all.saturating_sub(alerts.triggered),
        },
        "pending_actions": pending.collect::<Vec<_>>(),
        "created_at": incident.created_at.to_string(),
        "updated_at": incident.changed_at.to_string(),
        "last_status_change_at": incident.changed_at.to_string(),
        "last_status_change_by": by.or(service),
        "responder_requests": asked.collect::<Vec<_>>(),
        "resolved_at": incident.resolved_at.map(|at| at.to_string()),
        "incident_key": incident.key.as_deref(),
        "conference_bridge": null,
        "first_trigger_log_entry": trigger,
        "html_url": incident.url.as_deref(),
    })
}

/// A log entry.
pub(super) fn step(step: &IncidentEvent, number: u32, incident: &Incident, paging: &PagingFixture) -> Value {
    let channel = step.channel.as_deref().unwrap_or("auto");
    let who = step.who.as_deref().map(|name| called(name, paging));
    let entry = json!({
        "id": format!("{}L{number}", incident.id),
        "type": format!("{}_log_entry", step.kind),
        "summary": &*step.summary,
        "created_at": step.at.to_string(),
        "incident": { "id": &*incident.id, "type": "incident_reference", "summary": &*incident.title },
        "service": incident.service.as_ref().map(|service| thing("service", service)),
    });
    let more = if &*step.kind == "notify" {
        json!({ "user": who, "channel": { "type": "auto", "notification": { "type": channel } } })
    } else {
        json!({ "agent": who, "channel": { "type": channel } })
    };
    joined(entry, more)
}

pub(super) fn note(note: &Note, paging: &PagingFixture) -> Value {
    let at = note.at.to_string();
    json!({ "id": format!("N{}", note.at.as_millisecond()), "content": &*note.content, "created_at": at,
        "user": called(&note.who, paging) })
}

pub(super) fn policy(policy: &EscalationPolicy) -> Value {
    let all = |kind: &str, list: &[PagerRef]| list.iter().map(|named| thing(kind, named)).collect::<Vec<_>>();
    let target = |target: &EscalationTarget| match target {
        EscalationTarget::Person(person) => somebody(person),
        EscalationTarget::Schedule(schedule) => thing("schedule", schedule),
    };
    let rule = |level: &EscalationLevel| {
        json!({
            "id": format!("{}{}", policy.named.id, level.number),
            "escalation_delay_in_minutes": level.delay.as_secs() / 60,
            "targets": level.targets.iter().map(target).collect::<Vec<_>>(),
        })
    };
    let fields = json!({
        "teams": all("team", &policy.teams),
        "services": all("service", &policy.services),
        "num_loops": policy.repeats,
        "escalation_rules": policy.levels.iter().map(rule).collect::<Vec<_>>(),
    });
    object("escalation_policy", &policy.named, fields)
}

/// An on-call shift.
pub(super) fn turn(turn: &Shift, policies: &[EscalationPolicy]) -> Value {
    let policy = policies.iter().find(|policy| policy.named.id == turn.policy);
    json!({
        "user": user(&turn.person),
        "schedule": turn.schedule.as_ref().map(|schedule| thing("schedule", schedule)),
        "escalation_policy": policy.map(|policy| thing("escalation_policy", &policy.named)),
        "escalation_level": turn.level,
        "start": turn.start.map(|at| at.to_string()),
        "end": turn.end.map(|at| at.to_string()),
    })
}

/// A schedule with its overrides, cut at the ends of the requested range.
pub(super) fn schedule(
    rotation: &PagerRef,
    turns: &[DemoShift],
    (from, until): (Timestamp, Timestamp),
) -> Value {
    let entries = turns.iter().map(|(person, start, end)| {
        let (start, end) = (*start.max(&from), *end.min(&until));
        json!({ "user": somebody(person), "start": start.to_string(), "end": end.to_string() })
    });
    let overrides = json!({ "name": "Overrides", "rendered_schedule_entries": entries.collect::<Vec<_>>() });
    object("schedule", rotation, json!({ "overrides_subschedule": overrides }))
}

pub(super) fn taken_shifts(taken: &TakenShift) -> Value {
    json!({
        "id": format!("O{}", taken.made_at.as_millisecond()),
        "start": taken.start.to_string(),
        "end": taken.end.to_string(),
        "user": somebody(&taken.person),
    })
}
