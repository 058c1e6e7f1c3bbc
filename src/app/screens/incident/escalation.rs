//! The escalation of an incident: the next step of the paging system, and which level of the policy has it.

use crate::app::prelude::*;
use crate::app::subjects::incident::words;
use crate::app::subjects::on_call::{self, words as on_call_words};
use crate::model::incident::Pending;
use crate::model::oncall::{Coverage, EscalationPolicy, OnCallSnapshot};

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
        return on_call_words::left(next.at, cx.now);
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
        Coverage::Nobody | Coverage::People(_) => Some(on_call_words::names(cx.shared, source, &next)),
    }
}

/// The levels of a policy, and the place among them of the highest one whose people have the incident.
pub(super) fn held_level(
    (snapshot, policy): (&OnCallSnapshot, &EscalationPolicy),
    view: &IncidentView,
    now: Timestamp,
) -> (Vec<u32>, Option<usize>) {
    let holders = view.holders();
    let all: Vec<u32> = on_call::levels(snapshot, policy).into_iter().collect();
    let has_holder = |level: &u32| {
        let cover = snapshot.on_call_at(&policy.named.id, *level, now).now;
        cover.on_duty().iter().any(|on_duty| holders.iter().any(|holder| holder.id == on_duty.person.id))
    };
    let held = all.iter().rposition(has_holder);
    (all, held)
}
