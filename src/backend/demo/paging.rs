//! The paging data of the demo: people, escalation policies, rotations and overrides, and who is on call at a time.

use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::model::action::EntityRef;
use crate::model::incident::{PagerRef, Person};
use crate::model::labels::Text;
use crate::model::oncall::{EscalationLevel, EscalationPolicy, EscalationTarget, Shift};

use super::fixtures::{self, Seconds, fixtures};

const EMBEDDED_IS_VALID: &str = "the embedded rotas are read by the tests";

fixtures! {
    /// The contents of `paging.toml`.
    struct PagingFixture {
        me: String,
        page: Vec<PagingAlert>,
        person: Vec<PersonFixture>,
        policy: Vec<Policy>,
        rotation: Vec<Rotation>,
        stand_in: Vec<WeeklyOverride>,
    }

    struct PagingAlert {
        /// The end of the alert's name.
        alert: String,
        urgency: String,
        priority: String,
    }

    struct PersonFixture {
        id: String,
        name: String,
        email: String,
        zone: String,
    }

    struct Policy {
        id: String,
        name: String,
        teams: Vec<String>,
        repeats: u32,
        levels: Vec<PolicyLevel>,
    }

    struct PolicyLevel {
        rotation: Option<String>,
        person: Option<String>,
        delay: Seconds,
    }

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

    struct WeeklyOverride {
        rotation: String,
        person: String,
        weekday: String,
        from: i8,
        hours: i64,
    }
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
        fixtures::read(include_str!("../../../assets/demo/paging.toml"))
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

    /// Who is on call for a policy at a time, at this level or at the first level that has somebody; an override takes
    /// precedence.
    pub(super) fn on_call(
        &self,
        policy: &str,
        level: Option<u32>,
        at: Timestamp,
        taken_shifts: &[TakenShift],
    ) -> Option<Person> {
        let policy = self.policy.iter().find(|known| known.id == policy)?;
        let shifts = self.shifts_of(policy, (at, at + 1.second()), taken_shifts).into_iter();
        let on = shifts.filter(|shift| level.is_none_or(|level| level == shift.level) && shift.covers(at));
        on.min_by_key(|shift| (shift.level, !shift.is_override)).map(|shift| shift.person)
    }

    /// The shifts of all policies that overlap a time range.
    pub(super) fn turns(&self, span: (Timestamp, Timestamp), taken_shifts: &[TakenShift]) -> Vec<Shift> {
        self.policy.iter().flat_map(|policy| self.shifts_of(policy, span, taken_shifts)).collect()
    }

    /// The overrides of each rotation that overlap a time range.
    pub(super) fn overrides(
        &self,
        span: (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> Vec<(PagerRef, Vec<DemoShift>)> {
        let of =
            |rotation: &Rotation| (rotation.named(), self.stand_ins(rotation, span, taken_shifts).collect());
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
            delay: Duration::try_from_secs_f64(policy_level.delay.0).expect(EMBEDDED_IS_VALID),
            targets: vec![match (&policy_level.rotation, &policy_level.person) {
                (Some(rotation), _) => EscalationTarget::Schedule(self.rotation(rotation).named()),
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

    /// The shifts of a policy that overlap a time range.
    fn shifts_of(
        &self,
        policy: &Policy,
        span: (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> Vec<Shift> {
        let levels = policy.levels.iter().zip(1..);
        levels.flat_map(|level| self.shifts_on(policy, level, span, taken_shifts)).collect()
    }

    /// The shifts at one level that overlap a time range.
    fn shifts_on(
        &self,
        policy: &Policy,
        (policy_level, level): (&PolicyLevel, u32),
        (from, until): (Timestamp, Timestamp),
        taken_shifts: &[TakenShift],
    ) -> Vec<Shift> {
        let shift = |person| Shift {
            policy: policy.id.as_str().into(),
            level,
            person,
            schedule: None,
            start: None,
            end: None,
            is_override: false,
        };
        let Some(rotation) = &policy_level.rotation else {
            return vec![shift(self.person(policy_level.person.as_deref().expect(EMBEDDED_IS_VALID)))];
        };
        let rotation = self.rotation(rotation);
        let timed = |(person, start, end): DemoShift, is_override| {
            let schedule = Some(rotation.named());
            Shift { schedule, start: Some(start), end: Some(end), is_override, ..shift(person) }
        };
        let planned = rotation.turns(from, until).into_iter();
        let planned = planned.map(|(start, end, person)| timed((self.person(person), start, end), false));
        let overrides = self.stand_ins(rotation, (from, until), taken_shifts);
        // later overrides replace earlier ones
        let mut shifts =
            overrides.fold(planned.collect(), |shifts, other| apply_override(shifts, timed(other, true)));
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
    fn named(&self) -> PagerRef {
        named(&self.id, &self.name)
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// The shifts of the rotation that overlap a time range: start, end, and person id.
    fn turns(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp, &str)> {
        let zone = self.zone();
        let first = jiff::civil::date(2025, 12, 29).at(self.hour, 0, 0, 0);
        let begin = self.people.iter().position(|id| *id == self.first);
        let begin = begin.and_then(|begin| i64::try_from(begin).ok()).unwrap_or(0);
        let passed = from.to_zoned(zone.clone()).date().since(first.date()).map_or(0, |span| span.get_days());
        let start_of =
            |number: i64| first.checked_add((number * self.days).days()).ok()?.to_zoned(zone.clone()).ok();
        let people = i64::try_from(self.people.len()).unwrap_or(1).max(1);
        let turns = (i64::from(passed) / self.days - 1..)
            .map_while(|number| Some((number, start_of(number)?, start_of(number + 1)?.timestamp())))
            .take_while(|(_, start, _)| start.timestamp() < until);
        let turn = |(number, start, end): (i64, Zoned, Timestamp)| {
            let is_off = self.off.iter().any(|day| weekday(day) == start.weekday());
            let whose = usize::try_from((number + begin).rem_euclid(people)).ok()?;
            let person = self.people.get(whose)?.as_str();
            (!is_off && end > from).then_some((start.timestamp(), end, person))
        };
        turns.filter_map(turn).collect()
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
