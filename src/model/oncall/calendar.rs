//! The on-call calendar: coverage slots with handoffs, gaps, double bookings and night hours.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::super::incident::Person;
use super::super::labels::Text;
use super::{OnCallSnapshot, Shift};

/// The hour, in a person's own time zone, at which the night starts.
const NIGHT_FROM: i8 = 22;
/// The hour at which the night ends.
const NIGHT_UNTIL: i8 = 7;

/// A person on call during a coverage slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    pub person: Person,
    /// The id of the schedule; `None`: the person is a direct target.
    pub schedule: Option<Text>,
    /// Whether the person is on call by an override.
    pub is_override: bool,
    /// Other levels of the same policy at which the person is on call at the same time, so that escalating does not reach anybody
    /// else.
    pub also: Vec<u32>,
}

/// Who is on call at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Outside of the queried time range, so not known to be a gap.
    Unknown,
    /// A gap: nobody is on call.
    Nobody,
    /// These people, each once, sorted by name.
    People(Vec<OnDuty>),
}

impl Coverage {
    /// The people on call; empty for `Unknown` and `Nobody`.
    pub fn on_duty(&self) -> &[OnDuty] {
        match self {
            Self::Unknown | Self::Nobody => &[],
            Self::People(on_duty) => on_duty,
        }
    }

    /// Whether one schedule has several people at once, or a person is on call at two levels of the policy.
    ///
    /// Several targets of one level are not a double booking: all of them are meant to be paged.
    pub fn is_double_booked(&self) -> bool {
        let on_duty = self.on_duty();
        let schedules: Vec<&Text> =
            on_duty.iter().filter_map(|person_on_duty| person_on_duty.schedule.as_ref()).collect();
        let once: BTreeSet<&Text> = schedules.iter().copied().collect();
        once.len() < schedules.len() || on_duty.iter().any(|person_on_duty| !person_on_duty.also.is_empty())
    }

    /// Whether the same people are on call, ignoring schedules and overrides.
    fn has_same_people(&self, other: &Self) -> bool {
        let ids = |cover: &Self| {
            cover
                .on_duty()
                .iter()
                .map(|person_on_duty| person_on_duty.person.id.clone())
                .collect::<BTreeSet<_>>()
        };
        std::mem::discriminant(self) == std::mem::discriminant(other) && ids(self) == ids(other)
    }
}

/// A time range with the same people on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageSlot {
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
    pub cover: Coverage,
    /// Whether a handoff starts it: other people were on call before.
    pub is_handoff: bool,
}

/// A day in a time zone, from midnight to midnight: usually 23 to 25 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    pub date: Date,
    pub from: Timestamp,
    /// The start of the next day.
    pub until: Timestamp,
    /// Its coverage slots, without gaps between them.
    pub coverage_slots: Vec<CoverageSlot>,
}

/// Who is on call at a level at a moment, and who is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCallAt {
    pub now: Coverage,
    /// When other people are on call, and who; `None`: not within the known time range.
    pub next: Option<(Timestamp, Coverage)>,
}

