//! How an incident is told in words, on every screen that names it.

use std::time::Duration;

use jiff::Timestamp;

use crate::app::look::Cx;
use crate::app::number::ago;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};
use crate::model::duration;
use crate::model::incident::{IncidentStatus, Person, Urgency};
use crate::model::remote::age;
use crate::model::source::SourceId;
use crate::model::world::Linked;

/// How it looks: by its urgency while nobody has it, and as something old once it may have been forgotten.
pub fn role(known: &Linked, now: Timestamp) -> Role {
    match (known.incident.status, known.incident.urgency) {
        (IncidentStatus::Triggered, Urgency::High) => Role::Critical,
        (IncidentStatus::Triggered, Urgency::Low) => Role::Warning,
        (IncidentStatus::Acknowledged, _) if known.is_forgotten(now) => Role::Stale,
        (IncidentStatus::Acknowledged, _) => Role::Pending,
        (IncidentStatus::Resolved, _) => Role::Resolved,
    }
}

/// A person's name; the one at the keyboard is marked.
pub fn name(shared: &Shared, source: &SourceId, person: &Person) -> String {
    let you = if shared.world.is_me(source, person) { " (you)" } else { "" };
    format!("{}{you}", person.name)
}

/// What is on its way for it, if anything is: `…sending`.
pub fn sending(known: &Linked, cx: &Cx<'_>) -> Option<String> {
    let supposed = known.supposed?;
    Some(format!("{}{}", text::ellipsis(cx.charset), supposed.stage.word()))
}

/// Who has it: those who are on it and since when, those who were woken, or loudly that it is nobody.
pub fn who(shared: &Shared, known: &Linked, now: Timestamp) -> Run<'static> {
    let incident = &known.incident;
    let holders = known.holders();
    let Some(first) = holders.first() else {
        return match incident.status {
            IncidentStatus::Triggered => Run::new("nobody", Role::Down),
            IncidentStatus::Acknowledged => Run::new("somebody", Role::Text),
            IncidentStatus::Resolved => Run::new("-", Role::Muted),
        };
    };
    let more = if holders.len() > 1 { format!(" +{}", holders.len() - 1) } else { String::new() };
    let names = format!("{}{more}", name(shared, &incident.source, first));
    match known.acknowledged_at() {
        Some(at) if known.is_forgotten(now) => {
            Run::new(format!("{names}, {} ago!", ago(at, now)), Role::Stale)
        }
        Some(at) => Run::new(format!("{names}, {}", ago(at, now)), Role::Text),
        None if incident.status == IncidentStatus::Triggered => {
            Run::new(format!("woken: {names}"), Role::Text)
        }
        None => Run::new(names, Role::Muted),
    }
}

/// Its priority and urgency in a few letters: `P1 high`.
pub fn weight(known: &Linked) -> String {
    let incident = &known.incident;
    match &incident.priority {
        Some(priority) => format!("{} {}", priority.named.name, incident.urgency.word()),
        None => incident.urgency.word().to_owned(),
    }
}

/// One line of it: symbol, number, status, weight, title; what says less comes later, since the end may be cut off.
pub fn line(shared: &Shared, cx: &Cx<'_>, known: &Linked) -> Vec<Run<'static>> {
    let incident = &known.incident;
    let role = role(known, cx.now);
    let who = who(shared, known, cx.now);
    let sending = sending(known, cx).map_or_else(String::new, |sending| format!("{sending} "));
    vec![
        Run::new(format!("{} #{} {} ", cx.symbol(role), incident.number, incident.status.word()), role),
        Run::new(sending, Role::Sending),
        Run::new(format!("{}  ", weight(known)), Role::Text),
        Run::new(format!("{}  ", who.text), who.role),
        Run::new(incident.subject().to_owned(), Role::Text),
    ]
}

/// What the paging system will do by itself, in words: "escalates in 12m".
pub fn pending(what: &str, at: Timestamp, now: Timestamp) -> String {
    let does = match what {
        "escalate" => "escalates",
        "unacknowledge" => "is nobody's again",
        "resolve" => "resolves by itself",
        other => other,
    };
    let left = age(now, at).as_secs().div_ceil(60);
    if left == 0 {
        return format!("{does} now");
    }
    format!("{does} in {}", duration::short(Duration::from_secs(left * 60)))
}
