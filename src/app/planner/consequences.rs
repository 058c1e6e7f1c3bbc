//! The consequences of actions as texts for the confirmation dialog, most importantly who will be paged.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Planner;
use crate::app::number::moment;
use crate::app::subjects::on_call::words::left;
use crate::model::action::{Action, Operation};
use crate::model::duration;
use crate::model::incident::Person;
use crate::model::oncall::{EscalationPolicy, OnCallSnapshot};
use crate::model::remote::age;
use crate::model::source::SourceId;
use crate::model::world::{IncidentView, World};

pub mod silences;

/// One consequence of an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consequence {
    /// The text.
    pub words: String,
    /// Whether somebody is paged, or the action cannot be undone.
    pub is_serious: bool,
}

fn serious(words: String) -> Consequence {
    Consequence { words, is_serious: true }
}

fn plain(words: impl Into<String>) -> Consequence {
    Consequence { words: words.into(), is_serious: false }
}

/// The consequences of these actions; a text that several actions share is listed once.
pub fn consequences(
    planner: Planner<'_>,
    actions: &[Action],
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Consequence> {
    let mut all: Vec<Consequence> = silences::together(planner.world, actions, zone, now);
    for action in actions {
        let refused = planner.preview(action, now).err();
        let refused = refused.map(|why| serious(format!("{} will refuse it: {why}.", action.source)));
        for consequence in refused.into_iter().chain(of(planner, action, zone, now)) {
            if !all.contains(&consequence) {
                all.push(consequence);
            }
        }
    }
    let mut sources: Vec<&SourceId> = actions.iter().map(|action| &action.source).collect();
    sources.sort();
    sources.dedup();
    for source in sources {
        let held = planner.world.cache(source);
        if let Some(error) = held.and_then(|held| held.probe().failure()) {
            all.push(serious(format!("{error}: the action will probably fail")));
        }
    }
    all
}

fn of(planner: Planner<'_>, action: &Action, zone: &TimeZone, now: Timestamp) -> Vec<Consequence> {
    let world = planner.world;
    let known = world.incident(&action.source, &action.target.id);
    let source = &action.source;
    let until = |at: Timestamp| format!("{} (in {})", moment(at, now, zone), left(at, now));
    match &action.operation {
        Operation::Acknowledge => {
            let me = planner.snapshot(source).and_then(|snapshot| snapshot.me.as_ref());
            let who = me.map_or("You have".to_owned(), |me| format!("{} (you) has", me.name));
            vec![plain(format!("{who} the incident: nobody else is paged while it is acknowledged."))]
        }
        Operation::Resolve => resolves(world, known),
        Operation::Assign { to } => {
            let snapshot = planner.snapshot(source);
            let person = planner.people(source, now).into_iter().find(|person| person.id == to.id);
            let is_user = snapshot.and_then(|snapshot| snapshot.me.as_ref()).is_some_and(|me| me.id == to.id);
            let name = person.map_or_else(|| to.name.to_string(), |person| named(person, now));
            let words = if is_user {
                format!("Assigned to you ({name}): you are paged until you acknowledge it.")
            } else {
                format!("Pages {name} now; the current assignees are removed.")
            };
            vec![serious(words)]
        }
        Operation::Escalate { level } => {
            let policy = known.and_then(|known| known.incident.escalation_policy.as_ref());
            match policy {
                Some(policy) => pages(planner, source, &policy.id, *level, now),
                None => vec![serious(format!("Pages whoever is on level {level} of its policy now."))],
            }
        }
        Operation::Reroute { policy } => pages(planner, source, &policy.id, 1, now),
        Operation::Snooze { rest } => {
            let end = now.checked_add(*rest).unwrap_or(now);
            vec![plain(format!("Snoozed until {}; then it is triggered again and pages again.", until(end)))]
        }
        Operation::Note { .. } | Operation::Priority { .. } | Operation::StatusUpdate { .. } => {
            let spec = action.operation.kind().spec();
            vec![Consequence { words: spec.consequence.to_owned(), is_serious: spec.is_serious }]
        }
        Operation::Merge { into } => {
            vec![serious(format!(
                "Merges it into {}: its alerts move there and it is resolved. This cannot be undone.",
                into.name
            ))]
        }
        Operation::AddResponder { people, .. } => {
            let all = planner.people(source, now);
            let names = people.iter().map(|whom| {
                let person = all.iter().find(|person| person.id == whom.id);
                person.map_or_else(|| whom.name.to_string(), |person| named(person, now))
            });
            vec![serious(format!("Pages {} now, to help.", names.collect::<Vec<_>>().join(", ")))]
        }
        Operation::Trigger { .. } => {
            let snapshot = planner.snapshot(source);
            let policy = snapshot
                .into_iter()
                .flat_map(|snapshot| &snapshot.policies)
                .find(|policy| policy.services.iter().any(|service| service.id == action.target.id));
            match policy {
                Some(policy) => pages(planner, source, &policy.named.id, 1, now),
                None => vec![serious("Pages whoever is on call for the service.".to_owned())],
            }
        }
        Operation::TakeShift { person, end, .. } => {
            vec![serious(format!(
                "{} is on call by {} until {}.",
                person.name,
                action.target.name,
                until(*end)
            ))]
        }
        Operation::Silence { .. } | Operation::Edit { .. } | Operation::Extend { .. } | Operation::Expire => {
            silences::of(world, action, zone, now)
        }
    }
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") }
}

fn resolves(world: &World, known: Option<&IncidentView>) -> Vec<Consequence> {
    let mut all = vec![serious("Resolving cannot be undone: a new incident would page again.".to_owned())];
    let firing = known.map_or(0, |known| {
        known.alerts.iter().filter(|id| world.alert(**id).is_some_and(|alert| alert.is_firing())).count()
    });
    if firing > 0 {
        let number = known.map_or(0, |known| known.incident.number);
        let verb = if firing == 1 { "fires" } else { "fire" };
        all.push(serious(format!("#{number}: {} still {verb} and may page again.", alerts(firing))));
    }
    all
}

/// A person's name, with the local time there if it is night in that person's time zone.
fn named(person: &Person, now: Timestamp) -> String {
    match person.is_at_night(now) {
        Some(true) => {
            let zone = person.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok());
            let there = zone.map(|zone| now.to_zoned(zone).strftime("%H:%M").to_string()).unwrap_or_default();
            format!("{} (local time {there})", person.name)
        }
        _ => person.name.to_string(),
    }
}