impl OnCallSnapshot {
    /// The coverage slots of a level of a policy between two moments, in order and without gaps.
    pub fn coverage_slots(
        &self,
        policy: &str,
        level: u32,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<CoverageSlot> {
        let its: Vec<&Shift> = self.shifts.iter().filter(|shift| *shift.policy == *policy).collect();
        let ends = its.iter().flat_map(|shift| [shift.start, shift.end]).flatten();
        let within = ends.chain([self.from, self.until]).filter(|at| from < *at && *at < until);
        let cuts: BTreeSet<Timestamp> = within.chain([from]).collect();
        let mut coverage_slots: Vec<CoverageSlot> = Vec::new();
        for cut in cuts.into_iter().filter(|cut| *cut < until) {
            let cover = self.cover(&its, level, cut);
            match coverage_slots.last_mut() {
                Some(last) if last.cover == cover => {}
                Some(last) => {
                    last.until = cut;
                    // without known coverage before or after there is no handoff
                    let is_known = last.cover != Coverage::Unknown && cover != Coverage::Unknown;
                    let is_handoff = is_known && !last.cover.has_same_people(&cover);
                    coverage_slots.push(CoverageSlot { from: cut, until, cover, is_handoff });
                }
                None => coverage_slots.push(CoverageSlot { from: cut, until, cover, is_handoff: false }),
            }
        }
        coverage_slots
    }

    /// The days from the one that contains `at`, in a time zone; dates that the zone skips are left out.
    pub fn days(
        &self,
        policy: &str,
        level: u32,
        at: Timestamp,
        zone: &TimeZone,
        count: u8,
    ) -> Vec<CalendarDay> {
        let first = at.to_zoned(zone.clone()).date();
        let midnight = |day: u8| {
            let date = first.checked_add(Span::new().days(day)).ok()?;
            let begins = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
            Some((date, begins.timestamp()))
        };
        let begins: Vec<(Date, Timestamp)> = (0..=count).map_while(midnight).collect();
        let (Some((_, from)), Some((_, until))) = (begins.first(), begins.last()) else { return Vec::new() };
        let all = self.coverage_slots(policy, level, *from, *until);
        let days = begins.windows(2).filter_map(|pair| match pair {
            [(date, from), (_, until)] => {
                let within = all.iter().filter(|slot| slot.from < *until && *from < slot.until);
                let coverage_slots = within.map(|slot| CoverageSlot {
                    from: slot.from.max(*from),
                    until: slot.until.min(*until),
                    is_handoff: slot.is_handoff && slot.from >= *from,
                    cover: slot.cover.clone(),
                });
                Some(CalendarDay {
                    date: *date,
                    from: *from,
                    until: *until,
                    coverage_slots: coverage_slots.collect(),
                })
            }
            _ => None,
        });
        days.collect()
    }

    /// Who is on call at a level at a moment, and who is next.
    pub fn on_call_at(&self, policy: &str, level: u32, at: Timestamp) -> OnCallAt {
        let mut coverage_slots =
            self.coverage_slots(policy, level, at, self.until.max(at + Duration::from_secs(1))).into_iter();
        let now = coverage_slots.next().map_or(Coverage::Unknown, |slot| slot.cover);
        let mut later = coverage_slots.filter(|slot| slot.cover != Coverage::Unknown);
        let next = later.find(|slot| !slot.cover.has_same_people(&now)).map(|slot| (slot.from, slot.cover));
        OnCallAt { now, next }
    }

    /// The current and future shifts of a person, sorted by start.
    pub fn shifts_of<'a>(&'a self, person: &'a Person, at: Timestamp) -> Vec<&'a Shift> {
        let is_ahead = |shift: &&Shift| shift.person.id == person.id && shift.end.is_none_or(|end| at < end);
        let mut its: Vec<&Shift> = self.shifts.iter().filter(is_ahead).collect();
        its.sort_by(|a, b| (a.start, &a.policy, a.level).cmp(&(b.start, &b.policy, b.level)));
        its
    }

    fn cover(&self, shifts: &[&Shift], level: u32, at: Timestamp) -> Coverage {
        if at < self.from || self.until <= at {
            return Coverage::Unknown;
        }
        let mut on_duty: Vec<OnDuty> = Vec::new();
        for shift in shifts.iter().filter(|shift| shift.level == level && shift.covers(at)) {
            let schedule = shift.schedule.as_ref().map(|schedule| schedule.id.clone());
            if let Some(person_on_duty) =
                on_duty.iter_mut().find(|person_on_duty| person_on_duty.person.id == shift.person.id)
            {
                person_on_duty.is_override |= shift.is_override;
            } else {
                let person = shift.person.clone();
                on_duty.push(OnDuty { person, schedule, is_override: shift.is_override, also: Vec::new() });
            }
        }
        for person_on_duty in &mut on_duty {
            let other = shifts.iter().filter(|shift| shift.level != level && shift.covers(at));
            let same =
                other.filter(|shift| shift.person.id == person_on_duty.person.id).map(|shift| shift.level);
            person_on_duty.also = same.collect::<BTreeSet<_>>().into_iter().collect();
        }
        on_duty.sort_by(|a, b| (&a.person.name, &a.person.id).cmp(&(&b.person.name, &b.person.id)));
        if on_duty.is_empty() { Coverage::Nobody } else { Coverage::People(on_duty) }
    }
}

/// Whether this hour of the day, 0 to 23, is at night: 22:00 to 07:00.
pub fn is_night(hour: i8) -> bool {
    !(NIGHT_UNTIL..NIGHT_FROM).contains(&hour)
}

impl Person {
    /// Whether it is night in the person's time zone; `None` if the zone is unknown.
    pub fn is_at_night(&self, at: Timestamp) -> Option<bool> {
        let hour = at.to_zoned(self.time_zone()?).hour();
        Some(is_night(hour))
    }

    /// How much of a time range is night in the person's time zone; `None` if the zone is unknown.
    pub fn night(&self, from: Timestamp, until: Timestamp) -> Option<Duration> {
        let zone = self.time_zone()?;
        let first = from.to_zoned(zone.clone()).date().checked_sub(Span::new().days(1)).ok()?;
        let last = until.to_zoned(zone.clone()).date();
        let mut sum = Duration::ZERO;
        // no calendar is longer than a year
        for date in first.series(Span::new().days(1)).take_while(|date| *date <= last).take(370) {
            let hour =
                |date: Date, hour| Some(date.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp());
            let Some(begins) = hour(date, NIGHT_FROM) else { continue };
            let Some(ends) = date.tomorrow().ok().and_then(|next| hour(next, NIGHT_UNTIL)) else { continue };
            sum += Duration::try_from(ends.min(until).duration_since(begins.max(from))).unwrap_or_default();
        }
        Some(sum)
    }

    fn time_zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.zone.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests;
