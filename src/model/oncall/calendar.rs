//! Who is on call when, as a calendar has it: stints with handoffs, gaps, double bookings and hours of the night.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::super::incident::Person;
use super::super::labels::Text;
use super::{OnCallBoard, Shift};

/// From this hour on it is night for a person, in their own zone.
const NIGHT_FROM: i8 = 22;
/// Until this hour.
const NIGHT_UNTIL: i8 = 7;

/// Somebody who is on call during a stint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    pub person: Person,
    /// By which schedule, by its id; none: always.
    pub schedule: Option<Text>,
    /// Whether they stand in for somebody else.
    pub is_override: bool,
    /// Other levels of the same policy at which they are on call at the same time: nobody is left to escalate to.
    pub also: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// The source was not asked about this time, which is no gap.
    Unknown,
    Nobody,
    /// These, each once, in the order of their names.
    People(Vec<OnDuty>),
}

impl Coverage {
    pub fn turns(&self) -> &[OnDuty] {
        match self {
            Self::Unknown | Self::Nobody => &[],
            Self::People(turns) => turns,
        }
    }

    /// Whether one schedule has several people at once, or somebody is on call at two levels of the policy.
    ///
    /// Several targets of one level are no double booking: all of them are meant to be woken.
    pub fn is_double_booked(&self) -> bool {
        let turns = self.turns();
        let schedules: Vec<&Text> = turns.iter().filter_map(|turn| turn.schedule.as_ref()).collect();
        let once: BTreeSet<&Text> = schedules.iter().copied().collect();
        once.len() < schedules.len() || turns.iter().any(|turn| !turn.also.is_empty())
    }

    /// Whether the same people are on call, whatever else differs.
    fn has_same_people(&self, other: &Self) -> bool {
        let ids =
            |cover: &Self| cover.turns().iter().map(|turn| turn.person.id.clone()).collect::<BTreeSet<_>>();
        std::mem::discriminant(self) == std::mem::discriminant(other) && ids(self) == ids(other)
    }
}

/// A stretch of time in which the same people are on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageSlot {
    pub from: Timestamp,
    /// Its end, which does not belong to it.
    pub until: Timestamp,
    pub cover: Coverage,
    /// Whether the people were others before: a handoff, and not merely midnight.
    pub is_handoff: bool,
}

/// A day in a zone, from midnight to midnight: 23 to 25 hours, and what there is besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    pub date: Date,
    pub from: Timestamp,
    /// The first moment of the next.
    pub until: Timestamp,
    /// Its stints, without a hole between them.
    pub coverage_slots: Vec<CoverageSlot>,
}

/// Who is on call at a level at a moment, and who comes then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCallAt {
    pub now: Coverage,
    /// From when others are on call, and who; `None`: not within the time that is known.
    pub next: Option<(Timestamp, Coverage)>,
}

impl OnCallBoard {
    /// The stints of a level of a policy over some time, in order and without a hole.
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
                    // what was before is not always known
                    let is_known = last.cover != Coverage::Unknown && cover != Coverage::Unknown;
                    let is_handoff = is_known && !last.cover.has_same_people(&cover);
                    coverage_slots.push(CoverageSlot { from: cut, until, cover, is_handoff });
                }
                None => coverage_slots.push(CoverageSlot { from: cut, until, cover, is_handoff: false }),
            }
        }
        coverage_slots
    }

    /// Days from the one that a moment lies in, as a zone has them; days that the calendar does not have are left out.
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
                let within = all
                    .iter()
                    .filter(|coverage_slot| coverage_slot.from < *until && *from < coverage_slot.until);
                let coverage_slots = within.map(|coverage_slot| CoverageSlot {
                    from: coverage_slot.from.max(*from),
                    until: coverage_slot.until.min(*until),
                    is_handoff: coverage_slot.is_handoff && coverage_slot.from >= *from,
                    cover: coverage_slot.cover.clone(),
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

    /// Who is on call at a level at a moment, and who comes then.
    pub fn on_call_at(&self, policy: &str, level: u32, at: Timestamp) -> OnCallAt {
        let mut coverage_slots =
            self.coverage_slots(policy, level, at, self.until.max(at + Duration::from_secs(1))).into_iter();
        let now = coverage_slots.next().map_or(Coverage::Unknown, |coverage_slot| coverage_slot.cover);
        let mut later = coverage_slots.filter(|coverage_slot| coverage_slot.cover != Coverage::Unknown);
        let next = later
            .find(|coverage_slot| !coverage_slot.cover.has_same_people(&now))
            .map(|coverage_slot| (coverage_slot.from, coverage_slot.cover));
        OnCallAt { now, next }
    }

    /// The turns of a person that are not over, in the order of their beginning.
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
        let mut turns: Vec<OnDuty> = Vec::new();
        for shift in shifts.iter().filter(|shift| shift.level == level && shift.covers(at)) {
            let schedule = shift.schedule.as_ref().map(|schedule| schedule.id.clone());
            if let Some(turn) = turns.iter_mut().find(|turn| turn.person.id == shift.person.id) {
                turn.is_override |= shift.is_override;
            } else {
                let person = shift.person.clone();
                turns.push(OnDuty { person, schedule, is_override: shift.is_override, also: Vec::new() });
            }
        }
        for turn in &mut turns {
            let other = shifts.iter().filter(|shift| shift.level != level && shift.covers(at));
            let same = other.filter(|shift| shift.person.id == turn.person.id).map(|shift| shift.level);
            turn.also = same.collect::<BTreeSet<_>>().into_iter().collect();
        }
        turns.sort_by(|a, b| (&a.person.name, &a.person.id).cmp(&(&b.person.name, &b.person.id)));
        if turns.is_empty() { Coverage::Nobody } else { Coverage::People(turns) }
    }
}

/// Whether this hour of the day, 0 to 23, is one at which people sleep: 22:00 to 07:00.
pub fn is_night(hour: i8) -> bool {
    !(NIGHT_UNTIL..NIGHT_FROM).contains(&hour)
}

impl Person {
    /// Whether it is night where they live; `None` if that is not known.
    pub fn is_at_night(&self, at: Timestamp) -> Option<bool> {
        let hour = at.to_zoned(self.time_zone()?).hour();
        Some(is_night(hour))
    }

    /// How much of a stretch of time is night where they live; `None` if that is not known.
    pub fn night(&self, from: Timestamp, until: Timestamp) -> Option<Duration> {
        let zone = self.time_zone()?;
        let first = from.to_zoned(zone.clone()).date().checked_sub(Span::new().days(1)).ok()?;
        let last = until.to_zoned(zone.clone()).date();
        let mut sum = Duration::ZERO;
        // no calendar looks further ahead than a year
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
