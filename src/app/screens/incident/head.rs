//! The two lines of an incident that never scroll: what it is and when it escalates, who has it and what is at stake.

use super::escalation::next_step;
use crate::app::prelude::*;
use crate::app::subjects::incident::words;
use crate::app::subjects::slo::words as slos;
use crate::model::incident::IncidentStatus;

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
