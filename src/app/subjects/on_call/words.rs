//! The texts of on-call data, also those in line 1 of every screen.

use jiff::tz::TimeZone;

use crate::app::prelude::*;
use crate::app::subjects::incident::words::name;
use crate::model::oncall::{Coverage, EscalationPolicy, OnCallSnapshot};

/// The names on call: all if there are two, else the first and the number of the others.
pub fn names(shared: &Shared, source: &SourceId, cover: &Coverage) -> String {
    match cover {
        Coverage::Unknown => "unknown".to_owned(),
        Coverage::Nobody => "nobody on call".to_owned(),
        Coverage::People(on_duty) => {
            let all: Vec<String> =
                on_duty.iter().map(|person_on_duty| name(shared, source, &person_on_duty.person)).collect();
            match all.as_slice() {
                [one, two] => format!("{one}, {two}"),
                [first, others @ ..] if !others.is_empty() => format!("{first} +{}", others.len()),
                _ => all.concat(),
            }
        }
    }
}

/// The role of a coverage: a gap is down, a double booking is a warning.
pub fn role(cover: &Coverage) -> Role {
    match cover {
        Coverage::Unknown => Role::Muted,
        Coverage::Nobody => Role::Down,
        Coverage::People(_) if cover.is_double_booked() => Role::Warning,
        Coverage::People(_) => Role::Text,
    }
}

/// The symbol of a shift that overrides another.
pub fn stands_in(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("⇄", "~")
}

/// The symbol of night hours.
pub fn night_symbol(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("☾", "n")
}

/// The names on call with symbols: nobody, override, double booked, night in the person's time zone.
pub fn on_call_names(cx: &ScreenCx<'_>, source: &SourceId, cover: &Coverage) -> StyledRun<'static> {
    let mut words = names(cx.shared, source, cover);
    if *cover == Coverage::Nobody {
        words = format!("{} {words}", cx.symbol(Role::Down));
    }
    if cover.on_duty().iter().any(|person_on_duty| person_on_duty.is_override) {
        words = format!("{words} {}", stands_in(cx));
    }
    if cover.is_double_booked() {
        words = format!("{words} {}", cx.symbol(Role::Warning));
    }
    if cover.on_duty().iter().any(|person_on_duty| person_on_duty.person.is_at_night(cx.now) == Some(true)) {
        words = format!("{words} {}", night_symbol(cx));
    }
    StyledRun::new(words, role(cover))
}

/// The time until a future moment, in whole minutes, so that it does not change every second.
pub fn left(at: Timestamp, now: Timestamp) -> String {
    let minutes = age(now, at).as_secs().div_ceil(60);
    duration::short(Duration::from_secs(minutes * 60))
}

/// A future moment: the time, with the weekday and the day if it is not today.
pub fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (here, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    here.strftime(if here.date() == today.date() { "%H:%M" } else { "%a %d %H:%M" }).to_string()
}

/// The policy for line 1: one in which the user is on call now, else one in which the user has a shift, else the first one.
fn own_policy(shared: &Shared, now: Timestamp) -> Option<(&SourceId, &OnCallSnapshot, &EscalationPolicy)> {
    let all = || {
        let snapshots = shared.world.on_call();
        snapshots.flat_map(|(source, snapshot)| {
            snapshot.policies.iter().map(move |policy| (source, snapshot, policy))
        })
    };
    let mine = |snapshot: &OnCallSnapshot, policy: &EscalationPolicy, is_now: bool| {
        let its = snapshot.shifts.iter().filter(|shift| shift.policy == policy.named.id);
        let mut mine = its.filter(|shift| snapshot.me.as_ref().is_some_and(|me| me.id == shift.person.id));
        mine.any(|shift| !is_now || shift.covers(now))
    };
    all()
        .find(|(_, snapshot, policy)| mine(snapshot, policy, true))
        .or_else(|| all().find(|(_, snapshot, policy)| mine(snapshot, policy, false)))
        .or_else(|| all().next())
}

/// The text "on call: Ana Lima (you) -> Kofi Mensah in 4h08m" in two parts, of which the second can be left out. None before any
/// source has answered.
pub fn line(cx: &ScreenCx<'_>) -> Option<(Vec<StyledRun<'static>>, Vec<StyledRun<'static>>)> {
    let (source, snapshot, policy) = own_policy(cx.shared, cx.now)?;
    let is_stale =
        stale_sources(cx.shared, &[AskKind::OnCall], cx.now).iter().any(|stale| stale.source == *source);
    let levels = super::levels(snapshot, policy);
    let first = levels.first().copied().unwrap_or(1);
    let on_call_at = snapshot.on_call_at(&policy.named.id, first, cx.now);
    let stale_or = |role| if is_stale { Role::Stale } else { role };
    let mut now = vec![StyledRun::new("on call: ", Role::Muted)];
    if is_stale {
        now.push(StyledRun::new(format!("{} ", cx.symbol(Role::Stale)), Role::Stale));
    }
    if on_call_at.now == Coverage::Nobody {
        let covers = |level: &u32| snapshot.on_call_at(&policy.named.id, *level, cx.now).now;
        let next = levels.iter().skip(1).map(|level| (level, covers(level)));
        let next = next.into_iter().find(|(_, cover)| !cover.on_duty().is_empty());
        let words = next.map_or_else(
            || format!("{} nobody ({})", cx.symbol(Role::Down), policy.named.name),
            |(level, cover)| {
                format!(
                    "{} L{first} nobody, L{level} {}",
                    cx.symbol(Role::Down),
                    names(cx.shared, source, &cover)
                )
            },
        );
        now.push(StyledRun::new(words, stale_or(Role::Down)));
    } else {
        now.push(StyledRun::new(names(cx.shared, source, &on_call_at.now), stale_or(role(&on_call_at.now))));
    }
    let next = on_call_at.next.map_or_else(Vec::new, |(at, cover)| {
        let words =
            if cover == Coverage::Nobody { "nobody".to_owned() } else { names(cx.shared, source, &cover) };
        let role = if cover == Coverage::Nobody { Role::Down } else { Role::Muted };
        vec![StyledRun::new(format!(" -> {words} in {}", left(at, cx.now)), stale_or(role))]
    });
    Some((now, next))
}

/// The number of policies that have nobody on call at any level.
pub fn uncovered(shared: &Shared, now: Timestamp) -> usize {
    let policies =
        shared.world.on_call().flat_map(|(_, snapshot)| snapshot.policies.iter().map(move |p| (snapshot, p)));
    let is_open = |(snapshot, policy): &(&OnCallSnapshot, &EscalationPolicy)| {
        super::levels(snapshot, policy).into_iter().all(|level| {
            // only the current time is checked, which costs less than computing the next handoff
            snapshot.from <= now
                && now < snapshot.until
                && snapshot.on_call(&policy.named.id, level, now).next().is_none()
        })
    };
    policies.filter(is_open).count()
}
