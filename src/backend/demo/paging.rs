//! The paging data of the demo: people, escalation policies, rotations and overrides, and who is on call at a time.

use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Deserialize;

use crate::model::action::EntityRef;
use crate::model::duration;
use crate::model::incident::{PagerRef, Person};
use crate::model::labels::Text;
use crate::model::oncall::{EscalationLevel, EscalationPolicy, EscalationTarget, Shift};

use super::fixtures;

const EMBEDDED_IS_VALID: &str = "the embedded rotas are read by the tests";

/// The contents of `paging.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagingFixture {
    me: String,
    pub(super) page: Vec<PagingAlert>,
    person: Vec<PersonFixture>,
    policy: Vec<Policy>,
    rotation: Vec<Rotation>,
    stand_in: Vec<WeeklyOverride>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagingAlert {
    /// The end of the alert's name.
    pub(super) alert: String,
    pub(super) urgency: String,
    pub(super) priority: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFixture {
    id: String,
    name: String,
    email: String,
    zone: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    id: String,
    name: String,
    teams: Vec<String>,
    repeats: u32,
    levels: Vec<PolicyLevel>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyLevel {
    rotation: Option<String>,
    person: Option<String>,
    delay: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    id: String,
    name: String,
    people: Vec<String>,
    first: String,
    days: i64,
    hour: i8,
    zone: String,
    #[serde(default)]
    off: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeeklyOverride {
    rotation: String,
    person: String,
    weekday: String,
    from: i8,
    hours: i64,
}

/// A part of a rotation that the user took (an override).
#[derive(Debug, Clone)]
pub(super) struct TakenShift {
    pub(super) rotation: Text,
    pub(super) person: Person,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Pages sent before this time do not change.
    pub(super) made_at: Timestamp,
}

/// The on-call person, the start and the end.
pub(super) type DemoShift = (Person, Timestamp, Timestamp);

impl PagingFixture {
    pub(super) fn open() -> Self {
        toml::from_str(include_str!("../../../assets/demo/paging.toml")).expect(EMBEDDED_IS_VALID)
    }

    fn person(&self, id: &str) -> Person {
        let human = self.person.iter().find(|human| human.id == id).expect(EMBEDDED_IS_VALID);
        Person {
            id: human.id.as_str().into(),
            name: human.name.as_str().into(),
            email: Some(human.email.as_str().into()),
            zone: Some(human.zone.as_str().into()),
        }
    }

    /// The user of burnwatch.
    pub(super) fn me(&self) -> Person {
        self.person(&self.me)
    }

    pub(super) fn people(&self) -> impl Iterator<Item = Person> {
        self.person.iter().map(|human| self.person(&human.id))
    }

    /// The person with this id; if the id is unknown, a person with the given name.
    pub(super) fn person_or(&self, whom: &EntityRef) -> Person {
        let known = self.people().find(|person| person.id == whom.id);
        known.unwrap_or_else(|| Person {
            id: Text::clone(&whom.id),
            name: Text::clone(&whom.name),
            email: None,
            zone: None,
        })
    }

    pub(super) fn has_rotation(&self, id: &str) -> bool {
        self.rotation.iter().any(|rotation| rotation.id == id)
    }

    fn rotation(&self, id: &str) -> &Rotation {
        self.rotation.iter().find(|rotation| rotation.id == id).expect(EMBEDDED_IS_VALID)
    }

    /// The escalation policy of a team.
    pub(super) fn policy_of(&self, team: &str) -> &Policy {
        let its = self.policy.iter().find(|policy| policy.teams.iter().any(|name| name == team));
        its.or(self.policy.last()).expect(EMBEDDED_IS_VALID)
    }

    /// Who is paged by a policy at a time: the on-call person of the first level that has one.
    pub(super) fn first_on_call(
        &self,
        policy: &Policy,
        at: Timestamp,
        taken_shifts: &[TakenShift],
    ) -> Option<Person> {
        let mut levels = policy.levels.iter().zip(1..);
        levels.find_map(|(policy_level, number)| self.on(policy, policy_level, number, at, taken_shifts))
    }

    /// Who is on call at a level of a policy at a time.
    pub(super) fn on_level(
        &self,
        policy: &str,
        level: u32,
        at: Timestamp,
        taken_shifts: &[TakenShift],
    ) -> Vec<Person> {
        let policy = self.policy.iter().find(|known| known.id == policy);
        let person = policy.and_then(|policy| {
            let (policy_level, number) =
                policy.levels.iter().zip(1..).find(|(_, number)| *number == level)?;
            self.on(policy, policy_level, number, at, taken_shifts)
        });
        person.into_iter().collect()
    }

    /// The on-call person at a level; an override takes precedence.
    fn on(
        &self,
        policy: &Policy,
        policy_level: &PolicyLevel,
        level: u32,
        at: Timestamp,
        taken_shifts: &[TakenShift],
    ) -> Option<Person> {
        let shifts = self.shifts(policy, (policy_level, level), (at, at + 1.second()), taken_shifts);
        let on: Vec<Shift> = shifts.into_iter().filter(|shift| shift.covers(at)).collect();
        on.iter().find(|shift| shift.is_override).or(on.first()).map(|shift| shift.person.clone())
    }

    /// The shifts of all policies that overlap a time range.
    pub(super) fn turns(&self, from: Timestamp, until: Timestamp, taken_shifts: &[TakenShift]) -> Vec<Shift> {
        let each = |policy: &Policy| -> Vec<Shift> {
            let rungs = policy.levels.iter().zip(1..);
            rungs
                .flat_map(|policy_level| self.shifts(policy, policy_level, (from, until), taken_shifts))
                .collect()
        };
        self.policy.iter().flat_map(each).collect()
    }

    /// The overrides of each rotation that overlap a time range.
    pub(super) fn overrides(
        &self,
        span: (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> Vec<(PagerRef, Vec<DemoShift>)> {
        let of = |rotation: &Rotation| {
            (named(&rotation.id, &rotation.name), self.stand_ins(rotation, span, taken_shifts).collect())
        };
        self.rotation.iter().map(of).collect()
    }

    /// The overrides of a rotation that overlap a time range: the planned ones, then those that the user created.
    fn stand_ins(
        &self,
        rotation: &Rotation,
        (from, until): (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> impl Iterator<Item = DemoShift> {
        let planned = self.stand_in.iter().filter(|stand_in| stand_in.rotation == rotation.id);
        let planned = planned.flat_map(move |stand_in| {
            let times = stand_in.times(&rotation.zone(), from, until).into_iter();
            times.map(|(start, end)| (self.person(&stand_in.person), start, end))
        });
        let taken = taken_shifts.iter().filter(|taken| *taken.rotation == *rotation.id);
        let taken = taken.map(|taken| (taken.person.clone(), taken.start, taken.end));
        planned.chain(taken).filter(move |(_, start, end)| *end > from && *start < until)
    }

    /// The policies with the services of their teams.
    pub(super) fn policies(&self, services: &[fixtures::ServiceFixture]) -> Vec<EscalationPolicy> {
        self.policy.iter().map(|policy| self.to_model(policy, services)).collect()
    }

    /// A policy as the model's type.
    fn to_model(&self, policy: &Policy, services: &[fixtures::ServiceFixture]) -> EscalationPolicy {
        let mut services: Vec<PagerRef> = services
            .iter()
            .filter(|service| self.policy_of(&service.team).id == policy.id)
            .map(|service| named(&service.name, &service.name))
            .collect();
        services.sort();
        let level = |(policy_level, number): (&PolicyLevel, u32)| EscalationLevel {
            number,
            delay: duration::parse(&policy_level.delay).expect(EMBEDDED_IS_VALID),
            targets: vec![match (&policy_level.rotation, &policy_level.person) {
                (Some(rotation), _) => {
                    let rotation = self.rotation(rotation);
                    EscalationTarget::Schedule(named(&rotation.id, &rotation.name))
                }
                (None, person) => {
                    EscalationTarget::Person(self.person(person.as_deref().expect(EMBEDDED_IS_VALID)))
                }
            }],
        };
        EscalationPolicy {
            named: policy.named(),
            teams: policy.teams.iter().map(|team| named(team, team)).collect(),
            services,
            levels: policy.levels.iter().zip(1..).map(level).collect(),
            repeats: policy.repeats,
        }
    }

    /// The shifts at one level that overlap a time range.
    fn shifts(
        &self,
        policy: &Policy,
        (policy_level, level): (&PolicyLevel, u32),
        (from, until): (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> Vec<Shift> {
        let shift = |person, schedule, start, end, is_override| Shift {
            policy: policy.id.as_str().into(),
            level,
            person,
            schedule,
            start,
            end,
            is_override,
        };
        let Some(rotation) = &policy_level.rotation else {
            let person = self.person(policy_level.person.as_deref().expect(EMBEDDED_IS_VALID));
            return vec![shift(person, None, None, None, false)];
        };
        let rotation = self.rotation(rotation);
        let schedule = named(&rotation.id, &rotation.name);
        let stands_in =
            |person, start, end| shift(person, Some(schedule.clone()), Some(start), Some(end), true);
        let mut shifts = Vec::new();
        for (start, end, person) in rotation.turns(from, until) {
            shifts.push(shift(self.person(person), Some(schedule.clone()), Some(start), Some(end), false));
        }
        // later overrides replace earlier ones
        for (person, start, end) in self.stand_ins(rotation, (from, until), taken_shifts) {
            shifts = apply_override(shifts, stands_in(person, start, end));
        }
        shifts.sort_by_key(|shift| shift.start);
        shifts
    }
}

/// Cuts the time of an override out of the other shifts, and adds the override.
fn apply_override(shifts: Vec<Shift>, other: Shift) -> Vec<Shift> {
    let cut = |shift: Shift| {
        if other.start >= shift.end || other.end <= shift.start {
            return vec![shift];
        }
        let before = Shift { end: other.start.min(shift.end), ..shift.clone() };
        let after = Shift { start: other.end.max(shift.start), ..shift };
        [before, after].into_iter().filter(|part| part.start < part.end).collect()
    };
    let mut left: Vec<Shift> = shifts.into_iter().flat_map(cut).collect();
    left.push(other);
    left
}

impl Policy {
    pub(super) fn named(&self) -> PagerRef {
        named(&self.id, &self.name)
    }
}

impl Rotation {
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// The shifts of the rotation that overlap a time range: start, end, and person id.
    fn turns(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp, &str)> {
        let zone = self.zone();
        let first = jiff::civil::date(2025, 12, 29).at(self.hour, 0, 0, 0);
        let begin = self.people.iter().position(|id| *id == self.first).unwrap_or(0);
        let passed = from.to_zoned(zone.clone()).date().since(first.date()).map_or(0, |span| span.get_days());
        let mut number = i64::from(passed) / self.days - 1;
        let mut turns = Vec::new();
        loop {
            let at = |number: i64| {
                first.checked_add((number * self.days).days()).ok()?.to_zoned(zone.clone()).ok()
            };
            let (Some(start), Some(end)) = (at(number), at(number + 1)) else { break };
            if start.timestamp() >= until {
                break;
            }
            let people = i64::try_from(self.people.len()).unwrap_or(1).max(1);
            let whose = (number + i64::try_from(begin).unwrap_or(0)).rem_euclid(people);
            let person = usize::try_from(whose).ok().and_then(|whose| self.people.get(whose));
            let is_off = self.off.iter().any(|day| weekday(day) == start.weekday());
            if let (Some(person), false) = (person, is_off)
                && end.timestamp() > from
            {
                turns.push((start.timestamp(), end.timestamp(), person.as_str()));
            }
            number += 1;
        }
        turns
    }
}

impl WeeklyOverride {
    /// The times of a weekly override that overlap a time range.
    fn times(&self, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let begin =
            |day: &Zoned| day.with().hour(self.from).minute(0).second(0).subsec_nanosecond(0).build().ok();
        let mut day = from.to_zoned(zone.clone()).saturating_sub(1.day());
        let mut times = Vec::new();
        while day.timestamp() < until {
            if day.weekday() == weekday(&self.weekday)
                && let Some(start) = begin(&day)
            {
                let end = start.saturating_add(self.hours.hours());
                if end.timestamp() > from && start.timestamp() < until {
                    times.push((start.timestamp(), end.timestamp()));
                }
            }
            day = day.saturating_add(1.day());
        }
        times
    }
}

fn weekday(name: &str) -> Weekday {
    match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        _ => Weekday::Sunday,
    }
}

/// A reference with a web page.
pub(super) fn named(id: &str, name: &str) -> PagerRef {
    let url: Text = format!("https://pager.shop.example/{id}").into();
    PagerRef { id: id.into(), name: name.into(), url: Some(url) }
}

/// The time from a page to its acknowledgement.
pub(super) fn time_to_acknowledge(key: u64) -> Duration {
    Duration::from_secs(75 + key % 360)
}

#[cfg(test)]
mod tests;
