//! The paging system of the demo world: who is on call by the calendar, and incidents out of the alerts that page.

use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Deserialize;

use crate::model::action::EntityRef;
use crate::model::duration;
use crate::model::incident::{Named, Person};
use crate::model::labels::Text;
use crate::model::oncall::{EscalationPolicy, Level, Shift, Target};

use super::book;

const SOUND: &str = "the embedded rotas are read by the tests";

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    me: String,
    pub(super) page: Vec<Page>,
    person: Vec<Human>,
    policy: Vec<Policy>,
    rotation: Vec<Rotation>,
    stand_in: Vec<StandIn>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// The end of its name.
    pub(super) alert: String,
    pub(super) urgency: String,
    pub(super) priority: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Human {
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
    levels: Vec<Rung>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rung {
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
struct StandIn {
    rotation: String,
    person: String,
    weekday: String,
    from: i8,
    hours: i64,
}

/// A stretch of a rotation that somebody took over.
#[derive(Debug, Clone)]
pub(super) struct StoodIn {
    pub(super) rotation: Text,
    pub(super) person: Person,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Whoever was woken before was woken.
    pub(super) made_at: Timestamp,
}

/// Whose turn it is, from when until when.
pub(super) type Turn = (Person, Timestamp, Timestamp);

impl Paging {
    pub(super) fn open() -> Self {
        toml::from_str(include_str!("../../../assets/demo/paging.toml")).expect(SOUND)
    }

    fn person(&self, id: &str) -> Person {
        let human = self.person.iter().find(|human| human.id == id).expect(SOUND);
        Person {
            id: human.id.as_str().into(),
            name: human.name.as_str().into(),
            email: Some(human.email.as_str().into()),
            zone: Some(human.zone.as_str().into()),
        }
    }

    /// The person at the keyboard.
    pub(super) fn me(&self) -> Person {
        self.person(&self.me)
    }

    pub(super) fn people(&self) -> impl Iterator<Item = Person> {
        self.person.iter().map(|human| self.person(&human.id))
    }

    /// Somebody who was named, as far as they are known here.
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
        self.rotation.iter().find(|rotation| rotation.id == id).expect(SOUND)
    }

    /// The policy by which a team is woken.
    pub(super) fn policy_of(&self, team: &str) -> &Policy {
        let its = self.policy.iter().find(|policy| policy.teams.iter().any(|name| name == team));
        its.or(self.policy.last()).expect(SOUND)
    }

    /// Whose turn it is at the first level of a policy at a moment; the first level that has somebody, if that one has nobody.
    pub(super) fn woken(&self, policy: &Policy, at: Timestamp, stood_in: &[StoodIn]) -> Option<Person> {
        let mut levels = policy.levels.iter().zip(1..);
        levels.find_map(|(rung, number)| self.on(policy, rung, number, at, stood_in))
    }

    /// Whose turn it is at a level of a policy at a moment.
    pub(super) fn on_level(
        &self,
        policy: &str,
        level: u32,
        at: Timestamp,
        stood_in: &[StoodIn],
    ) -> Vec<Person> {
        let policy = self.policy.iter().find(|known| known.id == policy);
        let person = policy.and_then(|policy| {
            let (rung, number) = policy.levels.iter().zip(1..).find(|(_, number)| *number == level)?;
            self.on(policy, rung, number, at, stood_in)
        });
        person.into_iter().collect()
    }

    fn on(
        &self,
        policy: &Policy,
        rung: &Rung,
        level: u32,
        at: Timestamp,
        stood_in: &[StoodIn],
    ) -> Option<Person> {
        let shifts = self.shifts(policy, (rung, level), (at, at + 1.second()), stood_in);
        let on: Vec<Shift> = shifts.into_iter().filter(|shift| shift.covers(at)).collect();
        on.iter().find(|shift| shift.is_override).or(on.first()).map(|shift| shift.person.clone())
    }

    /// All turns of all policies that touch a stretch of time.
    pub(super) fn turns(&self, from: Timestamp, until: Timestamp, stood_in: &[StoodIn]) -> Vec<Shift> {
        let each = |policy: &Policy| -> Vec<Shift> {
            let rungs = policy.levels.iter().zip(1..);
            rungs.flat_map(|rung| self.shifts(policy, rung, (from, until), stood_in)).collect()
        };
        self.policy.iter().flat_map(each).collect()
    }

    /// Who stands in at each rotation within a stretch of time.
    pub(super) fn overrides(
        &self,
        span: (Timestamp, Timestamp),
        stood_in: &[StoodIn],
    ) -> Vec<(Named, Vec<Turn>)> {
        let of = |rotation: &Rotation| {
            (named(&rotation.id, &rotation.name), self.stand_ins(rotation, span, stood_in).collect())
        };
        self.rotation.iter().map(of).collect()
    }

    /// Those who stand in at a rotation within a stretch of time: as it was planned, then what was taken over.
    fn stand_ins(
        &self,
        rotation: &Rotation,
        (from, until): (Timestamp, Timestamp),
        stood_in: &[StoodIn],
    ) -> impl Iterator<Item = Turn> {
        let planned = self.stand_in.iter().filter(|stand_in| stand_in.rotation == rotation.id);
        let planned = planned.flat_map(move |stand_in| {
            let times = stand_in.times(&rotation.zone(), from, until).into_iter();
            times.map(|(start, end)| (self.person(&stand_in.person), start, end))
        });
        let taken = stood_in.iter().filter(|taken| *taken.rotation == *rotation.id);
        let taken = taken.map(|taken| (taken.person.clone(), taken.start, taken.end));
        planned.chain(taken).filter(move |(_, start, end)| *end > from && *start < until)
    }

    /// The policies, each with the services whose teams it is of.
    pub(super) fn policies(&self, services: &[book::Service]) -> Vec<EscalationPolicy> {
        self.policy.iter().map(|policy| self.told(policy, services)).collect()
    }

    fn told(&self, policy: &Policy, services: &[book::Service]) -> EscalationPolicy {
        let mut services: Vec<Named> = services
            .iter()
            .filter(|service| self.policy_of(&service.team).id == policy.id)
            .map(|service| named(&service.name, &service.name))
            .collect();
        services.sort();
        let level = |(rung, number): (&Rung, u32)| Level {
            number,
            delay: duration::parse(&rung.delay).expect(SOUND),
            targets: vec![match (&rung.rotation, &rung.person) {
                (Some(rotation), _) => {
                    let rotation = self.rotation(rotation);
                    Target::Schedule(named(&rotation.id, &rotation.name))
                }
                (None, person) => Target::Person(self.person(person.as_deref().expect(SOUND))),
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

    /// The turns at one level that touch a stretch of time.
    fn shifts(
        &self,
        policy: &Policy,
        (rung, level): (&Rung, u32),
        (from, until): (Timestamp, Timestamp),
        stood_in: &[StoodIn],
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
        let Some(rotation) = &rung.rotation else {
            let person = self.person(rung.person.as_deref().expect(SOUND));
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
        // what was taken over last counts
        for (person, start, end) in self.stand_ins(rotation, (from, until), stood_in) {
            shifts = stood_in_for(shifts, stands_in(person, start, end));
        }
        shifts.sort_by_key(|shift| shift.start);
        shifts
    }
}

/// What is stood in for is not one's own turn.
fn stood_in_for(shifts: Vec<Shift>, other: Shift) -> Vec<Shift> {
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
    pub(super) fn named(&self) -> Named {
        named(&self.id, &self.name)
    }
}

impl Rotation {
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// The turns that touch a stretch of time: from when, until when, whose.
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

impl StandIn {
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

pub(super) fn named(id: &str, name: &str) -> Named {
    let url: Text = format!("https://pager.shop.example/{id}").into();
    Named { id: id.into(), name: name.into(), url: Some(url) }
}

/// How long after a page somebody says that they are on it.
pub(super) fn time_to_acknowledge(key: u64) -> Duration {
    Duration::from_secs(75 + key % 360)
}

#[cfg(test)]
mod tests;
