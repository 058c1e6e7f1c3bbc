//! Who has an incident, who was notified, and the levels of its escalation policy.

use super::OpenIncident;
use super::escalation::{held_level, next_step};
use super::panel::Cockpit;
use crate::app::identity::PolicyKey;
use crate::app::prelude::*;
use crate::app::subjects::incident::words;
use crate::app::subjects::on_call::words as on_call_words;
use crate::model::incident::{Attribution, IncidentStatus};
use crate::model::oncall::Coverage;
use crate::model::world::AnswerCache;

/// A handoff is told if it is this near.
const SOON: Duration = Duration::from_secs(24 * 3600);
/// Most notifications that are listed.
const MAX_NOTIFIED: usize = 3;

/// The escalation policy of an incident.
fn policy_key(view: &IncidentView) -> Option<PolicyKey> {
    let id = view.incident.escalation_policy.as_ref()?.id.clone();
    Some(PolicyKey { source: view.incident.source.clone(), id })
}

/// The page of the policy, if it is known; else who is on call.
pub(super) fn place(screen: &OpenIncident, shared: &Shared) -> Option<Place> {
    let key = policy_key(screen.incident(shared)?).filter(|key| key.policy(&shared.world).is_some());
    Some(key.map_or(Place::OnCall, Place::Policy))
}

/// Who was paged and who acknowledged, the next step, the levels of the policy with who is on call, the last notifications.
pub(super) fn levels(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let incident = &c.view.incident;
    let people = |stamps: &[Attribution]| {
        let one = |stamp: &Attribution| {
            let name = words::name(c.cx.shared, &incident.source, &stamp.who);
            format!("{name} {}", moment(stamp.at, c.cx.now, c.cx.zone))
        };
        stamps.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    match (incident.assigned.is_empty(), incident.status) {
        (false, _) => page.fact("paged", &people(&incident.assigned), Role::Text),
        (true, IncidentStatus::Triggered) => page.fact("paged", "nobody", Role::Down),
        (true, IncidentStatus::Acknowledged | IncidentStatus::Resolved) => {}
    }
    match (incident.acknowledged.is_empty(), incident.status) {
        (false, _) => page.fact("acknowledged", &people(&incident.acknowledged), Role::Text),
        (true, IncidentStatus::Triggered) => page.fact("acknowledged", "by nobody yet", Role::Warning),
        (true, IncidentStatus::Acknowledged | IncidentStatus::Resolved) => {}
    }
    if let Some(next) = next_step(c.cx, c.view) {
        page.fact("next", &next.text, next.role);
    }
    policy(c, &mut page);
    let steps = c.cx.world.incident_detail(c.view).map_or(&[][..], |detail| &detail.steps);
    let notified = steps.iter().rev().filter(|step| &*step.kind == "notify").take(MAX_NOTIFIED);
    for step in notified {
        page.fact(&moment(step.at, c.cx.now, c.cx.zone), &words::sentence(step), Role::Muted);
    }
    page.names("teams", incident.teams.iter().map(|team| &*team.name), Role::Muted);
    page
}

/// The levels with who is on call at each now and next.
fn policy(c: &Cockpit<'_>, page: &mut PageContent) {
    let source = &c.view.incident.source;
    let Some(named) = &c.view.incident.escalation_policy else {
        return page.paragraph("The incident names no escalation policy.", Role::Muted);
    };
    let remote = c.cx.world.cache(source).map(AnswerCache::on_call);
    let Some((snapshot, policy)) = policy_key(c.view).and_then(|key| key.policy(c.cx.world)) else {
        page.fact("policy", &named.name, Role::Text);
        let answers = c.cx.shared.answering(AskKind::OnCall).any(|info| info.id == *source);
        return match remote.and_then(|remote| remote.failure()) {
            Some(error) => page.remark(c.cx, format!("{error}. {}", error.kind.advice()), Role::Stale),
            None if !answers => page.paragraph("No source tells its levels.", Role::Muted),
            None if remote.is_some_and(|remote| remote.value().is_some()) => {
                page.paragraph("Its source does not list this policy.", Role::Muted);
            }
            None => page.paragraph(c.cx.shared.waiting(), Role::Muted),
        };
    };
    page.fact("policy", &policy.named.name, Role::Text);
    let (all, held) = held_level((snapshot, policy), c.view, c.cx.now);
    for (index, number) in all.iter().enumerate() {
        let on_call = snapshot.on_call_at(&policy.named.id, *number, c.cx.now);
        let who = on_call_words::on_call_names(c.cx, source, &on_call.now);
        let role = if c.view.incident.is_open() && held == Some(index) { Role::Accent } else { who.role };
        let state = match held {
            _ if !c.view.incident.is_open() => String::new(),
            Some(held) if held == index => ", has it".to_owned(),
            Some(held) if held + 1 == index => ", next".to_owned(),
            Some(_) | None => String::new(),
        };
        let soon = on_call.next.filter(|(at, _)| age(c.cx.now, *at) <= SOON);
        let then = soon.filter(|(_, cover)| *cover != Coverage::Unknown).map(|(at, cover)| {
            let names = on_call_words::names(c.cx.shared, source, &cover);
            format!("; {names} in {}", on_call_words::left(at, c.cx.now))
        });
        page.fact(
            &format!("level {number}"),
            &format!("{}{state}{}", who.text, then.unwrap_or_default()),
            role,
        );
    }
}
