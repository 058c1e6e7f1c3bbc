//! The texts of an incident, used by every screen that shows one.

use crate::app::prelude::*;
use crate::model::incident::{IncidentEvent, IncidentStatus, Person, Urgency};

/// The role of an incident: by urgency while it is triggered; stale if it was acknowledged long ago and may be forgotten.
pub fn role(view: &IncidentView, now: Timestamp) -> Role {
    match (view.incident.status, view.incident.urgency) {
        (IncidentStatus::Triggered, Urgency::High) => Role::Critical,
        (IncidentStatus::Triggered, Urgency::Low) => Role::Warning,
        (IncidentStatus::Acknowledged, _) if view.is_acknowledgement_old(now) => Role::Stale,
        (IncidentStatus::Acknowledged, _) => Role::Pending,
        (IncidentStatus::Resolved, _) => Role::Resolved,
    }
}

/// A person's name, followed by "(you)" for the user.
pub fn name(shared: &Shared, source: &SourceId, person: &Person) -> String {
    let you = if shared.world.is_user(source, person) { " (you)" } else { "" };
    format!("{}{you}", person.name)
}

/// The progress of a running action on the incident, if there is one: `…sending`.
pub fn sending(view: &IncidentView, cx: &Cx<'_>) -> Option<String> {
    let optimistic = view.optimistic?;
    Some(format!("{}{}", text::ellipsis(cx.charset), optimistic.stage.word()))
}

/// Who has the incident: who acknowledged it and when, else who was paged, else "nobody" in the role for down.
pub fn who(cx: &ScreenCx<'_>, view: &IncidentView) -> StyledRun<'static> {
    let incident = &view.incident;
    let holders = view.holders();
    let Some(first) = holders.first() else {
        return match incident.status {
            IncidentStatus::Triggered => StyledRun::new("nobody", Role::Down),
            IncidentStatus::Acknowledged => StyledRun::new("somebody", Role::Text),
            IncidentStatus::Resolved => StyledRun::new("-", Role::Muted),
        };
    };
    let more = if holders.len() > 1 { format!(" +{}", holders.len() - 1) } else { String::new() };
    let names = format!("{}{more}", name(cx.shared, &incident.source, first));
    match view.acknowledged_at() {
        Some(at) if view.is_acknowledgement_old(cx.now) => {
            StyledRun::new(format!("{names}, {} ago!", ago(at, cx.now)), Role::Stale)
        }
        Some(at) => StyledRun::new(format!("{names}, {}", ago(at, cx.now)), Role::Text),
        None if incident.status == IncidentStatus::Triggered => {
            StyledRun::new(format!("paged: {names}"), Role::Text)
        }
        None => StyledRun::new(names, Role::Muted),
    }
}

/// Priority and urgency: `P1 high`.
pub fn priority_and_urgency(view: &IncidentView) -> String {
    let incident = &view.incident;
    match &incident.priority {
        Some(priority) => format!("{} {}", priority.named.name, incident.urgency.word()),
        None => incident.urgency.word().to_owned(),
    }
}

/// A one-line summary. The important parts come first, because the end may be cut off.
pub fn line(cx: &ScreenCx<'_>, view: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &view.incident;
    let role = role(view, cx.now);
    let who = who(cx, view);
    let sending = sending(view, cx).map_or_else(String::new, |sending| format!("{sending} "));
    vec![
        StyledRun::new(format!("{} #{} {} ", cx.symbol(role), incident.number, incident.status.word()), role),
        StyledRun::new(sending, Role::Sending),
        StyledRun::new(format!("{}  ", priority_and_urgency(view)), Role::Text),
        StyledRun::new(format!("{}  ", who.text), who.role),
        StyledRun::new(incident.subject().to_owned(), Role::Text),
    ]
}

/// What the paging system will do automatically: "escalates in 12m".
pub fn pending(what: &str, at: Timestamp, now: Timestamp) -> String {
    let does = match what {
        "escalate" => "escalates",
        "unacknowledge" => "acknowledgement expires",
        "resolve" => "resolves automatically",
        other => other,
    };
    let left = age(now, at).as_secs().div_ceil(60);
    if left == 0 {
        return format!("{does} now");
    }
    format!("{does} in {}", duration::short(Duration::from_secs(left * 60)))
}

/// The text of a log entry, with the person and the channel if the paging system's summary does not name them.
pub fn sentence(step: &IncidentEvent) -> String {
    let mut said = if step.summary.is_empty() { step.kind.to_string() } else { step.summary.to_string() };
    if let Some(who) = step.who.as_ref().filter(|who| !said.contains(&***who)) {
        said = format!("{said} ({who})");
    }
    if let Some(channel) = step.channel.as_ref().filter(|channel| !said.contains(&***channel)) {
        said = format!("{said}, by {channel}");
    }
    said
}
