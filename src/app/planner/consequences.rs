//! The consequences of actions as texts for the confirmation dialog, most importantly who will be paged.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Planner;
use crate::app::identity::PolicyKey;
use crate::app::number::{moment, plural};
use crate::app::selection::once;
use crate::app::subjects::on_call::words::left;
use crate::model::action::{Action, Operation};
use crate::model::duration;
use crate::model::incident::Person;
use crate::model::oncall::{EscalationPolicy, OnCallSnapshot};
use crate::model::remote::age;
use crate::model::source::SourceId;
use crate::model::world::{IncidentView, World};

pub mod silences;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consequence {
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

/// The state and the moment in which actions are planned.
#[derive(Clone, Copy)]
struct Situation<'a> {
    planner: Planner<'a>,
    zone: &'a TimeZone,
    now: Timestamp,
}

/// The consequences of these actions; a text that several actions share is listed once.
pub fn consequences(
    planner: Planner<'_>,
    actions: &[Action],
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Consequence> {
    let situation = Situation { planner, zone, now };
    let mut all: Vec<Consequence> = silences::together(situation, actions);
    for action in actions {
        let refused = planner.preview(action, now).err();
        all.extend(refused.map(|why| serious(format!("{} will refuse it: {why}.", action.source))));
        all.extend(of(situation, action));
    }
    let sources: BTreeSet<&SourceId> = actions.iter().map(|action| &action.source).collect();
    let failures = sources.into_iter().filter_map(|source| planner.world.cache(source)?.probe().failure());
    all.extend(failures.map(|error| serious(format!("{error}: the action will probably fail"))));
    once(all)
}

impl Situation<'_> {
    /// A moment, and how far away it is.
    fn until(self, at: Timestamp) -> String {
        format!("{} (in {})", moment(at, self.now, self.zone), left(at, self.now))
    }
}

fn of(situation: Situation<'_>, action: &Action) -> Vec<Consequence> {
    let Situation { planner, now, .. } = situation;
    let world = planner.world;
    let known = world.incident(&action.source, &action.target.id);
    let source = &action.source;
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
                Some(policy) => pages(situation, source, &policy.id, *level),
                None => vec![serious(format!("Pages whoever is on level {level} of its policy now."))],
            }
        }
        Operation::Reroute { policy } => pages(situation, source, &policy.id, 1),
        Operation::Snooze { rest } => {
            let end = now.checked_add(*rest).unwrap_or(now);
            vec![plain(format!(
                "Snoozed until {}; then it is triggered again and pages again.",
                situation.until(end)
            ))]
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
                Some(policy) => pages(situation, source, &policy.named.id, 1),
                None => vec![serious("Pages whoever is on call for the service.".to_owned())],
            }
        }
        Operation::TakeShift { person, end, .. } => {
            vec![serious(format!(
                "{} is on call by {} until {}.",
                person.name,
                action.target.name,
                situation.until(*end)
            ))]
        }
        Operation::Silence { .. } | Operation::Edit { .. } | Operation::Extend { .. } | Operation::Expire => {
            silences::of(situation, action)
        }
    }
}

fn resolves(world: &World, known: Option<&IncidentView>) -> Vec<Consequence> {
    let mut all = vec![serious("Resolving cannot be undone: a new incident would page again.".to_owned())];
    let firing = known.map_or(0, |known| {
        known.alerts.iter().filter(|id| world.alert(**id).is_some_and(|alert| alert.is_firing())).count()
    });
    if firing > 0 {
        let number = known.map_or(0, |known| known.incident.number);
        let verb = if firing == 1 { "fires" } else { "fire" };
        all.push(serious(format!("#{number}: {} still {verb} and may page again.", plural(firing, "alert"))));
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
fn pages(situation: Situation<'_>, source: &SourceId, policy: &str, level: u32) -> Vec<Consequence> {
    let Situation { planner, now, .. } = situation;
    let key = PolicyKey { source: source.clone(), id: policy.into() };
    let Some((snapshot, policy)) = key.policy(planner.world) else {
        return vec![serious(format!(
            "Pages whoever is on call at level {level} of its policy now; the on-call data are not available."
        ))];
    };
    let (who, name) = (people(snapshot, policy, level, now), &policy.named.name);
    let mut all = vec![serious(if who.is_empty() {
        format!("Nobody is on call at level {level} of {name} now: nobody is paged there.")
    } else {
        format!("Pages {} now (level {level} of {name}).", who.join(", "))
    })];
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

/// The people on call at a level now.
pub fn people(
    snapshot: &OnCallSnapshot,
    policy: &EscalationPolicy,
    level: u32,
    now: Timestamp,
) -> Vec<String> {
    let on_call = snapshot.on_call(&policy.named.id, level, now);
    let names: BTreeSet<String> = on_call.map(|shift| named(&shift.person, now)).collect();
    names.into_iter().collect()
}