/// Who is paged now if a policy starts at a level, and who is paged after that.
fn pages(
    planner: Planner<'_>,
    source: &SourceId,
    policy: &str,
    level: u32,
    now: Timestamp,
) -> Vec<Consequence> {
    let snapshot = planner.snapshot(source);
    let known = snapshot.and_then(|snapshot| {
        Some((snapshot, snapshot.policies.iter().find(|known| *known.named.id == *policy)?))
    });
    let Some((snapshot, policy)) = known else {
        return vec![serious(format!(
            "Pages whoever is on call at level {level} of its policy now; the on-call data are not available."
        ))];
    };
    let mut all = vec![first_page(snapshot, policy, level, now)];
    let after = policy.levels.iter().find(|one| one.number == level).map(|one| one.delay);
    if let Some(next) = policy.levels.iter().filter(|one| one.number > level).min_by_key(|one| one.number) {
        let who = people(snapshot, policy, next.number, now);
        let who = if who.is_empty() { "nobody (level is empty)".to_owned() } else { who.join(", ") };
        let delay = duration::short(after.unwrap_or(Duration::ZERO));
        all.push(plain(format!(
            "Then, unless somebody acknowledges within {delay}: {who} (level {}).",
            next.number
        )));
    }
    if !planner.knows_who_is_on_call(source, now) {
        let read = planner.world.cache(source).and_then(|held| held.on_call().at);
        let old = read.map_or_else(String::new, |at| format!("{} ", duration::short(age(at, now))));
        all.push(serious(format!("The on-call data are {old}old: somebody else may be on call now.")));
    }
    all
}

fn first_page(
    snapshot: &OnCallSnapshot,
    policy: &EscalationPolicy,
    level: u32,
    now: Timestamp,
) -> Consequence {
    let who = people(snapshot, policy, level, now);
    let name = &policy.named.name;
    if who.is_empty() {
        serious(format!("Nobody is on call at level {level} of {name} now: nobody is paged there."))
    } else {
        serious(format!("Pages {} now (level {level} of {name}).", who.join(", ")))
    }
}

/// The people on call at a level now.
pub fn people(
    snapshot: &OnCallSnapshot,
    policy: &EscalationPolicy,
    level: u32,
    now: Timestamp,
) -> Vec<String> {
    let mut names: Vec<String> =
        snapshot.on_call(&policy.named.id, level, now).map(|shift| named(&shift.person, now)).collect();
    names.sort();
    names.dedup();
    names
}
