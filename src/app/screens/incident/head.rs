//! The two lines of an incident that never scroll: what it is and when it escalates, who has it and what is at stake.

use super::people::held_level;
use crate::app::prelude::*;
use crate::app::subjects::incident::words;
use crate::app::subjects::on_call::words as on_call;
use crate::app::subjects::slo::words as slos;
use crate::model::incident::{IncidentStatus, Pending};
use crate::model::oncall::Coverage;

/// Symbol, number, status with its age, priority, title.
pub(super) fn title(cx: &ScreenCx<'_>, view: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &view.incident;
    let role = words::role(view, cx.now);
    let since = match (incident.status, incident.resolved_at) {
        (IncidentStatus::Triggered, _) => incident.created_at,
        (IncidentStatus::Acknowledged, _) => view.acknowledged_at().unwrap_or(incident.changed_at),
        (IncidentStatus::Resolved, at) => at.unwrap_or(incident.changed_at),
    };
    let state = format!(
        " {} #{} {} {}  ",
        cx.symbol(role),
        incident.number,
        incident.status.word(),
        ago(since, cx.now)
    );
    vec![
        StyledRun::new(state, role),
        StyledRun::new(format!("{}  ", words::priority_and_urgency(view)), Role::Text),
        StyledRun::new(incident.title.to_string(), Role::Title),
    ]
}

/// The next step that the paging system takes by itself: `escalates to Kofi Mensah in 12m46s`.
pub(super) fn next_step(cx: &ScreenCx<'_>, view: &IncidentView) -> Option<StyledRun<'static>> {
    let next = view.incident.pending.iter().min_by_key(|pending| pending.at)?;
    let to = Some(next).filter(|next| *next.what == *"escalate").and_then(|_| next_level(cx, view));
    let to = to.map(|names| format!(" to {names}")).unwrap_or_default();
    let does = words::pending(&next.what, next.at, cx.now);
    let words = match does.split_once(" in ") {
        Some((does, _)) => format!("{does}{to} in {}", countdown(cx, next)),
        None => format!("{does}{to}"),
    };
    Some(StyledRun::new(words, Role::Warning))
}

/// The time until a step, to the second in the last hour; in minutes on a slow connection.
fn countdown(cx: &Cx<'_>, next: &Pending) -> String {
    let left = age(cx.now, next.at).as_secs();
    if left >= 3600 || cx.is_slow_link {
        return on_call::left(next.at, cx.now);
    }
    match (left / 60, left % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds:02}s"),
    }
}

/// The names on the escalation level after that of the people who have the incident now.
fn next_level(cx: &ScreenCx<'_>, view: &IncidentView) -> Option<String> {
    let source = &view.incident.source;
    let snapshot = cx.world.cache(source)?.on_call().value()?;
    let wanted = view.incident.escalation_policy.as_ref()?;
    let policy = snapshot.policies.iter().find(|policy| policy.named.id == wanted.id)?;
    let (all, held) = held_level((snapshot, policy), view, cx.now);
    let next = snapshot.on_call_at(&policy.named.id, *all.get(held? + 1)?, cx.now).now;
    match next {
        Coverage::Unknown => None,
        Coverage::Nobody | Coverage::People(_) => Some(on_call::names(cx.shared, source, &next)),
    }
}

/// Who has it, the service with its health, the worst SLO with burn rate and exhaustion; the next step first if wanted.
pub(super) fn who_and_what(
    cx: &ScreenCx<'_>,
    view: &IncidentView,
    has_next_step: bool,
) -> Vec<StyledRun<'static>> {
    let incident = &view.incident;
    let mut runs = vec![StyledRun::new("   ", Role::Text)];
    if let Some(next) = next_step(cx, view).filter(|_| has_next_step) {
        runs.extend([next, StyledRun::new("  ", Role::Text)]);
    }
    if let Some(sending) = words::sending(view, cx) {
        let kind = view.optimistic.map_or("", |optimistic| optimistic.kind.name());
        runs.push(StyledRun::new(format!("{} {kind} {sending}  ", cx.symbol(Role::Sending)), Role::Sending));
    }
    let who = words::who(cx, view);
    let nobody = if who.role == Role::Down { " assigned" } else { "" };
    runs.push(StyledRun::new(format!("{}{nobody}", who.text), who.role));
    if incident.status == IncidentStatus::Triggered {
        runs.push(StyledRun::new(", not acknowledged", Role::Warning));
    }
    runs.push(StyledRun::new(
        format!("  since {}", moment(incident.created_at, cx.now, cx.zone)),
        Role::Muted,
    ));
    let Some(service) = view.service.as_ref().and_then(|name| cx.world.service(name)) else { return runs };
    let role = Role::of_health(service.health);
    runs.push(StyledRun::new("   service ", Role::Muted));
    runs.push(StyledRun::new(
        format!("{} {} {}", cx.symbol(role), service.name, service.health.word()),
        role,
    ));
    if let Some(status) = cx.world.worst_slo_of(&service.name) {
        runs.push(StyledRun::new("   SLO", Role::Muted));
        runs.extend(slos::line(cx, status, &status.slo.id));
    }
    runs
}
